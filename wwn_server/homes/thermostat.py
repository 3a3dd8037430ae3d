"""A simulated thermostat and the room around it: pure functions of state and steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math
from typing import TYPE_CHECKING, Any, Final

from wwn_server.temperatures import Temperature

from .base import Presence, Sunlight

if TYPE_CHECKING:
    from collections.abc import Mapping

STEP_SECONDS: Final = 10
_STEP_HOURS: Final = STEP_SECONDS / 3600

# Degrees Celsius an hour, and the share of the difference to outside lost in an hour.
HEATING_RATE: Final = 4.0
COOLING_RATE: Final = 4.0
LOSS_RATE: Final = 0.06
# How far a room may stray from its target before the equipment starts, or overshoots.
HYSTERESIS: Final = 0.2

_LEAF_HEATING: Final = 20.0
_LEAF_COOLING: Final = 25.5
# Which of the temperatures a mode heats or cools to (protocol 3.3).
_HEATS_TO: Final = {
    "heat": "target_temperature",
    "heat-cool": "target_temperature_low",
    "eco": "eco_temperature_low",
}
_COOLS_TO: Final = {
    "cool": "target_temperature",
    "heat-cool": "target_temperature_high",
    "eco": "eco_temperature_high",
}
_EPOCH: Final = "1970-01-01T00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class FanTimer:
    """How long the fan runs when it is told to, and how long it still does.

    ``left`` is in seconds of the home's time; ``ends`` is what that comes to on our clocks.
    """

    minutes: int = 15
    left: int = 0
    ends: str = _EPOCH

    def started(self) -> FanTimer:
        """Run from now for the length that is set."""
        return replace(self, left=self.minutes * 60)

    def stopped(self) -> FanTimer:
        """Run no more."""
        return FanTimer(self.minutes)

    def later(self) -> FanTimer:
        """Return the timer one step later."""
        left = self.left - STEP_SECONDS
        return replace(self, left=left) if left > 0 else self.stopped()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thermostat:
    """One thermostat: its wiring, its settings, its room.

    ``temperatures`` are those that are set, by the stem of their fields; ``ambient`` is
    the room's, in Celsius and finer than a document tells.
    """

    room: str
    scale: str
    can_cool: bool
    has_fan: bool
    mode: str
    temperatures: Mapping[str, Temperature]
    ambient: float
    humidity: float
    previous_mode: str = ""
    eco_by_away: bool = False
    state: str = "off"
    online: bool = True
    label: str = ""
    fan: FanTimer = FanTimer()
    locked: bool = False
    emergency_heat: bool = False
    sunlight: Sunlight = Sunlight.OFF
    shut_off: bool = False

    @property
    def heats_to(self) -> float | None:
        """The temperature below which it heats, in Celsius."""
        bound = _HEATS_TO.get(self.mode)
        return self.temperatures[bound].c if bound else None

    @property
    def cools_to(self) -> float | None:
        """The temperature above which it cools, in Celsius."""
        possible = self.can_cool and not self.emergency_heat
        bound = _COOLS_TO.get(self.mode) if possible else None
        return self.temperatures[bound].c if bound else None

    def in_mode(self, mode: str) -> Thermostat:
        """Change the mode; the one before ``eco`` is remembered (protocol 5.4)."""
        entering = mode == "eco" and self.mode != "eco"
        kept = self.previous_mode if mode == "eco" else ""
        previous = self.mode if entering else kept
        return settle(replace(self, mode=mode, previous_mode=previous, eco_by_away=False))

    def when(self, presence: Presence) -> Thermostat:
        """Follow the home: into eco when it empties, back when someone returns."""
        if presence is Presence.AWAY and self.mode not in {"eco", "off"}:
            return replace(self.in_mode("eco"), eco_by_away=True)
        if presence is Presence.HOME and self.eco_by_away:
            return self.in_mode(self.previous_mode)
        return self

    def written(self, fields: Mapping[str, Any]) -> Thermostat:
        """Take over checked fields, each temperature in both units."""
        written = {
            stem: Temperature(fields[f"{stem}_c"], fields[f"{stem}_f"])
            for stem in self.temperatures
            if f"{stem}_c" in fields
        }
        changed = replace(
            self,
            temperatures={**self.temperatures, **written},
            label=fields.get("label", self.label),
            scale=fields.get("temperature_scale", self.scale),
            fan=self._fan_written(fields),
        )
        if "hvac_mode" in fields:
            # Asked for by name, eco is no longer away's to take back.
            changed = changed.in_mode(fields["hvac_mode"])
        return settle(changed)

    def protected(self, *, shut_off: bool) -> Thermostat:
        """Keep heating, cooling and fan off while there is smoke or carbon monoxide (protocol 8.2).

        Heating and cooling come back by themselves afterwards, the fan does not.
        """
        fan = self.fan.stopped() if shut_off else self.fan
        return settle(replace(self, shut_off=shut_off, fan=fan))

    def _fan_written(self, fields: Mapping[str, Any]) -> FanTimer:
        fan = replace(self.fan, minutes=int(fields.get("fan_timer_duration", self.fan.minutes)))
        if "fan_timer_active" not in fields:
            return fan
        return fan.started() if fields["fan_timer_active"] else fan.stopped()

    def fields(self) -> dict[str, Any]:
        """Return the fields of protocol 3.3 that are a thermostat's own."""
        return {
            "software_version": "5.9.3-6",
            "label": self.label,
            "is_online": self.online,
            "can_cool": self.can_cool,
            "can_heat": True,
            "is_using_emergency_heat": self.emergency_heat,
            "has_fan": self.has_fan,
            "fan_timer_active": self.fan.left > 0,
            "fan_timer_timeout": self.fan.ends,
            "fan_timer_duration": self.fan.minutes,
            "has_leaf": self._has_leaf(),
            "temperature_scale": self.scale,
            "hvac_mode": self.mode,
            "previous_hvac_mode": self.previous_mode,
            "hvac_state": self.state,
            "humidity": 5 * round(self.humidity / 5),
            "is_locked": self.locked,
            "sunlight_correction_enabled": self.sunlight is not Sunlight.OFF,
            "sunlight_correction_active": self.sunlight is Sunlight.CORRECTING,
            "time_to_target": time_to_target(self),
            "time_to_target_training": "ready",
        } | self._temperatures()

    def _temperatures(self) -> dict[str, Any]:
        ambient = Temperature.from_celsius(self.ambient)
        fields: dict[str, Any] = ambient.fields("ambient_temperature")
        for stem, temperature in self.temperatures.items():
            fields |= temperature.fields(stem)
        return fields

    def _has_leaf(self) -> bool:
        heats_to, cools_to = self.heats_to, self.cools_to
        if heats_to is None and cools_to is None:
            return False
        frugal_heating = heats_to is None or heats_to <= _LEAF_HEATING
        frugal_cooling = cools_to is None or cools_to >= _LEAF_COOLING
        return frugal_heating and frugal_cooling


