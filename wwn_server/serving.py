"""Running the server until it is told to stop."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext
import errno
import logging
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from .announce import Service, announced
from .app import create_app
from .logs import HTTP_LOG
from .settings import DEFAULT_NAME

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .homes.base import Home
    from .settings import Settings
    from .store import Store

_LOGGER: Final = logging.getLogger(__name__)

# The application writes its own log of requests, without secrets.
RUNNER_OPTIONS: Final[dict[str, Any]] = {"access_log": None, "logger": HTTP_LOG, "shutdown_timeout": 3.0}

_LISTEN_PROBLEMS: Final = {
    errno.EADDRINUSE: ("Port {port} on {host} is taken. Choose another with --port, or --port 0 for any free one."),
    errno.EACCES: "Port {port} needs more rights than you have. Choose one above 1023.",
    errno.EADDRNOTAVAIL: "{host} is not an address of this machine.",
}


class ListenError(Exception):
    """The server can't listen; the message is for people."""


async def serve(settings: Settings, store: Store, home: Home) -> None:
    """Serve until SIGTERM or SIGINT. Raises ``ListenError``."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with _listening(settings, store, home) as (host, port):
        shown = f"[{host}]" if ":" in host else host
        sys.stdout.write(f"Listening on http://{shown}:{port}\n")
        sys.stdout.flush()
        service = _service(settings, store, port)
        async with announced(service) if settings.announce else nullcontext():
            await stop.wait()
            _LOGGER.info("Stopping")


@asynccontextmanager
async def _listening(settings: Settings, store: Store, home: Home) -> AsyncIterator[tuple[str, int]]:
    app = create_app(settings, store, home)
    runner = web.AppRunner(app, **RUNNER_OPTIONS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port)
        try:
            await site.start()
        except OSError as error:
            raise ListenError(explain_listening(error, settings)) from error
        yield settings.host, runner.addresses[0][1]
    finally:
        await runner.cleanup()


def explain_listening(error: OSError, settings: Settings) -> str:
    """Return why the server can't listen where it should, and what to do."""
    if isinstance(error, socket.gaierror):
        return f"{settings.host} is not the name of an address of this machine."
    text = _LISTEN_PROBLEMS.get(error.errno or 0)
    if text is None:
        return f"Can't listen on {settings.host}, port {settings.port}: {error}."
    return text.format(host=settings.host, port=settings.port)


def _service(settings: Settings, store: Store, port: int) -> Service:
    address = socket.getaddrinfo(settings.host, port, type=socket.SOCK_STREAM)[0][4][0]
    return Service(str(address), port, store.server_id, store.name or DEFAULT_NAME)
