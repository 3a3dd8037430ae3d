"""What all entities share: one base per kind of thing, its device, and adding what a document brings."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol, override

from homeassistant.core import Event, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import WwnCoordinator
from .home import Home, homes_of
from .wwn import Document
from .wwn.models import Alarm, Device, Permission, Structure, Thermostat

MANUFACTURER: Final = "Nest"
HOME_MODEL: Final = "Home"
# The row that every home of a link has.
LINK_KEY: Final = "link"


class WwnEntity[T: OfHome](CoordinatorEntity[WwnCoordinator]):
    """An entity that follows one structure or device of the newest document. It keeps the id, never a copy."""

    _attr_has_entity_name = True
    # Whether it has something to tell before, and without, a document that holds what it follows.
    needs_no_document: ClassVar[bool] = False
    # What has to be shared for it to tell anything, beside what its rows ask for.
    needs_permission: ClassVar[Permission | None] = None
    # What the state says that was written last.
    _written: tuple[object, ...] | None = None

    def __init__(self, coordinator: WwnCoordinator, wire_id: str, description: EntityDescription) -> None:
        """Follow the structure or device with this id."""
        super().__init__(coordinator, context=wire_id)
        self.wire_id = wire_id
        self.entity_description = description
        self._attr_unique_id = f"{coordinator.unique_id(wire_id)}_{description.key}"
        # Kept by async_register_devices, which hears of it first. To let Home Assistant look for it, for each entity,
        # took an eighth of setting up a link.
        self.device_entry = dr.async_get(coordinator.hass).async_get_device_by_identifier(
            (DOMAIN, coordinator.unique_id(wire_id)), coordinator.config_entry.entry_id
        )

    @staticmethod
    @abstractmethod
    def items_of(document: Document) -> Mapping[str, T]:
        """Return all things of its kind."""

    @classmethod
    def news(cls, coordinator: WwnCoordinator) -> dict[str, T]:
        """Return those things of its kind in the homes of the link that may have come or changed."""
        return news(coordinator, cls.items_of(coordinator.data))

    @property
    def item(self) -> T | None:
        """Return what it follows, None where the newest document does not hold it."""
        return self.items_of(self.coordinator.data).get(self.wire_id)

    @property
    @override
    def available(self) -> bool:
        """Whether what is known stands for the present."""
        return self.coordinator.live and self.item is not None

    @abstractmethod
    def shown(self) -> tuple[object, ...]:
        """Return all that its state is made of: what does not change that is not written.

        Of most changes 2 of the up to 15 entities of a thing show something. To write the others, too, took four fifths
        of the time from a document to its states.
        """

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write what it shows, where that is not what its state says."""
        if self.shown() != self._written:
            super()._handle_coordinator_update()

    @callback
    @override
    def _async_write_ha_state(self) -> None:
        """Write, and note what, whoever asked for it: Home Assistant does, too, when a person renames something."""
        super()._async_write_ha_state()
        self._written = self.shown()


class WwnStructureEntity(WwnEntity[Structure]):
    """An entity of a home."""

    @staticmethod
    @override
    def items_of(document: Document) -> Mapping[str, Structure]:
        """Return the homes."""
        return document.structures


class WwnLinkEntity(WwnStructureEntity):
    """An entity of the link itself, shown on its home. It says whether the others can be believed, so it never goes."""

    needs_no_document = True

    @property
    @override
    def available(self) -> bool:
        """Return that it is, whatever becomes of the link."""
        return True


class WwnHomeEntity(WwnEntity[Home]):
    """An entity of a home and its alarms."""

    @classmethod
    @override
    def news(cls, coordinator: WwnCoordinator) -> dict[str, Home]:
        """Return all homes: what any alarm says may change any of them."""
        return included(coordinator, cls.items_of(coordinator.data))

    def __init__(self, coordinator: WwnCoordinator, wire_id: str, description: EntityDescription) -> None:
        """Follow a home, and whatever else changes, since any of it may be an alarm of this home."""
        super().__init__(coordinator, wire_id, description)
        self.coordinator_context = None

    @staticmethod
    @override
    def items_of(document: Document) -> Mapping[str, Home]:
        """Return the homes with their alarms."""
        return homes_of(document)


class WwnDeviceEntity[T: (Thermostat, Alarm)](WwnEntity[T]):
    """An entity of a device, available while the device is online: the last word of a silent one is not the present.

    A description with tells_of_silence stays available, for what is known of a device that is offline.
    """

    kind: ClassVar[str]
    model: ClassVar[str]

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


