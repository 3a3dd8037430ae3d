"""A real Home Assistant with the integration, in a thread and an event loop of its own.

Its own loop, so that what it leaves behind can be counted, and so that it can crash: the loop just stops.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
import socket
import threading
import time
from typing import Any, Final, cast, override

from aiohttp import TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from homeassistant.bootstrap import async_load_base_functionality
from homeassistant.components.http import HomeAssistantHTTP, StaticPathConfig
from homeassistant.config_entries import ConfigEntries, ConfigEntry, ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.aiohttp_client import DATA_CONNECTOR, DATA_RESOLVER
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.loader import async_setup as async_setup_loader
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import orjson

from custom_components.works_with_nest.const import DOMAIN, SIGNAL_TRANSITION
from custom_components.works_with_nest.coordinator import WwnCoordinator
from custom_components.works_with_nest.history import history_store
from custom_components.works_with_nest.transitions import Transition
from tools.errors import ToolError
from tools.paths import CUSTOM_COMPONENTS
from tools.ports import LOOPBACK

from .proxy import HOST
from .record import History, Key, Shown

# What the integration depends on and the campaign has no use for: nobody opens a page.
LEFT_OUT: Final = ("auth", "http", "websocket_api", "application_credentials")
STARTS_WITHIN: Final = 30.0
SETTLES_WITHIN: Final = 2.0
LOOKS_EVERY: Final = 0.005


@dataclass(frozen=True, slots=True)
class Left:
    """What a Home Assistant left behind when it stopped."""

    tasks: tuple[str, ...] = ()
    timers: tuple[str, ...] = ()
    sockets: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether it left nothing."""
        return not (self.tasks or self.timers or self.sockets)


class NoPages:
    """Stands where Home Assistant's web server would, and serves nothing."""

    async def async_register_static_paths(self, configs: list[StaticPathConfig]) -> None:
        """Leave it."""


class Names(AbstractResolver):
    """Knows where the server's name leads, unless names cannot be looked up."""

    def __init__(self) -> None:
        """Start knowing it."""
        self.are_known = True

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the address of the server."""
        if not self.are_known or host != HOST:
            raise OSError(None, f"no address for {host}")
        return [
            ResolveResult(
                hostname=host,
                host=LOOPBACK,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    @override
    async def close(self) -> None:
        """Nothing is open."""

    async def real_close(self) -> None:
        """Nothing is open; Home Assistant's own resolver has this."""


