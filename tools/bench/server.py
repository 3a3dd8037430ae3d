"""The server beside what aiohttp alone does with the same bytes: many streams, reads and writes.

Both run in processes of their own; sockets here are as plain as can be, so that what is measured is theirs.
"""

from pathlib import Path
import re
import select
import socket
import time
from typing import Final, Self

import orjson

from tools.errors import ToolError
from tools.ports import LOOPBACK
from wwn_server.document import THERMOSTATS

from .home import CHANGE_ONE, STAMP
from .stage import NestSide, both_sides
from .timing import Pair

WITHIN: Final = 30.0
BUFFER: Final = bytearray(1 << 20)
ENDS: Final = (b"\n\n", b"\n\n\r\n")
STAMPED: Final = re.compile(rb'"%b":"([0-9.]+)"' % STAMP.encode())
CONNECTIONS: Final = 16
IDLE_KEEP_ALIVE: Final = 2.0
IDLE_STREAMS: Final = 500
NANOSECONDS: Final = 1e9
BODY_AFTER: Final = b"\r\n\r\n"
LENGTH: Final = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Plain:
    """Many sockets to one server, and an epoll that watches them."""

    def __init__(self, nest: NestSide, number: int) -> None:
        """Connect."""
        self._epoll = select.epoll()
        self.sockets: dict[int, socket.socket] = {}
        for _ in range(number):
            each = socket.create_connection((LOOPBACK, nest.port))
            self.sockets[each.fileno()] = each
            self._epoll.register(each, select.EPOLLIN)

    def __enter__(self) -> Self:
        """Use them in a with block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close them."""
        self._epoll.close()
        for each in self.sockets.values():
            each.close()

    def send(self, request: bytes) -> None:
        """Ask the same on all of them."""
        for each in self.sockets.values():
            each.sendall(request)

    def ready(self) -> list[int]:
        """Return where something came. Raises ToolError where nothing does."""
        if not (found := self._epoll.poll(WITHIN)):
            msg = "The server has said nothing for long."
            raise ToolError(msg)
        return [number for number, _ in found]

    def take(self, number: int) -> memoryview:
        """Return what came."""
        length = self.sockets[number].recv_into(BUFFER)
        if not length:
            msg = "The server closed a connection."
            raise ToolError(msg)
        return memoryview(BUFFER)[:length]

    def event(self) -> tuple[float, bytes]:
        """Wait until an event is complete on every one; return when that was, and the first one's bytes."""
        waiting, first = set(self.sockets), next(iter(self.sockets))
        kept = bytearray()
        while waiting:
            for number in self.ready():
                came = self.take(number)
                if number == first:
                    kept += came
                if bytes(came[-4:]).endswith(ENDS):
                    waiting.discard(number)
        return time.monotonic(), bytes(kept)


def _request(nest: NestSide, method: str, path: str, accept: str, body: bytes = b"") -> bytes:
    headers = {**nest.headers, "Accept": accept, "Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


async def fan_out(devices: int, streams: int, rounds: int) -> Pair:
    """Return the seconds from one change until the last of so many streams has the whole event."""
    async with both_sides(devices) as sides:
        with Plain(sides[0], streams) as ours, Plain(sides[1], streams) as bare:
            plain = (ours, bare)
            for nest, each in zip(sides, plain, strict=True):
                each.send(_request(nest, "GET", "/", "text/event-stream"))
                each.event()
            pair = Pair()
            for turn in range(rounds + 1):
                took = [_one_change(nest, each) for nest, each in zip(sides, plain, strict=True)]
                if turn:
                    pair.add(*took)
            return pair


def _one_change(nest: NestSide, plain: Plain) -> float:
    # The baseline makes its next event in the meantime.
    time.sleep(0.1)
    nest.tell(CHANGE_ONE)
    at, event = plain.event()
    return at - max(map(float, STAMPED.findall(event)))


async def idle_streams(devices: int, seconds: float) -> tuple[Pair, Pair]:
    """Return the processor's seconds of many idle streams, and the kilobytes they hold; keep-alives come every 2 s."""
    cpu, held = Pair(), Pair()
    async with both_sides(devices, "--keep-alive", str(IDLE_KEEP_ALIVE)) as sides:
        before = [_rss(nest) for nest in sides]
        with Plain(sides[0], IDLE_STREAMS) as ours, Plain(sides[1], IDLE_STREAMS) as bare:
            for nest, each in zip(sides, (ours, bare), strict=True):
                each.send(_request(nest, "GET", "/", "text/event-stream"))
                each.event()
            for _ in range(2):
                # The first event's bytes are on their way out; then they take nothing.
                begun = [_cpu(nest) for nest in sides]
                _drain((ours, bare), seconds / 2)
                cpu.add(*(_cpu(nest) - each for nest, each in zip(sides, begun, strict=True)))
            held.add(*(_rss(nest) - each for nest, each in zip(sides, before, strict=True)))
    return cpu, held


def _drain(readers: tuple[Plain, ...], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for each in readers:
            for number in each.ready():
                each.take(number)


def _rss(nest: NestSide) -> float:
    status = Path(f"/proc/{nest.pid}/status").read_text(encoding="ascii")
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))


def _cpu(nest: NestSide) -> float:
    # In nanoseconds, where the usual file counts hundredths of a second.
    return int(Path(f"/proc/{nest.pid}/schedstat").read_text(encoding="ascii").split()[0]) / NANOSECONDS


async def rates(devices: int, seconds: float, blocks: int) -> tuple[Pair, Pair]:
    """Return the reads and the writes per second of the processor, of the whole document and of one field."""
    reads, writes = Pair(), Pair()
    async with both_sides(devices) as sides:
        asks = [_request(nest, "GET", "/", "application/json") for nest in sides]
        puts = [_puts(nest) for nest in sides]
        for turn in range(blocks + 1):
            read = [_rate(nest, [ask], seconds) for nest, ask in zip(sides, asks, strict=True)]
            written = [_rate(nest, each, seconds) for nest, each in zip(sides, puts, strict=True)]
            if turn:
                reads.add(*read)
                writes.add(*written)
    return reads, writes


def _puts(nest: NestSide) -> list[bytes]:
    """Return two writes that undo each other."""
    path = f"/devices/{THERMOSTATS}/{THERMOSTATS}-0000-pneumatic-tube-device"
    bodies = [orjson.dumps({"temperature_scale": scale}) for scale in "CF"]
    return [_request(nest, "PUT", path, "application/json", body) for body in bodies]


def _rate(nest: NestSide, requests: list[bytes], seconds: float) -> float:
    """Return how many requests are answered in a second that the server has the processor.

    Some connections each ask as soon as they can.
    """
    done, turn = 0, 0
    left: dict[int, int] = {}
    with Plain(nest, CONNECTIONS) as plain:
        plain.send(requests[0])
        begun, until = _cpu(nest), time.monotonic() + seconds
        while time.monotonic() < until:
            for number in plain.ready():
                left[number] = _left(plain.take(number), left.get(number, 0))
                if left[number] <= 0:
                    done, turn = done + 1, turn + 1
                    plain.sockets[number].sendall(requests[turn % len(requests)])
        return done / (_cpu(nest) - begun)


def _left(came: memoryview, left: int) -> int:
    """Return how many bytes of an answer are still to come."""
    if left > 0:
        return left - len(came)
    head, _, body = bytes(came).partition(BODY_AFTER)
    if not head.startswith(b"HTTP/1.1 200"):
        msg = f"The server refused: {head[:200]!r} {body[:300]!r}"
        raise ToolError(msg)
    length = LENGTH.search(head)
    return (int(length[1]) if length else 0) - len(body)
