"""One smoke or carbon monoxide detector on a broker: what its messages make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
import logging
from typing import Any, Final

import orjson

from wwn_server.document import ALARMS
from wwn_server.homes.alarm import SEVERITY
from wwn_server.homes.base import AlarmKind, AlarmLevel
from wwn_server.homes.held import LONGEST, Levels, Test, followed, passed_on
from wwn_server.homes.source import AlarmWords, Device

_LOGGER: Final = logging.getLogger(__name__)

# How long a detector that tells nothing of its connection may say nothing: the batteries of most allow a word a day.
SILENCE: Final = timedelta(hours=25)

# For how long Zigbee2MQTT may say again, as if it were new, what detectors said before: after its start, after that of
# Home Assistant, when it waits half a minute, and after a detector was renamed.
REPEATS: Final = timedelta(minutes=1)

WORDS: Final = AlarmWords(
    dict.fromkeys(("true", "on", "1", "yes", "alarm", "detected", "emergency"), AlarmLevel.EMERGENCY)
    | dict.fromkeys(("false", "off", "0", "no", "clear", "ok", "normal"), AlarmLevel.OK)
    | {"warning": AlarmLevel.WARNING}
)
_TRUE: Final = frozenset({"true", "on", "1", "yes", "low"})
_FALSE: Final = frozenset({"false", "off", "0", "no", "normal", "ok"})
# A detector with a test button sounds, and says that it senses, whatever it senses.
_MOVED: Final = frozenset({AlarmLevel.EMERGENCY})
# A clock may be a little ahead of ours; what is later still is no time of the past, and tells nothing.
_AHEAD: Final = timedelta(minutes=5)
# Milliseconds since the epoch are larger than seconds ever will be.
_MILLISECONDS: Final = 10**11
_ONLINE: Final = "online"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a detector is, apart from what it senses: ``topic`` is where it speaks.

    ``smoke``, ``co`` and ``battery`` are the names of the fields of its messages, empty for what it does not have.
    """

    key: str
    topic: str
    name: str = ""
    smoke: str = "smoke"
    co: str = ""
    battery: str = "battery_low"
    test: str = "test"

    @property
    def fields(self) -> dict[AlarmKind, str]:
        """Return where it says what it senses."""
        said = {AlarmKind.SMOKE: self.smoke, AlarmKind.CO: self.co}
        return {kind: name for kind, name in said.items() if name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A detector at one moment. ``seen`` says whether it spoke since the connection was made."""

    profile: Profile
    said: Mapping[str, Any] = field(default_factory=dict)
    seen: bool = False
    heard: datetime | None = None
    available: bool | None = None
    test: Test | None = None

    def told(self, message: Mapping[str, Any], now: datetime, *, retained: bool, repeated: bool = False) -> Detector:
        """Return it after a message. What the message leaves out stays; what it calls null is not known any more.

        One that is ``repeated``, as far as anybody can tell, is none of its own words, unless it alarms as it did not.
        """
        told = replace(self, said={**self.said, **message}, seen=True)
        is_old = retained or (repeated and not _alarms_more(told.senses(), self.senses()))
        testing = truth(told.said.get(self.profile.test)) is True
        test = followed(self.test, testing=testing, shown=self.levels(now), now=now)
        if test is not None and self.test is None and (is_old or not self.seen):
            # Nobody knows when this test began, so it holds nothing back.
            test = replace(test, since=now - LONGEST)
        return replace(told, heard=self._heard(message, now, is_old=is_old), test=test)

    def reachable(self, payload: str) -> Detector:
        """Return it after a word of whether it can be reached; one that nobody knows says it can't.

        No word at all takes the last one back.
        """
        return replace(self, available=payload == _ONLINE if payload else None)

    def missed(self) -> Detector:
        """Return it after messages may have been missed: what it said is not how it is."""
        return replace(self, seen=False, available=None)

    def senses(self) -> dict[AlarmKind, AlarmLevel]:
        """Return what it said it senses, as far as it did."""
        profile = self.profile
        read = {kind: WORDS.level(self.said.get(name), profile.topic) for kind, name in profile.fields.items()}
        return {kind: level for kind, level in read.items() if level is not None}

    def levels(self, now: datetime) -> dict[AlarmKind, AlarmLevel]:
        """Return what it senses, as far as it said so, and as far as no test says it instead."""
        return passed_on(self.senses(), self.test, now, _MOVED)

    def online(self, now: datetime, silence: timedelta) -> bool:
        """Say whether what it said is how it is now."""
        if not self.seen or not any(self.said.get(name) is not None for name in self.profile.fields.values()):
            return False
        if self.available is not None:
            return self.available
        return self.heard is not None and now - self.heard < silence

    def until(self, now: datetime, silence: timedelta) -> datetime | None:
        """Return when time alone changes it next."""
        moments = [self.heard + silence] if self.heard else []
        moments += [self.test.since + LONGEST] if self.test else []
        return min((each for each in moments if each > now), default=None)

    def device(self, now: datetime, silence: timedelta) -> Device:
        """Return it as a home knows its devices."""
        battery = truth(self.said.get(self.profile.battery)) if self.profile.battery else None
        testing = truth(self.said.get(self.profile.test))
        return Device(
            key=self.profile.key,
            group=ALARMS,
            fields={
                **{f"{kind}_alarm_state": level.value for kind, level in self.levels(now).items()},
                **({} if battery is None else {"battery_health": "replace" if battery else "ok"}),
                **({} if testing is None else {"is_manual_test_active": testing}),
            },
            online=self.online(now, silence),
            heard=self.heard,
            name=self.profile.name,
            senses=frozenset(self.profile.fields),
        )

    def _heard(self, message: Mapping[str, Any], now: datetime, *, is_old: bool) -> datetime | None:
        told = moment_of(message.get("last_seen"))
        if told is not None and told - now < _AHEAD:
            return min(told, now)
        return self.heard if is_old else now


def _alarms_more(senses: Levels, before: Levels) -> bool:
    """Say whether anything is worse than it was; what was not known may have been fine."""
    return any(
        SEVERITY.index(level) > SEVERITY.index(before.get(kind, AlarmLevel.OK)) for kind, level in senses.items()
    )


def truth(said: object) -> bool | None:
    """Return what a word of yes and no means, nothing where it means neither."""
    word = str(said).strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def moment_of(said: object) -> datetime | None:
    """Return a moment that is written in ISO 8601, or in milliseconds or seconds since the epoch.

    One without a zone may be off by hours either way, and is none.
    """
    try:
        if isinstance(said, str):
            told = datetime.fromisoformat(said)
            return told.astimezone(UTC) if told.tzinfo else None
        if isinstance(said, int | float) and not isinstance(said, bool):
            return datetime.fromtimestamp(said / 1000 if said > _MILLISECONDS else said, UTC)
    except (ValueError, OverflowError, OSError):
        _LOGGER.debug("Not a time: %.40r", said)
    return None


def parsed(payload: bytes) -> Any:
    """Return the value of a message, nothing where it can't be read."""
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None


def state_of(payload: bytes) -> str:
    """Return the word of a message that is a word, or an object that holds one as ``state``."""
    value = parsed(payload)
    if isinstance(value, dict):
        value = value.get("state")
    return value if isinstance(value, str) else payload.decode("utf-8", "replace").strip()
