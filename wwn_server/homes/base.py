"""What the server needs of a home, whatever stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from wwn_server.document import Document

type Listener = Callable[[], None]
type Unsubscribe = Callable[[], None]


class AlarmKind(StrEnum):
    """What an alarm looks out for."""

    SMOKE = "smoke"
    CO = "co"


class AlarmLevel(StrEnum):
    """How bad it is, from harmless to grave (protocol 8.2)."""

    OK = "ok"
    WARNING = "warning"
    EMERGENCY = "emergency"


class BatteryHealth(StrEnum):
    """All that is known of a battery (protocol 3.4)."""

    OK = "ok"
    REPLACE = "replace"


class Presence(StrEnum):
    """Whether somebody is there, as far as that can be set (protocol 5.5)."""

    HOME = "home"
    AWAY = "away"


class Sunlight(StrEnum):
    """Whether a thermostat looks out for direct sun, and whether it sees any (protocol 3.3)."""

    OFF = "off"
    ON = "on"
    CORRECTING = "correcting"


class UnknownDeviceError(LookupError):
    """The home has no device of that id, or no room of that name."""


class FullHomeError(Exception):
    """The home has as many devices of a kind as it can have."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is around a simulated home, which no document tells.

    ``outside`` is in Celsius; ``weather`` says whether it follows the day, or was set.
    """

    outside: float
    weather: bool
    speed: float
    rush_hour: bool


@dataclass(frozen=True, slots=True)
class Write:
    """Fields of one thing that a hub wants otherwise.

    The rules have let them pass, and each temperature is there in both units.
    """

    group: str
    id: str
    fields: Mapping[str, Any]


class Home(Protocol):
    """One or more structures with their devices.

    ``document`` is always the newest state and is replaced as a whole. Listeners are
    called after each replacement, must be quick and must not raise.
    """

    @property
    def document(self) -> Document:
        """Return the newest state."""

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Call a listener whenever ``document`` has changed."""

    async def start(self) -> None:
        """Begin to follow the devices; there is a document from here on."""

    async def stop(self) -> None:
        """Let go of the devices."""

    @property
    def playable(self) -> PlayableHome | None:
        """Return the part of it that is not real and can be played with, if there is one."""

    def rename(self, structure_id: str, name: str) -> None:
        """Call a structure what people call it; one that is not there is left out."""

    async def write(self, write: Write) -> None:
        """Pass a write on. Raises ``WireError`` when it can't be done."""


@runtime_checkable
class PlayableHome(Home, Protocol):
    """A home whose devices do what the console says.

    Its listeners are also called when its surroundings have changed. What names a device
    raises ``UnknownDeviceError`` when there is none.
    """

    @property
    def surroundings(self) -> Surroundings:
        """Return what is around it now."""

    @property
    def rooms(self) -> tuple[str, ...]:
        """Return where a device can be."""

    def set_alarm_level(self, device_id: str, kind: AlarmKind, level: AlarmLevel) -> None:
        """Let an alarm sense this."""

    def set_battery(self, device_id: str, health: BatteryHealth) -> None:
        """Drain or change an alarm's battery."""

    def set_manual_test(self, device_id: str, *, active: bool) -> None:
        """Press the test button of an alarm, or have its test end well at once."""

    def set_online(self, device_id: str, *, online: bool) -> None:
        """Cut a device off, or bring it back."""

    def set_lock(self, device_id: str, *, locked: bool) -> None:
        """Lock a thermostat to its range of targets, or unlock it."""

    def set_emergency_heat(self, device_id: str, *, active: bool) -> None:
        """Let a heat pump's thermostat use its auxiliary heating only, or no more."""

    def set_sunlight(self, device_id: str, sunlight: Sunlight) -> None:
        """Let the sun shine on a thermostat, or have it not mind."""

    def set_presence(self, structure_id: str, presence: Presence) -> None:
        """Leave or come home."""

    def set_rush_hour(self, *, active: bool) -> None:
        """Let the utility call an energy rush hour, or call it off."""

    def set_outside(self, celsius: float | None) -> None:
        """Set the temperature outside, or leave it to the weather."""

    def set_speed(self, speed: float) -> None:
        """Let time pass so many times as fast as ours; 0 stands still."""

    def add_device(self, group: str, room: str) -> str:
        """Hang up a thermostat or an alarm and return its id. Raises ``FullHomeError``."""

    def remove_device(self, device_id: str) -> None:
        """Take a device down."""
