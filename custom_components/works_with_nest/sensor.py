"""What is measured, when something happens, and how bad it is: smoke and carbon monoxide in three levels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfTemperature, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.typing import StateType

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
    always,
    async_add_dynamically,
)
from .home import Home, carbon_monoxide, has_alarms, smoke, worst_level
from .wwn.models import Alarm, AlarmLevel, Bound, Permission, RingColour, Structure, TemperatureScale, Thermostat

PARALLEL_UPDATES = 0

# Signs of life come every 30 s; each written would be two rows a minute in the database, for as long as all is well.
# Nobody looks for the minute while the link is up, and when it is lost the time is written to the second.
CONTACT_WRITTEN_EVERY: Final = timedelta(minutes=30)

UNIT_OF_SCALE: Final = {
    TemperatureScale.CELSIUS: UnitOfTemperature.CELSIUS,
    TemperatureScale.FAHRENHEIT: UnitOfTemperature.FAHRENHEIT,
}
LEVELS: Final = [level.value for level in AlarmLevel]
COLOURS: Final = [colour.value for colour in RingColour]
NAME_OF_BOUND: Final = {Bound.ABOUT: "about", Bound.UNDER: "under", Bound.OVER: "over"}
# A word that is not here says nothing.
IS_LEARNING: Final[Mapping[object, bool]] = {"training": True, "ready": False}


@dataclass(frozen=True, kw_only=True)
class WwnSensorDescription[T](SensorEntityDescription):
    """A row of this platform.

    value_fn: the value, None for unknown. unit_fn: where the unit is the thing's own. attributes_fn: what is told
    beside the value. tells_of_silence: stays for what is offline.
    """

    value_fn: Callable[[T], StateType | datetime]
    unit_fn: Callable[[T], str] | None = None
    attributes_fn: Callable[[T], Mapping[str, Any]] | None = None
    exists_fn: Callable[[T, frozenset[Permission]], bool] = always
    tells_of_silence: bool = False


def known(reported: StrEnum | str | None) -> str | None:
    """Return a word as a state; one that is not known is none, and never ok."""
    return reported.value if isinstance(reported, StrEnum) else None


LINK: Final[tuple[WwnSensorDescription[WwnCoordinator], ...]] = (
    WwnSensorDescription(
        key="last_contact",
        translation_key="last_contact",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda coordinator: coordinator.last_contact,
    ),
)


def bound_of(thermostat: Thermostat) -> dict[str, Any]:
    """Return how a time to target is meant, and whether the thermostat still learns to tell it."""
    estimate = thermostat.time_to_target
    return {
        "bound": NAME_OF_BOUND[estimate.bound] if estimate else None,
        "learning": IS_LEARNING.get(thermostat.time_to_target_training),
    }


# What the rows of bounds share: a person sets them on the thermostat and seldom looks at them.
BOUND: Final[Mapping[str, Any]] = {
    "device_class": SensorDeviceClass.TEMPERATURE,
    "suggested_display_precision": 1,
    "entity_category": EntityCategory.DIAGNOSTIC,
    "entity_registry_enabled_default": False,
    "unit_fn": lambda thermostat: UNIT_OF_SCALE[thermostat.scale],
}

STRUCTURES: Final[tuple[WwnSensorDescription[Structure], ...]] = (
    WwnSensorDescription(
        key="eta_begin",
        translation_key="eta_begin",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda structure: structure.eta_begin,
        exists_fn=lambda structure, permissions: structure.eta_begin is not None or Permission.ETA_WRITE in permissions,
    ),
    WwnSensorDescription(
        key="peak_period_start",
        translation_key="peak_period_start",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda structure: structure.peak_period_start,
        exists_fn=lambda structure, permissions: (
            structure.peak_period_start is not None or Permission.ENERGY_READ in permissions
        ),
    ),
    WwnSensorDescription(
        key="peak_period_end",
        translation_key="peak_period_end",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda structure: structure.peak_period_end,
        exists_fn=lambda structure, permissions: (
            structure.peak_period_end is not None or Permission.ENERGY_READ in permissions
        ),
    ),
)

HOMES: Final[tuple[WwnSensorDescription[Home], ...]] = (
    WwnSensorDescription(
        key="smoke_level",
        translation_key="smoke_level",
        device_class=SensorDeviceClass.ENUM,
        options=LEVELS,
        value_fn=lambda home: known(worst_level(home, smoke)),
        exists_fn=has_alarms,
    ),
    WwnSensorDescription(
        key="carbon_monoxide_level",
        translation_key="carbon_monoxide_level",
        device_class=SensorDeviceClass.ENUM,
        options=LEVELS,
        value_fn=lambda home: known(worst_level(home, carbon_monoxide)),
        exists_fn=has_alarms,
    ),
)

LAST_CONNECTION: Final[WwnSensorDescription[Any]] = WwnSensorDescription(
    key="last_connection",
    translation_key="last_connection",
    device_class=SensorDeviceClass.TIMESTAMP,
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
    value_fn=lambda device: device.last_connection,
    exists_fn=lambda device, _: device.last_connection is not None,
    tells_of_silence=True,
)

THERMOSTATS: Final[tuple[WwnSensorDescription[Thermostat], ...]] = (
    WwnSensorDescription(
        key="temperature",
        device_class=SensorDeviceClass.TEMPERATURE,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        value_fn=lambda thermostat: thermostat.ambient,
        unit_fn=lambda thermostat: UNIT_OF_SCALE[thermostat.scale],
    ),
    WwnSensorDescription(
        key="humidity",
        device_class=SensorDeviceClass.HUMIDITY,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        value_fn=lambda thermostat: thermostat.humidity,
        exists_fn=lambda thermostat, _: thermostat.humidity is not None,
    ),
    WwnSensorDescription(
        key="time_to_target",
        translation_key="time_to_target",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MINUTES,
        value_fn=lambda thermostat: thermostat.time_to_target.minutes if thermostat.time_to_target else None,
        attributes_fn=bound_of,
        exists_fn=lambda thermostat, _: thermostat.time_to_target is not None,
    ),
    WwnSensorDescription(
        key="fan_timer_end",
        translation_key="fan_timer_end",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda thermostat: thermostat.fan_timer_timeout,
        exists_fn=lambda thermostat, _: thermostat.has_fan is True,
    ),
    WwnSensorDescription(
        key="eco_low",
        translation_key="eco_low",
        value_fn=lambda thermostat: thermostat.eco_low,
        exists_fn=lambda thermostat, _: thermostat.can_heat is True and thermostat.eco_low is not None,
        **BOUND,
    ),
    WwnSensorDescription(
        key="eco_high",
        translation_key="eco_high",
        value_fn=lambda thermostat: thermostat.eco_high,
        exists_fn=lambda thermostat, _: thermostat.can_cool is True and thermostat.eco_high is not None,
        **BOUND,
    ),
    WwnSensorDescription(
        key="locked_min",
        translation_key="locked_min",
        value_fn=lambda thermostat: thermostat.locked_min if thermostat.is_locked else None,
        exists_fn=lambda thermostat, _: thermostat.locked_min is not None,
        **BOUND,
    ),
    WwnSensorDescription(
        key="locked_max",
        translation_key="locked_max",
        value_fn=lambda thermostat: thermostat.locked_max if thermostat.is_locked else None,
        exists_fn=lambda thermostat, _: thermostat.locked_max is not None,
        **BOUND,
    ),
    LAST_CONNECTION,
)

ALARMS: Final[tuple[WwnSensorDescription[Alarm], ...]] = (
    WwnSensorDescription(
        key="smoke_level",
        translation_key="smoke_level",
        device_class=SensorDeviceClass.ENUM,
        options=LEVELS,
        value_fn=lambda alarm: known(alarm.smoke),
    ),
    WwnSensorDescription(
        key="carbon_monoxide_level",
        translation_key="carbon_monoxide_level",
        device_class=SensorDeviceClass.ENUM,
        options=LEVELS,
        value_fn=lambda alarm: known(alarm.carbon_monoxide),
    ),
    WwnSensorDescription(
        key="last_manual_test",
        translation_key="last_manual_test",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda alarm: alarm.last_manual_test,
    ),
    WwnSensorDescription(
        key="ring_colour",
        translation_key="ring_colour",
        device_class=SensorDeviceClass.ENUM,
        options=COLOURS,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda alarm: known(alarm.ring_colour),
        exists_fn=lambda alarm, _: alarm.ring_colour is not None,
    ),
    LAST_CONNECTION,
)


async def async_setup_entry(
    hass: HomeAssistant, entry: WwnConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the sensors of one link."""
    async_add_dynamically(
        entry.runtime_data,
        async_add_entities,
        Table(WwnLinkSensor, LINK),
        Table(WwnStructureSensor, STRUCTURES),
        Table(WwnHomeSensor, HOMES),
        Table(WwnThermostatSensor, THERMOSTATS),
        Table(WwnAlarmSensor, ALARMS),
    )


