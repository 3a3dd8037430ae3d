"""What each permission shows and lets a hub write: one table (protocol 2 and 3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from .document import ALARMS, STRUCTURES, THERMOSTATS

_DEVICE: Final = frozenset(
    {
        "device_id",
        "locale",
        "software_version",
        "structure_id",
        "name",
        "name_long",
        "label",
        "where_id",
        "where_name",
        "last_connection",
        "is_online",
    }
)

_SETPOINTS: Final = frozenset(
    f"target_temperature{bound}_{unit}" for bound in ("", "_high", "_low") for unit in ("c", "f")
)

_OTHER_TEMPERATURES: Final = frozenset(
    f"{stem}_{unit}"
    for stem in (
        "ambient_temperature",
        "eco_temperature_high",
        "eco_temperature_low",
        "away_temperature_high",
        "away_temperature_low",
        "locked_temp_min",
        "locked_temp_max",
    )
    for unit in ("c", "f")
)

_THERMOSTAT: Final = (
    _DEVICE
    | _SETPOINTS
    | _OTHER_TEMPERATURES
    | {
        "can_cool",
        "can_heat",
        "is_using_emergency_heat",
        "has_fan",
        "fan_timer_active",
        "fan_timer_timeout",
        "fan_timer_duration",
        "has_leaf",
        "temperature_scale",
        "hvac_mode",
        "previous_hvac_mode",
        "hvac_state",
        "humidity",
        "is_locked",
        "sunlight_correction_enabled",
        "sunlight_correction_active",
        "time_to_target",
        "time_to_target_training",
    }
)

_ALARM: Final = _DEVICE | {
    "battery_health",
    "co_alarm_state",
    "smoke_alarm_state",
    "is_manual_test_active",
    "last_manual_test_time",
    "ui_color_state",
}

_BASICS: Final = frozenset({"structure_id", "name", "country_code", "time_zone"})
_DEVICE_LISTS: Final = frozenset({"thermostats", "smoke_co_alarms"})
_HOME: Final = _BASICS | _DEVICE_LISTS | {"away"}


@dataclass(frozen=True, slots=True)
class Rights:
    """Fields by group: those a token may read and those it may write."""

    read: dict[str, frozenset[str]]
    write: dict[str, frozenset[str]]


_THERMOSTAT_READ: Final = {THERMOSTATS: _THERMOSTAT, STRUCTURES: _HOME | {"wheres"}}
_NOTHING: Final[dict[str, frozenset[str]]] = {}

PERMISSIONS: Final[dict[str, Rights]] = {
    "thermostat read": Rights(_THERMOSTAT_READ, _NOTHING),
    "thermostat read/write": Rights(
        _THERMOSTAT_READ,
        {
            THERMOSTATS: _SETPOINTS
            | {"hvac_mode", "fan_timer_active", "fan_timer_duration", "label", "temperature_scale"}
        },
    ),
    "smoke+co read": Rights(
        {
            ALARMS: _ALARM,
            STRUCTURES: _HOME | {"wheres", "smoke_alarm_state", "co_alarm_state"},
        },
        _NOTHING,
    ),
    "away read": Rights({STRUCTURES: _HOME}, _NOTHING),
    "away read/write": Rights({STRUCTURES: _HOME}, {STRUCTURES: frozenset({"away"})}),
    "eta write": Rights(
        {STRUCTURES: _BASICS | _DEVICE_LISTS | {"eta_begin"}},
        {STRUCTURES: frozenset({"eta"})},
    ),
    "energy read": Rights(
        {STRUCTURES: _BASICS | {"peak_period_start_time", "peak_period_end_time", "rhr_enrollment"}},
        _NOTHING,
    ),
    "postal code read": Rights({STRUCTURES: _BASICS | {"postal_code"}}, _NOTHING),
    "structure read/write": Rights({STRUCTURES: _BASICS}, {STRUCTURES: frozenset({"name"})}),
}

# Fields that exist at all, some only to be written: a write to any other name is a different mistake.
KNOWN_FIELDS: Final[dict[str, frozenset[str]]] = {
    group: frozenset().union(
        *(table.get(group, ()) for rights in PERMISSIONS.values() for table in (rights.read, rights.write))
    )
    for group in (THERMOSTATS, ALARMS, STRUCTURES)
}


@cache
def rights_of(permissions: frozenset[str]) -> Rights:
    """Return the sum of what several permissions give."""
    granted = [PERMISSIONS[name] for name in permissions if name in PERMISSIONS]
    return Rights(
        read=_sum([rights.read for rights in granted]),
        write=_sum([rights.write for rights in granted]),
    )


def _sum(tables: list[dict[str, frozenset[str]]]) -> dict[str, frozenset[str]]:
    groups = {group for table in tables for group in table}
    return {group: frozenset().union(*(table.get(group, ()) for table in tables)) for group in groups}
