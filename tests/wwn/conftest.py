"""A stage for the client: small real servers on loopback."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
import pytest
from yarl import URL

from custom_components.works_with_nest.wwn import NestServer, clock

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
type Serve = Callable[[Handler], Awaitable[URL]]


@pytest.fixture(autouse=True)
def _real_sockets(socket_enabled: None) -> None:
    """Every test here talks over real sockets."""


@pytest.fixture
async def session() -> AsyncGenerator[ClientSession]:
    """Return a session of its own."""
    async with ClientSession() as session:
        yield session


@pytest.fixture
async def serve() -> AsyncGenerator[Serve]:
    """Return a function that serves every path with one handler and returns the address."""
    servers: list[TestServer] = []

    async def serve(handler: Handler) -> URL:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        server = TestServer(app, host="127.0.0.1")
        await server.start_server(access_log=None)
        servers.append(server)
        return server.make_url("/").origin()

    yield serve
    for server in servers:
        await server.close()


class Clocks:
    """Two clocks that go as a test says."""

    def __init__(self) -> None:
        self.wall = NOON.timestamp()
        self.steady = 100.0

    def time(self) -> float:
        return self.wall

    def get_running_loop(self) -> SimpleNamespace:
        return SimpleNamespace(time=lambda: self.steady)

    def pass_by(self, seconds: float, *, wall: float | None = None) -> None:
        self.steady += seconds
        self.wall += seconds if wall is None else wall


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    """Return the clocks by which it is told how long ago something was."""
    clocks = Clocks()
    monkeypatch.setattr(clock, "time", clocks)
    monkeypatch.setattr(clock, "asyncio", clocks)
    return clocks


def discovery_document(base: URL, **changes: Any) -> dict[str, Any]:
    """Return what a server at this address says of itself (design, section 4); a None takes an entry out."""
    document = {
        "issuer": str(base),
        "authorization_endpoint": f"{base}/login/oauth2",
        "token_endpoint": f"{base}/oauth2/access_token",
        "registration_endpoint": f"{base}/oauth2/register",
        "works_with_nest": {
            "protocol": 1,
            "api_root": str(base),
            "revocation_template": f"{base}/oauth2/access_tokens/{{access_token}}",
            "server_id": "0d1f6c1e-6f0f-4a51-9a3e-1c2d3e4f5a6b",
            "name": "A Nest home",
        },
    }
    ours = changes.pop("works_with_nest", {})
    document |= changes
    document["works_with_nest"] |= ours
    return {key: value for key, value in document.items() if value is not None}


def nest_server(base: URL, *shards: URL) -> NestServer:
    """Return a server at this address, as discovery would."""
    return NestServer(
        base=base,
        server_id="0d1f6c1e-6f0f-4a51-9a3e-1c2d3e4f5a6b",
        name="A Nest home",
        authorization_endpoint=base / "login/oauth2",
        token_endpoint=base / "oauth2/access_token",
        registration_endpoint=base / "oauth2/register",
        api_root=base,
        revocation_template=f"{base}/oauth2/access_tokens/{{access_token}}",
        shards=shards,
        browser_url=None,
    )
