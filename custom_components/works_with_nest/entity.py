"""What all entities share: one base per kind of thing, its device, and adding what a document brings."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, override

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import WwnCoordinator
from .wwn import Document
from .wwn.models import Alarm, Device, Permission, Structure, Thermostat

MANUFACTURER: Final = "Nest"


class WwnEntity[T](CoordinatorEntity[WwnCoordinator]):
    """An entity that follows one structure or device of the newest document. It keeps the id, never a copy."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: WwnCoordinator, wire_id: str, description: EntityDescription) -> None:
        """Follow the structure or device with this id."""
        super().__init__(coordinator, context=wire_id)
        self.wire_id = wire_id
        self.entity_description = description
        self._attr_unique_id = f"{coordinator.unique_id(wire_id)}_{description.key}"

    @staticmethod
    @abstractmethod
    def items_of(document: Document) -> Mapping[str, T]:
        """Return all things of its kind."""

    @property
    def item(self) -> T | None:
        """Return what it follows, None where the newest document does not hold it."""
        return self.items_of(self.coordinator.data).get(self.wire_id)

    @property
    @override
    def available(self) -> bool:
        """Whether what is known stands for the present."""
        return self.coordinator.live and self.item is not None


class WwnStructureEntity(WwnEntity[Structure]):
    """An entity of a home."""

    def __init__(self, coordinator: WwnCoordinator, wire_id: str, description: EntityDescription) -> None:
        """Follow a home."""
        super().__init__(coordinator, wire_id, description)
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, coordinator.unique_id(wire_id))})

    @staticmethod
    @override
    def items_of(document: Document) -> Mapping[str, Structure]:
        """Return the homes."""
        return document.structures


class WwnLinkEntity(WwnStructureEntity):
    """An entity of the link itself, shown on its home. It says whether the others can be believed, so it never goes."""

    @property
    @override
    def available(self) -> bool:
        """Return that it is, whatever becomes of the link."""
        return True


class WwnDeviceEntity[T: (Thermostat, Alarm)](WwnEntity[T]):
    """An entity of a device, available while the device is online: the last word of a silent one is not the present.

    A description with tells_of_silence stays available, for what is known of a device that is offline.
    """

    kind: ClassVar[str]
    model: ClassVar[str]

    def __init__(self, coordinator: WwnCoordinator, wire_id: str, description: EntityDescription) -> None:
        """Follow a device."""
        super().__init__(coordinator, wire_id, description)
        if self.item is not None:
            self._attr_device_info = device_info(coordinator, self.item, self.kind, self.model)

    @property
    @override
    def available(self) -> bool:
        """Whether what is known stands for the present."""
        if not super().available or self.item is None:
            return False
        return self.item.is_online is True or getattr(self.entity_description, "tells_of_silence", False)


class WwnThermostatEntity(WwnDeviceEntity[Thermostat]):
    """An entity of a thermostat."""

    kind = "thermostat"
    model = "Thermostat"

    @staticmethod
    @override
    def items_of(document: Document) -> Mapping[str, Thermostat]:
        """Return the thermostats."""
        return document.thermostats


class WwnAlarmEntity(WwnDeviceEntity[Alarm]):
    """An entity of an alarm."""

    kind = "alarm"
    model = "Protect"

    @staticmethod
    @override
    def items_of(document: Document) -> Mapping[str, Alarm]:
        """Return the alarms."""
        return document.alarms


def device_info(coordinator: WwnCoordinator, device: Device, kind: str, model: str) -> DeviceInfo:
    """Return the registry's view of a device: below its home, in its room, named without it."""
    structure = coordinator.data.structures.get(device.structure_id or "")
    info = DeviceInfo(
        identifiers={(DOMAIN, coordinator.unique_id(device.device_id))},
        manufacturer=MANUFACTURER,
        model=model,
        sw_version=device.software_version,
        translation_key=f"{kind}_labelled" if device.label else kind,
        translation_placeholders={"label": device.label} if device.label else {},
    )
    if structure:
        info["via_device_id"] = dr.async_get_device_id_by_identifier(
            coordinator.hass,
            (DOMAIN, coordinator.unique_id(structure.structure_id)),
            config_entry_id=coordinator.config_entry.entry_id,
        )
    if room := device.where_name or (structure and structure.rooms.get(device.where_id or "")):
        info["suggested_area"] = room
    return info


@callback
def async_register_homes(coordinator: WwnCoordinator) -> None:
    """Keep every home in the device registry, ahead of the devices that are shown below it."""

    @callback
    def register() -> None:
        registry = dr.async_get(coordinator.hass)
        for structure in included(coordinator, coordinator.data.structures).values():
            registry.async_get_or_create(
                config_entry_id=coordinator.config_entry.entry_id,
                entry_type=DeviceEntryType.SERVICE,
                identifiers={(DOMAIN, coordinator.unique_id(structure.structure_id))},
                manufacturer=MANUFACTURER,
                model="Home",
                name=structure.name or coordinator.server.name,
            )

    register()
    coordinator.config_entry.async_on_unload(coordinator.async_add_listener(register))


def included[T: (Structure, Thermostat, Alarm)](coordinator: WwnCoordinator, items: Mapping[str, T]) -> dict[str, T]:
    """Return what belongs to the homes of this link; a device that names no home belongs to it too."""
    return {
        wire_id: item
        for wire_id, item in items.items()
        if item.structure_id is None or item.structure_id in coordinator.homes
    }


def always(_item: object, _permissions: frozenset[Permission]) -> bool:
    """Every thing of the kind has it."""
    return True


@dataclass(frozen=True, slots=True)
class Table:
    """The entities of one kind of thing on one platform: their class, and a row for each.

    Beside Home Assistant's own fields a row has exists_fn: whether a thing has it, given what the link may see and
    change.
    """

    entity_class: type[WwnEntity[Any]]
    descriptions: tuple[Any, ...]

    def new(
        self, coordinator: WwnCoordinator, known: set[tuple[str, str]]
    ) -> Iterator[tuple[tuple[str, str], WwnEntity[Any]]]:
        """Yield, with a key, an entity for whatever the newest document has and is not known yet."""
        for wire_id, item in included(coordinator, self.entity_class.items_of(coordinator.data)).items():
            for description in self.descriptions:
                key = (wire_id, description.key)
                if key not in known and description.exists_fn(item, coordinator.permissions):
                    yield key, self.entity_class(coordinator, wire_id, description)


@callback
def async_add_dynamically(
    coordinator: WwnCoordinator, async_add_entities: AddConfigEntryEntitiesCallback, *tables: Table
) -> None:
    """Add an entity for every row that fits, now and whenever a document brings something new."""
    known: set[tuple[str, str]] = set()

    @callback
    def add() -> None:
        found = dict(pair for table in tables for pair in table.new(coordinator, known))
        known.update(found)
        if found:
            async_add_entities(found.values())

    add()
    coordinator.config_entry.async_on_unload(coordinator.async_add_listener(add))
