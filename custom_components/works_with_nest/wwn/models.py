"""The home as data: frozen models, read tolerantly from the wire (protocol 3).

The service's words end here. A field that is missing or of the wrong type becomes None and one debug line; a word that
this version does not know is kept as UnknownWord, so that it is never mistaken for a known one. One odd device never
hides the others.
"""

from collections.abc import Callable, Mapping, Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, StrEnum
import logging
from typing import Any, Final

LOGGER: Final = logging.getLogger(__name__)

type RawObject = Mapping[str, Any]
type Reader = Callable[[RawObject], object]

# Far above whatever a home measures or counts.
MOST: Final = 100_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class UnknownWord(str):
    """A word of the wire that this version does not know."""

    __slots__ = ()


class AlarmLevel(StrEnum):
    """How bad it is: warning is the spoken heads-up, emergency the sounding alarm (protocol 8.2)."""

    OK = "ok"
    WARNING = "warning"
    EMERGENCY = "emergency"


class Battery(StrEnum):
    """Health of an alarm's battery; no percentage exists (protocol 3.4)."""

    OK = "ok"
    REPLACE = "replace"


class RingColour(StrEnum):
    """Colour the alarm's ring shows (protocol 3.4)."""

    GRAY = "gray"
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class HvacMode(StrEnum):
    """What the thermostat is set to do (protocol 3.3)."""

    HEAT = "heat"
    COOL = "cool"
    HEAT_COOL = "heat-cool"
    ECO = "eco"
    OFF = "off"


class HvacState(StrEnum):
    """What the equipment does now; OFF is idle, not mode off (protocol 3.3)."""

    HEATING = "heating"
    COOLING = "cooling"
    OFF = "off"


class TemperatureScale(StrEnum):
    """Scale a thermostat displays; each has its own (protocol 8.4). suffix: of its fields on the wire."""

    CELSIUS = "C"
    FAHRENHEIT = "F"

    @property
    def suffix(self) -> str:
        """Return what its fields end with."""
        return self.value.lower()


class Presence(Enum):
    """Whether somebody is at home, as the home has it (protocol 3.5)."""

    HOME = "home"
    AWAY = "away"
    UNKNOWN = "unknown"


PRESENCE_OF_WORD: Final[Mapping[str, Presence]] = {
    "home": Presence.HOME,
    "away": Presence.AWAY,
    # Of permission versions before the eco change; manual and automatic are both away since (protocol 8.1).
    "auto-away": Presence.AWAY,
    "unknown": Presence.UNKNOWN,
}


class Permission(StrEnum):
    """What a link may see or change; the names our server knows."""

    THERMOSTAT_READ = "thermostat read"
    THERMOSTAT_READ_WRITE = "thermostat read/write"
    SMOKE_CO_READ = "smoke+co read"
    AWAY_READ = "away read"
    AWAY_READ_WRITE = "away read/write"
    ETA_WRITE = "eta write"
    ENERGY_READ = "energy read"
    POSTAL_CODE_READ = "postal code read"
    STRUCTURE_READ_WRITE = "structure read/write"


