"""A home as its alarms make it: the worst of all levels, and what keeps an alarm from being heard."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from .wwn import Document
from .wwn.models import Alarm, AlarmLevel, Battery, Permission, Structure

type Level = Callable[[Structure | Alarm], object]


def smoke(item: Structure | Alarm) -> object:
    """Return the level of smoke."""
    return item.smoke


def carbon_monoxide(item: Structure | Alarm) -> object:
    """Return the level of carbon monoxide."""
    return item.carbon_monoxide


@dataclass(frozen=True, slots=True)
class Home:
    """A home with every alarm that it lists or that names it; None for one that the document does not hold."""

    structure: Structure
    alarms: Mapping[str, Alarm | None]

    @property
    def structure_id(self) -> str:
        """Return the id of the home."""
        return self.structure.structure_id

    @property
    def is_listed(self) -> bool:
        """Whether the home lists its alarms in a way that can be read; else there may be any number of others."""
        return self.structure.alarm_ids is not None

    @property
    def is_understood(self) -> bool:
        """Whether all that the home itself says of its alarms is understood; else nobody can say that all is well."""
        levels = (self.structure.smoke, self.structure.carbon_monoxide)
        return self.is_listed and all(isinstance(level, AlarmLevel) for level in levels)


# Every entity of a home asks for the same: without this, 100 devices take 4 ms for one that changed and not 1.
@lru_cache(maxsize=2)
def homes_of(document: Document) -> Mapping[str, Home]:
    """Return all homes of a document with their alarms."""
    return {wire_id: home_of(document, structure) for wire_id, structure in document.structures.items()}


def home_of(document: Document, structure: Structure) -> Home:
    """Return one home of a document with its alarms."""
    named = {key: alarm for key, alarm in document.alarms.items() if alarm.structure_id == structure.structure_id}
    return Home(structure, {key: document.alarms.get(key) for key in structure.alarm_ids or ()} | named)


def has_alarms(home: Home, permissions: frozenset[Permission]) -> bool:
    """Whether a home has alarms, as far as the link may see them."""
    told = (home.structure.smoke, home.structure.carbon_monoxide)
    return Permission.SMOKE_CO_READ in permissions and (bool(home.alarms) or any(level is not None for level in told))


def worst_level(home: Home, level_of: Level) -> AlarmLevel | None:
    """Return the worst level of a home, None where nobody can say.

    What the home and each alarm said last counts, so that an emergency that falls silent is not over. But it is ok only
    if the home says so and lists its alarms in a way that can be read, and every one is there, is online and says so.
    """
    levels = [level_of(home.structure), *(level_of(alarm) for alarm in home.alarms.values() if alarm)]
    for bad in (AlarmLevel.EMERGENCY, AlarmLevel.WARNING):
        if bad in levels:
            return bad
    is_heard = all(alarm is not None and alarm.is_online is True for alarm in home.alarms.values())
    return AlarmLevel.OK if is_heard and home.is_listed and all(level is AlarmLevel.OK for level in levels) else None


class Shortcoming(StrEnum):
    """Why an alarm may not be heard."""

    MISSING = "missing"
    OFFLINE = "offline"
    UNKNOWN = "unknown"
    BATTERY_LOW = "battery_low"
    UNTESTED = "untested"


def shortcomings_of(alarm: Alarm | None, tested_since: datetime | None) -> Iterator[Shortcoming]:
    """Yield why an alarm may not be heard. tested_since: when its last good test may have been; None: at any time."""
    if alarm is None:
        yield Shortcoming.MISSING
        return
    if alarm.is_online is False:
        yield Shortcoming.OFFLINE
    known = (alarm.smoke, AlarmLevel), (alarm.carbon_monoxide, AlarmLevel), (alarm.battery, Battery)
    if alarm.is_online is None or not all(isinstance(word, words) for word, words in known):
        yield Shortcoming.UNKNOWN
    if alarm.battery is Battery.REPLACE:
        yield Shortcoming.BATTERY_LOW
    if tested_since and (alarm.last_manual_test is None or alarm.last_manual_test < tested_since):
        yield Shortcoming.UNTESTED
