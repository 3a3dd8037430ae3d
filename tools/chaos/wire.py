"""Enough of HTTP to stand between a hub and a server: heads, bodies in pieces, and a connection that can be broken."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
import socket
import struct
from typing import Final

HEAD_END: Final = b"\r\n\r\n"
HEAD_LIMIT: Final = 64 * 1024
# A body that is handed on in chunks must not say how long it is.
OF_THE_HOP: Final = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive"})


@dataclass(frozen=True, slots=True)
class Head:
    """The first lines of a request or an answer. fields: by name in small letters."""

    start: str
    fields: Mapping[str, str]

    @property
    def is_stream(self) -> bool:
        """Whether a request asks for events."""
        return "text/event-stream" in self.fields.get("accept", "")

    @property
    def path(self) -> str:
        """Where a request goes."""
        return self.start.split(" ")[1]

    def as_bytes(self, **more: str) -> bytes:
        """Return it as it goes over the wire, without what holds for one connection only, and with more fields."""
        kept = {name: value for name, value in self.fields.items() if name not in OF_THE_HOP}
        added = {name.replace("_", "-"): value for name, value in more.items()}
        lines = [self.start, *(f"{name}: {value}" for name, value in (kept | added).items())]
        return "\r\n".join(lines).encode("latin-1") + HEAD_END


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """Return the next head, None where the other side said goodbye before one."""
    try:
        raw = await reader.readuntil(HEAD_END)
    except asyncio.IncompleteReadError, ConnectionError:
        return None
    start, *lines = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    pairs = (line.split(":", 1) for line in lines)
    return Head(start, {name.strip().lower(): value.strip() for name, value in pairs})


async def pieces(reader: asyncio.StreamReader, head: Head) -> AsyncIterator[bytes]:
    """Yield a body as it comes: chunk by chunk, or whole where its length is known."""
    if head.fields.get("transfer-encoding", "").lower() != "chunked":
        if length := int(head.fields.get("content-length", "0")):
            yield await reader.readexactly(length)
        return
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")


class Flow:
    """An answer on its way to the hub, in chunks."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        """Write to this connection."""
        self._writer = writer
        self.is_over = False

    async def begin(self, head: Head) -> None:
        """Send the first lines."""
        self._writer.write(head.as_bytes(transfer_encoding="chunked"))
        await self._writer.drain()

    async def write(self, piece: bytes) -> None:
        """Send a piece of the body."""
        if piece and not self.is_over:
            self._writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await self._writer.drain()

    async def finish(self) -> None:
        """End the body as if it was whole."""
        if not self.is_over:
            self.is_over = True
            self._writer.write(b"0\r\n\r\n")
            await self._writer.drain()

    def cut(self) -> None:
        """Hang up in the middle."""
        self.is_over = True
        self._writer.close()

    def reset(self) -> None:
        """Tear the connection down, as a machine does that lost its memory of it."""
        self.is_over = True
        reset(self._writer)


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by a reset."""
    connection = writer.get_extra_info("socket")
    if connection is not None and not writer.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def raw_answer(
    writer: asyncio.StreamWriter, status: str, body: bytes, kind: str = "application/json", **fields: str
) -> None:
    """Send a whole answer of our own."""
    head = Head(f"HTTP/1.1 {status}", {})
    writer.write(head.as_bytes(content_type=kind, content_length=str(len(body)), **fields) + body)
    await writer.drain()
