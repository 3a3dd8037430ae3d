"""What has to be done once a link has a new token: load it anew, end the old token, forget what is not shared now."""

from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .const import CONF_SERVER, LOGGER
from .tokens import async_end_token
from .wwn import NestServer
from .wwn.errors import WwnError


async def async_relink(hass: HomeAssistant, entry: ConfigEntry[Any], old_token: str, *, gives_less: bool) -> None:
    """Load a link with its new token. What the person stopped sharing by it goes; all else stays as it was."""
    if gives_less:
        await async_forget_lost(hass, entry)
    else:
        await hass.config_entries.async_reload(entry.entry_id)
    try:
        await async_end_token(hass, NestServer.from_dict(entry.data[CONF_SERVER]), old_token)
    except WwnError as err:
        LOGGER.debug("Could not end the old token, which its server may still take: %s", err)


async def async_forget_lost(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Load a link anew, and take what is not shared any more out of the registries, as a person wished."""
    await hass.config_entries.async_reload(entry.entry_id)
    if entry.state is not ConfigEntryState.LOADED or not entry.runtime_data.has_document:
        # Nobody can tell what is not shared.
        return
    entities, devices, touched = er.async_get(hass), dr.async_get(hass), set[str | None]()
    for each in er.async_entries_for_config_entry(entities, entry.entry_id):
        if each.disabled_by is None and not _is_shown(hass, each.entity_id):
            touched.add(each.device_id)
            entities.async_remove(each.entity_id)
    for device in dr.async_entries_for_config_entry(devices, entry.entry_id):
        # Only disabled ones are left of it, and those go with it.
        if device.id in touched and not er.async_entries_for_device(entities, device.id):
            devices.async_remove_device(device.id)


def _is_shown(hass: HomeAssistant, entity_id: str) -> bool:
    """Whether an entity is there now, and not just remembered from before."""
    state = hass.states.get(entity_id)
    return state is not None and not state.attributes.get("restored")
