"""A simulated smoke and carbon monoxide alarm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from .base import AlarmKind, AlarmLevel, BatteryHealth

if TYPE_CHECKING:
    from collections.abc import Iterable

SEVERITY: Final = tuple(AlarmLevel)
_COLORS: Final = {
    AlarmLevel.OK: "green",
    AlarmLevel.WARNING: "yellow",
    AlarmLevel.EMERGENCY: "red",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What an alarm senses of its room and of itself."""

    smoke: AlarmLevel = AlarmLevel.OK
    co: AlarmLevel = AlarmLevel.OK
    battery: BatteryHealth = BatteryHealth.OK

    @property
    def worst(self) -> AlarmLevel:
        """The graver of the two levels."""
        return max(self.smoke, self.co, key=SEVERITY.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm: what it senses, and what it last told the service."""

    room: str
    online: bool = True
    sensed: Reading = Reading()
    reported: Reading = Reading()
    last_manual_test: str | None = None

    def sense(self, reading: Reading) -> Alarm:
        """Sense something else; without a connection nobody hears of it yet."""
        reported = reading if self.online else self.reported
        return replace(self, sensed=reading, reported=reported)

    def connect(self, *, online: bool) -> Alarm:
        """Lose the connection, or find it and report."""
        return replace(self, online=online).sense(self.sensed)

    def with_level(self, kind: AlarmKind, level: AlarmLevel) -> Alarm:
        """Sense this level of smoke or carbon monoxide."""
        if kind is AlarmKind.SMOKE:
            return self.sense(replace(self.sensed, smoke=level))
        return self.sense(replace(self.sensed, co=level))

    def with_battery(self, health: BatteryHealth) -> Alarm:
        """Run on a battery in this state."""
        return self.sense(replace(self.sensed, battery=health))

    @property
    def color(self) -> str:
        """What its owner's app would show (protocol 3.4)."""
        if not self.online:
            return "gray"
        worst, battery = self.reported.worst, self.reported.battery
        if worst is AlarmLevel.OK and battery is BatteryHealth.REPLACE:
            return "yellow"
        return _COLORS[worst]

    def fields(self) -> dict[str, Any]:
        """Return the fields of protocol 3.4 that are an alarm's own."""
        fields: dict[str, Any] = {
            "software_version": "3.1.4rc3",
            "is_online": self.online,
            "battery_health": self.reported.battery.value,
            "co_alarm_state": self.reported.co.value,
            "smoke_alarm_state": self.reported.smoke.value,
            "ui_color_state": self.color,
            "is_manual_test_active": False,
        }
        tested = self.last_manual_test
        return fields | ({"last_manual_test_time": tested} if tested else {})


def summary(alarms: Iterable[Alarm], kind: AlarmKind) -> AlarmLevel | None:
    """Return a structure's level: the worst there is, an offline alarm's last included.

    ``None`` when nothing alarms but somebody is not heard: that is not ``ok``.
    """
    known = list(alarms)
    levels: list[AlarmLevel] = [getattr(alarm.reported, kind) for alarm in known]
    worst = max(levels, key=SEVERITY.index, default=None)
    if worst is AlarmLevel.OK and not all(alarm.online for alarm in known):
        return None
    return worst
