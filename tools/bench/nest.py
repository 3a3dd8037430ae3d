"""A process of its own for the Nest side: the real server, or the least that aiohttp does the same work with.

Its home changes by signals (see home.py), so that nothing but the change itself is measured.
"""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
import sys
from typing import Final

from aiohttp import web
import orjson

from tools.nest_home import READY_LINE
from tools.ports import LOOPBACK
from wwn_server.document import ALARMS, THERMOSTATS
from wwn_server.permissions import PERMISSIONS
from wwn_server.serving import serve
from wwn_server.settings import Settings
from wwn_server.store import Store
from wwn_server.store.clients import Registration, RequestedPermission
from wwn_server.store.links import Consent

from .home import NO_STAMP, STAMP, BenchHome

TOKEN_LINE: Final = "Token "  # noqa: S105 - what stands in front of one
HOME_LINE: Final = "Home "
MANY: Final = 100_000
ASKED: Final = ("thermostat read/write", "away read/write", "smoke+co read")
SSE: Final = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
KEEP_ALIVE: Final = b"event: keep-alive\ndata: null\n\n"


def real(home: BenchHome, data: Path, keep_alive: float) -> None:
    """Serve a home as people do, with one link already made, and no limit to what it may do."""
    settings = Settings(
        data=data,
        port=0,
        announce=False,
        limits=False,
        log_level="warning",
        connections_per_address=MANY,
        keep_alive_seconds=keep_alive,
    )
    with closing(Store(data)) as store:
        say(HOME_LINE, home.home_id)
        say(TOKEN_LINE, _link(store, home.home_id))
        asyncio.run(serve(settings, store, home))


def _link(store: Store, home_id: str) -> str:
    """Return the token of a new link to a home."""
    account = store.accounts.add("bench", "nobody signs in")
    store.accounts.adopt_homes([home_id])
    asked = tuple(RequestedPermission(name, "to be measured") for name in ASKED if name in PERMISSIONS)
    client, _ = store.clients.register(Registration("Bench", "https://works-with-nest.example/privacy", (), asked))
    consent = Consent(client=client, account=account, homes=(home_id,), redirect_uri=None, challenge=None)
    code, _ = store.links.accept(consent)
    return store.links.redeem(code, client, None, None)


class Bare:
    """What aiohttp alone takes to send the same bytes: no token, no path, no rule, no second thought.

    Each event is made before it is asked for; only the time of the change is put in.
    """

    def __init__(self, home: BenchHome, keep_alive: float) -> None:
        """Broadcast the changes of a home."""
        self._home = home
        self._keep_alive = keep_alive
        self._answer = self._made()
        self._waiting: set[asyncio.Event] = set()
        self._event = self._put(NO_STAMP.encode())
        self._prepared = self._event

    async def run(self) -> None:
        """Serve until the process is ended."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._get)
        app.router.add_put("/{path:.*}", self._write)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, 0)
        await site.start()
        await self._home.start()
        self._home.subscribe(self._changed)
        self._prepare()
        say(HOME_LINE, self._home.home_id)
        say(TOKEN_LINE, "none")
        say(READY_LINE, f"http://{LOOPBACK}:{runner.addresses[0][1]}")
        await asyncio.Event().wait()

    def _changed(self) -> None:
        """Send the event that is ready, with the time of this change; the next one is made when that is done."""
        self._event = self._prepared.replace(NO_STAMP.encode(), self._stamp().encode(), 1)
        for waiting in self._waiting:
            waiting.set()
        asyncio.get_running_loop().call_later(0.05, self._prepare)

    def _prepare(self) -> None:
        self._answer = self._made()
        self._prepared = self._put(self._stamp().encode())

    def _stamp(self) -> str:
        group = self._home.document.group(THERMOSTATS) or self._home.document.group(ALARMS)
        return str(next(iter(group.values()))[STAMP])

    def _made(self) -> bytes:
        metadata = {"access_token": "c." + "x" * 140, "client_version": 1, "user_id": "z.1.1." + "x" * 32}
        return orjson.dumps({"metadata": metadata | {"permissions": ASKED}, **self._home.document.tree()})

    def _put(self, stamp: bytes) -> bytes:
        event = b'event: put\ndata: {"path":"/","data":%b}\n\n' % self._answer
        return event.replace(stamp, NO_STAMP.encode(), 1)

    async def _get(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Accept") != "text/event-stream":
            return web.Response(body=self._answer, content_type="application/json")
        response = web.StreamResponse(headers=SSE)
        await response.prepare(request)
        await response.write(self._event)
        waiting = asyncio.Event()
        self._waiting.add(waiting)
        try:
            while True:
                await response.write(await self._next(waiting))
        finally:
            self._waiting.discard(waiting)

    async def _next(self, waiting: asyncio.Event) -> bytes:
        try:
            async with asyncio.timeout(self._keep_alive):
                await waiting.wait()
        except TimeoutError:
            return KEEP_ALIVE
        waiting.clear()
        return self._event

    async def _write(self, request: web.Request) -> web.Response:
        return web.Response(body=await request.read(), content_type="application/json")


def say(line: str, value: str) -> None:
    """Tell whoever started this process."""
    sys.stdout.write(f"{line}{value}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> None:
    """Serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--devices", type=int, required=True)
    parser.add_argument("--keep-alive", type=float, default=30.0)
    parser.add_argument("--alarm-first", action="store_true")
    parser.add_argument("--bare", action="store_true")
    options = parser.parse_args(arguments)
    home = BenchHome(options.devices, alarm_first=options.alarm_first)
    if options.bare:
        asyncio.run(Bare(home, options.keep_alive).run())
    else:
        real(home, options.data, options.keep_alive)


if __name__ == "__main__":
    main(sys.argv[1:])
