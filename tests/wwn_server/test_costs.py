"""What one change costs a server with many streams, counted and not timed."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest

from wwn_server import views
from wwn_server.context import CONTEXT

from .conftest import Running
from .hub import Hub
from .person import Person
from .test_writes import structure_path

STREAMS = 20
DEVICES = 16
# Once a request, and twice a second.
WRITTEN = "PRAGMA data_version"


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what is worked out and written out from now on."""
    counts: Counter[str] = Counter()

    class Counted:
        @staticmethod
        def dumps(value: Any) -> bytes:
            counts["written out"] += 1
            return orjson.dumps(value)

    visible = views.visible

    def counted(*args: Any) -> Any:
        counts["looked through"] += 1
        return visible(*args)

    monkeypatch.setattr(views, "orjson", Counted)
    monkeypatch.setattr(views, "visible", counted)
    return counts


@pytest.fixture
def asked(server: Running) -> Iterator[list[str]]:
    """Note what the database is asked."""
    asked: list[str] = []
    connection = server.store._database._connection
    connection.set_trace_callback(asked.append)
    yield asked
    connection.set_trace_callback(None)


def furnish(server: Running, devices: int) -> None:
    """Hang up so many alarms more."""
    for _ in range(devices):
        server.home.add_device("smoke_co_alarms", server.home.rooms[0])


@pytest.mark.parametrize("devices", [0, DEVICES])
async def test_one_change_is_written_out_once_however_many_listen(
    linked: Hub, server: Running, counts: Counter[str], devices: int
) -> None:
    furnish(server, devices)
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(linked.stream()) for _ in range(STREAMS)]
        for events in streams:
            await events.put()
        counts.clear()
        await linked.put(structure_path(server), {"away": "away"})
        shown = [await events.put() for events in streams]
    assert counts == {"looked through": 1, "written out": 1}
    assert all(each == shown[0] for each in shown)


async def test_reads_and_streams_ask_the_database_nothing_but_whether_anybody_wrote(
    linked: Hub, server: Running, asked: list[str]
) -> None:
    # That it is used is noted once a minute, which is a write.
    await linked.read()
    await linked.read()
    found = []
    for streams in (0, STREAMS):
        async with AsyncExitStack() as stack:
            listening = [await stack.enter_async_context(linked.stream()) for _ in range(streams)]
            for events in listening:
                await events.put()
            asked.clear()
            await linked.read()
            await linked.put(structure_path(server), {"away": "home" if streams else "away"})
            for events in listening:
                await events.put()
            found.append([each.partition(" WHERE ")[0] for each in asked if each != WRITTEN])
    # Of a write its journal wants to know whose it was.
    assert found == [["SELECT name FROM clients"]] * 2


async def test_a_second_read_of_the_same_document_writes_out_what_is_the_tokens_own(
    linked: Hub, server: Running, counts: Counter[str]
) -> None:
    shares = []
    for more in (0, DEVICES):
        furnish(server, more)
        await linked.read()
        counts.clear()
        await linked.read()
        shares.append(dict(counts))
    assert shares == [{"written out": 1}] * 2


async def test_a_stream_is_sent_each_change_once_and_nothing_of_what_it_may_not_see(
    hub: Hub, linked: Hub, person: Person, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with linked.stream() as events, linked.stream("/devices/smoke_co_alarms") as unconcerned:
        whole, part = await events.next(), await unconcerned.next()
        sent: Counter[str] = Counter()
        for feed in server.app[CONTEXT].streams._streams:
            write, path = feed._response.write, feed._path

            async def counted(data: bytes, write: Any = write, path: Any = path) -> None:
                sent[path] += len(data)
                await write(data)

            monkeypatch.setattr(feed._response, "write", counted)
        await linked.put(structure_path(server), {"away": "away"})
        name, data = await events.next()
        await asyncio.sleep(0)
    assert (whole[0], part[0], name) == ("put", "put", "put")
    assert sent == {(): len(b"event: put\ndata: " + orjson.dumps(data) + b"\n\n")}
