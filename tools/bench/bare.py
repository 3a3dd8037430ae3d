"""The least an entity can be in Home Assistant, an id, a name and a state: what the link's are held against."""

from collections.abc import Iterable
from datetime import timedelta
import logging
from typing import Final, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import EntityPlatform

LOGGER: Final = logging.getLogger(__name__)


class BareEntity(Entity):
    """An entity that knows nothing but its state."""

    _attr_should_poll = False

    def __init__(self, number: int) -> None:
        """Have a number, and so an id and a name."""
        self._attr_unique_id = f"bare-{number}"
        self._attr_name = f"Bare {number}"
        self.value = 0.0

    @property
    @override
    def state(self) -> str:
        """Return the state."""
        return str(self.value)


def bare_platform(hass: HomeAssistant) -> EntityPlatform:
    """Return a place for bare entities."""
    return EntityPlatform(
        hass=hass,
        logger=LOGGER,
        domain="sensor",
        platform_name="bare",
        platform=None,
        scan_interval=timedelta(hours=1),
        entity_namespace=None,
    )


async def bare_entities(hass: HomeAssistant, number: int) -> tuple[EntityPlatform, list[BareEntity]]:
    """Add so many bare entities, and return them with their platform."""
    platform, entities = bare_platform(hass), [BareEntity(each) for each in range(number)]
    await platform.async_add_entities(entities)
    return platform, entities


def all_entities(platforms: Iterable[EntityPlatform]) -> list[Entity]:
    """Return the entities of some platforms."""
    return [entity for platform in platforms for entity in platform.entities.values()]
