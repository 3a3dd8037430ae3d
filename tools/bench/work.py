"""What one pushed document costs in Home Assistant, from its bytes to the last state: no socket, no waiting."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
import time
from typing import Any, Final, Self

from aiohttp import ClientSession
from homeassistant.helpers.entity_platform import async_get_platforms
import orjson

from custom_components.works_with_nest.const import DOMAIN
from custom_components.works_with_nest.listener import WwnListener
from custom_components.works_with_nest.wwn.models import DocumentReader
from wwn_server.document import ALARMS, THERMOSTATS

from .bare import BareEntity, all_entities, bare_entities
from .home import changed
from .stage import BenchHub, linked_hub
from .timing import Pair

# What aiohttp hands over at a time, where there is more.
CHUNK: Final = 65536
NOT_COUNTED: Final = 2
# Enough for the states of one change.
BARE: Final = 30

type Json = dict[str, Any]


@dataclass(slots=True)
class Costs:
    """What was measured at one size of home, in seconds of the processor, for the clock runs on meanwhile.

    unchanged: the same bytes again. respelt: other bytes that say the same. changed: a thermostat and an alarm, one
    after the other, two documents a sample. usual: ours are those same documents read and written the usual way, the
    baseline is the link. floor: ours is what no integration could do without, the baseline that of changed.
    """

    unchanged: Pair = field(default_factory=Pair)
    respelt: Pair = field(default_factory=Pair)
    changed: Pair = field(default_factory=Pair)
    usual: Pair = field(default_factory=Pair)
    floor: Pair = field(default_factory=Pair)
    states: int = 0
    kilobytes: float = 0.0


async def costs(devices: int, rounds: int) -> Costs:
    """Measure at one size of home."""
    async with linked_hub(devices) as (hub, nest):
        async with ClientSession(headers=nest.headers) as session, session.get(nest.base) as answer:
            document = orjson.loads(await answer.read())
        return await hub.call(_measured(hub, document, rounds))


async def _measured(hub: BenchHub, document: Json, rounds: int) -> Costs:
    platform, bare = await bare_entities(hub.hass, BARE)
    found = Costs(kilobytes=len(orjson.dumps(document)) / 1000)
    async with Feed.into(hub) as feed:
        bench = Bench(hub, feed, bare)
        for _ in range(rounds + NOT_COUNTED):
            await bench.one_round(document, found)
    await platform.async_reset()
    for pair in (found.unchanged, found.respelt, found.changed, found.usual, found.floor):
        del pair.ours[:NOT_COUNTED], pair.baseline[:NOT_COUNTED]
    return found


class Feed:
    """Feeds documents to a link, in the place of its stream's answer, and returns how long each took."""

    def __init__(self) -> None:
        """Have nothing to feed yet."""
        self.content = self
        self._chunks: deque[bytes] = deque()
        self._hungry = asyncio.Event()
        self._served: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._begun = self._ended = 0.0

    @classmethod
    @asynccontextmanager
    async def into(cls, hub: BenchHub) -> AsyncIterator[Self]:
        """Feed a second listener of a link, whose own stream stays open and says nothing meanwhile."""
        coordinator, feed = hub.coordinator, cls()

        @asynccontextmanager
        async def answer() -> AsyncGenerator[Feed]:
            yield feed

        open_stream, coordinator.client.open_stream = coordinator.client.open_stream, answer
        task = asyncio.create_task(WwnListener(coordinator).run())
        await feed._hungry.wait()
        try:
            yield feed
        finally:
            task.cancel()
            coordinator.client.open_stream = open_stream
            with suppress(asyncio.CancelledError):
                await task

    async def readany(self) -> bytes:
        """Return the next piece, as the body of an answer does. When it is asked for, the one before is done with."""
        if not self._chunks:
            self._ended = time.thread_time()
            self._served = asyncio.get_running_loop().create_future()
            self._hungry.set()
            await self._served
            self._begun = time.thread_time()
        return self._chunks.popleft()

    async def __call__(self, put: bytes) -> float:
        """Feed one document, and return the seconds until there was nothing left to do for it."""
        event = b"event: put\ndata: %b\n\n" % put
        self._chunks.extend(event[at : at + CHUNK] for at in range(0, len(event), CHUNK))
        self._hungry.clear()
        self._served.set_result(None)
        await self._hungry.wait()
        return self._ended - self._begun


class Bench:
    """Takes every measure once in each round, so that they share whatever the machine does besides."""

    def __init__(self, hub: BenchHub, feed: Feed, bare: list[BareEntity]) -> None:
        """Use a link, its feed, and bare entities."""
        self._hub = hub
        self._feed = feed
        self._bare = bare
        self._turns = count(1)

    async def one_round(self, document: Json, found: Costs) -> None:
        """Measure one of each."""
        await self._feed(_put(document))
        for pair, put in ((found.unchanged, _put(document)), (found.respelt, _put(_respelt(document)))):
            pair.add((await self._time(put))[0], self._loads(put, 0))
        changes = [_put(each) for each in _one_changed(document, next(self._turns))]
        timed = [await self._time(put) for put in changes]
        ours, found.states = sum(seconds for seconds, _ in timed), sum(states for _, states in timed)
        baseline = sum(self._loads(put, states) for put, (_, states) in zip(changes, timed, strict=True))
        found.changed.add(ours, baseline)
        floor = sum(self._entity_writes(put, states) for put, (_, states) in zip(changes, timed, strict=True))
        found.floor.add(floor, baseline)
        found.usual.add(sum(self._usual(put) for put in changes), ours)

    async def _time(self, put: bytes) -> tuple[float, int]:
        """Return the seconds for one document, and how many states it changed."""
        before = self._hub.states
        return await self._feed(put), self._hub.states - before

    def _loads(self, put: bytes, states: int) -> float:
        """Return what it takes to parse the same bytes, and to set as many bare states."""
        begun = time.thread_time()
        orjson.loads(put)
        for number in range(states):
            self._hub.hass.states.async_set(f"sensor.none_{number}", str(begun))
        return time.thread_time() - begun

    def _entity_writes(self, put: bytes, states: int) -> float:
        """Return what it takes to parse the same bytes, and to let as many bare entities write their state."""
        begun = time.thread_time()
        orjson.loads(put)
        for entity in self._bare[:states]:
            entity.value = begun
            entity.async_write_ha_state()
        return time.thread_time() - begun

    def _usual(self, put: bytes) -> float:
        """Return what it takes to make every model anew and let every entity write its state."""
        coordinator, entities = self._hub.coordinator, all_entities(async_get_platforms(self._hub.hass, DOMAIN))
        kept = coordinator.data
        begun = time.thread_time()
        coordinator.data = DocumentReader().read(orjson.loads(put)["data"])
        for entity in entities:
            entity.async_write_ha_state()
        took = time.thread_time() - begun
        coordinator.data = kept
        return took


def _put(document: Json) -> bytes:
    return orjson.dumps({"path": "/", "data": document})


def _respelt(document: Json) -> Json:
    """Return a document that says the same in another order."""
    devices = {group: dict(reversed(things.items())) for group, things in document["devices"].items()}
    return {**document, "devices": devices}


def _one_changed(document: Json, turn: int) -> Iterator[Json]:
    """Yield the document with one thermostat changed, then with one alarm changed beside it, if there is one."""
    for group in (THERMOSTATS, ALARMS):
        if things := document["devices"].get(group):
            key = list(things)[turn % len(things)]
            things = {**things, key: changed(things[key], turn)}
            document = {**document, "devices": {**document["devices"], group: things}}
            yield document
