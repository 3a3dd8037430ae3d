"""A stage for the integration: a Home Assistant, and a service that sends whatever document a test wants."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from copy import deepcopy
from datetime import timedelta
from http import HTTPStatus
import json
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.works_with_nest import coordinator, listener
from custom_components.works_with_nest.const import DOMAIN

TOKEN = "c.fixture-token"
SECRET = "fixture-secret"
SERVER_ID = "0d1f6c1e-6f0f-4a51-9a3e-1c2d3e4f5a6b"
WELL_KNOWN = "/.well-known/oauth-authorization-server"
ALL_PERMISSIONS = ["thermostat read/write", "away read/write", "smoke+co read"]


class FixtureService:
    """A service that sends one document, answers writes as told, and keeps what it was asked."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.base = ""
        self.status = 200
        self.error: dict[str, Any] = {}
        self.error_headers: dict[str, str] = {}
        self.stream_status = 200
        self.requests: list[tuple[str, str, Any]] = []
        # What it says to a write, where that is not what it says to all else.
        self.write_error: dict[str, Any] | None = None
        self.streams: list[asyncio.Queue[bytes | None]] = []
        self.is_closing = False
        # What it says of itself; nothing until a test lets it.
        self.discovery: dict[str, Any] | None = None
        self._changed = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        is_stream = request.headers.get("Accept") == "text/event-stream"
        body = await request.json() if request.can_read_body else None
        self.requests.append(("STREAM" if is_stream else request.method, request.path, body))
        if request.path == WELL_KNOWN:
            return web.json_response(self.discovery, status=self.status if self.discovery else 404)
        is_data = not request.path.startswith("/oauth2/")
        if is_data and request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"error": "unauthorized", "type": "x#auth-error"}, status=401)
        status = 503 if self.is_closing else self.stream_status if is_stream else self.status
        if status != 200:
            return web.json_response(self.error, status=status, headers=self.error_headers)
        if request.method == "PUT" and self.write_error:
            return web.json_response(self.write_error, status=400)
        if is_stream:
            return await self._stream(request)
        return web.json_response(self.document if request.method == "GET" else body)

    def describe(self, protocol: int) -> dict[str, Any]:
        """Return what a server of some protocol says of itself."""
        link = entry_data(self.base, [], [])["server"]
        ours = {key: link[key] for key in ("server_id", "name", "api_root", "revocation_template")}
        endpoints = ("authorization_endpoint", "token_endpoint", "registration_endpoint")
        return {
            "issuer": self.base,
            **{key: link[key] for key in endpoints},
            "works_with_nest": {"protocol": protocol, **ours},
        }

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        queue.put_nowait(self._put())
        self.streams.append(queue)
        with suppress(ConnectionError):
            while (event := await queue.get()) is not None:
                await response.write(event)
        self.streams.remove(queue)
        return response

    def _put(self) -> bytes:
        return b"event: put\ndata: " + json.dumps({"path": "/", "data": self.document}).encode() + b"\n\n"

    def push(self, change: Callable[[dict[str, Any]], object] | None = None) -> None:
        """Change the document and send it to every stream."""
        self.document = deepcopy(self.document)
        if change:
            change(self.document)
        self.send(self._put())

    def send(self, event: bytes | None) -> None:
        """Send raw bytes to every stream; None ends them."""
        for queue in self.streams:
            queue.put_nowait(event)

    def count(self, method: str) -> int:
        """Return how often something was asked: GET, PUT, DELETE or STREAM."""
        return [asked for asked, *_ in self.requests].count(method)

    def writes(self) -> list[tuple[str, Any]]:
        """Return what was written."""
        return [(path, body) for method, path, body in self.requests if method == "PUT"]


type SetUp = Callable[..., Awaitable[MockConfigEntry]]


@pytest.fixture(autouse=True)
def _custom_integrations(enable_custom_integrations: None, socket_enabled: None, hass_storage: dict[str, Any]) -> None:
    """Every test here loads our integration, and talks over real sockets."""


@pytest.fixture
async def service(everything_granted: dict[str, Any]) -> AsyncGenerator[FixtureService]:
    """Return a service with the home that shows everything."""
    service = FixtureService(everything_granted)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(access_log=None)
    service.base = str(server.make_url("/").origin())
    yield service
    # A stream that is opened from now on would be waited for.
    service.is_closing = True
    service.send(None)
    await server.close()


def entry_data(base: str, homes: list[str], permissions: list[str]) -> dict[str, Any]:
    """Return what linking stores."""
    return {
        "auth_implementation": DOMAIN,
        "token": {"access_token": TOKEN, "expires_in": 315360000, "expires_at": 4102444800.0},
        "server": {
            "base": base,
            "server_id": SERVER_ID,
            "name": "A Nest home",
            "authorization_endpoint": f"{base}/login/oauth2",
            "token_endpoint": f"{base}/oauth2/access_token",
            "registration_endpoint": f"{base}/oauth2/register",
            "api_root": base,
            "revocation_template": f"{base}/oauth2/access_tokens/{{access_token}}",
            "shards": [],
            "browser_url": None,
        },
        "client": {"client_id": "client-1", "client_secret": SECRET, "version": 1},
        "permissions": permissions,
        "homes": homes,
    }


@pytest.fixture
def link(hass: HomeAssistant, service: FixtureService) -> SetUp:
    """Return a function that sets up a link to the service, and waits until the stream is up."""

    async def link(
        permissions: list[str] = ALL_PERMISSIONS, options: dict[str, Any] | None = None, *, listens: bool = True
    ) -> MockConfigEntry:
        homes = sorted(service.document.get("structures", {"home": {}}))
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="Home",
            unique_id=f"{SERVER_ID}:{homes[0]}",
            data=entry_data(service.base, homes, permissions),
            options=options or {},
        )
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        answers = service.stream_status == service.status == HTTPStatus.OK
        if listens and answers and entry.state is ConfigEntryState.LOADED:
            await _turns_until(lambda: service.streams)
        return entry

    return link


async def _turns_until(holds: Callable[[], object], turns: int = 20_000) -> None:
    """Wait by turns of the loop and not by its clock, which a test may have stopped."""
    for _ in range(turns):
        if holds():
            return
        await asyncio.sleep(0)
    pytest.fail("nobody listens")


async def until(holds: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until something holds; fail if it never does."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.fixture
def short_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let half a second stand for 75, and polls and new tries come as fast."""
    monkeypatch.setattr(coordinator, "LIVE_FOR", 0.6)
    monkeypatch.setattr(coordinator, "POLL_WITHOUT_STREAM", timedelta(seconds=0.2))
    monkeypatch.setattr(listener, "STREAM_SILENCE", 0.6)
    monkeypatch.setattr(listener, "FIRST_DELAY", 0.05)
    monkeypatch.setattr(listener, "LONGEST_DELAY", 0.1)


@pytest.fixture
def state_of(hass: HomeAssistant) -> Callable[[str], str | None]:
    """Return a function that tells an entity's state."""

    def state_of(entity_id: str) -> str | None:
        state = hass.states.get(entity_id)
        return state.state if state else None

    return state_of
