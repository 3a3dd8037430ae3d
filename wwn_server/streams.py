"""Event streams (protocol 4.3): each writes the newest state, whenever it is ready."""

from __future__ import annotations

import asyncio
from contextlib import suppress
import logging
from typing import TYPE_CHECKING, Final

from aiohttp import web
import orjson

from .context import metadata_of, scope_of
from .document import absolute

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .context import Context
    from .document import Path
    from .store import Link

_LOGGER: Final = logging.getLogger(__name__)

_KEEP_ALIVE: Final = b"event: keep-alive\ndata: null\n\n"
_HEADERS: Final = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "Connection": "keep-alive",
}


class Stream:
    """One hub that listens at one path.

    It holds no queue: ``wake`` only says that something may have changed, and the value
    is read when the hub has taken the one before.
    """

    def __init__(self, context: Context, request: web.Request, link: Link, token: str, path: Path) -> None:
        """Prepare to serve; nothing is sent yet."""
        self._context = context
        self._request = request
        self._token = token
        self._path = path
        self._dirty = asyncio.Event()
        self._response = web.StreamResponse(headers=_HEADERS)
        self._last: bytes | None = None
        self._keep_alive_due = 0.0
        self._open = True
        self._revoked = False
        self._metadata = metadata_of(context, link, token)
        self.link = link
        self.ended = asyncio.Event()

    def wake(self) -> None:
        """Have the value at the path looked at again."""
        self._dirty.set()

    def follow(self, link: Link) -> None:
        """Go on with other rights."""
        self.link = link
        self._metadata = metadata_of(self._context, link, self._token)
        self._dirty.set()

    def end(self, *, revoked: bool) -> None:
        """Say goodbye, with ``auth_revoked`` where the link is gone, and close."""
        self._open = False
        self._revoked = revoked
        self._dirty.set()

    def abort(self) -> None:
        """Drop the connection of a hub that takes nothing any more."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def serve(self) -> web.StreamResponse:
        """Write events until the hub leaves or the stream is ended."""
        try:
            await self._response.prepare(self._request)
            await self._send_news()
            while await self._awake():
                await self._send_news()
            await self._say_goodbye()
        except (ConnectionError, TimeoutError):
            # The hub is gone, or takes nothing: it starts anew with a whole put.
            self.abort()
        finally:
            self.ended.set()
        return self._response

    def value(self) -> bytes | None:
        """Return what the hub may see at its path now, as JSON."""
        context = self._context
        return context.views.value(context.home.document, scope_of(self.link), self._metadata, self._path)

    async def _awake(self) -> bool:
        """Wait until there may be news or it was silent for long; say whether to go on."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._keep_alive_due):
                await self._dirty.wait()
        return self._open

    async def _send_news(self) -> None:
        self._dirty.clear()
        value = self.value() or b"null"
        if value != self._last:
            self._last = value
            path = orjson.dumps(absolute(self._path))
            body = b'{"path":%b,"data":%b}' % (path, value)
            await self._write(b"event: put\ndata: %b\n\n" % body)
        elif asyncio.get_running_loop().time() >= self._keep_alive_due:
            # Changes that this hub may not see do not count as a sign of life.
            await self._write(_KEEP_ALIVE)

    async def _say_goodbye(self) -> None:
        if self._revoked:
            token = orjson.dumps(self._token)
            await self._write(b"event: auth_revoked\ndata: %b\n\n" % token)
        await self._response.write_eof()

    async def _write(self, event: bytes) -> None:
        settings = self._context.settings
        async with asyncio.timeout(settings.stall_seconds):
            await self._response.write(event)
        now = asyncio.get_running_loop().time()
        self._keep_alive_due = now + settings.keep_alive_seconds


class Streams:
    """All open streams of a server."""

    def __init__(self, farewell_seconds: float) -> None:
        """Start without any; a stream that ends has this long to hand over the rest."""
        self._farewell_seconds = farewell_seconds
        self._streams: set[Stream] = set()

    async def serve(self, stream: Stream) -> web.StreamResponse:
        """Keep a stream among the others for as long as it lives."""
        self._streams.add(stream)
        try:
            return await stream.serve()
        finally:
            self._streams.discard(stream)

    def link_ids(self) -> frozenset[int]:
        """Return the links that have a stream open."""
        return frozenset(stream.link.id for stream in self._streams)

    def wake(self) -> None:
        """Tell every stream that the home's document is another."""
        for stream in self._streams:
            stream.wake()

    def follow(self, link: Link) -> None:
        """Let the streams of a link go on with other rights."""
        for stream in self._of({link.id}):
            stream.follow(link)

    async def revoke(self, link_ids: Iterable[int]) -> None:
        """End the streams of links that are gone."""
        await self._end(self._of(set(link_ids)), revoked=True)

    async def close(self) -> None:
        """End every stream, because the server does."""
        await self._end(list(self._streams), revoked=False)

    def _of(self, link_ids: set[int]) -> list[Stream]:
        return [each for each in self._streams if each.link.id in link_ids]

    async def _end(self, streams: list[Stream], *, revoked: bool) -> None:
        for stream in streams:
            stream.end(revoked=revoked)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._farewell_seconds):
                for stream in streams:
                    await stream.ended.wait()
        for stream in streams:
            if not stream.ended.is_set():
                _LOGGER.info("A stream took nothing any more and was dropped")
                stream.abort()
