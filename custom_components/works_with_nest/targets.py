"""What a person means by a target: homes, thermostats and alarms of ours, and nobody else's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.target import SelectedEntities, TargetSelection, async_extract_referenced_entity_ids

from .const import DOMAIN
from .coordinator import WwnCoordinator


@dataclass(frozen=True, slots=True)
class Thing:
    """A home or device of ours in the registry. wire_id: its id on the wire."""

    device: dr.DeviceEntry
    coordinator: WwnCoordinator
    wire_id: str


def selected(hass: HomeAssistant, target: Mapping[str, Any]) -> SelectedEntities:
    """Return what a target names, entities of any category included: it is their device that counts."""
    return async_extract_referenced_entity_ids(hass, TargetSelection(dict(target)), primary_entities_only=False)


def device_ids(hass: HomeAssistant, target: Mapping[str, Any]) -> set[str]:
    """Return the devices of ours that a target names, or whose entities it names."""
    found, entities, devices = selected(hass, target), er.async_get(hass), dr.async_get(hass)
    named = (entities.async_get(entity_id) for entity_id in found.referenced | found.indirectly_referenced)
    of_entities = {entry.device_id for entry in named if entry and entry.platform == DOMAIN and entry.device_id}
    return of_entities | {each for each in found.referenced_devices if is_ours(hass, devices.async_get(each))}


def is_ours(hass: HomeAssistant, device: dr.AnyDeviceEntry | None) -> bool:
    """Whether a device is one of a link."""
    entry = hass.config_entries.async_get_entry(device.config_entry_id) if device else None
    return entry is not None and entry.domain == DOMAIN


def coordinator_of(hass: HomeAssistant, entry_id: str) -> WwnCoordinator | None:
    """Return the coordinator of a link, also while the rest of it is still being set up."""
    return getattr(hass.config_entries.async_get_entry(entry_id), "runtime_data", None)


def device_id_of(hass: HomeAssistant, entry_id: str, wire_id: str | None) -> str | None:
    """Return the registry's id of a home or device, None where it is not registered."""
    coordinator = coordinator_of(hass, entry_id)
    if coordinator is None or wire_id is None:
        return None
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, coordinator.unique_id(wire_id)), entry_id)
    return device.id if device else None


def things(hass: HomeAssistant, target: Mapping[str, Any]) -> Iterator[Thing]:
    """Yield what a target names, of links that are loaded."""
    for device_id in sorted(device_ids(hass, target)):
        if thing := thing_of(hass, device_id):
            yield thing


def thing_of(hass: HomeAssistant, device_id: str) -> Thing | None:
    """Return the home or device behind a device of ours, None while its link is not loaded."""
    device = dr.async_get(hass).async_get(device_id)
    coordinator = coordinator_of(hass, device.config_entry_id) if isinstance(device, dr.DeviceEntry) else None
    if coordinator is None or not isinstance(device, dr.DeviceEntry):
        return None
    unique_id = next(unique_id for domain, unique_id in device.identifiers if domain == DOMAIN)
    return Thing(device, coordinator, unique_id.removeprefix(coordinator.unique_id("")))


def below(hass: HomeAssistant, thing: Thing) -> list[str]:
    """Return the ids on the wire of what the registry has below a home, also when no document tells of it."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), thing.device.config_entry_id)
    found = (thing_of(hass, device.id) for device in devices if device.via_device_id == thing.device.id)
    return [each.wire_id for each in found if each]


def name_of(hass: HomeAssistant, device_id: str | None) -> str | None:
    """Return what people call a device."""
    device = dr.async_get(hass).async_get(device_id) if device_id else None
    return (device.name_by_user or device.name) if device else None
