"""A linked server that announces itself from another address: followed only once it has proved who it is.

Announcements can be forged, so nothing secret goes to the new address before the proof: not the token, not the client's
secret. And while the old address answers, nothing has moved.
"""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from yarl import URL

from .const import CONF_CLIENT, CONF_SERVER, DOMAIN, LOGGER
from .wwn import NestServer, async_discover
from .wwn.auth import RegisteredClient
from .wwn.errors import WwnError
from .wwn.proof import async_prove


async def async_follow(hass: HomeAssistant, server_id: str | None, base: URL) -> bool:
    """Let the links of a known server follow it to where it announces itself; return whether it is a known one."""
    entries = [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        if server_id and CONF_CLIENT in entry.data and entry.data[CONF_SERVER]["server_id"] == server_id
    ]
    for entry in entries:
        known = NestServer.from_dict(entry.data[CONF_SERVER])
        if base.origin() != known.base.origin() and not await _is_still_there(hass, known):
            await _follow(hass, entry, known, base)
    return bool(entries)


async def _is_still_there(hass: HomeAssistant, known: NestServer) -> bool:
    """Whether anything answers at the address that is known; a server that moved leaves nobody there."""
    try:
        found = await async_discover(async_get_clientsession(hass), known.base, known.fingerprint)
    except WwnError:
        return False
    return found.server_id == known.server_id


async def _follow(hass: HomeAssistant, entry: ConfigEntry[Any], known: NestServer, base: URL) -> None:
    client, session = RegisteredClient.from_dict(entry.data[CONF_CLIENT]), async_get_clientsession(hass)
    try:
        _raise_if_less_secure(known, base)
        found = await async_prove(session, known, client, base)
    except (WwnError, ValueError) as err:
        LOGGER.debug("What was found did not prove that it is the server of %s: %s", entry.title, err)
        _say_unproven(hass, entry, base)
        return
    LOGGER.info("A linked server moved from %s to %s, and proved it", known.base, found.base)
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_SERVER: found.as_dict()})
    hass.config_entries.async_schedule_reload(entry.entry_id)


def is_less_secure(known: NestServer, base: URL) -> bool:
    """Whether others could listen at another address of a server, and cannot at the known one."""
    return known.base.scheme == "https" and base.scheme != "https"


def _raise_if_less_secure(known: NestServer, base: URL) -> None:
    if is_less_secure(known, base):
        msg = "it is less secure than before"
        raise ValueError(msg)


def moved_issue(entry: ConfigEntry[Any]) -> str:
    """Return the id of the repair about a server that may have moved."""
    return f"moved_{entry.entry_id}"


@callback
def announced_at(hass: HomeAssistant, entry: ConfigEntry[Any]) -> str | None:
    """Return where the server of a link may have moved to; None as long as there is nothing to ask a person."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, moved_issue(entry))
    return (issue.translation_placeholders or {}).get("address") if issue else None


@callback
def _say_unproven(hass: HomeAssistant, entry: ConfigEntry[Any], base: URL) -> None:
    """Ask the person whether it is the same server; taken back when the link is up again."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        moved_issue(entry),
        data={"entry_id": entry.entry_id},
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key="moved",
        translation_placeholders={"home": entry.title, "address": str(base)},
    )
