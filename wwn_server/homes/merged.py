"""The home: the devices of all its sources in one document, and commands to whom they are for.

Who decides what. Devices: each source for its own; of a device that two of a kind know, the one
that hears it shows, of several the one that tells the worst alarm, and else the first. Away: what a
hub writes goes to every source that takes it; the first source that answers and can tell says what holds, and where
none can tell it is what was written last. Name: people's, else the first source's. Rooms: people's, else the source's,
and all those a home usually has. Everything else, such as the time zone, is the first source's that tells it, and the
machine's own zone where none does. The first is the one that was added first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
import logging
import sqlite3
from typing import Any, Final

from wwn_server.document import DEVICE_GROUPS, STRUCTURES, Document
from wwn_server.errors import WireError

from .alarm import SEVERITY
from .base import AlarmKind, AlarmLevel, Listener, PlayableHome, Unsubscribe, Write
from .clock import own_time_zone
from .ids import DEVICE_ID_LENGTH, STRUCTURE_ID_LENGTH, opaque_id
from .kept import Keeper, KeptDevice, recalled, told
from .memory import Memory
from .shown import Place, Wheres, levels, presence, thing
from .source import Device, Listeners, Report, Source, unsupported

_LOGGER: Final = logging.getLogger(__name__)

_UNNAMED: Final = "Home"
# How much of its time an online device may lose by a crash of this program.
_KEPT_EVERY: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Member:
    """A source of the home, and how to listen to it no more."""

    source: Source
    unsubscribe: Unsubscribe


class MergedHome:
    """One structure, made of any number of sources, which may come and go while it lives."""

    def __init__(
        self,
        server_id: str,
        keeper: Keeper,
        memory: Memory,
        sources: Mapping[str, Source] | None = None,
    ) -> None:
        """Know the devices that were ever there; ``memory`` keeps whether somebody is at home."""
        self._server_id = server_id
        self._keeper = keeper
        self._memory = memory
        self._wheres = Wheres(server_id)
        self._structure_id = opaque_id(STRUCTURE_ID_LENGTH, server_id, "structure")
        self._kept = {(each.kind, each.key): each for each in keeper.all()}
        self._members = {key: self._member(source) for key, source in (sources or {}).items()}
        self._owners: dict[str, tuple[Source, str]] = {}
        self._name: str | None = None
        self._alive = False
        self._listeners = Listeners()
        self._document = Document()
        self._refresh()

    @property
    def document(self) -> Document:
        """The newest state."""
        return self._document

    @property
    def playable(self) -> PlayableHome | None:
        """The part of it that is not real, if there is one."""
        found = (each.source.playable for each in self._members.values())
        return next((each for each in found if each is not None), None)

    @property
    def sources(self) -> Mapping[str, Source]:
        """Its sources by their ids, the first one first."""
        return {source_id: member.source for source_id, member in self._members.items()}

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Call a listener whenever something has changed, also around what is not real."""
        return self._listeners.add(listener)

    async def start(self) -> None:
        """Begin to follow all sources."""
        self._alive = True
        for member in self._members.values():
            await member.source.start()
        self._changed()

    async def stop(self) -> None:
        """Let go of all sources."""
        self._alive = False
        self._keep_all()
        for member in self._members.values():
            await member.source.stop()

    async def add(self, source_id: str, source: Source) -> None:
        """Take a source in as the last one."""
        self._members[source_id] = self._member(source)
        if self._name is not None:
            source.rename(self._name)
        if self._alive:
            await source.start()
        self._changed()

    async def remove(self, source_id: str) -> None:
        """Let a source go. Its devices keep their ids, and their names, for when it comes back."""
        self._keep_all()
        member = self._members.pop(source_id, None)
        if member is not None:
            member.unsubscribe()
            if self._alive:
                await member.source.stop()
            self._changed()

    def devices(self, source_id: str) -> list[Place]:
        """Return the devices of a source as people know them."""
        return [place for place, source in self._places() if self._members[source_id].source is source]

    def name_device(self, kind: str, key: str, name: str, room: str) -> None:
        """Call a device, and its room, what people say; also one that is not there yet."""
        known = self._kept.get((kind, key)) or self._new(kind, key)
        self._keep(replace(known, name=name or None, room=room or None))
        self._changed()

    def rename(self, structure_id: str, name: str) -> None:
        """Call the home what people call it."""
        if structure_id != self._structure_id:
            return
        self._name = name
        for member in self._members.values():
            member.source.rename(name)
        self._changed()

    async def write(self, write: Write) -> None:
        """Pass a write on to whom it is for."""
        if write.group == STRUCTURES:
            await self._write_home(write.fields)
            return
        source, key = self._owners[write.id]
        await source.write(key, write.fields)

    async def _write_home(self, fields: Mapping[str, Any]) -> None:
        """Tell every source what it takes. One that can't be told does not keep it from the others."""
        takers = {name: [each for each in self._all() if name in each.takes] for name in fields}
        for name in fields.keys() - {"away", "name"}:
            if not takers[name]:
                raise unsupported(name)
        told = dict.fromkeys(each for sources in takers.values() for each in sources)
        answers = await asyncio.gather(
            *(_told(source, {name: fields[name] for name in fields if name in source.takes}) for source in told)
        )
        for error in answers:
            if error is not None:
                raise error
        if "away" in fields:
            self._memory.write(fields["away"])
            self._changed()

    def _member(self, source: Source) -> _Member:
        return _Member(source, source.subscribe(self._changed))

    def _all(self) -> Iterator[Source]:
        return (member.source for member in self._members.values())

    def _changed(self) -> None:
        """Work the document out anew, and tell everybody."""
        self._refresh()
        self._listeners.call()

    def _refresh(self) -> None:
        places = list(self._places())
        self._owners = {place.id: (source, place.device.key) for place, source in places}
        shown = [place for place, _ in places]
        things = {place.id: (place.device.group, thing(place, self._structure_id, self._wheres)) for place in shown}
        groups = {name: {key: each for key, (group, each) in things.items() if group == name} for name in DEVICE_GROUPS}
        structure = self._structure(shown)
        self._document = self._document.successor({**groups, STRUCTURES: {self._structure_id: structure}})

    def _places(self) -> Iterator[tuple[Place, Source]]:
        """Yield all devices, each once, with the source that knows it best."""
        best: dict[str, tuple[Place, str]] = {}
        for source_id, member in self._members.items():
            for device in self._devices(source_id, member.source):
                place = self._place(member.source.kind, device)
                rival = best.get(place.id)
                if rival is None or _weight(place.device) > _weight(rival[0].device):
                    best[place.id] = (place, source_id)
        for place, source_id in best.values():
            source = self._members[source_id].source
            if place.device.id is None:
                self._keep_up(source_id, source.kind, place.device)
            yield place, source

    def _devices(self, source_id: str, source: Source) -> Iterator[Device]:
        """Yield what a source tells; what it can't tell since the start is as it was before, but offline."""
        report = source.report
        if report.devices is None:
            own = (each for each in self._kept.values() if (each.source, each.kind) == (source_id, source.kind))
            yield from (device for device in map(recalled, own) if device is not None)
            return
        for device in report.devices:
            kept = self._kept.get((source.kind, device.key)) if device.heard is None else None
            before = recalled(kept) if kept else None
            yield replace(_overlaid(device, before), online=device.online and report.reachable)

    def _place(self, kind: str, device: Device) -> Place:
        if device.id is not None:
            return Place(device.id, device)
        known = self._kept.get((kind, device.key)) or self._new(kind, device.key)
        return Place(known.id, device, known.name or "", known.room or "")

    def _new(self, kind: str, key: str) -> KeptDevice:
        device_id = opaque_id(DEVICE_ID_LENGTH, self._server_id, kind, key)
        return KeptDevice(kind=kind, key=key, id=device_id, source="", told="")

    def _keep_up(self, source_id: str, kind: str, device: Device) -> None:
        """Keep a device where it is new or says something else, and its time now and then."""
        before = self._kept.get((kind, device.key))
        if before is None or before.source != source_id or _is_news(before, device):
            self._keep(replace(before or self._new(kind, device.key), source=source_id, told=told(device)))

    def _keep(self, device: KeptDevice) -> None:
        self._kept[device.kind, device.key] = device
        try:
            self._keeper.keep(device)
        except sqlite3.Error:
            # An alarm that can't be written down is shown all the same.
            _LOGGER.exception("What a device told could not be kept")

    def _keep_all(self) -> None:
        for place, source in self._places():
            if place.device.id is None:
                known = self._kept[source.kind, place.device.key]
                self._keep(replace(known, told=told(place.device)))

    def _structure(self, places: list[Place]) -> dict[str, Any]:
        reports = [source.report for source in self._all()]
        facts: dict[str, Any] = {"name": _UNNAMED, "time_zone": own_time_zone()}
        for report in reversed(reports):
            facts |= report.home
        lists = {name: [each.id for each in places if each.device.group == name] for name in DEVICE_GROUPS}
        return {
            **facts,
            **({"name": self._name} if self._name is not None else {}),
            "structure_id": self._structure_id,
            "away": self._presence(reports) if places else "unknown",
            "wheres": self._wheres.table({each.where for each in places}),
            **{name: ids for name, ids in lists.items() if ids},
            **levels(each.device for each in places),
        }

    def _presence(self, reports: list[Report]) -> str:
        return presence(((each.reachable, each.home) for each in reports), self._memory.read())


def _weight(device: Device) -> tuple[bool, int]:
    """Return what makes one source's word of a device count more than another's: that it is of now, and an alarm."""
    said = [device.fields.get(f"{kind}_alarm_state") for kind in AlarmKind]
    return device.online, max((SEVERITY.index(AlarmLevel(each)) for each in said if each is not None), default=-1)


def _overlaid(device: Device, before: Device | None) -> Device:
    """Return a device with what it said before the restart, where it has not spoken since."""
    if before is None:
        return device
    fields = device.fields if device.online else {**before.fields, **device.fields}
    return replace(device, fields=fields, heard=before.heard)


async def _told(source: Source, fields: Mapping[str, Any]) -> WireError | None:
    try:
        await source.write_home(fields)
    except WireError as error:
        return error
    return None


def _is_news(before: KeptDevice, device: Device) -> bool:
    was = recalled(before) if before.told else None
    if was is None:
        return True
    if device.heard is None or was.heard is None:
        return device.heard is not was.heard or was.fields != device.fields
    return was.fields != device.fields or device.heard - was.heard >= _KEPT_EVERY
