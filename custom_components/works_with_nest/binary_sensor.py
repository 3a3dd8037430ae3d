"""Yes or no: smoke, carbon monoxide, presence, battery, connectivity."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import WwnConfigEntry, WwnCoordinator
from .entity import (
    Table,
    WwnAlarmEntity,
    WwnEntity,
    WwnLinkEntity,
    WwnStructureEntity,
    WwnThermostatEntity,
    always,
    async_add_dynamically,
)
from .wwn.models import Alarm, AlarmLevel, Battery, Permission, Presence, Structure, Thermostat

PARALLEL_UPDATES = 0

# What each word means for a yes or no; a word that is not here is neither.
IS_ALARMING: Final[Mapping[object, bool]] = {AlarmLevel.OK: False, AlarmLevel.WARNING: True, AlarmLevel.EMERGENCY: True}
IS_LOW: Final[Mapping[object, bool]] = {Battery.OK: False, Battery.REPLACE: True}
IS_HOME: Final[Mapping[object, bool]] = {Presence.HOME: True, Presence.AWAY: False}


@dataclass(frozen=True, kw_only=True)
class WwnBinarySensorDescription[T](BinarySensorEntityDescription):
    """A row of this platform. is_on_fn: yes, no, or None for unknown. tells_of_silence: stays for what is offline."""

    is_on_fn: Callable[[T], bool | None]
    exists_fn: Callable[[T, frozenset[Permission]], bool] = always
    tells_of_silence: bool = False


STRUCTURES: Final[tuple[WwnBinarySensorDescription[Structure], ...]] = (
    WwnBinarySensorDescription(
        key="presence",
        device_class=BinarySensorDeviceClass.PRESENCE,
        is_on_fn=lambda structure: IS_HOME.get(structure.presence),
        exists_fn=lambda structure, _: structure.presence is not None,
    ),
)

CONNECTIVITY: Final[WwnBinarySensorDescription[Any]] = WwnBinarySensorDescription(
    key="online",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
    is_on_fn=lambda device: device.is_online,
    tells_of_silence=True,
)

LINK: Final[tuple[WwnBinarySensorDescription[WwnCoordinator], ...]] = (
    WwnBinarySensorDescription(
        key="link",
        translation_key="link",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on_fn=lambda coordinator: coordinator.live,
    ),
)

THERMOSTATS: Final[tuple[WwnBinarySensorDescription[Thermostat], ...]] = (CONNECTIVITY,)

ALARMS: Final[tuple[WwnBinarySensorDescription[Alarm], ...]] = (
    WwnBinarySensorDescription(
        key="smoke",
        device_class=BinarySensorDeviceClass.SMOKE,
        is_on_fn=lambda alarm: IS_ALARMING.get(alarm.smoke),
    ),
    WwnBinarySensorDescription(
        key="carbon_monoxide",
        device_class=BinarySensorDeviceClass.CO,
        is_on_fn=lambda alarm: IS_ALARMING.get(alarm.carbon_monoxide),
    ),
    WwnBinarySensorDescription(
        key="battery",
        device_class=BinarySensorDeviceClass.BATTERY,
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on_fn=lambda alarm: IS_LOW.get(alarm.battery),
    ),
    CONNECTIVITY,
)


async def async_setup_entry(
    hass: HomeAssistant, entry: WwnConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the binary sensors of one link."""
    async_add_dynamically(
        entry.runtime_data,
        async_add_entities,
        Table(WwnLinkBinarySensor, LINK),
        Table(WwnStructureBinarySensor, STRUCTURES),
        Table(WwnThermostatBinarySensor, THERMOSTATS),
        Table(WwnAlarmBinarySensor, ALARMS),
    )


class WwnBinarySensor[T](WwnEntity[T], BinarySensorEntity):
    """A yes or no about one thing."""

    entity_description: WwnBinarySensorDescription[T]

    @property
    @override
    def is_on(self) -> bool | None:
        """Return yes, no, or None for unknown."""
        return None if self.item is None else self.entity_description.is_on_fn(self.item)


class WwnStructureBinarySensor(WwnStructureEntity, WwnBinarySensor[Structure]):
    """A yes or no about a home."""


class WwnLinkBinarySensor(WwnLinkEntity, BinarySensorEntity):
    """A yes or no about the link."""

    entity_description: WwnBinarySensorDescription[WwnCoordinator]

    @property
    @override
    def is_on(self) -> bool | None:
        """Return yes or no."""
        return self.entity_description.is_on_fn(self.coordinator)


class WwnThermostatBinarySensor(WwnThermostatEntity, WwnBinarySensor[Thermostat]):
    """A yes or no about a thermostat."""


class WwnAlarmBinarySensor(WwnAlarmEntity, WwnBinarySensor[Alarm]):
    """A yes or no about an alarm."""