class Hub:
    """One Home Assistant after another on the same folder, and what they showed and told."""

    def __init__(self, folder: Path) -> None:
        """Use a configuration folder."""
        self.folder = folder
        self.shown: History[Key, Shown] = History()
        self.told: list[tuple[float, Transition]] = []
        self.names = Names()
        self.gaps: list[tuple[datetime, datetime]] = []
        # The levels that were on the disk when it last crashed: of each alarm by kind, and of each home.
        self.stored: dict[str, Any] = {"alarms": {}, "homes": {}}
        self._hass: HomeAssistant | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._executor = ThreadPoolExecutor(1)
        self._keys: dict[str, Key] = {}

    @property
    def is_running(self) -> bool:
        """Whether there is a Home Assistant now."""
        return self._thread is not None

    @property
    def hass(self) -> HomeAssistant:
        """Return the one that runs."""
        if self._hass is None:
            msg = "Home Assistant does not run."
            raise ToolError(msg)
        return self._hass

    async def start(self) -> None:
        """Start one, and wait until it has started."""
        loop = self._loop = asyncio.new_event_loop()
        self._executor = ThreadPoolExecutor(4)
        loop.set_default_executor(self._executor)
        self._thread = threading.Thread(target=_run, args=(loop,), name="Home Assistant")
        self._thread.start()
        await self.call(self._start())

    async def stop(self) -> Left:
        """Stop it in order, and return what it left."""
        await self._note_gaps()
        await self.call(self.hass.async_stop())
        left = await self.call(_left_within(SETTLES_WITHIN))
        self._end().close()
        return left

    async def crash(self) -> None:
        """Let it be gone: no stop event, no last write, no goodbye on the wire."""
        await self._note_gaps()
        history = history_store(self.hass, self.entry.entry_id).path
        _bury(self._end())
        self.stored = _known_in(Path(history))

    async def reload(self) -> None:
        """Reload the entry of the link."""
        await self.call(self.hass.config_entries.async_reload(self.entry.entry_id))

    async def relink(self) -> None:
        """Do what a person does who was asked to link again, as far as the link is concerned."""
        flows = self.hass.config_entries.flow
        for flow in flows.async_progress_by_handler(DOMAIN):
            await self.call(_abort(self.hass, flow["flow_id"]))
        await self.reload()

    @property
    def asks_to_link_again(self) -> bool:
        """Whether a person is asked to."""
        return any(self.entry.async_get_active_flows(self.hass, {"reauth"}))

    @property
    def is_listening(self) -> bool:
        """Whether the link is up, and pushed to."""
        link = self.link
        return link is not None and link.live and link.open_gap is None

    async def listens_within(self, seconds: float) -> bool:
        """Wait until the link is pushed to; return whether it came to that in time."""
        for _ in range(round(seconds / LOOKS_EVERY)):
            if self.is_listening:
                return True
            await asyncio.sleep(LOOKS_EVERY)
        return self.is_listening

    @property
    def link(self) -> WwnCoordinator | None:
        """Return what runs for the link, None where it is not loaded."""
        return self.entry.runtime_data if self.entry.state is ConfigEntryState.LOADED else None

    @property
    def entry(self) -> ConfigEntry[Any]:
        """Return the entry of the link."""
        return self.hass.config_entries.async_entries(DOMAIN)[0]

    @property
    def entities(self) -> int:
        """How many entities of the link are registered."""
        return len(er.async_entries_for_config_entry(er.async_get(self.hass), self.entry.entry_id))

    def forget(self) -> None:
        """Keep only the last of what was shown, and nothing of what was told."""
        self.shown.trim()
        self.told.clear()

    async def left(self) -> Left:
        """Return what there is at present."""
        return await self.call(_left_within(0))

    def forget_names(self) -> None:
        """Let no name be looked up, and none be remembered."""
        self.names.are_known = False
        for connector in self.hass.data.get(DATA_CONNECTOR, {}).values():
            if isinstance(connector, TCPConnector):
                self._soon(connector.clear_dns_cache)

    async def call[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in its loop."""
        assert self._loop is not None  # noqa: S101 - it was started
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def _soon(self, act: Callable[[], object]) -> None:
        assert self._loop is not None  # noqa: S101 - it was started
        self._loop.call_soon_threadsafe(act)

    async def _start(self) -> None:
        """Do what Home Assistant's own start does, for this integration alone."""
        hass = self._hass = HomeAssistant(str(self.folder))
        hass.config.skip_pip = True
        hass.config.components |= set(LEFT_OUT)
        hass.http = cast("HomeAssistantHTTP", NoPages())
        # In the place of Home Assistant's own, which asks the network.
        cast("dict[object, object]", hass.data)[DATA_RESOLVER] = self.names
        async_setup_loader(hass)
        hass.config_entries = ConfigEntries(hass, {})
        if not await async_load_base_functionality(hass):
            msg = "Home Assistant could not load its registries."
            raise ToolError(msg)
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._take)
        async_dispatcher_connect(hass, SIGNAL_TRANSITION, self._hear)
        async with asyncio.timeout(STARTS_WITHIN):
            await async_setup_component(hass, DOMAIN, {})
            await hass.async_start()

    @callback
    def _take(self, event: Event[EventStateChangedData]) -> None:
        """Note what an entity of the link shows."""
        entity_id, state = event.data["entity_id"], event.data["new_state"]
        key = self._keys.get(entity_id) or self._key(entity_id)
        value = state.state if state else None
        last = self.shown.last(key) if key else None
        if key is not None and (last is None or last.value != value):
            self.shown.add(key, Shown(value, time.monotonic()))

    def _key(self, entity_id: str) -> Key | None:
        """Return which thing an entity shows, and what of it."""
        entry = er.async_get(self.hass).async_get(entity_id)
        if entry is None or entry.platform != DOMAIN:
            return None
        # The server's own id has no underscore; a thing's may have some.
        _, _, rest = entry.unique_id.partition("_")
        wire_id, key = next(
            ((rest.removesuffix(f"_{name}"), name) for name in KEYS if rest.endswith(f"_{name}")), (rest, "")
        )
        found = self._keys[entity_id] = (wire_id, key)
        return found

    @callback
    def _hear(self, _entry_id: str, transition: Transition) -> None:
        """Note what the link told."""
        self.told.append((time.monotonic(), transition))

    async def _note_gaps(self) -> None:
        """Note when nobody was listening, as far as the link says so by now."""
        if (link := self.link) is not None:
            self.gaps = [(gap.start, gap.end) for gap in link.gaps]
            if link.open_gap is not None:
                self.gaps.append((link.open_gap, dt_util.utcnow()))

    def _end(self) -> asyncio.AbstractEventLoop:
        """Stop the loop with whatever still runs in it, and return it."""
        loop, thread = self._loop, self._thread
        assert loop is not None  # noqa: S101 - it was started
        assert thread is not None  # noqa: S101 - it was started
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        self._executor.shutdown()
        now = time.monotonic()
        for key in self.shown.things():
            self.shown.add(key, Shown(None, now))
        self._hass = self._loop = self._thread = None
        self._keys.clear()
        return loop


