"""What NoLongerEvil's server says of a thermostat, in the words of the wire (protocol 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
import logging
import math
from typing import Any, Final

from wwn_server.document import THERMOSTATS
from wwn_server.homes.source import Device
from wwn_server.homes.thermostat import minutes_left
from wwn_server.homes.world import timestamp
from wwn_server.temperatures import Temperature

_LOGGER: Final = logging.getLogger(__name__)

_MODES: Final = {
    "off": "off",
    "heat": "heat",
    "cool": "cool",
    "range": "heat-cool",
    "heat-cool": "heat-cool",
    "emergency": "heat",
}
_ECO: Final = ("manual-eco", "auto-eco")
_HEATING: Final = ("heater", "heat_x2", "heat_x3", "aux_heat", "emer_heat", "alt_heat")
_COOLING: Final = ("ac", "cool_x2", "cool_x3")
_TEMPERATURES: Final = {
    "current_temperature": "ambient_temperature",
    "target_temperature": "target_temperature",
    "target_temperature_high": "target_temperature_high",
    "target_temperature_low": "target_temperature_low",
}
# A room is neither colder nor warmer: another number is no temperature.
_COLDEST: Final = -60.0
_WARMEST: Final = 100.0
_LONGEST_NAME: Final = 60
# Seconds since the epoch that every clock can still show.
_LATEST: Final = 2**37
_LONGEST_VERSION: Final = 40

type Status = Mapping[str, Any]


def device_of(status: Status, *, online: bool, heard: datetime | None, minutes: int, now: datetime) -> Device:
    """Return a thermostat as a home knows its devices; ``minutes`` is how long its fan is made to run."""
    serial, name = status["serial"], status.get("name")
    # Without a name it is called by its serial number, which is nobody's business.
    named = name.strip()[:_LONGEST_NAME] if isinstance(name, str) and name != serial else ""
    return Device(
        key=serial,
        group=THERMOSTATS,
        fields=fields_of(status, now) | {"fan_timer_duration": minutes},
        online=online,
        heard=heard,
        name=named,
    )


def fields_of(status: Status, now: datetime) -> dict[str, Any]:
    """Return what is known of a thermostat. What is ``null``, as each temperature of 0 is, is not known."""
    fields: dict[str, Any] = {}
    for said, stem in _TEMPERATURES.items():
        fields |= temperature(status.get(said), stem)
    eco = _part(status, "eco_temperatures")
    for side in ("high", "low"):
        fields |= temperature(eco.get(side), f"eco_temperature_{side}")
    return fields | _mode(status) | _state(status) | _fan(status) | _others(status, now)


def in_eco(status: Status) -> bool:
    """Say whether a thermostat saves energy, whatever its mode would be otherwise."""
    return status.get("eco_mode") in _ECO


def temperature(said: object, stem: str) -> dict[str, Any]:
    """Return the two fields of a temperature in Celsius, none where it is not one."""
    celsius = number(said)
    if celsius is None or not _COLDEST <= celsius <= _WARMEST:
        return {}
    return Temperature.from_celsius(celsius).fields(stem)


def _mode(status: Status) -> dict[str, Any]:
    said = status.get("mode")
    mode = _MODES.get(said) if isinstance(said, str) else None
    if mode is None:
        _LOGGER.debug("A mode that nobody knows: %.40r", said)
        return {}
    is_eco = in_eco(status)
    return {
        "hvac_mode": "eco" if is_eco else mode,
        "previous_hvac_mode": mode if is_eco else "",
        "is_using_emergency_heat": said == "emergency",
    }


def _state(status: Status) -> dict[str, Any]:
    hvac = _part(status, "hvac")
    if not hvac:
        return {}
    states = (("heating", _HEATING), ("cooling", _COOLING))
    return {"hvac_state": next((word for word, parts in states if any(hvac.get(each) for each in parts)), "off")}


def _fan(status: Status) -> dict[str, Any]:
    active, ends = status.get("fan_timer_active"), number(status.get("fan_timer_timeout"))
    fields: dict[str, Any] = {"fan_timer_active": active} if isinstance(active, bool) else {}
    if ends is not None and 0 <= ends < _LATEST:
        fields["fan_timer_timeout"] = timestamp(datetime.fromtimestamp(ends if active else 0, UTC))
    return fields


def _others(status: Status, now: datetime) -> dict[str, Any]:
    able = _part(status, "capabilities")
    humidity, scale, version = (
        number(status.get("humidity")),
        status.get("temperature_scale"),
        status.get("software_version"),
    )
    training = status.get("time_to_target_training_status")
    return {
        **{name: able[name] for name in ("can_heat", "can_cool", "has_fan") if isinstance(able.get(name), bool)},
        **({"has_leaf": status["has_leaf"]} if isinstance(status.get("has_leaf"), bool) else {}),
        **({"humidity": round(humidity)} if humidity is not None and 0 <= humidity <= 100 else {}),  # noqa: PLR2004
        **({"temperature_scale": scale} if scale in ("C", "F") else {}),
        **({"software_version": version[:_LONGEST_VERSION]} if isinstance(version, str) else {}),
        **({"time_to_target_training": training} if training in ("ready", "training") else {}),
        **_time_to_target(status, now),
    }


def _time_to_target(status: Status, now: datetime) -> dict[str, str]:
    """Return how long it takes; the server tells when, and 0 where it is there."""
    when = number(status.get("time_to_target"))
    if when is None:
        return {}
    minutes = (when - now.timestamp()) / 60
    return {"time_to_target": minutes_left(minutes) if minutes > 0 else "~0"}


def _part(status: Status, name: str) -> Mapping[str, Any]:
    part = status.get(name)
    return part if isinstance(part, dict) else {}


def number(said: object) -> float | None:
    """Return a finite number, nothing for anything else."""
    is_number = isinstance(said, int | float) and not isinstance(said, bool)
    return float(said) if is_number and math.isfinite(said) else None  # type: ignore[arg-type]
