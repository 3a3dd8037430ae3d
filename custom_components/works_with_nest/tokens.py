"""Ending a token on its server, but never one that a link still has."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .const import CONF_TOKEN, DOMAIN
from .wwn import NestServer
from .wwn.auth import async_revoke


async def async_end_token(
    hass: HomeAssistant, server: NestServer, token: str, *, removed: ConfigEntry[Any] | None = None
) -> None:
    """End a token, unless a link has it: a service may give the same one twice (protocol 1.5). Raises WwnError.

    removed: a link that is on its way out, whose token it is.
    """
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    gone = removed.entry_id if removed else None
    if not any(entry.data[CONF_TOKEN]["access_token"] == token for entry in entries if entry.entry_id != gone):
        await async_revoke(async_get_clientsession(hass), server, token)
