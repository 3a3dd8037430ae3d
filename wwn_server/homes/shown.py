"""How devices of sources look on the wire (protocol 3.3 to 3.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from wwn_server.document import ALARMS, THERMOSTATS

from .alarm import SEVERITY
from .base import AlarmKind, AlarmLevel
from .ids import STRUCTURE_ID_LENGTH, opaque_id
from .source import Device
from .world import WHERES, timestamp

_UNNAMED: Final = {THERMOSTATS: "Thermostat", ALARMS: "Alarm"}


@dataclass(frozen=True, slots=True)
class Place:
    """A device, its id on the wire, and what people call it and its room; empty where they never said."""

    id: str
    device: Device
    name: str = ""
    room: str = ""

    @property
    def where(self) -> str:
        """Return the room: people know better than the source. A device of no room is where it is called."""
        return self.room or self.device.room or self.name or self.device.name

    @property
    def label(self) -> str:
        """Return what tells it from others in its room, if it is called anything else than the room.

        Where nobody said which room that is, the room is a guess, and only its name tells it from others at all.
        """
        name = self.name or self.device.name
        is_room_known = bool(self.room or self.device.room)
        return "" if is_room_known and name == self.where else name

    @property
    def called(self) -> str:
        """Return what to call it, as protocol 3.3 has it."""
        label = f" ({self.label})" if self.label not in {"", self.where} else ""
        return f"{self.where or _UNNAMED[self.device.group]}{label}"


class Wheres:
    """The rooms of a home, and their ids: the same after every start."""

    def __init__(self, server_id: str) -> None:
        """Make ids that are this server's."""
        self._server_id = server_id

    def id_of(self, room: str) -> str:
        """Return the id of a room."""
        return opaque_id(STRUCTURE_ID_LENGTH, self._server_id, "where", room)

    def table(self, rooms: Iterable[str]) -> dict[str, dict[str, str]]:
        """Return the rooms as a structure has them: those every home has, and these."""
        named = {self.id_of(room): room for room in (*WHERES, *sorted(rooms)) if room}
        return {where_id: {"where_id": where_id, "name": room} for where_id, room in named.items()}


def thing(place: Place, structure_id: str, wheres: Wheres) -> dict[str, Any]:
    """Return a device of a document. What is not known of it is not there."""
    device = place.device
    identity = {"device_id": place.id, "structure_id": structure_id, "name": place.called, "name_long": place.called}
    where = {"where_id": wheres.id_of(place.where), "where_name": place.where} if place.where else {}
    label = {"label": place.label} if place.label else {}
    heard = {"last_connection": timestamp(device.heard)} if device.heard else {}
    color = {"ui_color_state": color_of(device)} if device.group == ALARMS else {}
    return {**identity, **where, **label, **color, **device.fields, **heard, "is_online": device.online}


def color_of(device: Device) -> str:
    """Return what its owner's app would show: gray unless all that it looks out for is known (protocol 3.4)."""
    said = [device.fields.get(f"{kind}_alarm_state") for kind in device.senses]
    known = [AlarmLevel(level) for level in said if level is not None]
    if not device.online or not known or len(known) < len(said):
        return "gray"
    worst = max(known, key=SEVERITY.index)
    if worst is AlarmLevel.OK and device.fields.get("battery_health") == "replace":
        return "yellow"
    return {AlarmLevel.OK: "green", AlarmLevel.WARNING: "yellow", AlarmLevel.EMERGENCY: "red"}[worst]


def levels(devices: Iterable[Device]) -> dict[str, str]:
    """Return a structure's levels: each the worst of the alarms that look out for it, an offline one's last included.

    A level is left out where no alarm is worse than ``ok`` but one is offline or does not say: that is not ``ok``.
    """
    alarms = [each for each in devices if each.group == ALARMS]
    found = {f"{kind}_alarm_state": _worst(alarms, kind) for kind in AlarmKind}
    return {name: level for name, level in found.items() if level is not None}


def _worst(alarms: Iterable[Device], kind: AlarmKind) -> AlarmLevel | None:
    sensing = [each for each in alarms if kind in each.senses]
    said = [each.fields.get(f"{kind}_alarm_state") for each in sensing]
    worst = max((AlarmLevel(level) for level in said if level), key=SEVERITY.index, default=None)
    if worst is AlarmLevel.OK and (None in said or not all(each.online for each in sensing)):
        return None
    return worst


def presence(told: Iterable[tuple[bool, Mapping[str, Any]]], own: str | None) -> str:
    """Return whether somebody is at home: the first source that answers and can tell decides.

    Where sources could tell and none answers, nobody knows. Where none ever tells, it is what was last written here.
    """
    tellers = [(reachable, home["away"]) for reachable, home in told if "away" in home]
    if not tellers:
        return own or "unknown"
    return next((str(away) for reachable, away in tellers if reachable), "unknown")
