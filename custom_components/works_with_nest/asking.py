"""Asking a person to link again, also where Home Assistant would not.

It does not ask while a dialogue that changes the link is open, and it takes one for open whose window was closed.
"""

from asyncio import sleep
from typing import Any, Final

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN

# How long a dialogue may stay open before it counts as forgotten, and how often that is looked at, in seconds.
FORGOTTEN_AFTER: Final = 600.0
LOOK_EVERY: Final = 1.0


@callback
def async_ask_once_possible(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Ask to link again once no dialogue is in the way; where none is, Home Assistant asks by itself."""
    if _open(hass, entry):
        # Not a task of the entry, which ends those when it is loaded anew and refused again.
        hass.async_create_background_task(_ask(hass, entry), f"{DOMAIN} asking {entry.entry_id}")


async def _ask(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Wait for the dialogue, then ask, unless it linked again by itself or the link is not wanted any more."""
    refused, end = entry.data, hass.loop.time() + FORGOTTEN_AFTER
    while dialogues := _open(hass, entry):
        if hass.loop.time() >= end:
            for flow_id in dialogues:
                hass.config_entries.flow.async_abort(flow_id)
            break
        await sleep(LOOK_EVERY)
    is_wanted = entry.disabled_by is None and hass.config_entries.async_get_entry(entry.entry_id) is not None
    if is_wanted and entry.data == refused:
        entry.async_start_reauth(hass)


def _open(hass: HomeAssistant, entry: ConfigEntry[Any]) -> list[str]:
    """Return the dialogues that change the link."""
    return [flow["flow_id"] for flow in entry.async_get_active_flows(hass, {SOURCE_RECONFIGURE})]
