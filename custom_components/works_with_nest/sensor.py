"""What is measured, and how bad it is: temperature, humidity, smoke and carbon monoxide in three levels."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfTemperature
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.typing import StateType

from .coordinator import WwnConfigEntry, WwnCoordinator
from .entity import Table, WwnAlarmEntity, WwnEntity, WwnLinkEntity, WwnThermostatEntity, always, async_add_dynamically
from .wwn.models import Alarm, AlarmLevel, Permission, TemperatureScale, Thermostat

PARALLEL_UPDATES = 0

# Signs of life come every 30 s; each written would be two rows a minute in the database, for as long as all is well.
CONTACT_WRITTEN_EVERY: Final = timedelta(minutes=1)

UNIT_OF_SCALE: Final = {
    TemperatureScale.CELSIUS: UnitOfTemperature.CELSIUS,
    TemperatureScale.FAHRENHEIT: UnitOfTemperature.FAHRENHEIT,
}
LEVELS: Final = [level.value for level in AlarmLevel]


@dataclass(frozen=True, kw_only=True)
class WwnSensorDescription[T](SensorEntityDescription):
    """A row of this platform. value_fn: the value, None for unknown. unit_fn: where the unit is the thing's own."""

    value_fn: Callable[[T], StateType | datetime]
    unit_fn: Callable[[T], str] | None = None
    exists_fn: Callable[[T, frozenset[Permission]], bool] = always


def level(reported: object) -> str | None:
    """Return a level as a state; a word that is not known is no level, and never ok."""
    return reported.value if isinstance(reported, AlarmLevel) else None


LINK: Final[tuple[WwnSensorDescription[WwnCoordinator], ...]] = (
    WwnSensorDescription(
        key="last_contact",
        translation_key="last_contact",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda coordinator: coordinator.last_contact,
    ),
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
)

ALARMS: Final[tuple[WwnSensorDescription[Alarm], ...]] = (
    WwnSensorDescription(
        key="smoke_level",
        translation_key="smoke_level",
        device_class=SensorDeviceClass.ENUM,
        options=LEVELS,
        value_fn=lambda alarm: level(alarm.smoke),
    ),
    WwnSensorDescription(
        key="carbon_monoxide_level",
        translation_key="carbon_monoxide_level",
        device_class=SensorDeviceClass.ENUM,
        options=LEVELS,
        value_fn=lambda alarm: level(alarm.carbon_monoxide),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: WwnConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the sensors of one link."""
    async_add_dynamically(
        entry.runtime_data,
        async_add_entities,
        Table(WwnLinkSensor, LINK),
        Table(WwnThermostatSensor, THERMOSTATS),
        Table(WwnAlarmSensor, ALARMS),
    )


class WwnSensor[T](WwnEntity[T], SensorEntity):
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


class WwnLinkSensor(WwnLinkEntity, SensorEntity):
    """A value of the link: exact where the link is lost or back, and never more than a minute behind while it lives."""

    entity_description: WwnSensorDescription[WwnCoordinator]

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """Return the value, None for unknown."""
        return self.entity_description.value_fn(self.coordinator)

    @override
    async def async_added_to_hass(self) -> None:
        """Write a new value now and then, beside the times when the link is lost or back."""
        await super().async_added_to_hass()

        @callback
        def write(_now: datetime) -> None:
            self.async_write_ha_state()

        self.async_on_remove(async_track_time_interval(self.hass, write, CONTACT_WRITTEN_EVERY))


class WwnThermostatSensor(WwnThermostatEntity, WwnSensor[Thermostat]):
    """A value of a thermostat."""


class WwnAlarmSensor(WwnAlarmEntity, WwnSensor[Alarm]):
    """A value of an alarm."""