class Bound(StrEnum):
    """How a time to target is meant (protocol 3.3)."""

    ABOUT = "~"
    UNDER = "<"
    OVER = ">"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeToTarget:
    """Estimated minutes until the target is reached, and how the figure is meant."""

    bound: Bound
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What thermostats and alarms have in common."""

    device_id: str
    raw: RawObject = field(repr=False)
    structure_id: str | None
    name: str | None
    name_long: str | None
    label: str | None
    where_id: str | None
    where_name: str | None
    software_version: str | None
    is_online: bool | None
    last_connection: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thermostat(Device):
    """A thermostat (protocol 3.3). Temperatures and humidity (%) are those of its own scale, never converted."""

    scale: TemperatureScale
    can_heat: bool | None
    can_cool: bool | None
    has_fan: bool | None
    fan_timer_active: bool | None
    fan_timer_timeout: datetime | None
    fan_timer_duration: int | None
    has_leaf: bool | None
    is_using_emergency_heat: bool | None
    target: float | None
    target_high: float | None
    target_low: float | None
    eco_high: float | None
    eco_low: float | None
    hvac_mode: HvacMode | UnknownWord | None
    previous_hvac_mode: HvacMode | UnknownWord | None
    hvac_state: HvacState | UnknownWord | None
    ambient: float | None
    humidity: int | None
    is_locked: bool | None
    locked_min: float | None
    locked_max: float | None
    sunlight_correction_enabled: bool | None
    sunlight_correction_active: bool | None
    time_to_target: TimeToTarget | None
    time_to_target_training: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm(Device):
    """A smoke and carbon monoxide alarm (protocol 3.4)."""

    battery: Battery | UnknownWord | None
    smoke: AlarmLevel | UnknownWord | None
    carbon_monoxide: AlarmLevel | UnknownWord | None
    is_manual_test_active: bool | None
    last_manual_test: datetime | None
    ring_colour: RingColour | UnknownWord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """A home (protocol 3.5). thermostat_ids, alarm_ids: as listed, which is not always what the token may open.

    A list that cannot be read is None; one that is not there is empty, for so the service leaves out what is empty.
    """

    structure_id: str
    raw: RawObject = field(repr=False)
    name: str | None
    time_zone: str | None
    country_code: str | None
    presence: Presence | UnknownWord | None
    thermostat_ids: tuple[str, ...] | None
    alarm_ids: tuple[str, ...] | None
    smoke: AlarmLevel | UnknownWord | None
    carbon_monoxide: AlarmLevel | UnknownWord | None
    eta_begin: datetime | None
    peak_period_start: datetime | None
    peak_period_end: datetime | None
    rush_hour_enrolled: bool | None
    rooms: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Document:
    """Everything a token shows of its homes, at one moment. Compared by identity: nothing changed, same document.

    permissions: those in force for the token, None where the server does not tell (it is an addition of ours).
    client_version: the version of the client's wishes that a person last accepted (protocol 2.4).
    """

    structures: Mapping[str, Structure]
    thermostats: Mapping[str, Thermostat]
    alarms: Mapping[str, Alarm]
    permissions: frozenset[Permission] | None
    client_version: int | None

    def changed_since(self, earlier: Document) -> AbstractSet[str]:
        """Return the ids of structures and devices that came, went or are not what they were, in the order of both."""
        groups = (
            (self.structures, earlier.structures),
            (self.thermostats, earlier.thermostats),
            (self.alarms, earlier.alarms),
        )
        changed: dict[str, None] = {}
        for new, old in groups:
            if new is not old:
                changed.update(dict.fromkeys(key for key, item in new.items() if old.get(key) is not item))
                changed.update(dict.fromkeys(key for key in old if key not in new))
        return changed.keys()


EMPTY: Final = Document(structures={}, thermostats={}, alarms={}, permissions=None, client_version=None)


class DocumentReader:
    """Reads one document after another, and keeps every object that did not change the same object.

    Only what differs is parsed again, so the cost follows the change and not the size of the home.
    """

    def __init__(self) -> None:
        """Start with nothing read."""
        self._last = EMPTY

    @property
    def last(self) -> Document:
        """Return the document read last."""
        return self._last

    def read(self, raw: object) -> Document:
        """Return the document, the last one itself when nothing in it changed. raw: parsed JSON of the root."""
        last = self._last
        root = _object(raw)
        devices, metadata = _object(root.get("devices")), _object(root.get("metadata"))
        document = Document(
            structures=_group(root.get("structures"), last.structures, _structure),
            thermostats=_group(devices.get("thermostats"), last.thermostats, _thermostat),
            alarms=_group(devices.get("smoke_co_alarms"), last.alarms, _alarm),
            permissions=_permissions(metadata),
            client_version=_tolerant("client_version", whole("client_version"), metadata),
        )
        if _same(document, last):
            return last
        self._last = document
        return document


def _same(document: Document, last: Document) -> bool:
    return (
        document.structures is last.structures
        and document.thermostats is last.thermostats
        and document.alarms is last.alarms
        and document.permissions == last.permissions
        and document.client_version == last.client_version
    )


def _group[T: (Structure, Thermostat, Alarm)](
    raw: object, last: Mapping[str, T], parse: Callable[[str, RawObject], T]
) -> Mapping[str, T]:
    """Return one group by id; objects that did not change are the last ones, and so is a group in which none did."""
    group: dict[str, T] = {}
    is_changed = False
    for key, value in _object(raw).items():
        known = last.get(key)
        if not isinstance(value, dict):
            LOGGER.debug("Left out %s: it is no object", key)
        elif known is not None and _is_same_object(known.raw, value):
            group[key] = known
        else:
            group[key], is_changed = parse(key, value), True
    return group if is_changed or len(group) != len(last) else last


def _is_same_object(known: RawObject, raw: RawObject) -> bool:
    """Whether an object is what it was, in its types too: true and 1 are equal here, and not on the wire."""
    return known == raw and [*map(type, known.values())] == [*map(type, raw.values())]


def _object(raw: object) -> RawObject:
    return raw if isinstance(raw, dict) else {}


# Readers: each takes one field out of a raw object, and raises where it is not of its type.


def text(name: str) -> Reader:
    """Read a string; an empty one says nothing."""

    def read(raw: RawObject) -> str | None:
        return _of(raw, name, str) or None

    return read


def flag(name: str) -> Reader:
    """Read a boolean."""
    return lambda raw: _of(raw, name, bool)


def whole(name: str) -> Reader:
    """Read a whole number."""

    def read(raw: RawObject) -> int | None:
        value = number(name)(raw)
        return None if value is None else int(value)

    return read


def number(name: str) -> Callable[[RawObject], float | None]:
    """Read a number; the documentation shows some as strings, and recorded documents carry numbers (protocol 3.3)."""

    def read(raw: RawObject) -> float | None:
        value = raw.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool):
            raise TypeError
        parsed = float(value)
        if not -MOST < parsed < MOST:
            # Neither infinity nor "not a number" nor a figure without end is a measurement.
            raise ValueError
        return parsed

    return read


def temperature(name: str) -> Reader:
    """Read a temperature from the field of the thermostat's own scale (protocol 8.4)."""
    readers = {scale: number(f"{name}_{scale.suffix}") for scale in TemperatureScale}
    return lambda raw: readers[temperature_scale(raw)](raw)


