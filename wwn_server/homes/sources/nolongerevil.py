"""Nest thermostats whose firmware was replaced, behind NoLongerEvil's self-hosted server.

Its control port tells all but three things truly. Whether somebody is at home is never shown there: it is read on MQTT
where the operator has a broker, and is otherwise what was written last. For five minutes after it starts, every
thermostat it ever knew counts as available, and as just seen: one is believed to be there only when it has been seen
since. And when it saw one, it tells by a clock of its own and without a zone: that this changes is what counts, and our
own clock says when.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import logging
from typing import Any, Final
from urllib.parse import quote

from wwn_server.errors import Anchor, WireError
from wwn_server.homes.source import Failure, Reach, Report, refused, silent, unsupported
from wwn_server.rules import HIGH, LOW, TARGET
from wwn_server.temperatures import celsius_from
from wwn_server.texts import t

from .broker import Broker, Login
from .detector import state_of
from .nolongerevil_status import Status, device_of, in_eco
from .polled import Clock, Polled, now_in_utc
from .reach import Address, ReachError
from .web import Web

_LOGGER: Final = logging.getLogger(__name__)

KIND: Final = "nolongerevil"
PREFIX: Final = "nolongerevil"

_DEVICES: Final = "/api/devices"
_EVENTS: Final = "/api/events"
_STATUS: Final = "/status"
_COMMAND: Final = "/command"
# After a restart of the server, for this long it takes every thermostat for available.
_UNPROVEN: Final = timedelta(seconds=300)
_FIRST_PAUSE: Final = 5.0
_LONGEST_PAUSE: Final = 60.0
# A server that says news all the time is not asked all the time.
_BREATH: Final = 0.3
# What is no longer than half of the wire's step was not changed, but rounded.
_SAME: Final = 0.26
_FAN_MINUTES: Final = 15
_PRESENCE: Final = {"home": "home", "eco": "home", "away": "away"}
_ONLINE: Final = "online"
_TOPICS: Final = ("availability", "ha/preset")

type Command = tuple[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoLongerEvilSettings:
    """Where the control port is, and the broker with its prefix, if there is one."""

    address: Address
    broker: Login | None = None
    prefix: str = PREFIX


class NoLongerEvil(Polled):
    """All thermostats of one server."""

    kind = KIND
    takes = frozenset({"away"})

    def __init__(self, settings: NoLongerEvilSettings, clock: Clock = now_in_utc) -> None:
        """Know where it is; nothing is asked yet."""
        super().__init__(str(settings.address), clock)
        self._settings = settings
        self._web = Web(settings.address)
        self._witness = _Witness()
        self._minutes: dict[str, int] = {}
        self._statuses: dict[str, Status] = {}
        self._heard: dict[str, dict[str, str]] = {}
        topics = [f"{settings.prefix}/+/{each}" for each in _TOPICS]
        self._broker = Broker(settings.broker, self, topics) if settings.broker else None
        self._reach = Reach() if settings.broker else None
        # Whoever could tell whether somebody is at home, and has not yet, does not leave it to what was written.
        self.report = Report(home=self._home(), broker=self._reach)

    async def start(self) -> None:
        """Begin to ask, and to listen."""
        if self._tasks:
            return
        await super().start()
        self._tasks.append(asyncio.create_task(self._listen(), name=f"events {self._named}"))
        if self._broker is not None:
            await self._broker.start()

    async def stop(self) -> None:
        """Ask no more."""
        await super().stop()
        if self._broker is not None:
            await self._broker.stop()
        await self._web.close()

    async def write(self, key: str, fields: Mapping[str, Any]) -> None:
        """Pass fields on to a thermostat: each is looked at before any is sent."""
        status = self._demand(key)
        minutes = int(fields.get("fan_timer_duration", self._minutes.get(key, _FAN_MINUTES)))
        commands = _commands(status, fields, minutes)
        for command, value in commands:
            await self._send(key, command, value)
        self._minutes[key] = minutes
        self._news.set()

    async def write_home(self, fields: Mapping[str, Any]) -> None:
        """Tell the thermostats whether somebody is at home: one of each structure, which tells the others."""
        if not (self.report.reachable and self._statuses):
            raise silent()
        by_structure = {str(each.get("structure_id") or key): key for key, each in self._statuses.items()}
        for key in by_structure.values():
            await self._send(key, "set_away", fields["away"] == "away")
        self._news.set()

    def connected(self) -> None:
        """Hear that the broker is there."""
        self._reach = Reach(reachable=True)
        self._retell()

    def lost(self, failure: Failure) -> None:
        """Hear that the broker is gone: what was said there is not known any more."""
        self._reach = Reach(trouble=failure)
        self._heard.clear()
        self._retell()

    def heard(self, topic: str, payload: bytes, *, retained: bool) -> None:  # noqa: ARG002
        """Hear whether a thermostat is there, or whether somebody is at home."""
        serial, _, about = topic.removeprefix(f"{self._settings.prefix}/").partition("/")
        said = self._heard.setdefault(serial, {})[about] = state_of(payload)
        # That one is there is said of all of them at times; only the control port is believed.
        self._news.set()
        if said != _ONLINE:
            self._retell()

    async def _asked(self) -> Report:
        answer = await self._web.get(_DEVICES)
        listed = answer.get("devices") if isinstance(answer, dict) else None
        if not isinstance(listed, list):
            raise ReachError(Failure.NOT_IT)
        sound = [each for each in listed if isinstance(each, dict) and isinstance(each.get("serial"), str)]
        # Each comes with the password of its thermostat, which is not ours to keep.
        self._statuses = {each["serial"]: {**each, "api_key": None} for each in sound if each["serial"]}
        self._witness.look(self._statuses, self._clock())
        return self._told(reachable=True)

    def _failed(self, failure: Failure) -> Report:
        self._witness.forget()
        return super()._failed(failure)

    def _told(self, *, reachable: bool) -> Report:
        now = self._clock()
        devices = tuple(
            device_of(
                each,
                online=self._is_online(key, each),
                heard=self._witness.heard.get(key),
                minutes=self._minutes.get(key, _FAN_MINUTES),
                now=now,
            )
            for key, each in self._statuses.items()
        )
        return Report(reachable=reachable, devices=devices, home=self._home(), broker=self._reach)

    def _is_online(self, key: str, status: Status) -> bool:
        is_denied = self._heard.get(key, {}).get("availability", _ONLINE) != _ONLINE
        return status.get("is_available") is True and self._witness.has_seen(key, self._clock()) and not is_denied

    def _home(self) -> dict[str, str]:
        """Return whether somebody is at home, where there is a broker to tell."""
        if self._broker is None:
            return {}
        said = [self._heard.get(key, {}).get("ha/preset") for key in self._statuses]
        known = {_PRESENCE.get(each, "unknown") for each in said if each is not None}
        # One that was told to be away is so for all of the home.
        return {"away": next((each for each in ("away", "unknown", "home") if each in known), "unknown")}

    def _retell(self) -> None:
        """Tell of what the control port said last, and of what is heard of the broker since."""
        told = self.report
        if told.devices is not None:
            told = self._told(reachable=told.reachable)
        self._become(replace(told, trouble=self.report.trouble, broker=self._reach))

    async def _listen(self) -> None:
        """Ask at once whenever the server has news. Without them it is asked all the same."""
        pause = _FIRST_PAUSE
        while True:
            try:
                async for _ in self._web.events(_EVENTS):
                    pause = _FIRST_PAUSE
                    self._news.set()
                    await asyncio.sleep(_BREATH)
            except ReachError as error:
                _LOGGER.debug("%s: no events (%s)", self._named, error.failure.value)
            # It may have started anew, and then nobody was seen since.
            self._witness.forget()
            self._news.set()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _demand(self, key: str) -> Status:
        """Return what is known of a thermostat. One that the server does not have, it would make up."""
        if not self.report.reachable or key not in self._statuses:
            raise silent()
        return self._statuses[key]

    async def _demand_there(self, key: str) -> None:
        """Ask for a thermostat right before a command: the list may be older than its end. Raises ``WireError``."""
        try:
            answer = await self._web.get(f"{_STATUS}?serial={quote(key, safe='')}")
        except ReachError as error:
            _LOGGER.warning("%s: no command without the thermostat (%s)", self._named, error.failure.value)
            self._news.set()
            raise silent() from None
        if not isinstance(answer, dict) or answer.get("serial") != key:
            self._news.set()
            raise silent()

    async def _send(self, key: str, command: str, value: Any) -> None:
        await self._demand_there(key)
        try:
            answer = await self._web.post(_COMMAND, {"serial": key, "command": command, "value": value})
        except ReachError as error:
            _LOGGER.warning("%s: %s was not taken (%s)", self._named, command, error.failure.value)
            raise (refused() if error.failure in _SAYS_NO else silent()) from None
        if not isinstance(answer, dict) or answer.get("success") is not True:
            raise refused()
        if command == "set_temperature":
            _demand_taken(value, answer)


_SAYS_NO: Final = frozenset({Failure.REFUSED, Failure.NOT_IT, Failure.CREDENTIALS, Failure.REDIRECT, Failure.FAULT})


class _Witness:
    """Which thermostats were seen since the server was first heard, or last lost; and when each was last heard."""

    def __init__(self) -> None:
        """Have seen nobody."""
        self.heard: dict[str, datetime] = {}
        self._since: datetime | None = None
        self._last: dict[str, object] = {}
        self._seen: set[str] = set()

    def forget(self) -> None:
        """Take nobody for seen: the server may have started anew, which it takes for having seen them all."""
        self._since = None
        self._last.clear()
        self._seen.clear()

    def look(self, statuses: Mapping[str, Status], now: datetime) -> None:
        """Take those for seen who hold a connection, or were heard after the first look."""
        self._since = self._since or now
        for key, status in statuses.items():
            connections, last = status.get("subscription_count"), status.get("last_seen")
            is_connected = isinstance(connections, int) and connections > 0
            has_spoken = bool(last) and self._last.get(key, last) != last
            if status.get("is_available") is True and (has_spoken or (is_connected and key not in self._seen)):
                self.heard[key] = now
                self._seen.add(key)
            self._last[key] = last

    def has_seen(self, key: str, now: datetime) -> bool:
        """Say whether a thermostat that is said to be available is so."""
        is_proven = self._since is not None and now - self._since >= _UNPROVEN
        return key in self._seen or is_proven


def _commands(status: Status, fields: Mapping[str, Any], minutes: int) -> list[Command]:
    """Return what to send, the mode first. Raises ``WireError`` for what the server has no command for."""
    for name in fields:
        if name.removesuffix("_c").removesuffix("_f") not in _TAKEN:
            raise unsupported(name)
    return [*_mode_command(status, fields), *_target_command(status, fields), *_fan_command(fields, minutes)]


_TAKEN: Final = frozenset({"hvac_mode", "fan_timer_active", "fan_timer_duration", TARGET, HIGH, LOW})


def _mode_command(status: Status, fields: Mapping[str, Any]) -> list[Command]:
    if "hvac_mode" not in fields:
        return []
    if in_eco(status) or fields["hvac_mode"] == "eco":
        # The server's one way into eco and out of it is the home's away, which is not a thermostat's to write.
        message = t("refusal.eco_is_away")
        raise WireError(400, Anchor.NOT_WRITABLE, message, {"field_name": "hvac_mode"})
    return [("set_mode", fields["hvac_mode"])]


def _target_command(status: Status, fields: Mapping[str, Any]) -> list[Command]:
    if f"{TARGET}_c" in fields:
        return [("set_temperature", _celsius(status, fields, TARGET))]
    bounds = {
        side: _celsius(status, fields, stem) for side, stem in (("high", HIGH), ("low", LOW)) if f"{stem}_c" in fields
    }
    return [("set_temperature", bounds)] if bounds else []


def _celsius(status: Status, fields: Mapping[str, Any], stem: str) -> float:
    """Return a target in Celsius, as exactly as the scale of the thermostat can mean it."""
    if status.get("temperature_scale") == "F":
        return round(celsius_from(fields[f"{stem}_f"]), 3)
    return float(fields[f"{stem}_c"])


def _fan_command(fields: Mapping[str, Any], minutes: int) -> list[Command]:
    if "fan_timer_active" not in fields:
        return []
    return [("set_fan", minutes * 60 if fields["fan_timer_active"] else "auto")]


def _demand_taken(value: Any, answer: Mapping[str, Any]) -> None:
    """Raise ``WireError`` where the server took another temperature than it was told, and said nothing."""
    data = answer.get("data")
    taken = data.get("values") if isinstance(data, dict) else None
    wanted = {f"{TARGET}_{side}": each for side, each in value.items()} if isinstance(value, dict) else {TARGET: value}
    for name, number in wanted.items():
        got = taken.get(name) if isinstance(taken, dict) else None
        if isinstance(got, int | float) and abs(got - number) > _SAME:
            raise WireError(400, Anchor.RANGE, t("refusal.source_changed", value=round(float(got), 1)))
