"""A Starling Home Hub, as its Developer Connect API is heard: thermostats, Protects and home/away, in two versions.

Written from the vendor's documents and from what other clients expect. It was never compared with a hub. How a hub says
that its limits are passed or that it is not ready is in neither; here it is an error of the usual shape.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
import ssl
import time
from typing import Any, Final, Literal

from aiohttp import web

from .web import WebFake

KEY: Final = "abcdef123456"
WRITES_APART: Final = 1.0

type Json = dict[str, Any]
type Version = Literal[1, 2]


class HomeState(Enum):
    """How home or away is written: documents and clients do not agree."""

    BOOLEAN = "boolean"
    STRING = "string"
    OTHER_NAME = "other name"


@dataclass(slots=True)
class Thing:
    """A device of the hub: what it is, where, and its properties. Only some properties can be written."""

    id: str
    type: str
    name: str
    room: str
    properties: Json = field(default_factory=dict)
    writable: frozenset[str] = frozenset()
    serial: str | None = None

    def listed(self, version: Version) -> Json:
        """Return it as in the list of devices. The versions call its room otherwise."""
        serial = f"SN-{self.id}" if self.serial is None else self.serial
        told = {"id": self.id, "name": self.name, "structureName": "Home", "serialNumber": serial}
        if version == 1:
            return told | {"type": self.type, "where": self.room}
        kind, category = NAMES_IN_2.get(self.type, (self.type, self.type))
        room = {"roomName": self.room, "roomId": f"room-{self.room.lower()}", "structureId": "structure-1"}
        return told | room | {"type": kind, "category": category, "model": self.type.title()}


# What the second version calls what the first calls otherwise: type and category.
NAMES_IN_2: Final = {"protect": ("smoke_detector", "smoke_co_detector")}


THERMOSTAT_WRITABLE: Final = frozenset(
    {
        "targetTemperature",
        "targetHeatingThresholdTemperature",
        "targetCoolingThresholdTemperature",
        "hvacMode",
        "ecoMode",
        "fanRunning",
    }
)


def thermostat(id: str, name: str, room: str, **properties: Any) -> Thing:  # noqa: A002 - the wire's word
    """Return a thermostat that heats, at rest. A property that is None is one that it does not have."""
    usual = {
        "isOnline": True,
        "currentTemperature": 20.5,
        "humidityPercent": 45,
        "targetTemperature": 20.0,
        "targetHeatingThresholdTemperature": 18.0,
        "targetCoolingThresholdTemperature": 24.0,
        "hvacMode": "heat",
        "ecoMode": False,
        "hvacState": "off",
        "canHeat": True,
        "canCool": True,
        "canHeatCool": True,
        "fanRunning": False,
        "displayTemperatureUnits": "C",
        "tempHoldMode": False,
    }
    return Thing(id, "thermostat", name, room, _without_none(usual | properties), THERMOSTAT_WRITABLE)


def protect(id: str, name: str, room: str, **properties: Any) -> Thing:  # noqa: A002 - the wire's word
    """Return a Protect that senses nothing. Some hubs tell no details, and a level of the battery instead."""
    usual = {
        "isOnline": True,
        "smokeDetected": False,
        "smokeStateDetail": "ok",
        "coDetected": False,
        "coStateDetail": "ok",
        "batteryStatus": "normal",
        "manualTestActive": False,
        "alarmSilenced": False,
        "occupancyDetected": False,
    }
    return Thing(id, "protect", name, room, _without_none(usual | properties))


def _without_none(properties: Json) -> Json:
    return {name: value for name, value in properties.items() if value is not None}


# What each writable property takes.
TAKES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "hvacMode": lambda value: value in {"off", "heat", "cool", "heatCool"},
    "ecoMode": lambda value: isinstance(value, bool),
    "fanRunning": lambda value: isinstance(value, bool),
    "homeState": lambda value: isinstance(value, bool) or value in {"home", "away"},
    "mode": lambda value: isinstance(value, bool) or value in {"home", "away"},
}


def _is_temperature(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 9 <= value <= 32  # noqa: PLR2004


class Hub(WebFake):
    """The hub. ``is_ready``: whether it has reached Nest; ``permissions``: what its owner lets the key do."""

    def __init__(
        self,
        *things: Thing,
        home_state: HomeState = HomeState.BOOLEAN,
        connected_by: Literal["connectedToNest", "connectedToGoogleHome"] = "connectedToNest",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Know some devices already, and home/away, which is a device of its own here."""
        super().__init__(tls)
        self.key = KEY
        self.is_ready = True
        self.permissions = {"read": True, "write": True, "camera": False}
        self.writes: list[tuple[str, Json]] = []
        self.set_errors: set[str] = set()
        self.writes_apart = WRITES_APART
        self._connected_by = connected_by
        self._home_state = home_state
        self._last_write: dict[str, float] = {}
        self.things: dict[str, Thing] = {each.id: each for each in (*things, self._home_away())}

    @property
    def home_name(self) -> str:
        """What this hub calls the property that says whether somebody is at home."""
        return "mode" if self._home_state is HomeState.OTHER_NAME else "homeState"

    def set_home(self, *, is_home: bool) -> None:
        """Let everybody leave, or somebody come home."""
        self.things["home-away"].properties[self.home_name] = self._home_word(is_home=is_home)

    @property
    def is_home(self) -> bool:
        """Whether somebody is at home."""
        return self.things["home-away"].properties[self.home_name] in (True, "home")

    def test(self, id: str) -> None:  # noqa: A002 - the wire's word
        """Press a Protect's button: during the test the hub says smoke, with the detail warn."""
        self.set(id, manualTestActive=True, smokeDetected=True, smokeStateDetail="warn")

    def end_test(self, id: str) -> None:  # noqa: A002 - the wire's word
        """End the test."""
        self.set(id, manualTestActive=False, smokeDetected=False, smokeStateDetail="ok")

    def set(self, id: str, **properties: Any) -> None:  # noqa: A002 - the wire's word
        """Let a device say something; None takes a property away."""
        self.things[id].properties = _without_none(self.things[id].properties | properties)

    def change_id(self, old: str, new: str) -> None:
        """Let a device be known by another id, as after the hub was set up anew."""
        thing = self.things.pop(old)
        thing.id = new
        self.things[new] = thing

    def routes(self) -> list[web.RouteDef]:
        """Return what it answers, in both versions."""
        base = "/api/connect/{version:v[12]}"
        return [
            web.get(f"{base}/status", self._status),
            web.get(f"{base}/devices", self._devices),
            web.get(f"{base}/devices/{{id}}", self._device),
            web.post(f"{base}/devices/{{id}}", self._write),
        ]

    async def _status(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        answer = {
            "status": "OK",
            "apiVersion": 1.0 if _version(request) == 1 else 2.0,
            "apiReady": self.is_ready,
            self._connected_by: self.is_ready,
            "appName": "wwn-server",
            "permissions": self.permissions,
        }
        return web.json_response(answer)

    async def _devices(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request) or self._not_ready():
            return refusal
        listed = [each.listed(_version(request)) for each in self.things.values()]
        return web.json_response({"status": "OK", "devices": listed})

    async def _device(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request) or self._not_ready():
            return refusal
        thing = self.things.get(request.match_info["id"])
        if thing is None:
            return _error(HTTPStatus.NOT_FOUND, "DEVICE_NOT_FOUND", "Device not found")
        properties = thing.listed(_version(request)) | thing.properties
        return web.json_response({"status": "OK", "properties": properties})

    async def _write(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request) or self._not_ready():
            return refusal
        if not self.permissions["write"]:
            return _error(HTTPStatus.UNAUTHORIZED, "PERMISSION_DENIED", "The key may not write")
        thing = self.things.get(request.match_info["id"])
        if thing is None:
            return _error(HTTPStatus.NOT_FOUND, "DEVICE_NOT_FOUND", "Device not found")
        now = time.monotonic()
        if now - self._last_write.get(thing.id, -self.writes_apart) < self.writes_apart:
            return _error(HTTPStatus.TOO_MANY_REQUESTS, "RATE_LIMITED", "Writes are limited to one a second")
        self._last_write[thing.id] = now
        return self._written(thing, await request.json())

    def _written(self, thing: Thing, asked: Json) -> web.Response:
        self.writes.append((thing.id, asked))
        verdicts = {name: self._verdict(thing, name, value) for name, value in asked.items()}
        thing.properties |= {name: value for name, value in asked.items() if verdicts[name] == "OK"}
        if thing.type == "thermostat":
            _run(thing.properties)
        is_fine = all(verdict == "OK" for verdict in verdicts.values())
        return web.json_response({"status": "OK" if is_fine else "Error", "setStatus": verdicts})

    def _verdict(self, thing: Thing, name: str, value: Any) -> str:
        if name not in thing.properties:
            return "PROPERTY_NOT_FOUND"
        if name not in thing.writable:
            return "READ_ONLY_PROPERTY"
        if not TAKES.get(name, _is_temperature)(value):
            return "INVALID_VALUE"
        return "SET_ERROR" if name in self.set_errors else "OK"

    def _refusal(self, request: web.Request) -> web.Response | None:
        if request.query.get("key") != self.key:
            return _error(HTTPStatus.UNAUTHORIZED, "INVALID_API_KEY", "Invalid API key")
        if not self.permissions["read"]:
            return _error(HTTPStatus.UNAUTHORIZED, "PERMISSION_DENIED", "The key may not read")
        return None

    def _not_ready(self) -> web.Response | None:
        if self.is_ready:
            return None
        return _error(HTTPStatus.SERVICE_UNAVAILABLE, "NOT_READY", "The hub has not reached Nest yet")

    def _home_away(self) -> Thing:
        name = self.home_name
        properties = {"isOnline": True, name: self._home_word(is_home=True)}
        return Thing("home-away", "home_away_control", "Home/Away", "Home", properties, frozenset({name}))

    def _home_word(self, *, is_home: bool) -> bool | str:
        if self._home_state is HomeState.BOOLEAN:
            return is_home
        return "home" if is_home else "away"


def _run(properties: Json) -> None:
    """Let a thermostat's equipment follow what it is told."""
    mode, now = properties["hvacMode"], properties["currentTemperature"]
    low = high = properties["targetTemperature"]
    if mode == "heatCool":
        low, high = properties["targetHeatingThresholdTemperature"], properties["targetCoolingThresholdTemperature"]
    heats, cools = mode in {"heat", "heatCool"} and now < low, mode in {"cool", "heatCool"} and now > high
    properties["hvacState"] = "heating" if heats else "cooling" if cools else "off"


def _version(request: web.Request) -> Version:
    return 1 if request.match_info["version"] == "v1" else 2


def _error(status: HTTPStatus, code: str, message: str) -> web.Response:
    return web.json_response({"status": "Error", "code": code, "message": message}, status=status)
