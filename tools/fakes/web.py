"""What every fake on http has in common: it can go away and come back, and misbehave in the ways that things do."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
import ssl
from typing import Final, override

from aiohttp import web

from tools.ports import LOOPBACK

from .lasting import Lasting

SLOW_SECONDS: Final = 30.0
# More than one megabyte, however that is counted.
BIG: Final = 1_100_000

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Fault(StrEnum):
    """How an answer can be wrong."""

    NONE = "none"
    SLOW = "slow"  # the right answer, too late
    CUT = "cut"  # hangs up within the answer
    ERROR = "error"  # 500
    DENIED = "denied"  # 401, as from a proxy that somebody put in front
    GARBAGE = "garbage"  # what claims to be JSON, and is not
    BINARY = "binary"  # not even text
    PAGE = "page"  # the page of some other program on this port
    EMPTY = "empty"  # nothing at all
    OTHER_SHAPE = "other_shape"  # JSON that means nothing here
    REDIRECT = "redirect"  # to another host, which counts who comes
    BIG = "big"  # right in the beginning, and then over 1 MB


class WebFake(Lasting):
    """A fake that listens on one port of loopback.

    ``asked`` has the method and path of each request that came, without its query, where a secret may be. ``strangers``
    counts the requests that came to the host which a redirect names. ``fault`` is for all paths below ``fault_below``.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """Stand ready; nothing is open yet."""
        self.asked: list[tuple[str, str]] = []
        self.strangers = 0
        self.fault = Fault.NONE
        self.fault_below = "/"
        self.slow_seconds = SLOW_SECONDS
        self.port = 0
        self._tls = tls
        self._elsewhere = ""
        self._runner: web.AppRunner | None = None
        self._stranger: web.AppRunner | None = None

    @property
    def base(self) -> str:
        """Where it is found, the same after it went away and came back."""
        return f"{'https' if self._tls else 'http'}://{LOOPBACK}:{self.port}"

    @override
    async def start(self, port: int = 0) -> str:
        """Listen, on a free port if none is named, and return the address."""
        self._stranger, stranger_port = await _listen(self._strange_app(), 0, None)
        self._elsewhere = f"http://{LOOPBACK}:{stranger_port}/elsewhere"
        self.port = port
        await self.come_back()
        return self.base

    @override
    async def stop(self) -> None:
        """Close everything."""
        await self.go_away()
        if self._stranger:
            await self._stranger.cleanup()
            self._stranger = None

    async def go_away(self) -> None:
        """Close the port and every connection, as when the program ends."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def come_back(self) -> None:
        """Listen on the same port again."""
        app = web.Application(middlewares=[self._misbehave])
        app.add_routes(self.routes())
        self._runner, self.port = await _listen(app, self.port, self._tls)

    def misbehave(self, fault: Fault, below: str = "/") -> None:
        """Answer wrongly from now on, below a path; ``Fault.NONE`` ends it."""
        self.fault, self.fault_below = fault, below

    def routes(self) -> list[web.RouteDef]:
        """Return what it answers, as the real thing does."""
        raise NotImplementedError

    def _strange_app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._count_stranger)
        return app

    async def _count_stranger(self, _request: web.Request) -> web.Response:
        self.strangers += 1
        return web.json_response({"status": "OK", "devices": [], "total": 0})

    @web.middleware
    async def _misbehave(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.asked.append((request.method, request.path))
        if self.fault is Fault.NONE or not request.path.startswith(self.fault_below):
            return await handler(request)
        if self.fault is Fault.SLOW:
            await asyncio.sleep(self.slow_seconds)
            return await handler(request)
        if self.fault is Fault.REDIRECT:
            return web.Response(status=307, headers={"Location": self._elsewhere})
        if self.fault is Fault.CUT:
            return await _cut_off(request)
        status, kind, body = WRONG_ANSWERS[self.fault]
        return web.Response(status=status, body=body, content_type=kind)


WRONG_ANSWERS: Final = {
    Fault.ERROR: (500, "text/plain", b"500 Internal Server Error\n\nServer got itself in trouble"),
    Fault.DENIED: (401, "text/html", b"<h1>401 Authorization Required</h1>"),
    Fault.GARBAGE: (200, "application/json", b'{"devices": [{"serial": "02AA01A'),
    Fault.BINARY: (200, "application/json", bytes(range(128, 256)) * 4),
    Fault.PAGE: (200, "text/html", b"<!doctype html><title>Router</title><h1>Sign in to your router</h1>"),
    Fault.EMPTY: (200, "application/json", b""),
    Fault.OTHER_SHAPE: (200, "application/json", b'[null, {"devices": "none", "properties": 7, "serial": [1]}]'),
    Fault.BIG: (200, "application/json", b'{"devices": [' + b'"more", ' * (BIG // 8) + b'"end"]}'),
}


async def _cut_off(request: web.Request) -> web.StreamResponse:
    """Promise more than is sent, and hang up."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"devices": [')
    if request.transport:
        request.transport.abort()
    return response


async def _listen(app: web.Application, port: int, tls: ssl.SSLContext | None) -> tuple[web.AppRunner, int]:
    # Whoever asked and hung up is not waited for.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port, ssl_context=tls).start()
    return runner, int(runner.addresses[0][1])
