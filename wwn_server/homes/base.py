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


class UnknownDeviceError(LookupError):
    """The home has no device of that id."""


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

    def rename(self, structure_id: str, name: str) -> None:
        """Call a structure what people call it; one that is not there is left out."""

    async def write(self, write: Write) -> None:
        """Pass a write on. Raises ``WireError`` when it can't be done."""


@runtime_checkable
class PlayableHome(Home, Protocol):
    """A home whose devices do what the console says."""

    def set_alarm_level(self, device_id: str, kind: AlarmKind, level: AlarmLevel) -> None:
        """Let an alarm sense this. Raises ``UnknownDeviceError``."""

    def set_battery(self, device_id: str, health: BatteryHealth) -> None:
        """Drain or change an alarm's battery. Raises ``UnknownDeviceError``."""

    def set_online(self, device_id: str, *, online: bool) -> None:
        """Cut a device off, or bring it back. Raises ``UnknownDeviceError``."""

    def set_presence(self, structure_id: str, presence: Presence) -> None:
        """Leave or come home. Raises ``UnknownDeviceError``."""
