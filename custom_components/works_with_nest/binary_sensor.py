"""Yes or no: smoke, carbon monoxide, presence, battery, connectivity."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util
import orjson

from .const import CONF_TEST_MONTHS, DAYS_OF_MONTH
from .coordinator import WwnConfigEntry, WwnCoordinator
from .entity import (
    OfHome,
    Table,
    WwnAlarmEntity,
    WwnEntity,
    WwnHomeEntity,
    WwnLinkEntity,
    WwnStructureEntity,
    WwnThermostatEntity,
    alarm_name,
    always,
    async_add_dynamically,
)
from .home import Home, Shortcoming, carbon_monoxide, has_alarms, shortcomings_of, smoke, worst_level
from .wwn.models import Alarm, AlarmLevel, Battery, Permission, Presence, Structure, Thermostat

PARALLEL_UPDATES = 0

# What each word means for a yes or no; a word that is not here is neither.
IS_ALARMING: Final[Mapping[object, bool]] = {AlarmLevel.OK: False, AlarmLevel.WARNING: True, AlarmLevel.EMERGENCY: True}
IS_LOW: Final[Mapping[object, bool]] = {Battery.OK: False, Battery.REPLACE: True}
IS_HOME: Final[Mapping[object, bool]] = {Presence.HOME: True, Presence.AWAY: False}

# The recorder drops all attributes of a state with more than 16 KiB, in bytes; there are five lists of names.
ROOM_FOR_NAMES: Final = 2400
LONGEST_NAME: Final = 200

# How often to see whether a test has become too old.
LOOK_AGAIN_AFTER: Final = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class WwnBinarySensorDescription[T](BinarySensorEntityDescription):
    """A row of this platform. is_on_fn: yes, no, or None for unknown. tells_of_silence: stays for what is offline."""

    is_on_fn: Callable[[T], bool | None]
    exists_fn: Callable[[T, frozenset[Permission]], bool] = always
    tells_of_silence: bool = False


@dataclass(frozen=True, kw_only=True)
class WwnMonitoringDescription(BinarySensorEntityDescription):
    """The row that tells whether alarms are heard."""

    exists_fn: Callable[[Home, frozenset[Permission]], bool] = has_alarms


STRUCTURES: Final[tuple[WwnBinarySensorDescription[Structure], ...]] = (
    WwnBinarySensorDescription(
        key="presence",
        translation_key="presence",
        # Not the class "presence", which none of Home Assistant's own triggers takes.
        device_class=BinarySensorDeviceClass.OCCUPANCY,
        is_on_fn=lambda structure: IS_HOME.get(structure.presence),
        exists_fn=lambda structure, _: structure.presence is not None,
    ),
    WwnBinarySensorDescription(
        key="rush_hour_enrolled",
        translation_key="rush_hour_enrolled",
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on_fn=lambda structure: structure.rush_hour_enrolled,
        exists_fn=lambda structure, _: structure.rush_hour_enrolled is not None,
    ),
)

HOMES: Final[tuple[WwnBinarySensorDescription[Home], ...]] = (
    WwnBinarySensorDescription(
        key="smoke",
        device_class=BinarySensorDeviceClass.SMOKE,
        is_on_fn=lambda home: IS_ALARMING.get(worst_level(home, smoke)),
        exists_fn=has_alarms,
    ),
    WwnBinarySensorDescription(
        key="carbon_monoxide",
        device_class=BinarySensorDeviceClass.CO,
        is_on_fn=lambda home: IS_ALARMING.get(worst_level(home, carbon_monoxide)),
        exists_fn=has_alarms,
    ),
)

MONITORING: Final = (
    WwnMonitoringDescription(
        key="alarm_monitoring",
        translation_key="alarm_monitoring",
        device_class=BinarySensorDeviceClass.PROBLEM,
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

THERMOSTATS: Final[tuple[WwnBinarySensorDescription[Thermostat], ...]] = (
    CONNECTIVITY,
    WwnBinarySensorDescription(
        key="leaf",
        translation_key="leaf",
        is_on_fn=lambda thermostat: thermostat.has_leaf,
        exists_fn=lambda thermostat, _: thermostat.has_leaf is not None,
    ),
    WwnBinarySensorDescription(
        key="fan_timer",
        translation_key="fan_timer",
        device_class=BinarySensorDeviceClass.RUNNING,
        is_on_fn=lambda thermostat: thermostat.fan_timer_active,
        exists_fn=lambda thermostat, _: thermostat.has_fan is True,
    ),
    WwnBinarySensorDescription(
        key="emergency_heat",
        translation_key="emergency_heat",
        is_on_fn=lambda thermostat: thermostat.is_using_emergency_heat,
        exists_fn=lambda thermostat, _: thermostat.is_using_emergency_heat is not None,
    ),
    WwnBinarySensorDescription(
        key="locked",
        translation_key="locked",
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on_fn=lambda thermostat: thermostat.is_locked,
        exists_fn=lambda thermostat, _: thermostat.is_locked is not None,
    ),
    WwnBinarySensorDescription(
        key="sunlight_correction_enabled",
        translation_key="sunlight_correction_enabled",
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on_fn=lambda thermostat: thermostat.sunlight_correction_enabled,
        exists_fn=lambda thermostat, _: thermostat.sunlight_correction_enabled is not None,
    ),
    WwnBinarySensorDescription(
        key="sunlight_correction_active",
        translation_key="sunlight_correction_active",
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on_fn=lambda thermostat: thermostat.sunlight_correction_active,
        exists_fn=lambda thermostat, _: thermostat.sunlight_correction_active is not None,
    ),
)

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
    WwnBinarySensorDescription(
        key="manual_test",
        translation_key="manual_test",
        device_class=BinarySensorDeviceClass.RUNNING,
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on_fn=lambda alarm: alarm.is_manual_test_active,
        exists_fn=lambda alarm, _: alarm.is_manual_test_active is not None,
    ),
)


def listed(names: list[str]) -> tuple[list[str], int]:
    """Return as many names as there is room for, and how many are left."""
    shown, room = list[str](), ROOM_FOR_NAMES
    for name in (name[:LONGEST_NAME] for name in names):
        room -= len(orjson.dumps(name)) + 1
        if room < 0:
            break
        shown.append(name)
    return shown, len(names) - len(shown)


async def async_setup_entry(
    hass: HomeAssistant, entry: WwnConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the binary sensors of one link."""
    async_add_dynamically(
        entry.runtime_data,
        async_add_entities,
        Table(WwnLinkBinarySensor, LINK),
        Table(WwnStructureBinarySensor, STRUCTURES),
        Table(WwnHomeBinarySensor, HOMES),
        Table(WwnAlarmMonitoring, MONITORING),
        Table(WwnThermostatBinarySensor, THERMOSTATS),
        Table(WwnAlarmBinarySensor, ALARMS),
    )


