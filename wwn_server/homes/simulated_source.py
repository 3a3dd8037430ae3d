"""The simulated home as a source like any other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from wwn_server.document import ALARMS, DEVICE_GROUPS, STRUCTURES, THERMOSTATS

from .base import AlarmKind, Listener, Unsubscribe, Write
from .source import Device, Report

if TYPE_CHECKING:
    from wwn_server.document import Thing

    from .simulated import SimulatedHome

KIND: Final = "simulated"

# What the home as a whole works out for itself, from all of its sources.
_NOT_ITS_OWN: Final = {"structure_id", *DEVICE_GROUPS, *(f"{kind}_alarm_state" for kind in AlarmKind)}


class SimulatedSource:
    """The devices of a simulated home; their ids are what they always were."""

    kind = KIND
    takes = frozenset({"away", "eta"})

    def __init__(self, home: SimulatedHome) -> None:
        """Stand in front of a home."""
        self.playable = home

    @property
    def report(self) -> Report:
        """What there is in the home now."""
        document = self.playable.document
        devices = [(group, each) for group in DEVICE_GROUPS for each in document.group(group).values()]
        (structure,) = document.group(STRUCTURES).values()
        home = {name: value for name, value in structure.items() if name not in _NOT_ITS_OWN}
        return Report(reachable=True, devices=tuple(_device(group, each) for group, each in devices), home=home)

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Call a listener whenever something has changed in the home, or around it."""
        return self.playable.subscribe(listener)

    async def start(self) -> None:
        """Let time pass."""
        await self.playable.start()

    async def stop(self) -> None:
        """Stop time."""
        await self.playable.stop()

    def rename(self, name: str) -> None:
        """Call the home what people call it."""
        for structure_id in self.playable.document.group(STRUCTURES):
            self.playable.rename(structure_id, name)

    async def write(self, key: str, fields: Mapping[str, Any]) -> None:
        """Do what a hub wrote to a thermostat."""
        await self.playable.write(Write(THERMOSTATS, key, fields))

    async def write_home(self, fields: Mapping[str, Any]) -> None:
        """Do what a hub wrote to the home."""
        for structure_id in self.playable.document.group(STRUCTURES):
            await self.playable.write(Write(STRUCTURES, structure_id, fields))


def _device(group: str, thing: Thing) -> Device:
    return Device(
        key=thing["device_id"],
        id=thing["device_id"],
        group=group,
        fields=thing,
        online=thing["is_online"],
        heard=datetime.fromisoformat(thing["last_connection"]),
        room=thing["where_name"],
        senses=frozenset(AlarmKind) if group == ALARMS else frozenset(),
    )
