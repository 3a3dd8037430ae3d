"""What a write may do: the rules of protocol 5.3 to 5.5, as rows of tables.

A rule looks at one device or structure as the document has it now, and at the fields a
hub wrote; it raises ``WireError`` or lets them pass. Rules come in the order in which a
person would want to hear of them. Nothing is changed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from .document import STRUCTURES, THERMOSTATS, Thing
from .errors import Anchor, WireError, invalid_content
from .temperatures import Temperature, Unit
from .texts import t

type Fields = Mapping[str, Any]
type Rule = Callable[[Thing, Fields], None]


class Setpoint(NamedTuple):
    """A field that holds a target: what it is called, which bound, which unit."""

    name: str
    bound: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class Limits:
    """What a target may be in one unit, and how it is refused."""

    low: float
    high: float
    step: float
    gap: float
    too_low: Anchor
    too_high: Anchor


TARGET: Final = "target_temperature"
LOW: Final = f"{TARGET}_low"
HIGH: Final = f"{TARGET}_high"

LIMITS: Final[dict[Unit, Limits]] = {
    "c": Limits(9, 32, 0.5, 1.5, Anchor.LOW_C, Anchor.HIGH_C),
    "f": Limits(50, 90, 1, 3, Anchor.LOW_F, Anchor.HIGH_F),
}

_UNITS: Final[tuple[Unit, ...]] = ("c", "f")
SETPOINTS: Final = {
    f"{bound}_{unit}": Setpoint(f"{bound}_{unit}", bound, unit) for bound in (TARGET, LOW, HIGH) for unit in _UNITS
}

# The modes in which a target may be written (protocol 5.3).
MODES_OF_TARGET: Final = {
    TARGET: frozenset({"heat", "cool"}),
    LOW: frozenset({"heat-cool"}),
    HIGH: frozenset({"heat-cool"}),
}

# What the equipment needs for a mode (protocol 5.4).
NEEDS_OF_MODE: Final[dict[str, tuple[str, ...]]] = {
    "heat": ("can_heat",),
    "cool": ("can_cool",),
    "heat-cool": ("can_heat", "can_cool"),
    "eco": (),
    "off": (),
}

_BARRED_BY_EMERGENCY_HEAT: Final = frozenset({"hvac_mode", f"{HIGH}_c", f"{HIGH}_f"})
_WRITABLE_AWAY: Final = frozenset({"home", "away"})


def _setpoints(fields: Fields) -> list[tuple[Setpoint, Any]]:
    return [(SETPOINTS[name], fields[name]) for name in fields if name in SETPOINTS]


def _types(_: Thing, fields: Fields) -> None:
    for name, value in fields.items():
        wanted = (int, float) if name in SETPOINTS else (str,)
        # A Python bool is an int; on the wire it is a type of its own.
        if isinstance(value, bool) or not isinstance(value, wanted):
            raise invalid_content()


def _online(device: Thing, _: Fields) -> None:
    if device.get("is_online") is not True:
        raise WireError(400, Anchor.OFFLINE, t("refusal.offline"))


def _one_unit(_: Thing, fields: Fields) -> None:
    if len({setpoint.unit for setpoint, _value in _setpoints(fields)}) > 1:
        raise WireError(400, Anchor.INVALID_CONTENT, t("refusal.both_units"))


def _emergency_heat(device: Thing, fields: Fields) -> None:
    if device.get("is_using_emergency_heat") and fields.keys() & (_BARRED_BY_EMERGENCY_HEAT):
        raise WireError(400, Anchor.EMERGENCY_HEAT, t("refusal.emergency_heat"))


def _known_mode(_: Thing, fields: Fields) -> None:
    mode = fields.get("hvac_mode", "off")
    if mode not in NEEDS_OF_MODE:
        message = t("refusal.unknown_mode", mode=mode[:40])
        raise WireError(400, Anchor.INVALID_MODE, message)


def _possible_mode(device: Thing, fields: Fields) -> None:
    mode = fields.get("hvac_mode", "off")
    if not all(device.get(need) for need in NEEDS_OF_MODE[mode]):
        message = t("refusal.impossible_mode", mode=mode)
        raise WireError(400, Anchor.INVALID_MODE, message)


def _fits_mode(device: Thing, fields: Fields) -> None:
    # Always the present mode, also when the same write holds another (protocol 5.2).
    mode = str(device.get("hvac_mode"))
    for setpoint, _value in _setpoints(fields):
        if mode not in MODES_OF_TARGET[setpoint.bound]:
            message = t("refusal.mode", field=setpoint.name, mode=mode)
            raise WireError(400, Anchor.MODE, message, details={"field_name": setpoint.name})


def _on_step(_: Thing, fields: Fields) -> None:
    for setpoint, value in _setpoints(fields):
        if value % LIMITS[setpoint.unit].step:
            raise WireError(
                400,
                Anchor.FORMAT,
                t("refusal.format", value=value),
                details={"field_name": setpoint.name},
            )


def _within_range(_: Thing, fields: Fields) -> None:
    for setpoint, value in _setpoints(fields):
        limits = LIMITS[setpoint.unit]
        unit = setpoint.unit.upper()
        if value > limits.high:
            message = t("refusal.too_high", unit=unit, value=value)
            raise WireError(400, limits.too_high, message)
        if value < limits.low:
            message = t("refusal.too_low", unit=unit, value=value)
            raise WireError(400, limits.too_low, message)


def _within_lock(device: Thing, fields: Fields) -> None:
    if not device.get("is_locked"):
        return
    for setpoint, value in _setpoints(fields):
        low = device[f"locked_temp_min_{setpoint.unit}"]
        high = device[f"locked_temp_max_{setpoint.unit}"]
        if not low <= value <= high:
            unit = setpoint.unit.upper()
            message = t("refusal.locked", low=low, high=high, unit=unit)
            raise WireError(400, Anchor.RANGE, message)


def _apart(device: Thing, fields: Fields) -> None:
    for unit, limits in LIMITS.items():
        low_name, high_name = f"{LOW}_{unit}", f"{HIGH}_{unit}"
        if not fields.keys() & {low_name, high_name}:
            continue
        # A bound that was not written stays where it is.
        low = fields.get(low_name, device[low_name])
        high = fields.get(high_name, device[high_name])
        if low >= high:
            raise WireError(400, Anchor.LOW_HIGH, t("refusal.low_high"))
        if high - low < limits.gap:
            message = t("refusal.too_close", gap=limits.gap, unit=unit.upper())
            raise WireError(400, Anchor.RANGE, message)


def _known_away(_: Thing, fields: Fields) -> None:
    if fields.get("away", "home") not in _WRITABLE_AWAY:
        raise WireError(400, Anchor.INVALID_AWAY, t("refusal.away"))


RULES: Final[dict[str, tuple[Rule, ...]]] = {
    THERMOSTATS: (
        _types,
        _online,
        _one_unit,
        _emergency_heat,
        _known_mode,
        _possible_mode,
        _fits_mode,
        _on_step,
        _within_range,
        _within_lock,
        _apart,
    ),
    STRUCTURES: (_types, _known_away),
}


def check(group: str, thing: Thing, fields: Fields) -> None:
    """Raise ``WireError`` with the first rule that a write breaks."""
    for rule in RULES[group]:
        rule(thing, fields)


def in_both_units(fields: Fields) -> dict[str, Any]:
    """Return checked fields with the other unit's twin of each temperature."""
    paired: dict[str, Any] = dict(fields)
    for setpoint, value in _setpoints(fields):
        temperature = Temperature.written(value, setpoint.unit)
        paired |= temperature.fields(setpoint.bound)
    return paired
