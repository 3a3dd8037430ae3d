"""Actions of our own: when somebody arrives, and how long the fan runs."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from homeassistant.const import ATTR_AREA_ID, ATTR_DEVICE_ID, ATTR_ENTITY_ID, ATTR_FLOOR_ID, ATTR_LABEL_ID
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .const import DOMAIN
from .targets import Thing, device_ids, name_of, thing_of
from .wwn.models import Permission, Structure, Thermostat

ATTR_BEGIN: Final = "arrival_begin"
ATTR_END: Final = "arrival_end"
ATTR_TRIP: Final = "trip_id"
ATTR_MINUTES: Final = "minutes"
# The trip of those who name none: there is one at a time, and a new time for it replaces the last.
TRIP: Final = "home-assistant"
# What the fan timer takes (protocol 3.3).
FAN_MINUTES: Final = (15, 30, 45, 60, 120, 240, 480, 720)

TRIP_FIELD: Final = {vol.Optional(ATTR_TRIP, default=TRIP): vol.All(cv.string, vol.Length(min=1, max=256))}
TARGET_NEEDED: Final = cv.has_at_least_one_key(
    ATTR_AREA_ID, ATTR_DEVICE_ID, ATTR_ENTITY_ID, ATTR_FLOOR_ID, ATTR_LABEL_ID
)
SET_ETA: Final = vol.Schema(
    {
        **cv.TARGET_FIELDS,
        **TRIP_FIELD,
        vol.Required(ATTR_BEGIN): cv.datetime,
        vol.Required(ATTR_END): cv.datetime,
    }
)
CANCEL_ETA: Final = vol.Schema({**cv.TARGET_FIELDS, **TRIP_FIELD})
SET_FAN_TIMER: Final = vol.Schema(
    {**cv.TARGET_FIELDS, vol.Required(ATTR_MINUTES): vol.All(vol.Coerce(int), vol.In(FAN_MINUTES))}
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Set up the actions."""
    for name, run, schema in (
        ("set_eta", _set_eta, SET_ETA),
        ("cancel_eta", _cancel_eta, CANCEL_ETA),
        ("set_fan_timer", _set_fan_timer, SET_FAN_TIMER),
    ):
        hass.services.async_register(DOMAIN, name, run, schema=vol.Schema(vol.All(TARGET_NEEDED, schema)))


async def _set_eta(call: ServiceCall) -> None:
    """Tell homes that somebody arrives between two times."""
    begin, end = (_with_zone(call.data[key]) for key in (ATTR_BEGIN, ATTR_END))
    if end < begin:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="arrival_ends_before_it_begins")
    for home in _homes(call):
        with home.coordinator.writing():
            await home.coordinator.client.set_eta(home.wire_id, call.data[ATTR_TRIP], begin, end)


async def _cancel_eta(call: ServiceCall) -> None:
    """Tell homes that nobody arrives with this trip."""
    for home in _homes(call):
        with home.coordinator.writing():
            await home.coordinator.client.cancel_eta(home.wire_id, call.data[ATTR_TRIP])


async def _set_fan_timer(call: ServiceCall) -> None:
    """Run the fans of thermostats for some minutes."""
    thermostats = _targeted(call, lambda thing: thing.coordinator.data.thermostats.get(thing.wire_id))
    for thing, thermostat in thermostats:
        if Permission.THERMOSTAT_READ_WRITE not in thing.coordinator.permissions:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="thermostats_not_granted")
        if not thermostat.has_fan:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="no_fan",
                translation_placeholders={"name": name_of(call.hass, thing.device.id) or ""},
            )
    for thing, _ in thermostats:
        with thing.coordinator.writing():
            await thing.coordinator.client.start_fan(thing.wire_id, call.data[ATTR_MINUTES])


def _homes(call: ServiceCall) -> list[Thing]:
    """Return the homes that a call names, all of which take arrival times."""
    homes = [thing for thing, _ in _targeted(call, lambda thing: thing.coordinator.data.structures.get(thing.wire_id))]
    if not all(Permission.ETA_WRITE in home.coordinator.permissions for home in homes):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="arrivals_not_granted")
    return homes


def _targeted[T: (Structure, Thermostat)](
    call: ServiceCall, item_of: Callable[[Thing], T | None]
) -> list[tuple[Thing, T]]:
    """Return what a call is for. What it names one by one has to be that; of an area or a label, what is."""
    for key in (ATTR_DEVICE_ID, ATTR_ENTITY_ID):
        for named in call.data.get(key, ()):
            if not any(item_of(thing) for thing in _things(call.hass, {key: [named]})):
                raise ServiceValidationError(
                    translation_domain=DOMAIN,
                    translation_key="wrong_target",
                    translation_placeholders={"name": name_of(call.hass, named) or named},
                )
    found = [(thing, item) for thing in _things(call.hass, call.data) if (item := item_of(thing)) is not None]
    if not found:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="nothing_targeted")
    return found


def _things(hass: HomeAssistant, target: Mapping[str, Any]) -> list[Thing]:
    """Return the homes and devices of ours that a target names, of links that can take something.

    Where there is none of those and one of others, that is why.
    """
    found = [thing_of(hass, device_id) for device_id in sorted(device_ids(hass, target))]
    ready = [thing for thing in found if thing and thing.coordinator.has_document]
    if found and not ready:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="link_not_loaded")
    return ready


def _with_zone(moment: datetime) -> datetime:
    """Return a time with its zone, that of this Home Assistant where none was given."""
    return moment if moment.tzinfo else moment.replace(tzinfo=dt_util.get_default_time_zone())
