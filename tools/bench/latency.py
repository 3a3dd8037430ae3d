"""How long after a change on the server Home Assistant shows it, over real sockets between two processes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
import random
import re
import time
from typing import Any, Final

from aiohttp import ClientResponse, ClientSession, ClientTimeout

from .home import CHANGE_ALL, CHANGE_ONE, EVERY, SOUND, STAMP
from .stage import BenchHub, NestSide, linked_hub, up
from .timing import Pair

WITHIN: Final = 20.0
BLOCK: Final = 25
PAUSE: Final = 0.01
END_OF_EVENT: Final = b"\n\n"
STAMPED: Final = re.compile(rb'"%b":"([0-9.]+)"' % STAMP.encode())

type Wait = Callable[[int], Awaitable[float]]


async def push(devices: int, samples: int) -> Pair:
    """Return the seconds from a change to the state, and to the whole event at a bare reader of the same stream.

    Each has the stream to itself: some changes with the link loaded, as many with a reader alone, and again. The reader
    runs in Home Assistant's own loop.
    """
    async with linked_hub(devices) as (hub, nest):
        pair = Pair()
        # At least four turns of each, so that they share whatever the machine does besides.
        block = max(1, min(BLOCK, samples // 4))
        while len(pair.ours) < samples:
            ours = await hub.call(_shown(hub, nest, CHANGE_ONE, block))
            await hub.call(hub.hass.config_entries.async_unload(hub.entry.entry_id))
            baseline = await hub.call(_read(nest, block))
            await hub.call(hub.hass.config_entries.async_setup(hub.entry.entry_id))
            await up(hub)
            for each, other in zip(ours, baseline, strict=True):
                pair.add(each, other)
        return pair


async def emergency(devices: int, samples: int) -> Pair:
    """Return the seconds from an emergency to its state while all devices change each second, and while none does."""
    async with linked_hub(devices, "--alarm-first") as (hub, nest):
        pair = Pair()
        for _ in range(2):
            baseline = await hub.call(_shown(hub, nest, SOUND, samples // 2))
            nest.tell(CHANGE_ALL)
            await asyncio.sleep(2 * EVERY)
            ours = await hub.call(_shown(hub, nest, SOUND, samples // 2, spread=EVERY))
            nest.tell(CHANGE_ALL)
            await asyncio.sleep(2 * EVERY)
            for each, other in zip(ours, baseline, strict=True):
                pair.add(each, other)
        return pair


async def _shown(hub: BenchHub, nest: NestSide, act: int, samples: int, spread: float = PAUSE) -> list[float]:
    """Return how old each change was when Home Assistant showed it. spread: the longest pause between two of them."""
    entity_id, wire_id, things = _watched(hub, act)
    shown: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def on_state(changed: str) -> None:
        if changed == entity_id and not shown.done():
            shown.set_result(time.monotonic())

    ages = []
    hub.on_state = on_state
    for _ in range(samples):
        await asyncio.sleep(random.uniform(PAUSE, spread))  # noqa: S311 - no secret
        shown = asyncio.get_running_loop().create_future()
        nest.tell(act)
        async with asyncio.timeout(WITHIN):
            at = await shown
        ages.append(at - float(things()[wire_id].raw[STAMP]))
    hub.on_state = None
    return ages


def _watched(hub: BenchHub, act: int) -> tuple[str, str, Callable[[], Any]]:
    """Return the entity that shows what happens, whose it is, and where those are found."""
    data = hub.coordinator.data
    if act == SOUND:
        wire_id = list(data.alarms)[-1]
        return hub.entity_ids(f"{wire_id}_smoke")[0], wire_id, lambda: hub.coordinator.data.alarms
    if data.thermostats:
        wire_id = next(iter(data.thermostats))
        return hub.entity_ids(f"{wire_id}_humidity")[0], wire_id, lambda: hub.coordinator.data.thermostats
    wire_id = next(iter(data.alarms))
    return hub.entity_ids(f"{wire_id}_battery")[0], wire_id, lambda: hub.coordinator.data.alarms


async def _read(nest: NestSide, samples: int) -> list[float]:
    """Return how old each change was when a bare reader had the whole event."""
    ages = []
    async with _bare_reader(nest) as response:
        await _event(response)
        for _ in range(samples):
            await asyncio.sleep(PAUSE)
            nest.tell(CHANGE_ONE)
            event, at = await _event(response)
            ages.append(at - max(map(float, STAMPED.findall(event))))
    return ages


@asynccontextmanager
async def _bare_reader(nest: NestSide) -> AsyncIterator[ClientResponse]:
    headers = {**nest.headers, "Accept": "text/event-stream"}
    async with (
        ClientSession(timeout=ClientTimeout(total=None)) as session,
        session.get(nest.base, headers=headers) as response,
    ):
        yield response


async def _event(response: ClientResponse) -> tuple[bytes, float]:
    """Return the next event, and when it was complete."""
    pieces = [b""]
    async with asyncio.timeout(WITHIN):
        while not pieces[-1].endswith(END_OF_EVENT):
            pieces.append(await response.content.readany())
    return b"".join(pieces), time.monotonic()