def temperature_scale(raw: RawObject) -> TemperatureScale:
    """Read the display scale; Celsius where it is not told, since both twins of every temperature are there."""
    return TemperatureScale.FAHRENHEIT if raw.get("temperature_scale") == "F" else TemperatureScale.CELSIUS


def moment(name: str) -> Reader:
    """Read a timestamp; the epoch stands for never (protocol 3.1)."""

    def read(raw: RawObject) -> datetime | None:
        value = _of(raw, name, str)
        if not value:
            return None
        parsed = datetime.fromisoformat(value)
        # In UTC, where a time at the edge of the calendar that has none there shows at once.
        aware = parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        return None if aware == EPOCH else aware

    return read


def word(name: str, words: type[StrEnum] | Mapping[str, Enum]) -> Reader:
    """Read one of the given words; any other is an UnknownWord, and an empty one says nothing (protocol 11, 10)."""
    table = words if isinstance(words, Mapping) else {member.value: member for member in words}

    def read(raw: RawObject) -> Enum | UnknownWord | None:
        value = _of(raw, name, str)
        if not value:
            return None
        return table.get(value) or UnknownWord(value)

    return read


def time_to_target(name: str) -> Reader:
    """Read minutes with their prefix, such as "~15" or ">120" (protocol 3.3)."""

    def read(raw: RawObject) -> TimeToTarget | None:
        value = _of(raw, name, str)
        if not value:
            return None
        minutes = int(value[1:])
        if not 0 <= minutes < MOST:
            raise ValueError
        return TimeToTarget(bound=Bound(value[0]), minutes=minutes)

    return read


def ids(name: str) -> Reader:
    """Read a list of ids; one with anything in it that is none may name more than can be read."""

    def read(raw: RawObject) -> tuple[str, ...]:
        listed = _of(raw, name, list) or []
        if not all(isinstance(item, str) for item in listed):
            raise TypeError
        return tuple(listed)

    return read


def rooms(name: str) -> Reader:
    """Read the names of the rooms by their ids."""

    def read(raw: RawObject) -> Mapping[str, str]:
        found = {key: _object(value).get("name") for key, value in _object(raw.get(name)).items()}
        return {key: value for key, value in found.items() if isinstance(value, str) and value}

    return read


def _of[T](raw: RawObject, name: str, kind: type[T]) -> T | None:
    value = raw.get(name)
    if value is None or isinstance(value, kind):
        return value
    raise TypeError


DEVICE_FIELDS: Final[Mapping[str, Reader]] = {
    "structure_id": text("structure_id"),
    "name": text("name"),
    "name_long": text("name_long"),
    "label": text("label"),
    "where_id": text("where_id"),
    "where_name": text("where_name"),
    "software_version": text("software_version"),
    "is_online": flag("is_online"),
    "last_connection": moment("last_connection"),
}

