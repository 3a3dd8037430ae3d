"""What stands between hub and server: hands everything on, and lets a fault do its work on the way."""

import asyncio
import contextlib
import random
import time
from typing import Final

from tools.ports import LOOPBACK, free_port

from .ear import Ear
from .faults import CALM, Ending, Exchange, Fault, Weather
from .wire import HEAD_LIMIT, Flow, Head, pieces, read_head, reset

# What people call the server; the hub looks it up, so that a name can be missing.
HOST: Final = "nest.home.arpa"


class Proxy:
    """Listens where the hub believes the server to be. asked: when the hub asked, and whether for a stream."""

    def __init__(self) -> None:
        """Stand ready; nothing is open yet."""
        self.port = 0
        self.asked: list[tuple[float, bool]] = []
        self.ear = Ear()
        self.stolen = 0
        self._upstream = 0
        self._fault = CALM
        self._weather = Weather(random.Random(0), asyncio.Event())  # noqa: S311 - no secret
        self._servers: list[asyncio.Server] = []
        self._foreign_port = 0
        self._dead_port = free_port()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def base(self) -> str:
        """Where the hub finds it."""
        return f"http://{HOST}:{self.port}"

    @property
    def open_connections(self) -> int:
        """How many connections the hub holds."""
        return len(self._writers)

    async def start(self, upstream: int) -> None:
        """Listen, in front of a server on this port; and as a stranger, who must never see a token."""
        self._upstream = upstream
        for serve in (self._serve, self._serve_as_stranger):
            self._servers.append(await asyncio.start_server(serve, LOOPBACK, 0, limit=HEAD_LIMIT))
        self.port, self._foreign_port = (each.sockets[0].getsockname()[1] for each in self._servers)

    def forget(self) -> None:
        """Know nothing of what came through before."""
        self.asked.clear()
        self.ear = Ear()

    async def stop(self) -> None:
        """Close everything."""
        for server in self._servers:
            server.close()
        self._end_all(Ending.RESET)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def begin(self, fault: Fault, chance: random.Random) -> None:
        """Let a fault begin."""
        self._weather = Weather(
            chance, asyncio.Event(), dead_port=self._dead_port, foreign_port=self._foreign_port, host=HOST
        )
        self._fault = fault
        if fault.opened is not Ending.STAY or not fault.is_heard_through:
            self.ear.spoil()
        self._end_all(fault.opened)

    def end(self) -> None:
        """Let the fault end."""
        fault, self._fault = self._fault, CALM
        self._end_all(fault.closed)
        self._weather.over.set()

    def _end_all(self, ending: Ending) -> None:
        for writer in tuple(self._writers):
            if ending is Ending.RESET:
                reset(writer)
            elif ending is Ending.CLOSE:
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Live through one connection of the hub."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            while (head := await read_head(reader)) is not None and not writer.is_closing():
                body = b"".join([piece async for piece in pieces(reader, head)])
                self.asked.append((time.monotonic(), head.is_stream))
                if not await self._answered(head, writer):
                    await self._relay(head, body, reader, writer)
        except OSError, asyncio.IncompleteReadError, asyncio.CancelledError:
            # Either side hung up, a fault did, or we are closing; the hub has to live with all of them.
            reset(writer)
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.close()

    async def _answered(self, head: Head, writer: asyncio.StreamWriter) -> bool:
        answer = self._fault.answer
        return answer is not None and await answer(Exchange(head, writer, self._weather))

    async def _relay(self, head: Head, body: bytes, hub: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Ask the server, and hand on what it says."""
        ear = self.ear
        line = ear.line() if head.is_stream else None
        reader, server = await asyncio.open_connection(LOOPBACK, self._upstream, limit=HEAD_LIMIT)
        watch = asyncio.create_task(_give_up_with(hub, asyncio.current_task()))
        try:
            server.write(head.as_bytes(content_length=str(len(body)), connection="close") + body)
            answer = await read_head(reader)
            if answer is None:
                reset(writer)
                return
            flow = Flow(writer)
            await flow.begin(answer)
            if line and is_good(answer):
                line.begin()
            async for piece in pieces(reader, answer):
                is_whole = await self._hand_on(flow, piece)
                ear.spoke.append(time.monotonic())
                if line and is_good(answer):
                    line.came(is_whole=is_whole)
                if flow.is_over:
                    return
            await flow.finish()
        finally:
            if line:
                line.end()
            server.close()
            watch.cancel()
            # Two may not read at once, and the next to read is the next request.
            await asyncio.gather(watch, return_exceptions=True)

    async def _hand_on(self, flow: Flow, piece: bytes) -> bool:
        """Hand on a piece, and return whether it came as it was sent."""
        fault = self._fault
        if fault.bend is None:
            await flow.write(piece)
        else:
            await fault.bend(flow, piece, self._weather)
        return fault.is_heard_through

    async def _serve_as_stranger(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Count whoever hands a token to a host that is not the server's."""
        with contextlib.suppress(OSError):
            head = await read_head(reader)
            self.stolen += head is not None and "authorization" in head.fields
            reset(writer)


def is_good(answer: Head) -> bool:
    """Whether an answer is what was asked for."""
    return answer.start.split(" ")[1] == "200"


async def _give_up_with(hub: asyncio.StreamReader, work: asyncio.Task[None] | None) -> None:
    """Give up handing on once the hub hung up, so that nothing goes on for nobody."""
    with contextlib.suppress(OSError):
        await hub.read(1)
    if work is not None:
        work.cancel()
