"""What a form of the console can ask of a home: each field, its words, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
import math
from typing import Any, Final, NamedTuple

from wwn_server.document import ALARMS, DEVICE_GROUPS, STRUCTURES, THERMOSTATS
from wwn_server.homes.base import (
    AlarmKind,
    AlarmLevel,
    BatteryHealth,
    FullHomeError,
    PlayableHome,
    Presence,
    Sunlight,
    UnknownDeviceError,
)
from wwn_server.values import FASTEST

from .rendering import PageError

type Form = Mapping[str, str]
type Act = Callable[[PlayableHome, str, Any], None]

# What a thermometer outside shows at most, in Celsius.
COLDEST: Final = -40.0
WARMEST: Final = 50.0


class Truth(StrEnum):
    """How a form says yes and no."""

    TRUE = "true"
    FALSE = "false"


class Field(NamedTuple):
    """How the value of a field is read, which may raise ``ValueError``, and what comes of it."""

    read: Callable[[str], Any]
    act: Act


def _truth(value: str) -> bool:
    return Truth(value) is Truth.TRUE


def _number(value: str, low: float, high: float) -> float:
    number = float(value)
    if not math.isfinite(number) or not low <= number <= high:
        raise ValueError(value)
    return number


def _outside(value: str) -> float | None:
    """Return degrees, or nothing where the weather decides."""
    return _number(value, COLDEST, WARMEST) if value.strip() else None


def _everybody(home: PlayableHome, presence: Presence) -> None:
    for structure_id in home.document.group(STRUCTURES):
        home.set_presence(structure_id, presence)


# An alarm that goes offline says first what else the form has, so its connection comes last.
_FIELDS: Final[dict[str, dict[str, Field]]] = {
    STRUCTURES: {
        "away": Field(Presence, lambda home, _, value: _everybody(home, value)),
        "rush_hour": Field(_truth, lambda home, _, value: home.set_rush_hour(active=value)),
        "outside_temperature": Field(_outside, lambda home, _, value: home.set_outside(value)),
        "speed": Field(lambda value: _number(value, 0, FASTEST), lambda home, _, value: home.set_speed(value)),
    },
    ALARMS: {
        "smoke_alarm_state": Field(
            AlarmLevel, lambda home, device_id, value: home.set_alarm_level(device_id, AlarmKind.SMOKE, value)
        ),
        "co_alarm_state": Field(
            AlarmLevel, lambda home, device_id, value: home.set_alarm_level(device_id, AlarmKind.CO, value)
        ),
        "battery_health": Field(BatteryHealth, lambda home, device_id, value: home.set_battery(device_id, value)),
        "is_manual_test_active": Field(
            _truth, lambda home, device_id, value: home.set_manual_test(device_id, active=value)
        ),
        "is_online": Field(_truth, lambda home, device_id, value: home.set_online(device_id, online=value)),
    },
    THERMOSTATS: {
        "is_locked": Field(_truth, lambda home, device_id, value: home.set_lock(device_id, locked=value)),
        "is_using_emergency_heat": Field(
            _truth, lambda home, device_id, value: home.set_emergency_heat(device_id, active=value)
        ),
        "sunlight": Field(Sunlight, lambda home, device_id, value: home.set_sunlight(device_id, value)),
        "is_online": Field(_truth, lambda home, device_id, value: home.set_online(device_id, online=value)),
    },
}


def play(home: PlayableHome, group: str, device_id: str, form: Form) -> None:
    """Do all that a form asks of a device, or of the home. Raises ``PageError``, and does nothing then."""
    if group in DEVICE_GROUPS and device_id not in home.document.group(group):
        raise PageError(404, "console.unknown_device")
    asked = [(field.act, _read(field, form[name])) for name, field in _FIELDS[group].items() if name in form]
    # One that comes back tells at once what else the form has.
    for act, value in asked[::-1] if form.get("is_online") == Truth.TRUE else asked:
        act(home, device_id, value)


def add(home: PlayableHome, form: Form) -> None:
    """Hang up the device that a form asks for. Raises ``PageError``."""
    group = form.get("group", "")
    if group not in DEVICE_GROUPS:
        raise PageError(400, "page.bad_form")
    try:
        home.add_device(group, form.get("room", ""))
    except UnknownDeviceError:
        raise PageError(400, "page.bad_form") from None
    except FullHomeError:
        raise PageError(409, "console.full") from None


def remove(home: PlayableHome, device_id: str) -> None:
    """Take a device down. Raises ``PageError``."""
    try:
        home.remove_device(device_id)
    except UnknownDeviceError:
        raise PageError(404, "console.unknown_device") from None


def _read(field: Field, value: str) -> Any:
    try:
        return field.read(value)
    except ValueError:
        raise PageError(400, "page.bad_form") from None