THERMOSTAT_FIELDS: Final[Mapping[str, Reader]] = {
    **DEVICE_FIELDS,
    "can_heat": flag("can_heat"),
    "can_cool": flag("can_cool"),
    "has_fan": flag("has_fan"),
    "fan_timer_active": flag("fan_timer_active"),
    "fan_timer_timeout": moment("fan_timer_timeout"),
    "fan_timer_duration": whole("fan_timer_duration"),
    "has_leaf": flag("has_leaf"),
    "is_using_emergency_heat": flag("is_using_emergency_heat"),
    "target": temperature("target_temperature"),
    "target_high": temperature("target_temperature_high"),
    "target_low": temperature("target_temperature_low"),
    "eco_high": temperature("eco_temperature_high"),
    "eco_low": temperature("eco_temperature_low"),
    "hvac_mode": word("hvac_mode", HvacMode),
    "previous_hvac_mode": word("previous_hvac_mode", HvacMode),
    "hvac_state": word("hvac_state", HvacState),
    "ambient": temperature("ambient_temperature"),
    "humidity": whole("humidity"),
    "is_locked": flag("is_locked"),
    "locked_min": temperature("locked_temp_min"),
    "locked_max": temperature("locked_temp_max"),
    "sunlight_correction_enabled": flag("sunlight_correction_enabled"),
    "sunlight_correction_active": flag("sunlight_correction_active"),
    "time_to_target": time_to_target("time_to_target"),
    "time_to_target_training": text("time_to_target_training"),
}

ALARM_FIELDS: Final[Mapping[str, Reader]] = {
    **DEVICE_FIELDS,
    "battery": word("battery_health", Battery),
    "smoke": word("smoke_alarm_state", AlarmLevel),
    "carbon_monoxide": word("co_alarm_state", AlarmLevel),
    "is_manual_test_active": flag("is_manual_test_active"),
    "last_manual_test": moment("last_manual_test_time"),
    "ring_colour": word("ui_color_state", RingColour),
}

STRUCTURE_FIELDS: Final[Mapping[str, Reader]] = {
    "name": text("name"),
    "time_zone": text("time_zone"),
    "country_code": text("country_code"),
    "presence": word("away", PRESENCE_OF_WORD),
    "smoke": word("smoke_alarm_state", AlarmLevel),
    "carbon_monoxide": word("co_alarm_state", AlarmLevel),
    "eta_begin": moment("eta_begin"),
    "peak_period_start": moment("peak_period_start_time"),
    "peak_period_end": moment("peak_period_end_time"),
    "rush_hour_enrolled": flag("rhr_enrollment"),
}


def _thermostat(key: str, raw: RawObject) -> Thermostat:
    return Thermostat(device_id=key, raw=raw, scale=temperature_scale(raw), **_fields(key, raw, THERMOSTAT_FIELDS))


def _alarm(key: str, raw: RawObject) -> Alarm:
    return Alarm(device_id=key, raw=raw, **_fields(key, raw, ALARM_FIELDS))


def _structure(key: str, raw: RawObject) -> Structure:
    return Structure(
        structure_id=key,
        raw=raw,
        thermostat_ids=_tolerant(f"thermostats of {key}", ids("thermostats"), raw),
        alarm_ids=_tolerant(f"smoke_co_alarms of {key}", ids("smoke_co_alarms"), raw),
        rooms=_tolerant(key, rooms("wheres"), raw) or {},
        **_fields(key, raw, STRUCTURE_FIELDS),
    )


def _permissions(metadata: RawObject) -> frozenset[Permission] | None:
    names = metadata.get("permissions")
    if not isinstance(names, list):
        return None
    return frozenset(permission for permission in Permission if permission.value in names)


def _fields(key: str, raw: RawObject, readers: Mapping[str, Reader]) -> dict[str, Any]:
    return {name: _tolerant(f"{name} of {key}", read, raw) for name, read in readers.items()}


def _tolerant(what: str, read: Reader, raw: RawObject) -> Any:
    """Return what the reader finds; what it cannot read becomes None and one debug line, without the value."""
    try:
        return read(raw)
    except ValueError, TypeError, OverflowError:
        LOGGER.debug("Cannot read %s", what)
        return None
