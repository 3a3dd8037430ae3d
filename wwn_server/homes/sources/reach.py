"""Where a source may be, and the words for everything that can go wrong on the way there.

Only the class of a failure is ever told. What the other side said stays there: it may hold secrets of its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
import ipaddress
import socket
import ssl
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import aiohttp

from wwn_server.addresses import address_of
from wwn_server.homes.source import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# How long one request, or one attempt to connect, may take.
SECONDS: Final = 5.0
# How much of an answer is read.
LARGEST: Final = 1024 * 1024

WEB: Final = {"http": 80, "https": 443}
MQTT: Final = {"mqtt": 1883, "mqtts": 8883}

_LONGEST_ADDRESS: Final = 500
_LINK_LOCAL: Final = tuple(ipaddress.ip_network(each) for each in ("169.254.0.0/16", "fe80::/10"))

# IPv4 in the last four bytes: of hosts that spoke both (RFC 4291, 2.5.5.1), and by way of a translator (RFC 6052, 2.1).
_CARRYING: Final = tuple(ipaddress.ip_network(each) for each in ("::/96", "64:ff9b::/96"))

type _Number = ipaddress.IPv4Address | ipaddress.IPv6Address


class ReachError(Exception):
    """Something can't be reached; only the class of the failure is kept, and which of the addresses it was."""

    def __init__(self, failure: Failure, at: str = "address") -> None:
        """Keep the class, and what the address is called among what can be set."""
        super().__init__(failure.value)
        self.failure = failure
        self.at = at


@dataclass(frozen=True, slots=True)
class Address:
    """Where something is: scheme, host and port, and nothing that could be a secret."""

    scheme: str
    host: str
    port: int

    @property
    def is_encrypted(self) -> bool:
        """Whether what is said there can't be read on the way."""
        return self.scheme in {"https", "mqtts"}

    def __str__(self) -> str:
        """Return it as it is written."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def address(text: str, schemes: Mapping[str, int]) -> Address:
    """Return the address that a person means, of one of these schemes. Raises ``ReachError``."""
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ReachError(Failure.ADDRESS) from None
    is_bare = parts.path in {"", "/"} and not (parts.query or parts.fragment or "@" in parts.netloc)
    is_sound = host is not None and _is_host(host) and len(text) <= _LONGEST_ADDRESS
    if host is None or parts.scheme not in schemes or not (is_bare and is_sound) or port == 0:
        raise ReachError(Failure.ADDRESS)
    found = address_of(host)
    if found is not None:
        demand_allowed([str(found)])
    return Address(parts.scheme, host, port or schemes[parts.scheme])


def demand_allowed(numbers: Iterable[str]) -> None:
    """Raise ``ReachError`` where one of these addresses belongs to no device of a home."""
    for number in numbers:
        found = address_of(number.partition("%")[0])
        if found is None or any(map(_is_nobodys, (found, *_within(found)))):
            raise ReachError(Failure.FORBIDDEN)


def _is_nobodys(found: _Number) -> bool:
    return found.is_multicast or found.is_unspecified or any(found in each for each in _LINK_LOCAL)


def _within(found: _Number) -> Iterator[ipaddress.IPv4Address]:
    """Yield the IPv4 addresses that an IPv6 address may lead to."""
    if isinstance(found, ipaddress.IPv6Address):
        if any(found in each for each in _CARRYING):
            yield ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        yield from (each for each in (found.sixtofour, *(found.teredo or ())) if each is not None)


async def resolved(host: str, port: int) -> list[dict[str, Any]]:
    """Return all that a name leads to, as aiohttp wants it. Raises ``ReachError`` and ``OSError``."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    demand_allowed(str(place[0]) for *_, place in found)
    return [
        {"hostname": host, "host": place[0], "port": place[1], "family": family, "proto": proto, "flags": 0}
        for family, _, proto, _, place in found
    ]


def failure_of(error: BaseException) -> Failure:
    """Return the class of a failure to connect, of this error or of what caused it."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        known = next((failure for kind, failure in _FAILURES if isinstance(cause, kind)), None)
        if known is not None:
            return cause.failure if isinstance(cause, ReachError) else known
        cause = getattr(cause, "os_error", None) or cause.__cause__ or cause.__context__
    return Failure.NOBODY


_FAILURES: Final[tuple[tuple[type[BaseException], Failure], ...]] = (
    (ReachError, Failure.NOBODY),
    (ssl.SSLError, Failure.CERTIFICATE),
    (ssl.CertificateError, Failure.CERTIFICATE),
    (TimeoutError, Failure.TOO_SLOW),
    (socket.gaierror, Failure.UNKNOWN_NAME),
    (ConnectionResetError, Failure.LOST),
    (aiohttp.ServerDisconnectedError, Failure.LOST),
    (aiohttp.ClientPayloadError, Failure.LOST),
    (aiohttp.ClientResponseError, Failure.NOT_IT),
)


def _is_host(host: str) -> bool:
    return address_of(host) is not None or (host.isascii() and all(each.isalnum() or each in "-_." for each in host))
