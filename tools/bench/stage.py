"""The processes that are measured: one Nest side each, a Home Assistant that is linked to it, and children of ours."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import asynccontextmanager
import logging
import multiprocessing
import os
from pathlib import Path
import signal
import sys
import tempfile
from typing import Any, Final, Self, override

from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.helpers import entity_registry as er

from custom_components.works_with_nest.transitions import Transition
from tools.chaos.hub import Hub, prepare
from tools.chaos.linked import link
from tools.chaos.nest import Granted
from tools.errors import ToolError
from tools.nest_home import READY_LINE, STARTS_WITHIN
from tools.paths import CHECKOUT
from tools.processes import ManagedProcess

from .nest import HOME_LINE, TOKEN_LINE

LISTENS_WITHIN: Final = 60.0


class NestSide(ManagedProcess):
    """The real server with a home of so many devices, or what it is held against."""

    def __init__(self, folder: Path, devices: int, *options: str) -> None:
        """Describe it; options are those of nest.py."""
        name = "bare" if "--bare" in options else "nest"
        command = (sys.executable, "-m", "tools.bench.nest", "--data", folder / name, "--devices", str(devices))
        super().__init__(f"The Nest side ({name})", (*map(str, command), *options), folder / f"{name}.log")
        self.base = ""
        self.token = ""
        self.home = ""

    @override
    async def __aenter__(self) -> Self:
        """Start it, and wait until it listens."""
        await self.start(CHECKOUT)
        self.base = await self._told(READY_LINE)
        self.token, self.home = await self._told(TOKEN_LINE), await self._told(HOME_LINE)
        return self

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.base.rpartition(":")[2])

    @property
    def headers(self) -> dict[str, str]:
        """Return what a request needs."""
        return {"Authorization": f"Bearer {self.token}", "Host": self.base.removeprefix("http://")}

    def tell(self, number: signal.Signals | int) -> None:
        """Let something happen in its home."""
        os.kill(self.pid, number)

    async def _told(self, start: str) -> str:
        line = await self.wait_for_line(lambda line: line.startswith(start), STARTS_WITHIN)
        return line.removeprefix(start).strip()


class BenchHub(Hub):
    """A Home Assistant that keeps nothing of what it shows, and tells one listener of it."""

    def __init__(self, folder: Path) -> None:
        """Use a configuration folder."""
        super().__init__(folder)
        self.states = 0
        self.on_state: Callable[[str], object] | None = None

    @callback
    @override
    def _take(self, event: Event[EventStateChangedData]) -> None:
        self.states += 1
        if self.on_state:
            self.on_state(event.data["entity_id"])

    @callback
    @override
    def _hear(self, _entry_id: str, _transition: Transition) -> None:
        """Keep nothing."""

    @override
    async def _note_gaps(self) -> None:
        """Keep none of them either."""

    @property
    def coordinator(self) -> Any:
        """Return what runs for the link."""
        if self.link is None:
            msg = "The link is not loaded."
            raise ToolError(msg)
        return self.link

    def entity_ids(self, *endings: str) -> list[str]:
        """Return the entities of the link whose unique id ends so."""
        entries = er.async_entries_for_config_entry(er.async_get(self.hass), self.entry.entry_id)
        return [each.entity_id for each in entries if each.unique_id.endswith(endings)]


@asynccontextmanager
async def running_hub() -> AsyncIterator[BenchHub]:
    """Run a Home Assistant with nothing but the integration, not linked yet."""
    logging.getLogger("homeassistant").setLevel(logging.ERROR)
    logging.getLogger("custom_components").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        prepare(Path(folder) / "hub")
        hub = BenchHub(Path(folder) / "hub")
        await hub.start()
        try:
            yield hub
        finally:
            await hub.stop()


async def link_to(hub: BenchHub, nest: NestSide) -> None:
    """Link, and wait until the link is pushed to."""
    await link(hub, nest.base, [nest.home], Granted("bench", "bench", nest.token))
    await up(hub)


async def up(hub: BenchHub) -> None:
    """Wait until the link is pushed to."""
    if not await hub.listens_within(LISTENS_WITHIN):
        msg = "The link did not come up."
        raise ToolError(msg)


@asynccontextmanager
async def linked_hub(devices: int, *options: str) -> AsyncIterator[tuple[BenchHub, NestSide]]:
    """Run a Home Assistant that is linked to a home of so many devices."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with NestSide(Path(folder), devices, *options) as nest, running_hub() as hub:
            await link_to(hub, nest)
            yield hub, nest


@asynccontextmanager
async def both_sides(devices: int, *options: str) -> AsyncIterator[tuple[NestSide, NestSide]]:
    """Run the real server and its baseline, each with the same home."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with (
            NestSide(Path(folder), devices, *options) as nest,
            NestSide(Path(folder), devices, *options, "--bare") as bare,
        ):
            yield nest, bare


def in_child[*Ts, T](work: Callable[[*Ts], Coroutine[Any, Any, T]], *args: *Ts) -> Future[T]:
    """Do something in a new process, so that nothing of what was done before is left in it."""
    context = multiprocessing.get_context("forkserver")
    # What takes seconds to import is imported once, for all children.
    context.set_forkserver_preload(["tools.bench.stage"])
    pool = ProcessPoolExecutor(1, mp_context=context)
    future: Future[T] = pool.submit(_run, work, *args)
    pool.shutdown(wait=False)
    return future


def _run[T](work: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
    return asyncio.run(work(*args))
