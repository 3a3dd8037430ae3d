"""Sentences of ours inside those of others: in the language that Home Assistant is set to."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN


async def async_sentence(hass: HomeAssistant, category: str, path: str, values: dict[str, str] | None = None) -> str:
    """Return one text of the translations, with what it names filled in."""
    texts = await async_get_translations(hass, hass.config.language, category, {DOMAIN})
    return texts[f"component.{DOMAIN}.{category}.{path}"].format(**(values or {}))