def settle(thermostat: Thermostat) -> Thermostat:
    """Start or stop the equipment as mode, targets and room temperature ask."""
    if thermostat.shut_off:
        return replace(thermostat, state="off")
    if _wants(thermostat.heats_to, thermostat, "heating", 1):
        return replace(thermostat, state="heating")
    if _wants(thermostat.cools_to, thermostat, "cooling", -1):
        return replace(thermostat, state="cooling")
    return replace(thermostat, state="off")


def _wants(bound: float | None, thermostat: Thermostat, state: str, direction: int) -> bool:
    if bound is None:
        return False
    slack = HYSTERESIS if thermostat.state == state else -HYSTERESIS
    return (bound - thermostat.ambient) * direction + slack > 0


def step(thermostat: Thermostat, outside: float) -> Thermostat:
    """Return the thermostat ten seconds of the home's time later.

    One that is offline is not simulated: nobody could see what it does.
    """
    if not thermostat.online:
        return thermostat
    change = _rate(thermostat, outside) * _STEP_HOURS
    dryness = 2 if thermostat.state != "off" else -1
    humidity = min(60.0, max(30.0, thermostat.humidity - dryness * _STEP_HOURS))
    ambient = thermostat.ambient + change
    fan = thermostat.fan.later() if thermostat.fan.left else thermostat.fan
    return settle(replace(thermostat, ambient=ambient, humidity=humidity, fan=fan))


def _rate(thermostat: Thermostat, outside: float) -> float:
    equipment = {"heating": HEATING_RATE, "cooling": -COOLING_RATE, "off": 0.0}
    return equipment[thermostat.state] + LOSS_RATE * (outside - thermostat.ambient)


def outside_temperature(seed: int, seconds: float) -> float:
    """Return degrees Celsius outside: a day's curve, mild or cold as the seed says."""
    mean = 4 + seed % 7
    hours = 8 + seconds / 3600
    return mean + 5 * math.sin(2 * math.pi * (hours - 9) / 24)


def time_to_target(thermostat: Thermostat) -> str:
    """Return the estimate in the words of protocol 3.3."""
    bounds = {"heating": thermostat.heats_to, "cooling": thermostat.cools_to}
    bound = bounds.get(thermostat.state)
    if bound is None:
        return "~0"
    rate = {"heating": HEATING_RATE, "cooling": COOLING_RATE}[thermostat.state]
    return minutes_left(abs(bound - thermostat.ambient) / rate * 60)


def minutes_left(minutes: float) -> str:
    """Return minutes as the wire tells them (protocol 3.3)."""
    words = ((5, "<5"), (10, "<10"), (120, f"~{max(15, 15 * round(minutes / 15))}"))
    return next((word for limit, word in words if minutes < limit), ">120")
