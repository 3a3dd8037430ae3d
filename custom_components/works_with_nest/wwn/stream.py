"""The event stream of one link, watched by complete events (protocol 4.3)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import NoReturn

from aiohttp import ClientResponse
import orjson

from .client import WwnClient
from .clock import Instant
from .errors import WwnAuthError, WwnConnectionError, WwnProtocolError, WwnStreamError, reported_error
from .jumps import watched_clock
from .models import Document
from .sse import EventParser, ServerSentEvent


class WwnStream:
    """One life of a link's stream: from connecting to the error that ended it.

    on_put gets each new document. on_keep_alive is called when the server says that nothing changed, but never before
    the first document of this stream: until then, what is known may be old.

    An event is as old as its first byte: on a slow line it was true when it was sent, not when it was complete.
    """

    def __init__(
        self,
        client: WwnClient,
        on_put: Callable[[Document], None],
        on_keep_alive: Callable[[], None],
        silence: float,
    ) -> None:
        """Take the client and whom to tell. silence: seconds without a complete event after which it is dead."""
        self._client = client
        self._on_put = on_put
        self._on_keep_alive = on_keep_alive
        self._silence = silence
        self._heard = self.event_begun = Instant.now()
        self._has_document = False
        self._wait: asyncio.Timeout | None = None

    async def listen(self) -> NoReturn:
        """Listen until the stream ends, and raise why: WwnAuthError where the link was ended, else another WwnError."""
        parser = EventParser()
        self._heard = Instant.now()
        async with self._client.open_stream() as response:
            with watched_clock(self._look):
                while chunk := await self._chunk(response):
                    self._feed(parser, chunk)
            # Inside, so that the client forgets the shard with it (protocol 4.2).
            msg = "the server closed the stream"
            raise WwnStreamError(msg)

    def _feed(self, parser: EventParser, chunk: bytes) -> None:
        arrived = Instant.now()
        if parser.is_between_events:
            self.event_begun = arrived
        for event in parser.feed(chunk):
            self._take(event)
            self.event_begun = arrived

    async def _chunk(self, response: ClientResponse) -> bytes:
        """Return the next bytes, none at the end. Bytes that complete no event are no sign of life."""
        while (left := self._silence - self._heard.age()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left) as self._wait:
                    return await response.content.readany()
        msg = f"no complete event for {self._silence:.0f} s"
        raise WwnConnectionError(msg)

    def _look(self) -> None:
        """End the wait for the next bytes, so that it is seen how long it may last by the clocks as they are now."""
        if self._wait and not self._wait.expired():
            self._wait.reschedule(asyncio.get_running_loop().time())

    def _take(self, event: ServerSentEvent) -> None:
        if event.is_doubtful:
            msg = "something came that no server writes, so a document may be lost"
            raise WwnProtocolError(msg)
        match event.name:
            case "put":
                self._take_put(event.data)
            case "keep-alive" if self._has_document:
                self._heard = self.event_begun
                self._client.hear(self.event_begun)
                self._on_keep_alive()
            case "auth_revoked":
                raise WwnAuthError(HTTPStatus.UNAUTHORIZED, "auth_revoked")
            case "error" | "cancel":
                _raise_reported(self._client.without_token(event.data))

    def _take_put(self, data: bytes) -> None:
        document = self._client.pushed(data, self.event_begun)
        self._has_document = True
        self._heard = self.event_begun
        self._on_put(document)


def _raise_reported(data: bytes) -> NoReturn:
    """Raise the error that the stream reported."""
    try:
        said = orjson.loads(data)
    except orjson.JSONDecodeError:
        said = None
    raise reported_error(said)
