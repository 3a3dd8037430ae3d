"""The config entry that linking stores, made without the dialogue: that one has tests of its own."""

from types import MappingProxyType
from typing import Any

from aiohttp import ClientSession, TCPConnector
from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from yarl import URL

from custom_components.works_with_nest.config_flow import WwnFlowHandler
from custom_components.works_with_nest.const import (
    CONF_CLIENT,
    CONF_HOMES,
    CONF_PERMISSIONS,
    CONF_SERVER,
    CONF_TOKEN,
    DOMAIN,
)
from custom_components.works_with_nest.wwn import async_discover

from .hub import Hub, Names
from .nest import REASONS, Granted

TEN_YEARS: int = 315_360_000
LONG_FROM_NOW: float = 4_102_444_800.0


async def link(hub: Hub, base: str, homes: list[str], granted: Granted) -> None:
    """Add the entry of a link to a server at an address, and set it up."""
    async with ClientSession(connector=TCPConnector(resolver=Names())) as session:
        server = await async_discover(session, URL(base))
    entry = ConfigEntry(
        data=_data(server.as_dict(), homes, granted),
        discovery_keys=MappingProxyType({}),
        domain=DOMAIN,
        minor_version=WwnFlowHandler.MINOR_VERSION,
        options={},
        source=SOURCE_USER,
        subentries_data=(),
        title="Campaign",
        unique_id=f"{server.server_id}:{homes[0]}",
        version=WwnFlowHandler.VERSION,
    )
    await hub.call(hub.hass.config_entries.async_add(entry))


def _data(server: dict[str, Any], homes: list[str], granted: Granted) -> dict[str, Any]:
    return {
        "auth_implementation": DOMAIN,
        CONF_TOKEN: {
            "access_token": granted.access_token,
            "expires_in": TEN_YEARS,
            "expires_at": LONG_FROM_NOW,
        },
        CONF_SERVER: server,
        CONF_CLIENT: {"client_id": granted.client_id, "client_secret": granted.client_secret, "version": 1},
        CONF_PERMISSIONS: list(REASONS),
        CONF_HOMES: homes,
    }
