"""NoLongerEvil's self-hosted server, as it is heard on its control port and on MQTT, with thermostats behind it.

The server keeps what it knows in buckets, ``device.<serial>``, ``shared.<serial>`` and ``structure.<id>``, as the real
one does; a status is worked out of them anew each time. The thermostats answer what they are told at once, unless
``thermostats_answer`` is switched off.

Written from what version 1.0.1 was seen to answer, and compared with that server's public source; the server itself did
not run beside it.
"""

import asyncio
from collections.abc import Callable, Mapping
import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
import json
import time
from typing import Any, Final, Literal

from aiohttp import web

from .broker import Broker
from .mqtt import Client
from .web import WebFake

# What the server clamps to when a thermostat names no bounds of its own, in Celsius.
LOWEST: Final = 7.222
HIGHEST: Final = 35.0
UNPAIRED: Final = "default"
MODES: Final = {
    "off": "off",
    "heat": "heat",
    "cool": "cool",
    "heat-cool": "range",
    "range": "range",
    "auto": "range",
    "emergency": "emergency",
}
ON_MQTT: Final = {"heat": "heat", "cool": "cool", "range": "heat_cool", "emergency": "heat"}
HEATS: Final = frozenset({"heat", "range", "emergency"})
COOLS: Final = frozenset({"cool", "range"})
TARGETS: Final = ("target_temperature", "target_temperature_high", "target_temperature_low")

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traps:
    """What the real server does and nobody would expect. Each can be switched off, as if it was mended some day."""

    away_never_shows: bool = True
    zero_is_absent: bool = True
    clamps_silently: bool = True
    unknown_serials_are_created: bool = True
    available_after_restart: bool = True
    is_online_is_false: bool = True
    shows_passwords: bool = True
    times_have_no_zone: bool = True


class CommandError(Exception):
    """A command that is refused, in the server's words."""


