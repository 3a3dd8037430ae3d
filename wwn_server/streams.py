"""Event streams (protocol 4.3): each tells the newest state, whenever its reader is ready."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from aiohttp import web
import orjson

from .context import context_of, metadata_of, scope_of
from .document import absolute

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .context import Context
    from .document import Path
    from .store import Link

_LOGGER: Final = logging.getLogger(__name__)

# What a connection takes at any time: asyncio waits only for readers who leave 64 KiB, until there are 16 left.
_ROOM: Final = 16 * 1024
_KEEP_ALIVE: Final = b"event: keep-alive\ndata: null\n\n"
_HEADERS: Final = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "Connection": "keep-alive",
}


class Feed:
    """One reader of server-sent events, who gets the newest state whenever it is ready.

    It holds no queue: ``wake`` only says that something may have changed, and the state is
    looked at when the reader has taken the one before.
    """

    # The link that pays for it, none for a person at a page.
    link: Link | None = None

    def __init__(self, request: web.Request) -> None:
        """Prepare to serve; nothing is sent yet."""
        self._request = request
        self._settings = context_of(request).settings
        self._loop = asyncio.get_running_loop()
        self._response = web.StreamResponse(headers=_HEADERS)
        self._woken = self._loop.create_future()
        self._keep_alive_due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._open = True
        self._farewell = b""
        self.ended = self._loop.create_future()

    def news(self) -> bytes | None:
        """Return the event that tells the state, unless the reader has it already."""
        raise NotImplementedError

    def wake(self) -> None:
        """Have the state looked at again."""
        if not self._woken.done():
            self._woken.set_result(None)

    def end(self, farewell: bytes = b"") -> None:
        """Send a last event, if there is one, and close."""
        self._open = False
        self._farewell = farewell
        self.wake()

    def abort(self) -> None:
        """Drop the connection of a reader that takes nothing any more."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def unsent(self) -> int:
        """Return how many bytes wait for the reader to take them."""
        transport = self._request.transport
        return 0 if transport is None else transport.get_write_buffer_size()

    async def serve(self) -> web.StreamResponse:
        """Write events until the reader leaves or the feed is ended."""
        try:
            await self._response.prepare(self._request)
            await self._send_news()
            while await self._awake():
                await self._send_news()
            await self._write(self._farewell)
            await self._response.write_eof()
        except (ConnectionError, TimeoutError):
            # The reader is gone, or takes nothing: it starts anew with a whole state.
            self.abort()
        finally:
            if self._timer is not None:
                self._timer.cancel()
            self.ended.set_result(None)
        return self._response

    async def _awake(self) -> bool:
        """Wait until there may be news or it was silent for long; say whether to go on.

        A timer that runs is left as it is, whatever was written since. With a new one for each wait and each write,
        idle streams took 3.6 times what a bare broadcaster takes; so it is 1.2 times.
        """
        if self._timer is None:
            self._timer = self._loop.call_at(self._keep_alive_due, self._on_time)
        await self._woken
        return self._open

    def _on_time(self) -> None:
        """Look whether it was silent for long."""
        self._timer = None
        self.wake()

    async def _send_news(self) -> None:
        if self._woken.done():
            self._woken = self._loop.create_future()
        event = self.news()
        if event is None and self._loop.time() >= self._keep_alive_due:
            # Changes that the reader may not see do not count as a sign of life.
            event = _KEEP_ALIVE
        await self._write(event or b"")

    async def _write(self, event: bytes) -> None:
        if not event:
            return
        if self.unsent() + len(event) < _ROOM:
            await self._response.write(event)
        else:
            async with asyncio.timeout(self._settings.stall_seconds):
                await self._response.write(event)
        self._keep_alive_due = self._loop.time() + self._settings.keep_alive_seconds


class Stream(Feed):
    """One hub that listens at one path."""

    link: Link

    def __init__(self, context: Context, request: web.Request, link: Link, token: str, path: Path) -> None:
        """Prepare to serve; nothing is sent yet."""
        super().__init__(request)
        self._context = context
        self._token = token
        self._path = path
        self._head = b'event: put\ndata: {"path":%b,"data":' % orjson.dumps(absolute(path))
        self._seen: tuple[bytes, ...] | None = None
        self.follow(link)

    def follow(self, link: Link) -> None:
        """Go on with these rights."""
        self.link = link
        self._scope = scope_of(link)
        self._metadata = metadata_of(self._context, link, self._token)
        self.wake()

    def value(self) -> tuple[bytes, ...] | None:
        """Return what the hub may see at its path now, as pieces of JSON."""
        return self._context.views.pieces(self._context.home.document, self._scope, self._metadata, self._path)

    def news(self) -> bytes | None:
        """Return the put that the hub does not have yet; a value that went is null."""
        value = self.value() or (b"null",)
        # Pieces are the same objects until they change, so this costs next to nothing.
        if value == self._seen:
            return None
        self._seen = value
        return b"".join((self._head, *value, b"}\n\n"))

    def revoke(self) -> None:
        """Say that the link is gone, and close."""
        self.end(b"event: auth_revoked\ndata: %b\n\n" % orjson.dumps(self._token))


class Streams:
    """All open feeds of a server."""

    def __init__(self, farewell_seconds: float) -> None:
        """Start without any; one that ends has this long to hand over the rest."""
        self._farewell_seconds = farewell_seconds
        self._streams: set[Feed] = set()

    async def serve(self, feed: Feed) -> web.StreamResponse:
        """Keep a feed among the others for as long as it lives."""
        self._streams.add(feed)
        try:
            return await feed.serve()
        finally:
            self._streams.discard(feed)

    def open_links(self) -> tuple[int, ...]:
        """Return the link of each open stream."""
        return tuple(feed.link.id for feed in self._streams if feed.link is not None)

    def link_ids(self) -> frozenset[int]:
        """Return the links that have a stream open."""
        return frozenset(self.open_links())

    def wake(self) -> None:
        """Tell every feed that the home is another."""
        for feed in self._streams:
            feed.wake()

    def follow(self, link: Link) -> None:
        """Let the streams of a link go on with other rights."""
        for stream in self._of({link.id}):
            stream.follow(link)

    async def revoke(self, link_ids: Iterable[int]) -> None:
        """End the streams of links that are gone."""
        streams = self._of(set(link_ids))
        for stream in streams:
            stream.revoke()
        await self._let_go(streams)

    async def close(self) -> None:
        """End every feed, because the server does."""
        feeds = list(self._streams)
        for feed in feeds:
            feed.end()
        await self._let_go(feeds)

    def _of(self, link_ids: set[int]) -> list[Stream]:
        return [each for each in self._streams if isinstance(each, Stream) and each.link.id in link_ids]

    async def _let_go(self, feeds: Sequence[Feed]) -> None:
        if not feeds:
            return
        await asyncio.wait([feed.ended for feed in feeds], timeout=self._farewell_seconds)
        for feed in feeds:
            if not feed.ended.done():
                _LOGGER.info("A stream took nothing any more and was dropped")
                feed.abort()
