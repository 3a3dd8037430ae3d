"""A source that does what a test says."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from wwn_server.document import ALARMS, THERMOSTATS
from wwn_server.errors import WireError
from wwn_server.homes.base import AlarmKind, Listener, Unsubscribe
from wwn_server.homes.source import Device, Listeners, Report

from .conftest import NOON

BOTH = frozenset(AlarmKind)


def alarm(key: str, *, heard: datetime | None = NOON, online: bool = True, **fields: str) -> Device:
    return Device(key=key, group=ALARMS, fields=fields, online=online, heard=heard, room="Hallway", senses=BOTH)


def detector(key: str, smoke: str | None = "ok", co: str | None = "ok", **more: Any) -> Device:
    said = {"smoke_alarm_state": smoke, "co_alarm_state": co}
    return alarm(key, **{name: word for name, word in said.items() if word is not None}, **more)


def heater(key: str, **fields: Any) -> Device:
    known = {
        "hvac_mode": "heat",
        "can_heat": True,
        "can_cool": False,
        "has_fan": False,
        "temperature_scale": "C",
        "target_temperature_c": 20.0,
        "target_temperature_f": 68,
    }
    return Device(key=key, group=THERMOSTATS, fields=known | fields, online=True, heard=NOON, name="Stairs")


class ScriptedSource:
    """Tells what it is told to tell, and notes what is written to it."""

    playable = None

    def __init__(self, *devices: Device, kind: str = "scripted", takes: tuple[str, ...] = (), **home: str) -> None:
        self.kind = kind
        self.takes = frozenset(takes)
        self.report = Report(reachable=True, devices=devices, home=home)
        self.written: list[tuple[str, Mapping[str, Any]]] = []
        self.error: WireError | None = None
        self.running = False
        self.name = ""
        self._listeners = Listeners()

    def tell(self, *devices: Device) -> None:
        self._become(replace(self.report, reachable=True, devices=devices))

    def tell_home(self, **home: str) -> None:
        self._become(replace(self.report, home=home))

    def fall_silent(self) -> None:
        self._become(replace(self.report, reachable=False))

    def _become(self, report: Report) -> None:
        self.report = report
        self._listeners.call()

    def subscribe(self, listener: Listener) -> Unsubscribe:
        return self._listeners.add(listener)

    async def start(self) -> None:
        self.running = True

    async def stop(self) -> None:
        self.running = False

    def rename(self, name: str) -> None:
        self.name = name

    async def write(self, key: str, fields: Mapping[str, Any]) -> None:
        self._note(key, fields)

    async def write_home(self, fields: Mapping[str, Any]) -> None:
        self._note("home", fields)

    def _note(self, key: str, fields: Mapping[str, Any]) -> None:
        if self.error is not None:
            raise self.error
        self.written.append((key, dict(fields)))


class NeverAnswering(ScriptedSource):
    """A source that has not been reached since the start."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.report = Report()
