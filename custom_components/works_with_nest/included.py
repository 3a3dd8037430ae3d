"""Which homes a link includes."""

from typing import Any

from homeassistant.config_entries import ConfigEntry

from .const import CONF_HOMES


def included_homes(entry: ConfigEntry[Any]) -> frozenset[str]:
    """Return the ids of the homes of a link: those that were linked, or what was chosen of them since."""
    return frozenset(entry.options.get(CONF_HOMES, entry.data[CONF_HOMES]))
