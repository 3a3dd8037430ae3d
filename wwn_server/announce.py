"""Telling the local network by mDNS that this server is here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
import ipaddress
import logging
import re
from typing import Final

import ifaddr
from zeroconf import InterfaceChoice
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

SERVICE_TYPE: Final = "_works-with-nest._tcp.local."

_LOGGER: Final = logging.getLogger(__name__)
# A label of DNS holds 63 bytes; part of the id keeps two servers of one name apart.
_NAME_BYTES: Final = 50
_NOT_IN_A_LABEL: Final = re.compile(r"[.\\\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Service:
    """What is announced: the listening address, and who is there."""

    address: str
    port: int
    server_id: str
    name: str
    scheme: str = "http"


class Announcement:
    """A service on the network, from start to close."""

    def __init__(self, service: Service) -> None:
        """Prepare; nothing is sent yet."""
        self._service = service
        self._zeroconf: AsyncZeroconf | None = None

    async def start(self) -> None:
        """Announce. A network that won't have it costs one warning, nothing else."""
        where = interfaces(self._service.address)
        try:
            self._zeroconf = AsyncZeroconf(interfaces=where)
            # What registering returns is the announcing itself, which goes on for a second.
            await (await self._zeroconf.async_register_service(describe(self._service), allow_name_change=True))
        except Exception as error:  # noqa: BLE001
            _LOGGER.warning(
                "The server can't announce itself on the network (%s: %s). Hubs will "
                "not find it by themselves; type its address there",
                type(error).__name__,
                error,
            )

    async def close(self) -> None:
        """Take the announcement back."""
        zeroconf, self._zeroconf = self._zeroconf, None
        if zeroconf is not None:
            await zeroconf.async_unregister_all_services()
            await zeroconf.async_close()


@asynccontextmanager
async def announced(service: Service) -> AsyncIterator[None]:
    """Keep a service announced, without waiting until it is."""
    announcement = Announcement(service)
    starting = asyncio.create_task(announcement.start(), name="announcement")
    try:
        yield
    finally:
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting
        await announcement.close()


def interfaces(address: str) -> InterfaceChoice | list[str]:
    """Return where to announce: the listening interface only, if it is one."""
    if ipaddress.ip_address(address).is_unspecified:
        return InterfaceChoice.All
    return [address]


def describe(service: Service) -> AsyncServiceInfo:
    """Return the announcement of a service."""
    short_id = service.server_id[:8]
    name = _NOT_IN_A_LABEL.sub(" ", service.name).encode()[:_NAME_BYTES]
    label = f"{name.decode(errors='ignore').strip()} {short_id}"
    return AsyncServiceInfo(
        SERVICE_TYPE,
        f"{label}.{SERVICE_TYPE}",
        parsed_addresses=_addresses(service.address),
        port=service.port,
        properties={"id": service.server_id, "path": "/", "scheme": service.scheme},
        server=f"{host_name(service.server_id)}.",
    )


def host_name(server_id: str) -> str:
    """Return the name of its own under which a server is announced."""
    return f"wwn-{server_id[:8]}.local"


def urls(service: Service) -> list[str]:
    """Return the addresses at which other machines reach a server that listens to all of them."""
    if not ipaddress.ip_address(service.address).is_unspecified:
        return []
    hosts = [f"[{each}]" if ":" in each else each for each in _addresses(service.address)]
    return [f"{service.scheme}://{each}:{service.port}" for each in hosts]


def _addresses(address: str) -> list[str]:
    """Return the addresses to reach, of the kind that is listened on where it is all of them: IPv4, or IPv6."""
    listened = ipaddress.ip_address(address)
    if not listened.is_unspecified:
        return [address]
    spelled = [
        each.ip if isinstance(each.ip, str) else each.ip[0] for adapter in ifaddr.get_adapters() for each in adapter.ips
    ]
    return [str(each) for each in map(ipaddress.ip_address, spelled) if _is_reached(each, listened.version)]


def _is_reached(address: ipaddress.IPv4Address | ipaddress.IPv6Address, version: int) -> bool:
    """Say whether others reach this address; one of IPv6 that is of a single link names no machine without the link."""
    of_one_link = address.version == 6 and address.is_link_local  # noqa: PLR2004
    return address.version == version and not address.is_loopback and not of_one_link
