"""Asking something on http(s) that a person named: nothing but its own answers are taken, and few of its bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver
import orjson

from wwn_server.homes.source import Failure

from .reach import LARGEST, SECONDS, ReachError, failure_of, resolved

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    import socket
    import ssl

    from aiohttp.abc import ResolveResult

    from .reach import Address

_FINE: Final = 200
# What an answer that is not fine means; any other is that of something else.
_FAILURES: Final = (
    (range(300, 400), Failure.REDIRECT),
    (range(400, 401), Failure.REFUSED),
    (range(401, 402), Failure.CREDENTIALS),
    (range(403, 404), Failure.CREDENTIALS),
    (range(500, 600), Failure.FAULT),
)


class _Resolver(AbstractResolver):
    """Finds out where names lead to, and refuses where no device of a home can be."""

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily | int = 0) -> list[ResolveResult]:
        """Return the addresses of a name. Raises ``ReachError`` and ``OSError``."""
        found = await resolved(host, port)
        return [each for each in found if not family or each["family"] == family]  # type: ignore[misc]

    async def close(self) -> None:
        """Have nothing to let go of."""


class Web:
    """One server on http(s). What it says beside JSON, and whatever a failure holds, is never told."""

    def __init__(
        self, address: Address, *, query: Mapping[str, str] | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        """Prepare to ask; ``query`` goes with each request, and may hold a secret."""
        self._address = address
        self._query = dict(query or {})
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def get(self, path: str) -> Any:
        """Return the value at a path. Raises ``ReachError``."""
        return await self._ask("GET", path, None)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send a value, and return the answer. Raises ``ReachError``."""
        return await self._ask("POST", path, body)

    async def events(self, path: str) -> AsyncIterator[None]:
        """Yield whenever the server says something at a path that stays open. Raises ``ReachError``."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=SECONDS)
        try:
            async with self._request("GET", path, None, timeout) as response:
                _demand_fine(response.status)
                yield None
                async for _ in response.content.iter_any():
                    yield None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ReachError(failure_of(error)) from None

    async def close(self) -> None:
        """Let go of all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        try:
            async with self._request(method, path, body, timeout) as response:
                _demand_fine(response.status)
                return _parsed(await _read(response.content))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Nothing of it is kept: an address in it may hold the key.
            raise ReachError(failure_of(error)) from None

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None, timeout: aiohttp.ClientTimeout) -> Any:
        if self._session is None:
            self._session = self._new_session()
        return self._session.request(
            method,
            f"{self._address}{path}",
            params=self._query,
            json=body,
            timeout=timeout,
            allow_redirects=False,
        )

    def _new_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=_Resolver(), ssl=self._tls or True),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity"},
        )


async def _read(content: aiohttp.StreamReader) -> bytes:
    read = bytearray()
    async for chunk in content.iter_any():
        read += chunk
        if len(read) > LARGEST:
            raise ReachError(Failure.TOO_LARGE)
    return bytes(read)


def _demand_fine(status: int) -> None:
    if status != _FINE:
        raise ReachError(next((failure for codes, failure in _FAILURES if status in codes), Failure.NOT_IT))


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ReachError(Failure.NOT_IT) from None
