"""What happened in a home, told from what was last known of it and a newer document. No clock, no input, no output.

An alarm rises as soon as a document says so. It falls only by a document in which that alarm is live: one that falls
silent (offline, missing, a word that is not known) has told nothing, least of all that it is over. While a manual test
runs, a warning may be part of it and waits for the end of the test; an emergency never waits.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self

from .gaps import Gap
from .wwn import Document
from .wwn.models import EMPTY, Alarm, AlarmLevel, Presence, Structure, UnknownWord

SEVERITY: Final[Mapping[AlarmLevel, int]] = {level: rank for rank, level in enumerate(AlarmLevel)}


class Kind(StrEnum):
    """What a transition is about."""

    SMOKE = "smoke"
    CARBON_MONOXIDE = "carbon_monoxide"
    PRESENCE = "presence"
    TEST = "test"


class ManualTest(StrEnum):
    """What a manual test can be seen to do; that one failed is not told by anybody."""

    STARTED = "started"
    PASSED = "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One thing that happened, told once.

    home_id: None for an alarm that names no home. thing_id: of the alarm, or of the home for its presence. before and
    after: words of AlarmLevel, "home" and "away", or for a test None and a word of ManualTest; before is also None for
    an alarm that was never live before. at: when it was seen. late: it happened while nobody was listening, at some
    time within gap, and was seen at its end.
    """

    home_id: str | None
    thing_id: str
    kind: Kind
    before: str | None
    after: str
    at: datetime
    late: bool = False
    gap: Gap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAlarm:
    """What was last told of an alarm. tested: when it last passed a test, None for never."""

    smoke: AlarmLevel | None = None
    carbon_monoxide: AlarmLevel | None = None
    testing: bool = False
    tested: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON, for storage."""
        tested = self.tested.isoformat() if self.tested else None
        return {
            "smoke": self.smoke,
            "carbon_monoxide": self.carbon_monoxide,
            "testing": self.testing,
            "tested": tested,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return the alarm that as_dict stored."""
        smoke, carbon_monoxide, tested = stored["smoke"], stored["carbon_monoxide"], stored["tested"]
        return cls(
            smoke=AlarmLevel(smoke) if smoke else None,
            carbon_monoxide=AlarmLevel(carbon_monoxide) if carbon_monoxide else None,
            testing=stored["testing"],
            tested=datetime.fromisoformat(tested) if tested else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was last told of every alarm and every home, by their ids."""

    alarms: Mapping[str, KnownAlarm]
    homes: Mapping[str, Presence]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON, for storage."""
        return {
            "alarms": {wire_id: known.as_dict() for wire_id, known in self.alarms.items()},
            "homes": {wire_id: presence.value for wire_id, presence in self.homes.items()},
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return what as_dict stored."""
        return cls(
            alarms={wire_id: KnownAlarm.from_dict(known) for wire_id, known in stored["alarms"].items()},
            homes={wire_id: Presence(word) for wire_id, word in stored["homes"].items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """When, and after which gap if after any, a document was seen. gaps: of things that were missing until then."""

    at: datetime
    gap: Gap | None = None
    gaps: Mapping[str, Gap] = field(default_factory=dict)

    def gap_of(self, wire_id: str) -> Gap | None:
        """Return the time in which nobody heard of a thing, None where there was none."""
        return self.gaps.get(wire_id, self.gap)


def transitions(
    known: Known | None, document: Document, homes: frozenset[str], seen: Seen, before: Document = EMPTY
) -> tuple[Known, tuple[Transition, ...]]:
    """Return what is known after a document, and what happened, in order: tests and levels alarm by alarm, then homes.

    known: None for a first link, which reports nothing. homes: those of the link; an alarm that names no home belongs
    to it too. before: a document that known comes from; an alarm that is still the same object has nothing to add.
    """
    is_first, known = known is None, known or Known(alarms={}, homes={})
    alarms, presences = dict(known.alarms), dict(known.homes)
    found: list[Transition] = []
    for alarm in document.alarms.values():
        last = alarms.get(alarm.device_id)
        if last is not None and before.alarms.get(alarm.device_id) is alarm:
            continue
        if alarm.structure_id is None or alarm.structure_id in homes:
            alarms[alarm.device_id] = after = _after(last, alarm)
            found.extend(_of_alarm(last, after, alarm, seen))
    for wire_id, home in document.structures.items():
        if wire_id in homes:
            found.extend(_of_home(presences, home, seen))
    return Known(alarms=alarms, homes=presences), () if is_first else tuple(found)


def _after(before: KnownAlarm | None, alarm: Alarm) -> KnownAlarm:
    """Return what is known of an alarm after a document."""
    before = before or KnownAlarm()
    return replace(
        before,
        smoke=_level_after(before.smoke, alarm.smoke, alarm),
        carbon_monoxide=_level_after(before.carbon_monoxide, alarm.carbon_monoxide, alarm),
        testing=before.testing if alarm.is_manual_test_active is None else alarm.is_manual_test_active,
        tested=alarm.last_manual_test or before.tested,
    )


def _level_after(before: AlarmLevel | None, said: AlarmLevel | UnknownWord | None, alarm: Alarm) -> AlarmLevel | None:
    """Return the level that counts after what an alarm said."""
    if not isinstance(said, AlarmLevel):
        return before
    if said is AlarmLevel.WARNING and alarm.is_manual_test_active:
        return before
    rises = SEVERITY[said] > SEVERITY[before or AlarmLevel.OK]
    return said if rises or alarm.is_online is True else before


def _of_alarm(before: KnownAlarm | None, after: KnownAlarm, alarm: Alarm, seen: Seen) -> Iterator[Transition]:
    """Yield what happened to one alarm; of one that is new only what is not ok."""
    is_new, before = before is None, before or KnownAlarm()
    steps: tuple[tuple[Kind, str | None, str | None], ...] = (
        (Kind.TEST, None, ManualTest.STARTED if after.testing and not before.testing and not is_new else None),
        (Kind.SMOKE, before.smoke, after.smoke),
        (Kind.CARBON_MONOXIDE, before.carbon_monoxide, after.carbon_monoxide),
        (Kind.TEST, None, ManualTest.PASSED if _passed(before, after) and not is_new else None),
    )
    gap = seen.gap_of(alarm.device_id)
    for kind, old, new in steps:
        if new is not None and new != old and (old is not None or new != AlarmLevel.OK):
            yield Transition(
                home_id=alarm.structure_id,
                thing_id=alarm.device_id,
                kind=kind,
                before=old,
                after=new,
                at=seen.at,
                late=gap is not None,
                gap=gap,
            )


def _passed(before: KnownAlarm, after: KnownAlarm) -> bool:
    return after.tested is not None and (before.tested is None or after.tested > before.tested)


def _of_home(presences: dict[str, Presence], home: Structure, seen: Seen) -> Iterator[Transition]:
    """Note the presence of one home, and yield its change; unknown is no presence, so nothing changes to or from it."""
    if not isinstance(home.presence, Presence) or home.presence is Presence.UNKNOWN:
        return
    before, presences[home.structure_id] = presences.get(home.structure_id), home.presence
    gap = seen.gap_of(home.structure_id)
    if before not in (None, home.presence):
        yield Transition(
            home_id=home.structure_id,
            thing_id=home.structure_id,
            kind=Kind.PRESENCE,
            before=before.value,
            after=home.presence.value,
            at=seen.at,
            late=gap is not None,
            gap=gap,
        )
