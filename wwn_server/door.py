"""Where connections come in: so many from one address and no more, so many in all and no more."""

from __future__ import annotations

import asyncio
import resource
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from .proxies import is_trusted
from .speaker import Speaker, speaker_options

if TYPE_CHECKING:
    import ssl

    from .settings import Settings

# What the process needs besides: its database, logs, libraries, sockets of the announcement.
_OTHER_FILES: Final = 100
_FEWEST: Final = 50
_HANDSHAKE_SECONDS: Final = 10.0


class Door(web.BaseSite):
    """A listening address of a runner."""

    def __init__(self, runner: web.AppRunner, settings: Settings, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Prepare to listen."""
        super().__init__(runner, ssl_context=tls)
        self._settings = settings
        self._spoken = speaker_options(settings)
        self._port = port
        self._most = most_connections()

    @property
    def name(self) -> str:
        """Return what is listened on, for the runner's own words."""
        return f"{self._settings.host}:{self._port}"

    async def start(self) -> None:
        """Listen. Raises ``OSError``."""
        await super().start()
        with_tls: dict[str, Any] = {"ssl_handshake_timeout": _HANDSHAKE_SECONDS} if self._ssl_context else {}
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Threshold(self), self._settings.host, self._port, ssl=self._ssl_context, backlog=128, **with_tls
        )

    def is_open_to(self, address: str) -> bool:
        """Say whether there is room for one more connection of an address."""
        server = self._runner.server
        connections = [] if server is None else server.connections
        if len(connections) >= self._most:
            return False
        # Everybody comes from the address of the proxy.
        if is_trusted(address, self._settings.trusted_proxy):
            return True
        return sum(_address(each.transport) == address for each in connections) < self._settings.connections_per_address

    def protocol(self) -> asyncio.Protocol:
        """Return what speaks HTTP on one connection."""
        if self._runner.server is None:
            raise ConnectionAbortedError
        return Speaker(self._runner.server, loop=asyncio.get_running_loop(), **self._spoken)


class _Threshold(asyncio.Protocol):
    """The first thing that a connection meets."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection on, or end it."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        if not self._door.is_open_to(_address(transport)):
            transport.abort()
            return
        protocol = self._door.protocol()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)


def most_connections() -> int:
    """Return how many connections this process may have: the system counts them among its open files."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(_FEWEST, allowed - _OTHER_FILES)


def _address(transport: asyncio.BaseTransport | None) -> str:
    peer = None if transport is None else transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""
