"""What a write may do: the rules of protocol 5.3 to 5.5, as rows of tables.

A rule looks at one device or structure as the document has it now, and at the fields a
hub wrote; it raises ``WireError`` or lets them pass. Rules come in the order in which a
person would want to hear of them, and all of them before anything is done. Nothing is
changed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import math
from typing import Any, Final, NamedTuple

from .document import STRUCTURES, THERMOSTATS, Thing
from .errors import Anchor, WireError, invalid_content
from .eta import parse_trip
from .naming import LONGEST_HOME_NAME, is_home_name
from .temperatures import Temperature, Unit
from .texts import t

type Fields = Mapping[str, Any]


class Subject(NamedTuple):
    """What a write is for, and the structure it belongs to, which may be itself."""

    thing: Thing
    structure: Thing


type Rule = Callable[[Subject, Fields], None]


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

# The lengths a fan timer can be started for, in minutes (protocol 3.3).
FAN_MINUTES: Final = (15, 30, 45, 60, 120, 240, 480, 720)

# The type of every field that can be written, as JSON is read.
TYPES: Final[dict[str, tuple[type, ...]]] = dict.fromkeys(SETPOINTS, (int, float)) | {
    "hvac_mode": (str,),
    "fan_timer_active": (bool,),
    "fan_timer_duration": (int, float),
    "label": (str,),
    "temperature_scale": (str,),
    "away": (str,),
    "name": (str,),
    "eta": (dict,),
}


class Choice(NamedTuple):
    """The values that a field can be set to, and how any other is refused."""

    allowed: tuple[str | int, ...]
    anchor: Anchor
    refusal: str


CHOICES: Final = {
    "hvac_mode": Choice(tuple(NEEDS_OF_MODE), Anchor.INVALID_MODE, "refusal.unknown_mode"),
    "fan_timer_duration": Choice(FAN_MINUTES, Anchor.INVALID_FAN_DURATION, "refusal.fan_duration"),
    "temperature_scale": Choice(("C", "F"), Anchor.INVALID_SCALE, "refusal.scale"),
    "away": Choice(("home", "away"), Anchor.INVALID_AWAY, "refusal.away"),
}

# A label has fewer characters than this (protocol 5.4).
LABEL_LIMIT: Final = 256

# The levels of a structure that shut its heating, cooling and fans off (protocol 8.2).
SHUT_OFF_BY: Final = ("smoke_alarm_state", "co_alarm_state")

# What emergency heat bars: modes, and whatever would cool.
_BARRED_BY_EMERGENCY_HEAT: Final = frozenset({"hvac_mode", f"{HIGH}_c", f"{HIGH}_f"})
_BARRED_IN_COOL: Final = frozenset({f"{TARGET}_c", f"{TARGET}_f"})


def shut_off(structure: Thing) -> bool:
    """Say whether smoke or carbon monoxide keeps a structure's equipment off."""
    return any(structure.get(level) == "emergency" for level in SHUT_OFF_BY)


def _setpoints(fields: Fields) -> list[tuple[Setpoint, Any]]:
    return [(SETPOINTS[name], fields[name]) for name in fields if name in SETPOINTS]


def _types(_: Subject, fields: Fields) -> None:
    for name, value in fields.items():
        # A Python bool is an int; on the wire it is a type of its own.
        if type(value) not in TYPES[name]:
            raise invalid_content()


def _online(subject: Subject, _: Fields) -> None:
    if subject.thing.get("is_online") is not True:
        raise WireError(400, Anchor.OFFLINE, t("refusal.offline"))


def _choices(_: Subject, fields: Fields) -> None:
    for name in fields.keys() & CHOICES.keys():
        choice = CHOICES[name]
        if fields[name] not in choice.allowed:
            message = t(choice.refusal, value=str(fields[name])[:40])
            raise WireError(400, choice.anchor, message, {"field_name": name})


def _label(_: Subject, fields: Fields) -> None:
    if len(fields.get("label", "")) >= LABEL_LIMIT:
        raise WireError(400, Anchor.INVALID_LABEL, t("refusal.label", limit=LABEL_LIMIT), {"field_name": "label"})


def _name(_: Subject, fields: Fields) -> None:
    if "name" in fields and not is_home_name(fields["name"]):
        raise WireError(400, Anchor.INVALID_NAME, t("refusal.name", longest=LONGEST_HOME_NAME), {"field_name": "name"})


def _not_shut_off(subject: Subject, fields: Fields) -> None:
    if not shut_off(subject.structure):
        return
    if fields.get("fan_timer_active"):
        raise WireError(400, Anchor.SAFETY_SHUTOFF, t("refusal.shut_off_fan"), {"field_name": "fan_timer_active"})
    # Switching off is the one thing that can't make it worse.
    barred = [name for name in fields if name in SETPOINTS or (name == "hvac_mode" and fields[name] != "off")]
    if barred:
        message = t("refusal.shut_off", field=barred[0])
        raise WireError(400, Anchor.SAFETY_SHUTOFF, message, {"field_name": barred[0]})


def _fan(subject: Subject, fields: Fields) -> None:
    written = [name for name in fields if name.startswith("fan_timer")]
    if written and not subject.thing.get("has_fan"):
        raise WireError(400, Anchor.NO_FAN, t("refusal.no_fan"), {"field_name": written[0]})


