"""What a home can share: the choices of the form, the permissions they ask for, and the reasons."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import BooleanSelector, SelectSelector, SelectSelectorConfig
import voluptuous as vol

from .sentences import async_sentence
from .wwn.models import Permission

CONF_THERMOSTAT: Final = "thermostat"
CONF_AWAY: Final = "away"
CONF_SMOKE_CO: Final = "smoke_co"
CONF_ARRIVALS: Final = "arrivals"

NOTHING: Final = "nothing"
SEE: Final = "see"
CHANGE: Final = "change"

# What can be chosen for each kind of data, and the permission that asks for it.
PERMISSION_OF_CHOICE: Final[Mapping[str, Mapping[str | bool, Permission]]] = {
    CONF_THERMOSTAT: {SEE: Permission.THERMOSTAT_READ, CHANGE: Permission.THERMOSTAT_READ_WRITE},
    CONF_AWAY: {SEE: Permission.AWAY_READ, CHANGE: Permission.AWAY_READ_WRITE},
    CONF_SMOKE_CO: {True: Permission.SMOKE_CO_READ},
    CONF_ARRIVALS: {True: Permission.ETA_WRITE},
}

ACCESS: Final = SelectSelector(SelectSelectorConfig(options=[CHANGE, SEE, NOTHING], translation_key="access"))
SHARED: Final = {
    vol.Required(CONF_THERMOSTAT, default=CHANGE): ACCESS,
    vol.Required(CONF_AWAY, default=CHANGE): ACCESS,
    vol.Required(CONF_SMOKE_CO, default=True): BooleanSelector(),
    # Of use only to those who tell it from an automation, so it is asked for by them.
    vol.Required(CONF_ARRIVALS, default=False): BooleanSelector(),
}


def chosen_permissions(user_input: Mapping[str, Any]) -> tuple[Permission, ...]:
    """Return the permissions for what was chosen on the form."""
    return tuple(
        choices[user_input[field]] for field, choices in PERMISSION_OF_CHOICE.items() if user_input[field] in choices
    )


def choices_of(permissions: Iterable[Permission]) -> dict[str, str | bool]:
    """Return what has to be chosen on the form for some permissions: chosen_permissions, backwards."""
    held = frozenset(permissions)
    nothing = {field: False if True in choices else NOTHING for field, choices in PERMISSION_OF_CHOICE.items()}
    pairs = [(field, *pair) for field, choices in PERMISSION_OF_CHOICE.items() for pair in choices.items()]
    return {**nothing, **{field: choice for field, choice, permission in pairs if permission in held}}


async def async_reasons(hass: HomeAssistant, permissions: Iterable[Permission]) -> dict[Permission, str]:
    """Return what is asked for, each with the sentence that stands beside its switch."""
    return {
        permission: await async_sentence(hass, "config", f"step.share.data_description.{field}")
        for permission in permissions
        for field, choices in PERMISSION_OF_CHOICE.items()
        if permission in choices.values()
    }


async def async_names(hass: HomeAssistant, permissions: Iterable[Permission]) -> str:
    """Return what some permissions are about, for a person: the labels of their switches."""
    held = frozenset(permissions)
    fields = [field for field, choices in PERMISSION_OF_CHOICE.items() if held & frozenset(choices.values())]
    return ", ".join([await async_sentence(hass, "config", f"step.share.data.{field}") for field in fields])