class WwnBinarySensor[T: OfHome](WwnEntity[T], BinarySensorEntity):
    """A yes or no about one thing."""

    entity_description: WwnBinarySensorDescription[T]

    @property
    @override
    def is_on(self) -> bool | None:
        """Return yes, no, or None for unknown."""
        return None if self.item is None else self.entity_description.is_on_fn(self.item)

    @override
    def shown(self) -> tuple[object, ...]:
        """Return all that its state is made of."""
        return self.available, self.is_on


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

    @override
    def shown(self) -> tuple[object, ...]:
        """Return all that its state is made of."""
        return (self.is_on,)


class WwnHomeBinarySensor(WwnHomeEntity, WwnBinarySensor[Home]):
    """A yes or no about a home and all its alarms."""


class WwnAlarmMonitoring(WwnHomeEntity, BinarySensorEntity):
    """Whether something keeps alarms of a home from being heard, and what. It is never unavailable itself."""

    needs_no_document = True
    needs_permission = Permission.SMOKE_CO_READ

    @property
    @override
    def available(self) -> bool:
        """Always: that nothing is heard is what it tells."""
        return True

    @property
    @override
    def is_on(self) -> bool:
        """Whether the link is down, the home is gone, or an alarm has a shortcoming."""
        return not super().available or any(self._names_by_shortcoming().values())

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return what is wrong, and with which alarms; of very many only some by name, and how many more there are."""
        named = {shortcoming: listed(names) for shortcoming, names in self._names_by_shortcoming().items()}
        left = {shortcoming: more for shortcoming, (_, more) in named.items() if more}
        attributes = {"link_down": not self.coordinator.live, **{key: names for key, (names, _) in named.items()}}
        return attributes | ({"more": left} if left else {})

    @override
    def shown(self) -> tuple[object, ...]:
        """Return all that its state is made of."""
        return self.coordinator.live, self.item is None, self._names_by_shortcoming()

    @override
    async def async_added_to_hass(self) -> None:
        """Look again each hour where tests are watched: they become too old without anything happening."""
        await super().async_added_to_hass()
        if self._test_months:
            self.async_on_remove(async_track_time_interval(self.hass, self._async_look_again, LOOK_AGAIN_AFTER))

    @callback
    def _async_look_again(self, _now: datetime) -> None:
        self.async_write_ha_state()

    @property
    def _test_months(self) -> float:
        return float(self.coordinator.config_entry.options.get(CONF_TEST_MONTHS, 0))

    def _names_by_shortcoming(self) -> dict[str, list[str]]:
        """Return the names of the alarms that have each shortcoming."""
        names: dict[str, list[str]] = {shortcoming.value: [] for shortcoming in Shortcoming}
        if self.item and not self.item.is_understood:
            names[Shortcoming.UNKNOWN].append(self.item.structure.name or self.coordinator.server.name)
        months = self._test_months
        since = dt_util.utcnow() - timedelta(days=months * DAYS_OF_MONTH) if months else None
        for wire_id, alarm in (self.item.alarms if self.item else {}).items():
            for shortcoming in shortcomings_of(alarm, since):
                names[shortcoming].append(alarm_name(self.coordinator, wire_id, alarm))
        return names


class WwnThermostatBinarySensor(WwnThermostatEntity, WwnBinarySensor[Thermostat]):
    """A yes or no about a thermostat."""


class WwnAlarmBinarySensor(WwnAlarmEntity, WwnBinarySensor[Alarm]):
    """A yes or no about an alarm."""