class WwnSensor[T: OfHome](WwnEntity[T], SensorEntity):
    """A value of one thing."""

    entity_description: WwnSensorDescription[T]

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """Return the value, None for unknown."""
        return None if self.item is None else self.entity_description.value_fn(self.item)

    @property
    @override
    def native_unit_of_measurement(self) -> str | None:
        """Return the unit, which may be the thing's own."""
        unit_fn = self.entity_description.unit_fn
        return super().native_unit_of_measurement if unit_fn is None or self.item is None else unit_fn(self.item)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what is told beside the value."""
        attributes_fn = self.entity_description.attributes_fn
        return None if attributes_fn is None or self.item is None else attributes_fn(self.item)

    @override
    def shown(self) -> tuple[object, ...]:
        """Return all that its state is made of."""
        return self.available, self.native_value, self.native_unit_of_measurement, self.extra_state_attributes


class WwnStructureSensor(WwnStructureEntity, WwnSensor[Structure]):
    """A value of a home."""


class WwnHomeSensor(WwnHomeEntity, WwnSensor[Home]):
    """A value of a home and all its alarms."""


class WwnLinkSensor(WwnLinkEntity, SensorEntity):
    """A value of the link: exact where the link is lost or back, at most half an hour behind while it lives."""

    entity_description: WwnSensorDescription[WwnCoordinator]

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """Return the value, None for unknown."""
        return self.entity_description.value_fn(self.coordinator)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, datetime | None]:
        """Return when nobody was listening last; without an end while nobody does."""
        gaps = self.coordinator.gaps
        if self.coordinator.open_gap is not None or not gaps:
            return {"gap_from": self.coordinator.open_gap, "gap_to": None}
        return {"gap_from": gaps[-1].start, "gap_to": gaps[-1].end}

    @override
    def shown(self) -> tuple[object, ...]:
        """Return what its state is made of but the time, which is written by the clock while the link lives."""
        return self.coordinator.live, self.extra_state_attributes

    @override
    async def async_added_to_hass(self) -> None:
        """Write a new value now and then, beside the times when the link is lost or back."""
        await super().async_added_to_hass()

        @callback
        def write(_now: datetime) -> None:
            self.async_write_ha_state()

        self.async_on_remove(
            async_track_time_interval(self.hass, write, CONTACT_WRITTEN_EVERY, cancel_on_shutdown=True)
        )


class WwnThermostatSensor(WwnThermostatEntity, WwnSensor[Thermostat]):
    """A value of a thermostat."""


class WwnAlarmSensor(WwnAlarmEntity, WwnSensor[Alarm]):
    """A value of an alarm."""
