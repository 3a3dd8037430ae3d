"""Where connections come in: so many from one address and no more, so many in all and no more."""

from __future__ import annotations

import asyncio
from asyncio.sslproto import SSLProtocol
import resource
from typing import TYPE_CHECKING, Final

from aiohttp import web

from .proxies import is_trusted
from .speaker import Speaker, speaker_options

if TYPE_CHECKING:
    import ssl

    from .settings import Settings

# What the process needs besides: its database, logs, libraries, sockets of the announcement.
_OTHER_FILES: Final = 100
_FEWEST: Final = 50
_HANDSHAKE_SECONDS: Final = 10


class Door(web.BaseSite):
    """A listening address of a runner."""

    def __init__(self, runner: web.AppRunner, settings: Settings, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Prepare to listen."""
        super().__init__(runner, ssl_context=tls)
        self._settings = settings
        self._spoken = speaker_options(settings)
        self._port = port
        self._most = most_connections()
        # Those that have not agreed on a key yet, whom the runner does not know.
        self._greeted: set[asyncio.Transport] = set()

    @property
    def name(self) -> str:
        """Return what is listened on, for the runner's own words."""
        return f"{self._settings.host}:{self._port}"

    async def start(self) -> None:
        """Listen. Raises ``OSError``."""
        await super().start()
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Threshold(self), self._settings.host, self._port, backlog=128
        )

    def is_open_to(self, address: str) -> bool:
        """Say whether there is room for one more connection of an address."""
        server = self._runner.server
        self._greeted = {each for each in self._greeted if not each.is_closing()}
        inside = [] if server is None else [each.transport for each in server.connections]
        connections = [*inside, *self._greeted]
        if len(connections) >= self._most:
            return False
        # Everybody comes from the address of the proxy.
        if is_trusted(address, self._settings.trusted_proxy):
            return True
        return sum(_address(each) == address for each in connections) < self._settings.connections_per_address

    def greet(self, transport: asyncio.Transport) -> None:
        """Agree on a key first, where what is said here is encrypted.

        asyncio would do so before anybody could look who it is, and how often they are here already.
        """
        if self._ssl_context is None:
            self.let_in(transport)
            return
        self._greeted.add(transport)
        tls = SSLProtocol(
            asyncio.get_running_loop(),
            _Agreed(self, transport),
            self._ssl_context,
            None,  # type: ignore[arg-type] # nobody waits, as where asyncio listens itself
            server_side=True,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS,
        )
        transport.set_protocol(tls)
        tls.connection_made(transport)

    def agreed(self, transport: asyncio.Transport) -> None:
        """Forget one that was greeted: it is inside now."""
        self._greeted.discard(transport)

    def let_in(self, transport: asyncio.Transport) -> None:
        """Have HTTP spoken on a connection."""
        if self._runner.server is None:
            raise ConnectionAbortedError
        protocol = Speaker(self._runner.server, loop=asyncio.get_running_loop(), **self._spoken)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)


class _Threshold(asyncio.Protocol):
    """The first thing that a connection meets."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection on, or end it."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        if self._door.is_open_to(_address(transport)):
            self._door.greet(transport)
        else:
            transport.abort()


class _Agreed(asyncio.Protocol):
    """What a connection meets once it is encrypted."""

    def __init__(self, door: Door, plain: asyncio.Transport) -> None:
        self._door = door
        self._plain = plain

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection on."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._door.agreed(self._plain)
        self._door.let_in(transport)


def most_connections() -> int:
    """Return how many connections this process may have: the system counts them among its open files."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(_FEWEST, allowed - _OTHER_FILES)


def _address(transport: asyncio.BaseTransport | None) -> str:
    peer = None if transport is None else transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""