# Longest first: one may end like another.
KEYS: Final = (
    "alarm_monitoring",
    "carbon_monoxide_level",
    "carbon_monoxide",
    "smoke_level",
    "smoke",
    "presence_mode",
    "presence",
)


def prepare(folder: Path) -> None:
    """Make a configuration folder that holds the integration."""
    (folder / STORAGE_DIR).mkdir(parents=True)
    (folder / "custom_components").symlink_to(CUSTOM_COMPONENTS, target_is_directory=True)


def _known_in(history: Path) -> dict[str, Any]:
    """Return the levels that a history on the disk holds."""
    stored = orjson.loads(history.read_bytes())["data"] if history.exists() else {}
    return cast("dict[str, Any]", stored.get("known") or {"alarms": {}, "homes": {}})


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()


async def _abort(hass: HomeAssistant, flow_id: str) -> None:
    hass.config_entries.flow.async_abort(flow_id)


async def _left_within(seconds: float) -> Left:
    """Return what is left in this loop once it had time to settle."""
    deadline = time.monotonic() + seconds
    while True:
        left = _left()
        if left.is_clean or time.monotonic() > deadline:
            return left
        await asyncio.sleep(0.01)


def _left() -> Left:
    loop = asyncio.get_running_loop()
    tasks = [repr(task.get_coro()) for task in asyncio.all_tasks(loop) if task is not asyncio.current_task(loop)]
    timers = [repr(handle) for handle in loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined] # noqa: SLF001
    return Left(tuple(tasks), tuple(timers), _open_sockets(loop))


def _open_sockets(loop: asyncio.AbstractEventLoop) -> int:
    """Return how many sockets a loop watches beside its own."""
    return len(loop._selector.get_map()) - 1  # type: ignore[attr-defined] # noqa: SLF001


def _bury(loop: asyncio.AbstractEventLoop) -> None:
    """Close the sockets of a loop that crashed, and keep the rest: nothing in it may run on, not even to clean up."""
    for transport in list(loop._transports.values()):  # type: ignore[attr-defined] # noqa: SLF001
        transport._sock.close()  # noqa: SLF001
    GRAVEYARD.append((loop, asyncio.all_tasks(loop)))


GRAVEYARD: Final[list[object]] = []
