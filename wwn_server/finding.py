"""Home Assistants that tell the local network where they are (mDNS)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
import logging
import socket
from typing import Final

from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from .addresses import is_redirect_uri, split
from .announce import interfaces

SERVICE_TYPE: Final = "_home-assistant._tcp.local."

_LOGGER: Final = logging.getLogger(__name__)
_LISTEN_SECONDS: Final = 2.0
_ASK_MS: Final = 1000
_MOST: Final = 10
_LONGEST_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Found:
    """A Home Assistant as it describes itself, which nobody checked."""

    name: str
    address: str


class Finder:
    """Looks around on the network that the server listens on, one search at a time."""

    def __init__(self, host: str) -> None:
        """Look where this address is."""
        self._host = host
        self._one_at_a_time = asyncio.Lock()

    async def find(self) -> tuple[Found, ...]:
        """Listen for two seconds. A network that can't be asked has none."""
        async with self._one_at_a_time:
            try:
                return await self._search()
            except OSError as error:
                _LOGGER.warning("The network can't be searched for Home Assistant: %s", error)
                return ()

    async def _search(self) -> tuple[Found, ...]:
        loop = asyncio.get_running_loop()
        resolved = await loop.getaddrinfo(self._host, None, type=socket.SOCK_STREAM)
        zeroconf = AsyncZeroconf(interfaces=interfaces(str(resolved[0][4][0])))
        heard: dict[str, None] = {}
        enough = asyncio.Event()

        def hear(name: str, **_: object) -> None:
            heard[name] = None
            if len(heard) >= _MOST:
                enough.set()

        browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE_TYPE, handlers=[hear])
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LISTEN_SECONDS):
                    await enough.wait()
            infos = [AsyncServiceInfo(SERVICE_TYPE, name) for name in list(heard)[:_MOST]]
            await asyncio.gather(*(info.async_request(zeroconf.zeroconf, _ASK_MS) for info in infos))
            return tuple(found for found in map(_described, infos) if found is not None)
        finally:
            await browser.async_cancel()
            await zeroconf.async_close()


def origin(typed: str) -> str | None:
    """Return scheme and host of an address, http in the own network and https elsewhere if it says neither."""
    typed = typed.strip()
    candidates = (typed,) if "://" in typed else (f"http://{typed}", f"https://{typed}")
    url = next((each for each in candidates if is_redirect_uri(each)), None)
    parts = split(url) if url else None
    return None if parts is None else f"{parts.scheme}://{parts.netloc}"


def _described(info: AsyncServiceInfo) -> Found | None:
    said = info.decoded_properties
    told = (said.get("internal_url"), said.get("base_url"), *_by_address(info))
    address = next((each for each in map(origin, filter(None, told)) if each), None)
    name = said.get("location_name") or info.name.removesuffix(f".{SERVICE_TYPE}")
    shown = "".join(each for each in name if each.isprintable())[:_LONGEST_NAME]
    return None if address is None else Found(shown, address)


def _by_address(info: AsyncServiceInfo) -> list[str]:
    return [
        f"http://[{each}]:{info.port}" if ":" in each else f"http://{each}:{info.port}"
        for each in info.parsed_addresses()
    ]
