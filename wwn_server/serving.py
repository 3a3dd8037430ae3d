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

from .announce import Service, announced, urls
from .app import create_app, create_shard_app
from .context import CONTEXT
from .door import Door
from .settings import DEFAULT_NAME
from .speaker import LOGGING
from .tls import reload, tls_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    import ssl

    from .homes.base import Home
    from .settings import Settings
    from .store import Store

_LOGGER: Final = logging.getLogger(__name__)

RUNNER_OPTIONS: Final[dict[str, Any]] = {**LOGGING, "shutdown_timeout": 3.0}

_LISTEN_PROBLEMS: Final = {
    errno.EADDRINUSE: ("Port {port} on {host} is taken. Choose another with {flag}, or {flag} 0 for any free one."),
    errno.EACCES: "Port {port} needs more rights than you have. Choose one above 1023.",
    errno.EADDRNOTAVAIL: "{host} is not an address of this machine.",
}


class ListenError(Exception):
    """The server can't listen; the message is for people."""


async def serve(settings: Settings, store: Store, home: Home) -> None:
    """Serve until SIGTERM or SIGINT. Raises ``ListenError`` and ``CertificateError``."""
    stop = asyncio.Event()
    tls = tls_of(settings)
    _hear_signals(stop, tls, settings)
    async with _listening(settings, store, home, tls) as (host, port):
        shown = f"[{host}]" if ":" in host else host
        sys.stdout.write(f"Listening on {_scheme(tls)}://{shown}:{port}\n")
        sys.stdout.flush()
        service = _service(settings, store, port)
        _tell_urls(service)
        async with announced(service) if settings.announce else nullcontext():
            await stop.wait()
            _LOGGER.info("Stopping")


def _tell_urls(service: Service) -> None:
    """Say what to type in a browser, where what is listened on is no address of anything."""
    if found := urls(service):
        _LOGGER.info("Other machines reach it at %s", ", ".join(found))


def _hear_signals(stop: asyncio.Event, tls: ssl.SSLContext | None, settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # Without a handler it would end the server, which nobody means who renewed a certificate.
    loop.add_signal_handler(signal.SIGHUP, _renew, tls, settings)


def _renew(tls: ssl.SSLContext | None, settings: Settings) -> None:
    if tls is None:
        _LOGGER.info("There is no certificate to read again")
    else:
        reload(tls, settings)


@asynccontextmanager
async def _listening(
    settings: Settings, store: Store, home: Home, tls: ssl.SSLContext | None
) -> AsyncIterator[tuple[str, int]]:
    app = create_app(settings, store, home)
    # The home lives from here on, and the shard's port is known before anybody is sent there.
    async with _running(app) as runner, _sharded(app, settings, tls):
        yield settings.host, await _listen(runner, settings, settings.port, tls)


@asynccontextmanager
async def _sharded(app: web.Application, settings: Settings, tls: ssl.SSLContext | None) -> AsyncIterator[None]:
    shard = app[CONTEXT].shard
    if shard is None or settings.shard is None:
        yield
        return
    async with _running(create_shard_app(app)) as runner:
        shard.port = await _listen(runner, settings, settings.shard, tls)
        yield


@asynccontextmanager
async def _running(app: web.Application) -> AsyncIterator[web.AppRunner]:
    runner = web.AppRunner(app, **RUNNER_OPTIONS)
    await runner.setup()
    try:
        yield runner
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, settings: Settings, port: int, tls: ssl.SSLContext | None) -> int:
    """Return the port, which is another one if any free one was wanted. Raises ``ListenError``."""
    try:
        await Door(runner, settings, port, tls).start()
    except OSError as error:
        raise ListenError(explain_listening(error, settings, port)) from error
    return int(runner.addresses[0][1])


def explain_listening(error: OSError, settings: Settings, port: int) -> str:
    """Return why the server can't listen on a port where it should, and what to do."""
    if isinstance(error, socket.gaierror):
        return f"{settings.host} is not the name of an address of this machine."
    text = _LISTEN_PROBLEMS.get(error.errno or 0)
    if text is None:
        return f"Can't listen on {settings.host}, port {port}: {error}."
    return text.format(host=settings.host, port=port, flag="--shard" if port == settings.shard else "--port")


def _service(settings: Settings, store: Store, port: int) -> Service:
    address = socket.getaddrinfo(settings.host, port, type=socket.SOCK_STREAM)[0][4][0]
    scheme = _scheme(settings.certificate)
    return Service(str(address), port, store.server_id, store.name or DEFAULT_NAME, scheme)


def _scheme(encrypted: object) -> str:
    return "http" if encrypted is None else "https"
