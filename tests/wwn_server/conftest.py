"""A real server on a real socket, and a person and a hub to use it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import ClientSession, CookieJar
from aiohttp.test_utils import TestServer
from aiohttp.web import Application
import pytest

from wwn_server.app import create_app, create_shard_app
from wwn_server.context import CONTEXT
from wwn_server.homes.simulated import SimulatedHome
from wwn_server.passwords import hash_password
from wwn_server.serving import RUNNER_OPTIONS
from wwn_server.settings import Settings
from wwn_server.store import Store

from .hub import Hub
from .person import PASSWORD, Person

CABIN = "a-second-home"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PASSWORD_HASH = hash_password(PASSWORD)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = NOON.timestamp()

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


@dataclass(frozen=True)
class Running:
    """A server that runs, with the parts a test may look at."""

    base: str
    settings: Settings
    store: Store
    home: SimulatedHome
    clock: Clock
    app: Application


def add_home(server: Running) -> None:
    """Let the home's source have a second home, which everybody belongs to."""
    document = server.home.document
    structures = document.group("structures")
    (first,) = structures.values()
    cabin = {**first, "structure_id": CABIN, "name": "Cabin", "thermostats": [], "smoke_co_alarms": []}
    server.home._document = document.successor({**document.groups, "structures": {**structures, CABIN: cabin}})
    server.store.accounts.adopt_homes([CABIN])
    server.app[CONTEXT].streams.wake()


def open_streams(server: Running) -> int:
    """Return how many streams the server keeps."""
    return len(server.app[CONTEXT].streams._streams)


@pytest.fixture(autouse=True)
def _loopback_sockets() -> None:
    """Let tests use sockets where Home Assistant's test plugin forbids them."""
    try:
        import pytest_socket  # noqa: PLC0415
    except ImportError:
        return
    pytest_socket.enable_socket()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = Store(tmp_path / "data", clock)
    yield store
    store.close()


@pytest.fixture
def home(store: Store, clock: Clock) -> SimulatedHome:
    """A home whose time stands still."""
    return SimulatedHome(store.server_id, speed=0, clock=clock.now)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """What a test module may replace to run the server otherwise."""
    return Settings(data=tmp_path / "data", announce=False, registrations_per_minute=1000)


@pytest.fixture
async def server(settings: Settings, store: Store, home: SimulatedHome, clock: Clock) -> AsyncIterator[Running]:
    # Home Assistant's test plugin turns it on, and thousands of events take seconds then.
    asyncio.get_running_loop().set_debug(enabled=False)
    for name in ("anna", "ben"):
        store.accounts.add(name, PASSWORD_HASH)
    app = create_app(settings, store, home)
    running = TestServer(app, host="127.0.0.1")
    await running.start_server(**RUNNER_OPTIONS)
    async with running, AsyncExitStack() as stack:
        if shard := app[CONTEXT].shard:
            second = TestServer(create_shard_app(app), host="127.0.0.1")
            await second.start_server(**RUNNER_OPTIONS)
            await stack.enter_async_context(second)
            shard.port = second.port or 0
        yield Running(str(running.make_url("")).rstrip("/"), settings, store, home, clock, app)


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """A program: it keeps no cookies."""
    async with ClientSession() as session:
        yield session


@pytest.fixture
async def person(server: Running) -> AsyncIterator[Person]:
    """The owner at a browser, not signed in yet."""
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser:
        yield Person(server.base, browser, server.store)


@pytest.fixture
async def hub(server: Running, session: ClientSession) -> Hub:
    """A hub that has not registered yet."""
    return Hub(server.base, session)


@pytest.fixture
async def linked(hub: Hub, person: Person) -> Hub:
    """A hub that was given all there is."""
    await hub.link(person)
    return hub
