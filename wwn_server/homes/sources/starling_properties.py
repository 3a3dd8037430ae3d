"""What a Starling Home Hub says of its devices, in the words of the wire (protocol 3.3 and 3.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wwn_server.homes.alarm import SEVERITY
from wwn_server.homes.base import AlarmKind, AlarmLevel
from wwn_server.homes.source import AlarmWords

from .nolongerevil_status import number, temperature

_WORDS: Final = AlarmWords(
    {
        "ok": AlarmLevel.OK,
        "warn": AlarmLevel.WARNING,
        "warning": AlarmLevel.WARNING,
        "emergency": AlarmLevel.EMERGENCY,
    }
)
_MODES: Final = {"off": "off", "heat": "heat", "cool": "cool", "heatCool": "heat-cool"}
MODES_THERE: Final = {word: theirs for theirs, word in _MODES.items()}
_TEMPERATURES: Final = {
    "currentTemperature": "ambient_temperature",
    "targetTemperature": "target_temperature",
    "targetHeatingThresholdTemperature": "target_temperature_low",
    "targetCoolingThresholdTemperature": "target_temperature_high",
}
_FLAGS: Final = {"canHeat": "can_heat", "canCool": "can_cool"}
_STATES: Final = ("heating", "cooling", "off")
_BATTERIES: Final = {"normal": "ok", "low": "replace"}
# Names that real clients know for whether somebody is at home.
HOME_NAMES: Final = ("homeState", "mode")
_HOME: Final = {"true": "home", "home": "home", "false": "away", "away": "away"}

type Properties = Mapping[str, Any]


def thermostat_fields(said: Properties) -> dict[str, Any]:
    """Return what is known of a thermostat."""
    fields: dict[str, Any] = {}
    for theirs, stem in _TEMPERATURES.items():
        fields |= temperature(said.get(theirs), stem)
    fields |= {ours: said[theirs] for theirs, ours in _FLAGS.items() if isinstance(said.get(theirs), bool)}
    humidity = number(said.get("humidityPercent"))
    if humidity is not None and 0 <= humidity <= 100:  # noqa: PLR2004
        fields["humidity"] = round(humidity)
    if said.get("displayTemperatureUnits") in ("C", "F"):
        fields["temperature_scale"] = said["displayTemperatureUnits"]
    if said.get("hvacState") in _STATES:
        fields["hvac_state"] = said["hvacState"]
    if isinstance(said.get("fanRunning"), bool):
        fields |= {"has_fan": True, "fan_timer_active": said["fanRunning"]}
    return fields | _mode(said)


def _mode(said: Properties) -> dict[str, Any]:
    theirs = said.get("hvacMode")
    mode = _MODES.get(theirs) if isinstance(theirs, str) else None
    if said.get("ecoMode") is True:
        return {"hvac_mode": "eco", "previous_hvac_mode": mode or ""}
    return {} if mode is None else {"hvac_mode": mode, "previous_hvac_mode": ""}


def protect_levels(said: Properties, name: str) -> dict[AlarmKind, AlarmLevel]:
    """Return what a Protect senses, as far as it says so."""
    read = {kind: _level(said, kind, name) for kind in AlarmKind}
    return {kind: level for kind, level in read.items() if level is not None}


def _level(said: Properties, kind: AlarmKind, name: str) -> AlarmLevel | None:
    detail = _WORDS.level(said.get(f"{kind}StateDetail"), name)
    detected = said.get(f"{kind}Detected")
    if detected is True:
        # Without detail it may be the worst; with one that says ok, one of the two is wrong.
        return AlarmLevel.EMERGENCY if detail is None else max(detail, AlarmLevel.WARNING, key=SEVERITY.index)
    return AlarmLevel.OK if detail is None and detected is False else detail


def protect_fields(said: Properties, levels: Mapping[AlarmKind, AlarmLevel]) -> dict[str, Any]:
    """Return what is known of a Protect, with the levels to tell."""
    battery = said.get("batteryStatus")
    health = _BATTERIES.get(battery) if isinstance(battery, str) else None
    testing = said.get("manualTestActive")
    return {
        **{f"{kind}_alarm_state": level.value for kind, level in levels.items()},
        **({"battery_health": health} if health else {}),
        **({"is_manual_test_active": testing} if isinstance(testing, bool) else {}),
    }


def home_of(said: Properties) -> dict[str, str]:
    """Return whether somebody is at home, in whatever way this hub says it; where it can't be read, nobody knows."""
    word = next((said[name] for name in HOME_NAMES if name in said), None)
    return {"away": _HOME.get(str(word).strip().lower(), "unknown")}


def home_written(said: Properties, away: str) -> dict[str, Any]:
    """Return what to write for home or away: the name and the kind of word that the hub has itself."""
    name = next((each for each in HOME_NAMES if each in said), HOME_NAMES[0])
    return {name: away if isinstance(said.get(name), str) else away == "home"}


def target_written(fields: Mapping[str, Any]) -> dict[str, float]:
    """Return targets as the hub takes them, in Celsius."""
    return {theirs: float(fields[f"{stem}_c"]) for theirs, stem in _TEMPERATURES.items() if f"{stem}_c" in fields}
