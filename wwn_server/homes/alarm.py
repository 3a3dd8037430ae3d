"""A simulated smoke and carbon monoxide alarm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from .base import AlarmKind, AlarmLevel, BatteryHealth

if TYPE_CHECKING:
    from collections.abc import Iterable

SEVERITY: Final = tuple(AlarmLevel)
# How long an alarm talks and sounds when its button is pressed.
TEST_SECONDS: Final = 60
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
    testing: bool = False
    tested: str | None = None

    @property
    def worst(self) -> AlarmLevel:
        """The graver of the two levels."""
        return max(self.smoke, self.co, key=SEVERITY.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm: what it senses, and what it last told the service."""

    room: str
    label: str = ""
    online: bool = True
    sensed: Reading = Reading()
    reported: Reading = Reading()
    # Seconds of the home's time that a test still takes.
    test_left: int = 0

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

    def test_started(self) -> Alarm:
        """Begin a manual test, which moves no level."""
        begun = self.sense(replace(self.sensed, testing=True))
        return replace(begun, test_left=TEST_SECONDS)

    def test_ended(self, when: str) -> Alarm:
        """End a manual test well, if there is one."""
        if not self.sensed.testing:
            return self
        over = self.sense(replace(self.sensed, testing=False, tested=when))
        return replace(over, test_left=0)

    def later(self, seconds: int) -> Alarm:
        """Return the alarm so many seconds later."""
        return replace(self, test_left=max(0, self.test_left - seconds)) if self.test_left else self

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
            "is_manual_test_active": self.reported.testing,
        }
        tested = self.reported.tested
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
