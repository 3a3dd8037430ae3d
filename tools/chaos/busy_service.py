"""A service that speaks the wire of protocol 3 and 4, with as many devices as asked for, all of which change."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
import random
import time
from typing import Any, Final, Self

from aiohttp import web
import orjson

from tools.ports import LOOPBACK

HOME: Final = "home-of-many-devices"
TOKEN: Final = "c.busy-token"  # noqa: S105 - of a service that lives as long as this process
WELL_KNOWN: Final = "/.well-known/oauth-authorization-server"
EVERY: Final = 1.0
# One alarm in so many has something to say at a time.
ALARMING: Final = 25

type Json = dict[str, Any]


class BusyService:
    """Sends a whole document to every stream each second. sent: when each was, by its number."""

    def __init__(self, devices: int) -> None:
        """Have half as many thermostats as devices, and as many alarms."""
        self.base = ""
        self.number = 0
        self.sent: dict[int, float] = {}
        self._devices = devices
        self._chance = random.Random(devices)  # noqa: S311 - no secret
        self._document = self._new_document()
        self._streams: set[asyncio.Queue[bytes]] = set()
        self._runner: web.AppRunner | None = None
        self._living: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Listen, and let time pass."""
        app = web.Application()
        app.router.add_get(WELL_KNOWN, self._describe)
        app.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, 0).start()
        self.base = f"http://{LOOPBACK}:{self._runner.addresses[0][1]}"
        self._living = asyncio.create_task(self._live())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close everything."""
        if self._living:
            self._living.cancel()
        if self._runner:
            await self._runner.cleanup()

    async def _live(self) -> None:
        begun = time.monotonic()
        while True:
            self.number += 1
            await asyncio.sleep(begun + self.number * EVERY - time.monotonic())
            self._document = self._new_document()
            self.sent = {self.number: time.monotonic()}
            for stream in self._streams:
                stream.put_nowait(self._put())

    def _put(self) -> bytes:
        return b"event: put\ndata: " + orjson.dumps({"path": "/", "data": self._document}) + b"\n\n"

    async def _describe(self, _request: web.Request) -> web.Response:
        base = self.base
        return web.json_response(
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/login/oauth2",
                "token_endpoint": f"{base}/oauth2/access_token",
                "registration_endpoint": f"{base}/oauth2/register",
                "works_with_nest": {
                    "protocol": 1,
                    "api_root": base,
                    "revocation_template": f"{base}/oauth2/access_tokens/{{access_token}}",
                    "server_id": "5f0c7ab0-1111-4000-8000-000000000000",
                    "name": "Busy",
                },
            }
        )

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"error": "unauthorized", "type": "x#auth-error"}, status=401)
        if "text/event-stream" not in request.headers.get("Accept", ""):
            return web.json_response(self._document)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        queue.put_nowait(self._put())
        self._streams.add(queue)
        with suppress(ConnectionError):
            try:
                while True:
                    await response.write(await queue.get())
            finally:
                self._streams.discard(queue)
        return response

    def _new_document(self) -> Json:
        thermostats = dict(self._thermostats(self._devices // 2))
        alarms = dict(self._alarms(self._devices - self._devices // 2))
        structure = {
            "structure_id": HOME,
            "name": "Busy home",
            "away": "home",
            "time_zone": "Europe/Berlin",
            "country_code": "DE",
            "thermostats": list(thermostats),
            "smoke_co_alarms": list(alarms),
            "wheres": {"hall": {"where_id": "hall", "name": "Hall"}},
        }
        return {
            "metadata": {"access_token": TOKEN, "client_version": 1, "user_id": "z.1.1.busy"},
            "devices": {"thermostats": thermostats, "smoke_co_alarms": alarms},
            "structures": {HOME: structure},
        }

    def _thermostats(self, count: int) -> Iterator[tuple[str, Json]]:
        for number in range(count):
            device_id = f"thermostat-{number:03}"
            celsius = 15 + (self.number + number) % 20 / 2
            yield (
                device_id,
                {
                    **_device(device_id, f"Thermostat {number}"),
                    **_both("ambient_temperature", celsius),
                    **_both("target_temperature", 20.0),
                    **_both("target_temperature_high", 24.0),
                    **_both("target_temperature_low", 18.0),
                    **_both("eco_temperature_high", 24.0),
                    **_both("eco_temperature_low", 12.5),
                    "temperature_scale": "C",
                    "can_heat": True,
                    "can_cool": True,
                    "has_fan": True,
                    "has_leaf": celsius > 20,  # noqa: PLR2004
                    "humidity": 35 + (self.number + number) % 6 * 5,
                    "hvac_mode": "heat",
                    "previous_hvac_mode": "",
                    "hvac_state": "heating" if self.number % 2 else "off",
                    "is_locked": False,
                },
            )

    def _alarms(self, count: int) -> Iterator[tuple[str, Json]]:
        for number in range(count):
            device_id = f"alarm-{number:03}"
            is_alarming = (self.number + number) % ALARMING == 0
            yield (
                device_id,
                {
                    **_device(device_id, f"Alarm {number}"),
                    "battery_health": "replace" if (self.number + number) % 2 else "ok",
                    "smoke_alarm_state": "emergency" if is_alarming else "ok",
                    "co_alarm_state": "ok",
                    "is_manual_test_active": False,
                    "ui_color_state": "red" if is_alarming else "green",
                },
            )


def _device(device_id: str, name: str) -> Json:
    return {
        "device_id": device_id,
        "name": name,
        "name_long": f"Hall {name}",
        "label": name,
        "structure_id": HOME,
        "where_id": "hall",
        "where_name": "Hall",
        "locale": "en-GB",
        "software_version": "5.9",
        "is_online": True,
        "last_connection": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def _both(field: str, celsius: float) -> Json:
    return {f"{field}_c": celsius, f"{field}_f": round(celsius * 9 / 5 + 32)}