def _one_unit(_: Subject, fields: Fields) -> None:
    if len({setpoint.unit for setpoint, _value in _setpoints(fields)}) > 1:
        raise WireError(400, Anchor.INVALID_CONTENT, t("refusal.both_units"))


def _emergency_heat(subject: Subject, fields: Fields) -> None:
    if not subject.thing.get("is_using_emergency_heat"):
        return
    cooling = _BARRED_IN_COOL if subject.thing.get("hvac_mode") == "cool" else frozenset()
    if fields.keys() & (_BARRED_BY_EMERGENCY_HEAT | cooling):
        raise WireError(400, Anchor.EMERGENCY_HEAT, t("refusal.emergency_heat"))


def _possible_mode(subject: Subject, fields: Fields) -> None:
    mode = fields.get("hvac_mode", "off")
    if not all(subject.thing.get(need) for need in NEEDS_OF_MODE[mode]):
        message = t("refusal.impossible_mode", mode=mode)
        raise WireError(400, Anchor.INVALID_MODE, message)


def _fits_mode(subject: Subject, fields: Fields) -> None:
    # Always the present mode, also when the same write holds another (protocol 5.2).
    mode = str(subject.thing.get("hvac_mode"))
    for setpoint, _value in _setpoints(fields):
        if mode not in MODES_OF_TARGET[setpoint.bound]:
            message = t("refusal.mode", field=setpoint.name, mode=mode)
            raise WireError(400, Anchor.MODE, message, details={"field_name": setpoint.name})


def _on_step(_: Subject, fields: Fields) -> None:
    for setpoint, value in _setpoints(fields):
        if value % LIMITS[setpoint.unit].step:
            raise WireError(
                400,
                Anchor.FORMAT,
                t("refusal.format", value=value),
                details={"field_name": setpoint.name},
            )


def _within_range(_: Subject, fields: Fields) -> None:
    for setpoint, value in _setpoints(fields):
        limits = LIMITS[setpoint.unit]
        unit = setpoint.unit.upper()
        if value > limits.high:
            message = t("refusal.too_high", unit=unit, value=value)
            raise WireError(400, limits.too_high, message)
        if value < limits.low:
            message = t("refusal.too_low", unit=unit, value=value)
            raise WireError(400, limits.too_low, message)


def _within_lock(subject: Subject, fields: Fields) -> None:
    device = subject.thing
    if not device.get("is_locked"):
        return
    for setpoint, value in _setpoints(fields):
        low = device.get(f"locked_temp_min_{setpoint.unit}", -math.inf)
        high = device.get(f"locked_temp_max_{setpoint.unit}", math.inf)
        if not low <= value <= high:
            unit = setpoint.unit.upper()
            message = t("refusal.locked", low=f"{low:g}", high=f"{high:g}", unit=unit)
            raise WireError(400, Anchor.RANGE, message)


def _apart(subject: Subject, fields: Fields) -> None:
    for unit, limits in LIMITS.items():
        low_name, high_name = f"{LOW}_{unit}", f"{HIGH}_{unit}"
        if not fields.keys() & {low_name, high_name}:
            continue
        # A bound that was not written stays where it is.
        low = fields.get(low_name, subject.thing.get(low_name))
        high = fields.get(high_name, subject.thing.get(high_name))
        if low is None or high is None:
            # The other bound is not known, and only the thermostat can judge.
            continue
        if low >= high:
            raise WireError(400, Anchor.LOW_HIGH, t("refusal.low_high"))
        if high - low < limits.gap:
            message = t("refusal.too_close", gap=limits.gap, unit=unit.upper())
            raise WireError(400, Anchor.RANGE, message)


def _eta(subject: Subject, fields: Fields) -> None:
    # Taking an estimate back does no harm, whoever is at home.
    if "eta" not in fields or parse_trip(fields["eta"]).window is None:
        return
    if not subject.structure.get(THERMOSTATS):
        raise WireError(400, Anchor.NO_THERMOSTAT, t("refusal.eta_thermostat"))
    if subject.structure.get("away") != "away":
        raise WireError(400, Anchor.NOT_AWAY, t("refusal.not_away"))


RULES: Final[dict[str, tuple[Rule, ...]]] = {
    THERMOSTATS: (
        _types,
        _online,
        _choices,
        _label,
        _one_unit,
        _possible_mode,
        _fan,
        _not_shut_off,
        _emergency_heat,
        _fits_mode,
        _on_step,
        _within_range,
        _within_lock,
        _apart,
    ),
    STRUCTURES: (_types, _choices, _name, _eta),
}


def check(group: str, subject: Subject, fields: Fields) -> None:
    """Raise ``WireError`` with the first rule that a write breaks."""
    for rule in RULES[group]:
        rule(subject, fields)


def prepared(fields: Fields) -> dict[str, Any]:
    """Return checked fields as a home takes them.

    Each temperature has its twin in the other unit beside it, and an arrival is parsed.
    """
    ready: dict[str, Any] = dict(fields)
    for setpoint, value in _setpoints(fields):
        ready |= Temperature.written(value, setpoint.unit).fields(setpoint.bound)
    if "eta" in fields:
        ready["eta"] = parse_trip(fields["eta"])
    return ready
