"""The websocket command of the alarm card and the dashboard: one picture of all links, and every change of it."""

from typing import Any, Final

from homeassistant.components import websocket_api
from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntry, ConfigEntryChange
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
import voluptuous as vol

from .const import DOMAIN, SIGNAL_NEWS
from .snapshot import Json, LinkView

REGISTRIES: Final = (
    ar.EVENT_AREA_REGISTRY_UPDATED,
    dr.EVENT_DEVICE_REGISTRY_UPDATED,
    er.EVENT_ENTITY_REGISTRY_UPDATED,
)


@callback
def async_setup_subscription(hass: HomeAssistant) -> None:
    """Offer the command."""
    websocket_api.async_register_command(hass, handle_subscribe)


@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/subscribe"})
@callback
def handle_subscribe(hass: HomeAssistant, connection: websocket_api.ActiveConnection, message: dict[str, Any]) -> None:
    """Send the picture now and whenever it changes, until the browser leaves."""
    subscription = Subscription(hass, connection, message["id"])
    connection.subscriptions[message["id"]] = subscription.async_stop
    connection.send_result(message["id"])
    subscription.async_start()


class Subscription:
    """One browser that looks on.

    Each message holds all links by the id of their entry, each with how fresh its news is, and its homes only where
    they are not what this browser was told last. What comes together is sent together. sent: when, in seconds by a
    clock that is never set, so that a browser can see what reaches it late.
    """

    def __init__(self, hass: HomeAssistant, connection: websocket_api.ActiveConnection, number: int) -> None:
        """Serve a subscription of a connection."""
        self._hass = hass
        self._connection = connection
        self._number = number
        self._told: dict[str, list[Json]] = {}
        self._ends: list[CALLBACK_TYPE] = []
        self._is_due = False
        self._has_ended = False

    @callback
    def async_start(self) -> None:
        """Tell all there is, and listen for what may change it."""
        hass = self._hass
        self._ends = [hass.bus.async_listen(event, self._async_registry_changed) for event in REGISTRIES]
        self._ends.append(async_dispatcher_connect(hass, SIGNAL_NEWS, self._async_news))
        self._ends.append(async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_entry_changed))
        self._tell()

    @callback
    def async_stop(self) -> None:
        """Listen no more."""
        self._has_ended = True
        for end in self._ends:
            end()

    @callback
    def _async_news(self, _entry_id: str) -> None:
        self._tell_soon()

    @callback
    def _async_registry_changed(self, _event: Event[Any]) -> None:
        self._tell_soon()

    @callback
    def _async_entry_changed(self, _change: ConfigEntryChange, entry: ConfigEntry[Any]) -> None:
        if entry.domain == DOMAIN:
            self._tell_soon()

    @callback
    def _tell_soon(self) -> None:
        """Tell when everybody has taken what is going on now, so that nothing is told half."""
        if not self._is_due:
            self._is_due = True
            self._hass.loop.call_soon(self._tell)

    def _tell(self) -> None:
        self._is_due = False
        if self._has_ended:
            return
        entries = self._hass.config_entries.async_entries(DOMAIN, include_disabled=False, include_ignore=False)
        self._told = {entry.entry_id: self._told.get(entry.entry_id, []) for entry in entries}
        links = {entry.entry_id: self._link(entry) for entry in entries}
        news = {"sent": self._hass.loop.time(), "links": links}
        self._connection.send_message(websocket_api.event_message(self._number, news))

    def _link(self, entry: ConfigEntry[Any]) -> Json:
        # Asked for each time, as what a user may read can change.
        view = LinkView(self._hass, entry, self._connection.user.permissions)
        told = self._told[entry.entry_id]
        # While a link is loaded anew nobody knows what was last heard, so what was told of its homes stands.
        homes = view.homes() if view.is_known or not told else told
        self._told[entry.entry_id] = homes
        freshness = view.freshness(homes)
        return freshness if homes is told or homes == told else {**freshness, "homes": homes}
