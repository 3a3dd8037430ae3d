"""A choice that people make for a home: whether somebody is there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import WwnConfigEntry
from .entity import Table, WwnStructureEntity, async_add_dynamically
from .wwn import WwnClient
from .wwn.models import Permission, Presence, Structure

# The client keeps writes in order and merges quick ones, which calls that come one by one would keep it from.
PARALLEL_UPDATES = 0

PRESENCES: Final = {presence.value: presence for presence in (Presence.HOME, Presence.AWAY)}


@dataclass(frozen=True, kw_only=True)
class WwnSelectDescription(SelectEntityDescription):
    """A row of this platform. current_fn: the option in force, None for none. select_fn: chooses another."""

    current_fn: Callable[[Structure], str | None]
    select_fn: Callable[[WwnClient, str, str], Awaitable[None]]
    exists_fn: Callable[[Structure, frozenset[Permission]], bool]


def presence_option(structure: Structure) -> str | None:
    """Return the option for a home's presence; unknown is none of them."""
    presence = structure.presence
    return presence.value if isinstance(presence, Presence) and presence.value in PRESENCES else None


STRUCTURES: Final[tuple[WwnSelectDescription, ...]] = (
    WwnSelectDescription(
        key="presence_mode",
        translation_key="presence_mode",
        options=list(PRESENCES),
        current_fn=presence_option,
        select_fn=lambda client, structure_id, option: client.set_presence(structure_id, PRESENCES[option]),
        exists_fn=lambda _, permissions: Permission.AWAY_READ_WRITE in permissions,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: WwnConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the choices of one link."""
    async_add_dynamically(entry.runtime_data, async_add_entities, Table(WwnStructureSelect, STRUCTURES))


class WwnStructureSelect(WwnStructureEntity, SelectEntity):
    """A choice for a home."""

    entity_description: WwnSelectDescription

    @property
    @override
    def available(self) -> bool:
        """Whether what is known stands for the present, and may still be changed."""
        return (
            super().available
            and self.item is not None
            and self.entity_description.exists_fn(self.item, self.coordinator.permissions)
        )

    @property
    @override
    def current_option(self) -> str | None:
        """Return the option in force."""
        return None if self.item is None else self.entity_description.current_fn(self.item)

    @override
    def shown(self) -> tuple[object, ...]:
        """Return all that its state is made of."""
        return self.available, self.current_option

    @override
    async def async_select_option(self, option: str) -> None:
        """Choose an option; what is shown follows the next document."""
        with self.coordinator.writing():
            await self.entity_description.select_fn(self.coordinator.client, self.wire_id, option)
