"""How the links are, on the page about the system's health."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .const import CONF_SERVER, DOMAIN
from .wwn import NestServer
from .wwn.errors import WwnError
from .wwn.original import async_reach


@callback
def async_register(hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:
    """Register what is told."""
    register.async_register_info(async_info)


async def async_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return how many links there are, how many listen, when the last one was heard of, and whether servers answer."""
    entries = hass.config_entries.async_entries(DOMAIN, include_disabled=False, include_ignore=False)
    loaded = [entry.runtime_data for entry in entries if entry.state is ConfigEntryState.LOADED]
    contacts = [coordinator.last_contact for coordinator in loaded if coordinator.last_contact]
    servers = {entry.data[CONF_SERVER]["base"]: NestServer.from_dict(entry.data[CONF_SERVER]) for entry in entries}
    return {
        "server_reachable": _reachable(hass, list(servers.values())),
        "links": len(entries),
        "streams_up": sum(coordinator.live and coordinator.open_gap is None for coordinator in loaded),
        "last_contact": max(contacts, default=None),
    }


async def _reachable(hass: HomeAssistant, servers: list[NestServer]) -> str | dict[str, str]:
    """Return ok where every server answers as one, else what went wrong first."""
    for server in servers:
        try:
            await async_reach(async_get_clientsession(hass), server)
        except WwnError as err:
            return {"type": "failed", "error": f"{server.name}: {err}"}
    return "ok"
