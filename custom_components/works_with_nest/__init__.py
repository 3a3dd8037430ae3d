"""Works with Nest: a Nest home, linked by one accepted request."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HassJob, HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv, device_registry as dr, issue_registry as ir
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.typing import ConfigType
from homeassistant.helpers.update_coordinator import UpdateFailed

from .const import CONF_CLIENT, CONF_SERVER, CONF_TOKEN, DOMAIN, LOGGER
from .coordinator import WwnConfigEntry, WwnCoordinator
from .entity import LINK_KEY, async_register_devices, async_remove_excluded, is_gone, remembered
from .frontend_modules import async_offer_modules, async_serve_modules, async_withdraw_modules
from .history import history_store
from .listener import WwnListener
from .moving import moved_issue
from .services import async_setup_services
from .subscription import async_setup_subscription
from .tokens import async_end_token
from .troubles import (
    async_forget_troubles,
    async_say_if_down_for_long,
    async_say_left_on_server,
    async_watch_troubles,
)
from .unknown_words import async_watch_words
from .wwn import NestServer
from .wwn.auth import RegisteredClient, async_delete_registration
from .wwn.errors import WwnError

PLATFORMS = [Platform.BINARY_SENSOR, Platform.CLIMATE, Platform.EVENT, Platform.SELECT, Platform.SENSOR]
CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what is there whether a link is loaded or not: the actions, and what the dashboards need."""
    async_setup_services(hass)
    async_setup_subscription(hass)
    await async_serve_modules(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: WwnConfigEntry) -> bool:
    """Set up one link: read its homes, then entities, then listen."""
    async_offer_modules(hass)
    entry.runtime_data = coordinator = WwnCoordinator(hass, entry)
    await _first_document(coordinator)
    entry.async_on_unload(hass.async_add_shutdown_job(HassJob(coordinator.async_shutdown)))
    async_register_devices(coordinator)
    entry.async_create_background_task(hass, async_remove_excluded(coordinator), f"{DOMAIN} homes left out")
    async_watch_words(coordinator)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    await async_watch_troubles(coordinator)
    entry.async_on_unload(coordinator.history.async_tell_when_started())
    entry.async_create_background_task(hass, WwnListener(coordinator).run(), f"{DOMAIN} listener {entry.entry_id}")
    return True


async def _first_document(coordinator: WwnCoordinator) -> None:
    """Read the homes. Where they were shown before, a link that is down says so: ended, or without an answer.

    One that never showed anything has nothing to say it with, so Home Assistant says it and tries again.
    """
    try:
        await coordinator.async_config_entry_first_refresh()
    except ConfigEntryAuthFailed as err:
        if not any(remembered(coordinator, LINK_KEY)):
            raise
        LOGGER.info("At the start, %s is not accepted any more: %s", coordinator.name, err.__cause__)
        coordinator.config_entry.async_start_reauth(coordinator.hass)
        coordinator.async_start_unheard()
    except ConfigEntryNotReady as err:
        if not isinstance(err.__cause__, UpdateFailed) or not any(remembered(coordinator, LINK_KEY)):
            await async_say_if_down_for_long(coordinator, err)
            raise
        LOGGER.info("Nothing is heard of %s at the start, trying on: %s", coordinator.name, err.__cause__.__cause__)
        coordinator.async_start_unheard()


async def async_unload_entry(hass: HomeAssistant, entry: WwnConfigEntry) -> bool:
    """Unload one link; nothing is ended on the server."""
    async_withdraw_modules(hass)
    entry.runtime_data.history.async_hold()
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: WwnConfigEntry, device_entry: dr.AnyDeviceEntry
) -> bool:
    """Let a person remove what the homes do not have any more; nobody can say while the link is not loaded."""
    return entry.state is ConfigEntryState.LOADED and is_gone(entry.runtime_data, device_entry)


async def async_remove_entry(hass: HomeAssistant, entry: WwnConfigEntry) -> None:
    """End the link on the server too, its token, then the registration that was made for it; forget what happened."""
    async_withdraw_modules(hass)
    await history_store(hass, entry.entry_id).async_remove()
    async_forget_troubles(hass, entry)
    ir.async_delete_issue(hass, DOMAIN, moved_issue(entry))
    session = async_get_clientsession(hass)
    server = NestServer.from_dict(entry.data[CONF_SERVER])
    endings = [async_end_token(hass, server, entry.data[CONF_TOKEN]["access_token"], removed=entry)]
    if CONF_CLIENT in entry.data:
        client = RegisteredClient.from_dict(entry.data[CONF_CLIENT])
        endings.append(async_delete_registration(session, server, client))
    is_left = False
    for ending in endings:
        try:
            await ending
        except WwnError as err:
            LOGGER.warning("Could not end the link on the server %s; its key is forgotten here: %s", server.base, err)
            is_left = True
    if is_left:
        async_say_left_on_server(hass, entry, server)