def device_fields(coordinator: WwnCoordinator, device: Device, kind: str, model: str) -> dict[str, Any]:
    """Return the registry's view of a device: below its home, in its room, named without it."""
    structure = coordinator.data.structures.get(device.structure_id or "")
    fields: dict[str, Any] = {
        "identifiers": {(DOMAIN, coordinator.unique_id(device.device_id))},
        "manufacturer": MANUFACTURER,
        "model": model,
        "sw_version": device.software_version,
        "translation_key": f"{kind}_labelled" if device.label else kind,
        "translation_placeholders": {"label": device.label} if device.label else {},
    }
    if structure:
        fields["via_device_id"] = dr.async_get_device_id_by_identifier(
            coordinator.hass,
            (DOMAIN, coordinator.unique_id(structure.structure_id)),
            config_entry_id=coordinator.config_entry.entry_id,
        )
    if room := device.where_name or (structure and structure.rooms.get(device.where_id or "")):
        fields["suggested_area"] = room
    return fields


def home_fields(coordinator: WwnCoordinator, structure: Structure) -> dict[str, Any]:
    """Return the registry's view of a home."""
    return {
        "entry_type": DeviceEntryType.SERVICE,
        "identifiers": {(DOMAIN, coordinator.unique_id(structure.structure_id))},
        "manufacturer": MANUFACTURER,
        "model": HOME_MODEL,
        "name": structure.name or coordinator.server.name,
    }