class NoLongerEvil(WebFake):
    """The server: what is asked of it on http, and what it says on MQTT where it has a broker."""

    def __init__(
        self, *, traps: Traps = Traps(), prefix: str = "nolongerevil", structure: str | None = UNPAIRED
    ) -> None:
        """Know no thermostat yet. structure: the id that thermostats carry; None for those that nobody paired."""
        super().__init__()
        self.traps = traps
        self.prefix = prefix
        self.structure = structure
        # Where its clock is; None for where ours is.
        self.zone: tzinfo | None = None
        self.thermostats_answer = True
        self.commands: list[Json] = []
        self.buckets: dict[str, Json] = {}
        self._seen: dict[str, float] = {}
        self._lost: set[str] = set()
        # Those who hold a connection, which one has after it was heard and nobody has after a restart.
        self._holding: set[str] = set()
        self._streams: set[asyncio.Queue[str]] = set()
        self._mqtt: Client | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # Thermostats.

    def add(self, serial: str, *, device: Mapping[str, Any] | None = None, **shared: Any) -> None:
        """Hang up a thermostat. device, shared: what it says otherwise than a heating one at rest."""
        self.buckets[f"device.{serial}"] = {
            "current_humidity": 45,
            "current_version": "6.0-31",
            "temperature_scale": "C",
            "can_heat": True,
            "can_cool": True,
            "has_fan": True,
            "fan_timer_timeout": 0,
            "fan_timer_duration_minutes": 60,
            "away_temperature_high": 25.0,
            "away_temperature_low": 12.5,
            "leaf": False,
            "eco": {"mode": "schedule", "leaf": False},
            "time_to_target": 0,
            "time_to_target_training_status": "ready",
            **(device or {}),
        }
        self.buckets[f"shared.{serial}"] = {
            "name": "",
            "current_temperature": 20.5,
            "target_temperature": 20.0,
            "target_temperature_high": 24.0,
            "target_temperature_low": 18.0,
            "target_temperature_type": "heat",
            "structure_id": self.structure,
            "hvac_heater_state": False,
            "hvac_ac_state": False,
            "hvac_fan_state": False,
            **shared,
        }
        self._hear_from(serial)

    async def report(self, serial: str, *, device: Mapping[str, Any] | None = None, **shared: Any) -> None:
        """Let a thermostat say something by itself."""
        self._hear_from(serial)
        for key, values in ((f"device.{serial}", device or {}), (f"shared.{serial}", shared)):
            if values:
                await self._merge(serial, key, values)

    async def lose(self, serial: str) -> None:
        """Let the time pass after which a thermostat that said nothing is not available. No event tells of it."""
        self._lost.add(serial)
        self._holding.discard(serial)
        self._seen[serial] = time.time() - 301
        await self._publish(f"{serial}/availability", "offline")

    async def find(self, serial: str) -> None:
        """Hear from a lost thermostat again."""
        self._hear_from(serial)
        await self._publish(f"{serial}/availability", "online")

    async def remove(self, serial: str) -> None:
        """Forget a thermostat, as ``DELETE /api/device`` does."""
        for bucket in ("device", "shared"):
            self.buckets.pop(f"{bucket}.{serial}", None)
        self._seen.pop(serial, None)
        self._holding.discard(serial)

    async def change_serial(self, old: str, new: str) -> None:
        """Let a thermostat be known by another serial, as after it was exchanged."""
        for bucket in ("device", "shared"):
            self.buckets[f"{bucket}.{new}"] = self.buckets[f"{bucket}.{old}"]
        await self.remove(old)
        self._hear_from(new)

    async def restart(self) -> None:
        """End and start again. It knows its thermostats from its file, and takes each for available."""
        await self.go_away()
        self._holding.clear()
        if self.traps.available_after_restart:
            self._lost.clear()
            self._seen = dict.fromkeys(self.serials(), time.time())
        await self.come_back()

    def serials(self) -> list[str]:
        """Return the serials it knows."""
        return sorted({key.partition(".")[2] for key in self.buckets if key.startswith(("device.", "shared."))})

    @property
    def is_away(self) -> bool:
        """Whether the home was left, which no control endpoint tells."""
        return bool(self.buckets.get(f"structure.{self.structure or UNPAIRED}", {}).get("manual_eco_all"))

    # MQTT.

    @contextlib.asynccontextmanager
    async def on_mqtt(self, broker: Broker) -> Any:
        """Speak on a broker, too, as long as this lasts."""
        topics = (f"{self.prefix}/+/ha/+/set",)
        async with Client(broker, subscribe=topics, heard=self._heard, connected=self._greet) as client:
            self._mqtt = client
            await self._greet()
            try:
                yield
            finally:
                self._mqtt = None

    async def _greet(self) -> None:
        """Say all there is to say. Everything is online, whatever is so."""
        for serial in self.serials():
            await self._publish(f"{serial}/availability", "online")
            for bucket in ("device", "shared"):
                await self._publish_bucket(serial, bucket)
            await self._publish_summary(serial)

    async def _publish(self, topic: str, payload: str) -> None:
        if self._mqtt:
            await self._mqtt.publish(f"{self.prefix}/{topic}", payload, retain=True)

    async def _publish_bucket(self, serial: str, bucket: str) -> None:
        values = self.buckets.get(f"{bucket}.{serial}", {})
        await self._publish(f"{serial}/{bucket}", json.dumps(values))
        for name, value in values.items():
            text = json.dumps(value) if isinstance(value, dict | list) else str(value)
            await self._publish(f"{serial}/{bucket}/{name}", text)

    async def _publish_summary(self, serial: str) -> None:
        device, shared = self._device(serial), self._shared(serial)
        if not device or not shared:
            return
        mode = ON_MQTT.get(shared["target_temperature_type"], "off")
        told = TARGETS[1:] if mode == "heat_cool" else TARGETS[:1] if mode != "off" else ()
        eco = device.get("eco", {})
        summary = {
            "current_temperature": shared.get("current_temperature"),
            "current_humidity": device.get("current_humidity"),
            # An empty message clears what the broker kept of another mode.
            **{name: shared.get(name) if name in told else "" for name in TARGETS},
            "mode": mode,
            "action": self._action(serial),
            "fan_mode": "on" if device.get("fan_timer_timeout", 0) > time.time() else "auto",
            "preset": "away" if self.is_away else "eco" if eco.get("mode") == "manual-eco" else "home",
            "occupancy": "away" if device.get("away") else "home",
            "fan_running": str(bool(shared.get("hvac_fan_state"))).lower(),
            "eco": str(bool(eco.get("leaf") or device.get("leaf"))).lower(),
        }
        for name, value in summary.items():
            if value is not None:
                await self._publish(f"{serial}/ha/{name}", str(value))

    async def _heard(self, topic: str, payload: bytes) -> None:
        _, serial, _, name, _ = topic.split("/")
        word = payload.decode(errors="replace")
        with contextlib.suppress(CommandError, ValueError):
            if name == "mode":
                await self._execute(serial, "set_mode", word.replace("_", "-"))
            elif name == "target_temperature":
                await self._execute(serial, "set_temperature", float(word))
            elif name in TARGETS:
                await self._execute(serial, "set_temperature", {name.rpartition("_")[2]: float(word)})
            elif name == "fan_mode":
                await self._execute(serial, "set_fan", word)
            elif name == "preset":
                await self._execute(serial, "set_away", word == "away")

    # Control port.

    def routes(self) -> list[web.RouteDef]:
        """Return what the control port answers."""
        return [
            web.get("/health", self._health),
            web.get("/api/devices", self._devices),
            web.get("/status", self._status),
            web.get("/api/events", self._events),
            web.post("/command", self._command),
            web.delete("/api/device", self._delete),
        ]

    async def _health(self, _request: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def _devices(self, _request: web.Request) -> web.Response:
        devices = [self.status(each) | {"subscription_count": int(each in self._holding)} for each in self.serials()]
        return _json({"devices": devices, "total": len(devices)})

    async def _status(self, request: web.Request) -> web.Response:
        serial = request.query.get("serial")
        if not serial:
            return _json({"error": "Serial parameter required"}, 400)
        if serial not in self.serials():
            return _json({"error": "Device not found"}, 404)
        return _json(self.status(serial))

    def status(self, serial: str) -> Json:
        """Return what the control port says of a thermostat."""
        device, shared = self._device(serial), self._shared(serial)
        timeout = device.get("fan_timer_timeout", 0)
        eco = device.get("eco")
        status = {
            "serial": serial,
            "is_available": serial not in self._lost and serial in self._seen,
            "last_seen": self._time(self._seen.get(serial)),
            "name": shared.get("label") or shared.get("name") or serial,
            **{name: self._number(shared, device, name) for name in ("current_temperature", *TARGETS)},
            "humidity": device.get("current_humidity"),
            "target_humidity": device.get("target_humidity"),
            "target_humidity_enabled": bool(device.get("target_humidity_enabled")),
            "mode": shared.get("target_temperature_type") or device.get("target_temperature_type"),
            "hvac": _hvac(device, shared),
            "fan_timer_active": timeout > time.time(),
            "fan_timer_timeout": timeout,
            "eco_temperatures": {
                "high": device.get("away_temperature_high"),
                "low": device.get("away_temperature_low"),
            },
            "is_online": device.get("is_online", False) if self.traps.is_online_is_false else serial not in self._lost,
            "has_leaf": device.get("leaf", False),
            "software_version": device.get("current_version"),
            "temperature_scale": device.get("temperature_scale", "C"),
            "capabilities": {
                "can_heat": device.get("can_heat", True),
                "can_cool": device.get("can_cool", True),
                **{
                    name: device.get(name, False)
                    for name in ("has_fan", "has_emer_heat", "has_humidifier", "has_dehumidifier")
                },
            },
            "eco_mode": eco.get("mode") if isinstance(eco, dict) else None,
            **{
                name: device.get(name)
                for name in (
                    "time_to_target",
                    "time_to_target_training_status",
                    "safety_state",
                    "safety_temp_activating_hvac",
                    "learning_mode",
                    "preconditioning_enabled",
                    "backplate_temperature",
                )
            },
        }
        if self.traps.shows_passwords:
            status["api_key"] = password_of(serial)
        if shared:
            away = shared.get("away", False) if self.traps.away_never_shows else self.is_away
            status |= {
                "structure_id": shared.get("structure_id"),
                "away": away,
                "schedule_mode": shared.get("schedule_mode"),
            }
        return status

    def _time(self, seen: float | None) -> str | None:
        """Return a time as the server writes it: on its own clock, and without a zone."""
        if seen is None:
            return None
        time_there = datetime.fromtimestamp(seen, UTC).astimezone(self.zone)
        return (time_there.replace(tzinfo=None) if self.traps.times_have_no_zone else time_there).isoformat()

    async def _events(self, request: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._streams.add(queue)
        try:
            with contextlib.suppress(ConnectionError):
                while True:
                    await response.write(f"data: {await queue.get()}\n\n".encode())
        finally:
            self._streams.discard(queue)
        return response

    @property
    def open_streams(self) -> int:
        """How many listen to its events."""
        return len(self._streams)

    def say_on_streams(self, data: str) -> None:
        """Say anything on the event streams, be it nonsense."""
        for stream in self._streams:
            stream.put_nowait(data)

    async def _command(self, request: web.Request) -> web.Response:
        try:
            body = await request.json()
        except ValueError:
            return _json({"success": False, "message": "Invalid JSON"}, 400)
        for name in ("serial", "command"):
            if not body.get(name):
                return _json({"success": False, "message": f"{name.capitalize()} required"}, 400)
        self.commands.append(body)
        try:
            data = await self._execute(body["serial"], body["command"], body.get("value"))
        except CommandError as err:
            return _json({"success": False, "message": str(err)}, 400)
        except (AttributeError, TypeError, ValueError) as err:
            return _json({"success": False, "message": str(err)}, 500)
        return _json({"success": True, "data": data})

    async def _delete(self, request: web.Request) -> web.Response:
        serial = (await request.json()).get("serial", "")
        if serial not in self.serials():
            return _json({"error": "Device not found"}, 404)
        await self.remove(serial)
        return _json({"success": True, "serial": serial, "objects_deleted": 2})

    # Commands.

    async def _execute(self, serial: str, command: str, value: Any) -> Json:
        """Do what was asked for, to whatever serial that was, and return what was written where."""
        handler = self._handlers().get(command)
        if handler is None:
            msg = f"Unknown command: {command}"
            raise CommandError(msg)
        if serial not in self.serials() and not self.traps.unknown_serials_are_created:
            msg = "Device not found"
            raise CommandError(msg)
        kind, work = handler
        values = work(serial, value)
        if not values:
            msg = "No values to update"
            raise CommandError(msg)
        key = f"structure.{self.structure or UNPAIRED}" if kind == "structure" else f"{kind}.{serial}"
        await self._merge(serial, key, values)
        if self.thermostats_answer:
            self._in_background(self._answer(serial))
        return {"object_key": key, "values": values}

    def _handlers(self) -> dict[str, tuple[str, Callable[[str, Any], Json]]]:
        return {
            "set_temperature": ("shared", self._set_temperature),
            "set_mode": ("shared", self._set_mode),
            "set_away": ("structure", self._set_away),
            "set_fan": ("device", self._set_fan),
            "set_eco_temperatures": ("device", self._set_eco_temperatures),
            "set_device_setting": ("device", lambda _, value: dict(value)),
        }

    def _set_temperature(self, _serial: str, value: Any) -> Json:
        if isinstance(value, dict):
            values = {f"target_temperature_{end}": value[end] for end in ("high", "low") if end in value}
        else:
            values = {"target_temperature": float(value)}
        return self._clamped(values) | {"target_change_pending": True}

    def _set_mode(self, serial: str, value: Any) -> Json:
        word, device = str(value).lower(), self._device(serial)
        if word == "eco":
            msg = "Use set_away to control eco mode. 'eco' is not a valid target_temperature_type"
            raise CommandError(msg)
        if word not in MODES:
            msg = f"Unknown mode '{value}'. Valid modes: off, heat, cool, heat-cool, range, auto, emergency"
            raise CommandError(msg)
        mode = MODES[word]
        for modes, ability in ((HEATS - {"emergency"}, "can_heat"), (COOLS, "can_cool")):
            if mode in modes and not device.get(ability, True):
                msg = f"Device does not support this mode ({ability}=false)"
                raise CommandError(msg)
        if mode == "emergency" and not device.get("has_emer_heat", False):
            msg = "Device does not have emergency heat (has_emer_heat=false)"
            raise CommandError(msg)
        return {"target_temperature_type": mode}

    def _set_away(self, _serial: str, value: Any) -> Json:
        return {"manual_eco_all": value, "manual_eco_timestamp": int(time.time())}

    def _set_fan(self, serial: str, value: Any) -> Json:
        now = int(time.time())
        if value == "on":
            return {"fan_timer_timeout": now + 60 * self._device(serial).get("fan_timer_duration_minutes", 60)}
        if value == "auto":
            return {"fan_timer_timeout": 0}
        return {"fan_timer_timeout": now + int(value)} if isinstance(value, int | float) else {}

    def _set_eco_temperatures(self, _serial: str, value: Any) -> Json:
        return self._clamped({f"away_temperature_{end}": float(value[end]) for end in ("high", "low") if end in value})

    def _clamped(self, values: Json) -> Json:
        for name, value in values.items():
            if LOWEST <= value <= HIGHEST:
                continue
            if not self.traps.clamps_silently:
                msg = f"{name} is out of range"
                raise CommandError(msg)
            values[name] = min(max(float(value), LOWEST), HIGHEST)
        return values

    # What the thermostats do.

    async def _answer(self, serial: str) -> None:
        """Let a thermostat that is there do as it was told, and report it."""
        if serial in self._lost or serial not in self._seen:
            return
        told = [each for each in self._seen if each not in self._lost] if self._eco_is_due(serial) else [serial]
        for each in told:
            await self.report(each, device=self._eco(each), **self._running(each))

    def _eco_is_due(self, serial: str) -> bool:
        return (self._device(serial).get("eco", {}).get("mode") == "manual-eco") is not self.is_away

    def _eco(self, serial: str) -> Json:
        device = self._device(serial)
        if not self._eco_is_due(serial):
            return {}
        mode: Literal["manual-eco", "schedule"] = "manual-eco" if self.is_away else "schedule"
        return {"eco": device.get("eco", {}) | {"mode": mode, "leaf": self.is_away}, "leaf": self.is_away}

    def _running(self, serial: str) -> Json:
        """Return what a thermostat's equipment does, given what it measures and what it is told."""
        shared, device = self._shared(serial), self._device(serial)
        mode, now = shared.get("target_temperature_type"), shared.get("current_temperature") or 0.0
        low = high = shared.get("target_temperature") or 0.0
        if self.is_away:
            low, high = device.get("away_temperature_low", low), device.get("away_temperature_high", high)
        elif mode == "range":
            low, high = shared["target_temperature_low"], shared["target_temperature_high"]
        return {
            "hvac_heater_state": mode in HEATS and now < low,
            "hvac_ac_state": mode in COOLS and now > high,
            "hvac_fan_state": device.get("fan_timer_timeout", 0) > time.time(),
            "target_change_pending": False,
        }

    def _action(self, serial: str) -> str:
        shared = self._shared(serial)
        if shared.get("target_temperature_type") == "off":
            return "off"
        if shared.get("hvac_heater_state"):
            return "heating"
        return "cooling" if shared.get("hvac_ac_state") else "idle"

    # Buckets.

    def _device(self, serial: str) -> Json:
        return self.buckets.get(f"device.{serial}", {})

    def _shared(self, serial: str) -> Json:
        return self.buckets.get(f"shared.{serial}", {})

    def _number(self, shared: Json, device: Json, name: str) -> Any:
        if self.traps.zero_is_absent:
            return shared.get(name) or device.get(name)
        return shared.get(name, device.get(name))

    def _hear_from(self, serial: str) -> None:
        self._seen[serial] = time.time()
        self._lost.discard(serial)
        self._holding.add(serial)

    async def _merge(self, serial: str, key: str, values: Mapping[str, Any]) -> None:
        self.buckets[key] = self.buckets.get(key, {}) | dict(values)
        self.say_on_streams(json.dumps({"serial": serial}))
        bucket = key.partition(".")[0]
        if bucket != "structure":
            await self._publish_bucket(serial, bucket)
        await self._publish_summary(serial)

    def _in_background(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def password_of(serial: str) -> str:
    """Return the password of a thermostat, which the real server shows to everybody who asks."""
    return f"password-of-{serial.lower()}"


def _hvac(device: Json, shared: Json) -> dict[str, bool]:
    states = {
        **{
            name: shared.get(f"hvac_{name}_state") for name in ("heat_x2", "heat_x3", "ac", "cool_x2", "cool_x3", "fan")
        },
        "heater": shared.get("hvac_heater_state"),
        "aux_heat": shared.get("hvac_aux_heater_state"),
        "emer_heat": shared.get("hvac_emer_heat_state"),
        "alt_heat": shared.get("hvac_alt_heat_state"),
        **{name: device.get(f"{name}_state") for name in ("humidifier", "dehumidifier", "auto_dehum", "fan_cooling")},
    }
    return {name: bool(state) for name, state in states.items()}


def _json(value: Json, status: int = 200) -> web.Response:
    return web.json_response(value, status=status, headers={"Access-Control-Allow-Origin": "*"})