def registered(
    coordinator: WwnCoordinator, choose: Callable[[WwnCoordinator, Mapping[str, Any]], dict[str, Any]] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield homes, then devices of the newest document: id, and the registry's view of it.

    choose: which of them; all that the link includes, where nothing is said.
    """
    document, choose = coordinator.data, choose or included
    for wire_id, structure in choose(coordinator, document.structures).items():
        yield wire_id, home_fields(coordinator, structure)
    for entity_class in (WwnThermostatEntity, WwnAlarmEntity):
        for wire_id, device in choose(coordinator, entity_class.items_of(document)).items():
            yield wire_id, device_fields(coordinator, device, entity_class.kind, entity_class.model)


@callback
def async_register_devices(coordinator: WwnCoordinator) -> None:
    """Keep homes and devices in the device registry: a home ahead of what hangs below it, and names as they change."""
    known: dict[str, dict[str, Any]] = {}

    @callback
    def register() -> None:
        registry, entry_id = dr.async_get(coordinator.hass), coordinator.config_entry.entry_id
        for wire_id, fields in registered(coordinator, news):
            if known.get(wire_id) != fields:
                registry.async_get_or_create(config_entry_id=entry_id, **fields)
                known[wire_id] = fields

    register()
    coordinator.config_entry.async_on_unload(coordinator.async_add_listener(register))
    _on_device_removed(coordinator, lambda wire_id: known.pop(wire_id, None))
    _on_device_removed(coordinator, coordinator.history.async_forget)


def _on_device_removed(coordinator: WwnCoordinator, forget: Callable[[str], object]) -> None:
    """Call with the id of each home or device of this link that leaves the registry, for it may come back."""
    prefix = coordinator.unique_id("")

    @callback
    def updated(event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        if event.data["action"] == "remove":
            for domain, unique_id in event.data["device"]["identifiers"]:
                if domain == DOMAIN and unique_id.startswith(prefix):
                    forget(unique_id.removeprefix(prefix))

    coordinator.config_entry.async_on_unload(
        coordinator.hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, updated)
    )


class OfHome(Protocol):
    """Something that belongs to a home, or is one."""

    @property
    def structure_id(self) -> str | None:
        """Return the id of the home, None where it names none."""


def included[T: OfHome](coordinator: WwnCoordinator, items: Mapping[str, T]) -> dict[str, T]:
    """Return what belongs to the homes of this link; a device that names no home belongs to it too."""
    return {
        wire_id: item
        for wire_id, item in items.items()
        if item.structure_id is None or item.structure_id in coordinator.homes
    }


def news[T: OfHome](coordinator: WwnCoordinator, items: Mapping[str, T]) -> dict[str, T]:
    """Return what of the homes of this link came or changed with the document that is being told of; else all."""
    changed = coordinator.changed
    if changed is not None:
        items = {wire_id: items[wire_id] for wire_id in changed if wire_id in items}
    return included(coordinator, items)


async def async_remove_excluded(coordinator: WwnCoordinator) -> None:
    """Take the homes that a person left out of the link, with all of theirs, out of the device registry.

    Which are theirs only a document tells; where there is none yet, it is waited for.
    """
    await coordinator.async_wait_until(lambda _: coordinator.has_document, None)
    registry, entry_id, document = dr.async_get(coordinator.hass), coordinator.config_entry.entry_id, coordinator.data
    held = {wire_id for wire_id, *_ in registered(coordinator)}
    for wire_id in {*document.structures, *document.thermostats, *document.alarms} - held:
        identifier = (DOMAIN, coordinator.unique_id(wire_id))
        if device := registry.async_get_device_by_identifier(identifier, entry_id):
            # Also what hangs below it and is missing from the document, which nobody could take for its later.
            for below in dr.async_entries_for_config_entry(registry, entry_id):
                if below.via_device_id == device.id:
                    registry.async_remove_device(below.id)
            registry.async_remove_device(device.id)


def is_gone(coordinator: WwnCoordinator, device: dr.AnyDeviceEntry) -> bool:
    """Whether the newest document holds nothing that a device in the registry stands for; without one, nobody knows."""
    if not coordinator.has_document:
        return False
    held = {coordinator.unique_id(wire_id) for wire_id, *_ in registered(coordinator)}
    return not any(domain == DOMAIN and unique_id in held for domain, unique_id in device.identifiers)


def alarm_name(coordinator: WwnCoordinator, wire_id: str, alarm: Alarm | None) -> str:
    """Return what people call an alarm: as they named it here, else as its home names it."""
    device = dr.async_get(coordinator.hass).async_get_device_by_identifier(
        (DOMAIN, coordinator.unique_id(wire_id)), coordinator.config_entry.entry_id
    )
    if device is not None and device.name_by_user:
        return device.name_by_user
    if alarm is not None and (name := alarm.name_long or alarm.name or alarm.where_name):
        return name
    return device.name or wire_id if device is not None else wire_id


def remembered(coordinator: WwnCoordinator, key: str) -> Iterator[str]:
    """Yield the ids of the things that had an entity of a row in an earlier run; not of homes left out since."""
    prefix, suffix, entry = coordinator.unique_id(""), f"_{key}", coordinator.config_entry
    left_out = _devices_left_out(coordinator)
    for entity in er.async_entries_for_config_entry(er.async_get(coordinator.hass), entry.entry_id):
        wire_id = entity.unique_id.removeprefix(prefix).removesuffix(suffix)
        is_ours = entity.unique_id == f"{prefix}{wire_id}{suffix}"
        if is_ours and wire_id not in coordinator.left_out and entity.device_id not in left_out:
            yield wire_id


def _devices_left_out(coordinator: WwnCoordinator) -> set[str]:
    """Return the registry's ids of the homes that were left out, and of what hangs below them."""
    if not coordinator.left_out:
        return set()
    devices = dr.async_entries_for_config_entry(dr.async_get(coordinator.hass), coordinator.config_entry.entry_id)
    identifiers = {(DOMAIN, coordinator.unique_id(home)) for home in coordinator.left_out}
    homes = {device.id for device in devices if device.identifiers & identifiers}
    return homes | {device.id for device in devices if device.via_device_id in homes}


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

    def again(self, coordinator: WwnCoordinator) -> Iterator[tuple[tuple[str, str], WwnEntity[Any]]]:
        """Yield, with a key, an entity for whatever was there in an earlier run and needs no document.

        It is there again whatever the first answer of this run lacks, as it would have stayed in the run before. What a
        person stopped sharing is not.
        """
        needed = self.entity_class.needs_permission
        is_shared = needed is None or needed in coordinator.asked_for
        for description in self.descriptions if self.entity_class.needs_no_document and is_shared else ():
            for wire_id in remembered(coordinator, description.key):
                yield (wire_id, description.key), self.entity_class(coordinator, wire_id, description)

    def new(
        self, coordinator: WwnCoordinator, known: set[tuple[str, str]]
    ) -> Iterator[tuple[tuple[str, str], WwnEntity[Any]]]:
        """Yield, with a key, an entity for whatever the newest document has and is not known yet."""
        permissions = coordinator.permissions
        for wire_id, item in self.entity_class.news(coordinator).items():
            for description in self.descriptions:
                key = (wire_id, description.key)
                if key not in known and description.exists_fn(item, permissions):
                    yield key, self.entity_class(coordinator, wire_id, description)


@callback
def async_add_dynamically(
    coordinator: WwnCoordinator, async_add_entities: AddConfigEntryEntitiesCallback, *tables: Table
) -> None:
    """Add an entity for every row that fits, now and whenever a document brings something new."""
    again = dict(pair for table in tables for pair in table.again(coordinator))
    known = set(again)
    if again:
        async_add_entities(again.values())

    @callback
    def add() -> None:
        found = dict(pair for table in tables for pair in table.new(coordinator, known))
        known.update(found)
        if found:
            async_add_entities(found.values())

    @callback
    def forget(wire_id: str) -> None:
        known.difference_update([key for key in known if key[0] == wire_id])

    add()
    coordinator.config_entry.async_on_unload(coordinator.async_add_listener(add))
    _on_device_removed(coordinator, forget)
