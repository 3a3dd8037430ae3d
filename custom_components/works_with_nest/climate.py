"""Thermostats. Their eco is a mode on the wire and a preset here, as in Home Assistant's own Nest integration."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, override

from homeassistant.components.climate import (
    ATTR_FAN_MODE,
    ATTR_HVAC_MODE,
    ATTR_PRESET_MODE,
    ATTR_TARGET_TEMP_HIGH,
    ATTR_TARGET_TEMP_LOW,
    FAN_AUTO,
    FAN_ON,
    PRESET_ECO,
    PRESET_NONE,
    ClimateEntity,
    ClimateEntityDescription,
    ClimateEntityFeature,
    HVACAction,
    HVACMode,
)
from homeassistant.const import ATTR_TEMPERATURE, PRECISION_TENTHS, PRECISION_WHOLE, UnitOfTemperature
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import ExtraStoredData, RestoreEntity
from homeassistant.helpers.temperature import display_temp
from homeassistant.util.unit_conversion import TemperatureConverter

from .const import DOMAIN
from .coordinator import WwnConfigEntry, WwnCoordinator
from .entity import Table, WwnThermostatEntity, always, async_add_dynamically
from .sensor import UNIT_OF_SCALE
from .wwn.models import HvacMode, HvacState, Permission, TemperatureScale, Thermostat

# The client keeps writes in order and merges quick ones, which calls that come one by one would keep it from.
PARALLEL_UPDATES = 0

# A temperature is checked against the mode in force, so it waits until a document shows the mode (protocol 5.2).
MODE_SHOWN_WITHIN: Final = 10.0

HVAC_MODE_OF: Final[Mapping[object, HVACMode]] = {
    HvacMode.OFF: HVACMode.OFF,
    HvacMode.HEAT: HVACMode.HEAT,
    HvacMode.COOL: HVACMode.COOL,
    HvacMode.HEAT_COOL: HVACMode.HEAT_COOL,
}
WIRE_MODE_OF: Final = {mode: wire for wire, mode in HVAC_MODE_OF.items() if isinstance(wire, HvacMode)}
ACTION_OF_STATE: Final[Mapping[object, HVACAction]] = {
    HvacState.HEATING: HVACAction.HEATING,
    HvacState.COOLING: HVACAction.COOLING,
}
FAN_MODE_OF_TIMER: Final[Mapping[object, str]] = {True: FAN_ON, False: FAN_AUTO}
# Lowest and highest target (protocol 5.3).
LIMITS_OF_SCALE: Final = {TemperatureScale.CELSIUS: (9.0, 32.0), TemperatureScale.FAHRENHEIT: (50.0, 90.0)}
# How finely temperatures are shown, and the step of a target: by whether Fahrenheit is shown as it is. Whole degrees
# anywhere else would hide targets, or come back as others: 22.5 C is 72.5 F, and 72 F is 22 C.
FINENESS: Final[Mapping[bool, tuple[float, float]]] = {True: (PRECISION_WHOLE, 1.0), False: (PRECISION_TENTHS, 0.5)}

# What the equipment can do -> the modes it offers, the one to fall back to first.
MODES_OF_EQUIPMENT: Final[Mapping[tuple[bool, bool], tuple[HvacMode, ...]]] = {
    (True, True): (HvacMode.HEAT_COOL, HvacMode.HEAT, HvacMode.COOL),
    (True, False): (HvacMode.HEAT,),
    (False, True): (HvacMode.COOL,),
    (False, False): (),
}

FEATURES_OF_ALL: Final = (
    ClimateEntityFeature.PRESET_MODE
    | ClimateEntityFeature.TARGET_TEMPERATURE
    | ClimateEntityFeature.TURN_OFF
    | ClimateEntityFeature.TURN_ON
)
FEATURES_OF_RANGE: Final = FEATURES_OF_ALL | ClimateEntityFeature.TARGET_TEMPERATURE_RANGE


@dataclass(frozen=True, kw_only=True)
class WwnClimateDescription(ClimateEntityDescription):
    """A row of this platform."""

    exists_fn: Callable[[Thermostat, frozenset[Permission]], bool] = always


THERMOSTATS: Final = (WwnClimateDescription(key="climate", translation_key="thermostat", name=None),)


async def async_setup_entry(
    hass: HomeAssistant, entry: WwnConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the thermostats of one link."""
    async_add_dynamically(entry.runtime_data, async_add_entities, Table(WwnClimate, THERMOSTATS))


def equipment_modes(thermostat: Thermostat) -> tuple[HvacMode, ...]:
    """Return the modes that heat or cool, the one to fall back to first."""
    return MODES_OF_EQUIPMENT[(thermostat.can_heat is True, thermostat.can_cool is True)]


def mode_without_eco(thermostat: Thermostat) -> HvacMode | None:
    """Return the mode in force, or, in eco, the one that leaving eco brings back (protocol 5.4)."""
    if thermostat.hvac_mode is not HvacMode.ECO:
        return thermostat.hvac_mode if isinstance(thermostat.hvac_mode, HvacMode) else None
    modes = equipment_modes(thermostat)
    previous = thermostat.previous_hvac_mode
    if isinstance(previous, HvacMode) and previous in {*modes, HvacMode.OFF}:
        return previous
    return modes[0] if modes else None


def features(thermostat: Thermostat) -> ClimateEntityFeature:
    """Return what can be set on a thermostat, by its equipment."""
    fan = ClimateEntityFeature.FAN_MODE if thermostat.has_fan else ClimateEntityFeature(0)
    modes = equipment_modes(thermostat)
    if not modes:
        return fan
    return fan | (FEATURES_OF_RANGE if HvacMode.HEAT_COOL in modes else FEATURES_OF_ALL)


def preset(thermostat: Thermostat) -> str | None:
    """Return whether a thermostat saves energy; a mode that is not known may mean anything."""
    if not isinstance(thermostat.hvac_mode, HvacMode):
        return None
    return PRESET_ECO if thermostat.hvac_mode is HvacMode.ECO else PRESET_NONE


def fan_mode(thermostat: Thermostat) -> str | None:
    """Return whether the fan runs by its timer or as the equipment needs it, None where that is not told."""
    return FAN_MODE_OF_TIMER.get(thermostat.fan_timer_active) if thermostat.has_fan else None


def last_mode(thermostat: Thermostat) -> HvacMode | None:
    """Return the mode that turning off and on again brings back, None where there is none to tell."""
    mode = mode_without_eco(thermostat)
    return None if mode is HvacMode.OFF else mode


def hvac_modes(thermostat: Thermostat) -> list[HVACMode]:
    """Return the modes a thermostat offers."""
    return [HVAC_MODE_OF[mode] for mode in (HvacMode.OFF, *equipment_modes(thermostat))]


def hvac_action(thermostat: Thermostat) -> HVACAction | None:
    """Return what the equipment does; idle and off are one word on the wire (protocol 3.3)."""
    if action := ACTION_OF_STATE.get(thermostat.hvac_state):
        return action
    if thermostat.hvac_state is not HvacState.OFF:
        return None
    if thermostat.fan_timer_active:
        return HVACAction.FAN
    return HVACAction.OFF if thermostat.hvac_mode is HvacMode.OFF else HVACAction.IDLE


def targets(thermostat: Thermostat) -> tuple[float | None, float | None, float | None]:
    """Return target, low and high as the thermostat follows them: in eco its eco bounds (protocol 11, 12 and 13)."""
    is_eco = thermostat.hvac_mode is HvacMode.ECO
    low, high = (thermostat.eco_low, thermostat.eco_high) if is_eco else (thermostat.target_low, thermostat.target_high)
    match mode_without_eco(thermostat):
        case HvacMode.HEAT_COOL:
            return None, low, high
        case HvacMode.HEAT:
            return low if is_eco else thermostat.target, None, None
        case HvacMode.COOL:
            return high if is_eco else thermostat.target, None, None
    return None, None, None


def limits(thermostat: Thermostat) -> tuple[float, float]:
    """Return the lowest and highest target: by scale, and by the lock where there is one."""
    lowest, highest = LIMITS_OF_SCALE[thermostat.scale]
    if thermostat.is_locked:
        return thermostat.locked_min or lowest, thermostat.locked_max or highest
    return lowest, highest


def check_takes_target(mode: HvacMode | None, *, has_range: bool, has_target: bool) -> None:
    """Refuse, before anything is sent, a temperature that a mode has no place for."""
    if mode is HvacMode.ECO:
        key = "eco_has_fixed_temperatures"
    elif mode is HvacMode.OFF:
        key = "off_has_no_temperature"
    elif mode is HvacMode.HEAT_COOL and not has_range:
        key = "range_needed"
    elif mode is not HvacMode.HEAT_COOL and not has_target:
        key = "single_temperature_needed"
    else:
        return
    raise ServiceValidationError(translation_domain=DOMAIN, translation_key=key)


@dataclass(slots=True)
class LastMode(ExtraStoredData):
    """The mode a thermostat was last on in. No document tells it once the thermostat is off."""

    mode: HvacMode | None = None

    @override
    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON, for storage."""
        return {"mode": self.mode}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return what as_dict stored; a mode that is not known is none."""
        mode = stored.get("mode")
        return cls(HvacMode(mode) if mode in set(HvacMode) else None)


class WwnClimate(WwnThermostatEntity, ClimateEntity, RestoreEntity):
    """A thermostat.

    The members named native_* are what Home Assistant 2026.11 asks for, the others what 2026.10 does; they are one.
    """

    entity_description: WwnClimateDescription
    _attr_fan_modes = [FAN_AUTO, FAN_ON]  # noqa: RUF012 - Home Assistant's own way
    _attr_preset_modes = [PRESET_NONE, PRESET_ECO]  # noqa: RUF012 - Home Assistant's own way
    _attr_temperature_unit = UNIT_OF_SCALE[TemperatureScale.CELSIUS]
    _attr_native_temperature_unit = UNIT_OF_SCALE[TemperatureScale.CELSIUS]

    def __init__(self, coordinator: WwnCoordinator, wire_id: str, description: EntityDescription) -> None:
        """Follow a thermostat."""
        super().__init__(coordinator, wire_id, description)
        self._last = LastMode()
        self._mode_turn = asyncio.Lock()

    @override
    async def async_added_to_hass(self) -> None:
        """Take up the mode that was last on, also before a restart."""
        await super().async_added_to_hass()
        if stored := await self.async_get_last_extra_data():
            self._last = LastMode.from_dict(stored.as_dict())
        self._note_mode()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._note_mode()
        super()._handle_coordinator_update()

    @override
    def shown(self) -> tuple[object, ...]:
        """Return all that its state is made of."""
        return self.available, self.item, self._may_write

    def _note_mode(self) -> None:
        self._last.mode = self._of(last_mode, None) or self._last.mode

    @property
    @override
    def extra_restore_state_data(self) -> LastMode:
        """Return what a restart must not forget."""
        return self._last

    def _of[R](self, read: Callable[[Thermostat], R], otherwise: R) -> R:
        """Return what is read of the thermostat, or something for one that the newest document does not hold."""
        return otherwise if self.item is None else read(self.item)

    @property
    def _may_write(self) -> bool:
        return Permission.THERMOSTAT_READ_WRITE in self.coordinator.permissions

    @property
    @override
    def supported_features(self) -> ClimateEntityFeature:
        """Return what can be set: by equipment, and nothing where only seeing was granted."""
        return self._of(features, ClimateEntityFeature(0)) if self._may_write else ClimateEntityFeature(0)

    @property
    @override
    def hvac_modes(self) -> list[HVACMode]:
        """Return the modes to choose from; only the one in force where only seeing was granted."""
        if self._may_write:
            return self._of(hvac_modes, [])
        return [self.hvac_mode] if self.hvac_mode else []

    @property
    @override
    def hvac_mode(self) -> HVACMode | None:
        """Return the mode in force, in eco the one that leaving it brings back."""
        return self._of(lambda thermostat: HVAC_MODE_OF.get(mode_without_eco(thermostat)), None)

    @property
    @override
    def hvac_action(self) -> HVACAction | None:
        """Return what the equipment does now."""
        return self._of(hvac_action, None)

    @property
    @override
    def preset_mode(self) -> str | None:
        """Return whether it saves energy."""
        return self._of(preset, None)

    @property
    @override
    def fan_mode(self) -> str | None:
        """Return whether the fan runs by its timer."""
        return self._of(fan_mode, None)

    @property
    @override
    def current_humidity(self) -> float | None:
        """Return the relative humidity in %."""
        return self._of(lambda thermostat: thermostat.humidity, None)

    @property
    @override
    def precision(self) -> float:
        """Return how finely temperatures are shown."""
        return FINENESS[self._is_fahrenheit_throughout][0]

    @property
    @override
    def min_temp(self) -> float:
        """Return the lowest target, and no more than what is shown of it: that can be set too."""
        lowest, _ = self._limits
        return min(lowest, self._as_set_again(lowest))

    @property
    @override
    def max_temp(self) -> float:
        """Return the highest target, and no less than what is shown of it: that can be set too."""
        _, highest = self._limits
        return max(highest, self._as_set_again(highest))

    @property
    def _limits(self) -> tuple[float, float]:
        return self._of(limits, LIMITS_OF_SCALE[TemperatureScale.CELSIUS])

    def _as_set_again(self, limit: float) -> float:
        """Return what comes back of a temperature that was rounded to be shown in Home Assistant's own unit."""
        own, unit = self.native_temperature_unit, self.hass.config.units.temperature_unit
        return TemperatureConverter.convert(display_temp(self.hass, limit, own, self.precision) or limit, unit, own)

    @property
    @override
    def target_temperature_step(self) -> float | None:
        """Return the step of a target, in Home Assistant's own unit: one step is one of the thermostat's."""
        return self._of(lambda _: FINENESS[self._is_fahrenheit_throughout][1], None)

    @property
    def _is_fahrenheit_throughout(self) -> bool:
        return self.native_temperature_unit == self.hass.config.units.temperature_unit == UnitOfTemperature.FAHRENHEIT

    @property
    def native_temperature_unit(self) -> str:
        """Return the unit the thermostat itself displays."""
        return self._of(lambda thermostat: UNIT_OF_SCALE[thermostat.scale], self._attr_native_temperature_unit)

    @property
    def native_current_temperature(self) -> float | None:
        """Return the temperature at the thermostat."""
        return self._of(lambda thermostat: thermostat.ambient, None)

    @property
    def native_target_temperature(self) -> float | None:
        """Return the target where there is one."""
        return self._of(lambda thermostat: targets(thermostat)[0], None)

    @property
    def native_target_temperature_low(self) -> float | None:
        """Return the lower bound where there are two."""
        return self._of(lambda thermostat: targets(thermostat)[1], None)

    @property
    def native_target_temperature_high(self) -> float | None:
        """Return the upper bound where there are two."""
        return self._of(lambda thermostat: targets(thermostat)[2], None)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """Return what can be seen and not set: Home Assistant itself leaves out whatever cannot be set."""
        if self._may_write:
            return None
        temperatures = {
            ATTR_TEMPERATURE: self.native_target_temperature,
            ATTR_TARGET_TEMP_LOW: self.native_target_temperature_low,
            ATTR_TARGET_TEMP_HIGH: self.native_target_temperature_high,
        }
        own, precision = self.native_temperature_unit, self.precision
        shown = {name: display_temp(self.hass, value, own, precision) for name, value in temperatures.items()}
        told = {**shown, ATTR_PRESET_MODE: self.preset_mode, ATTR_FAN_MODE: self.fan_mode}
        return {name: value for name, value in told.items() if value is not None}

    temperature_unit = native_temperature_unit
    current_temperature = native_current_temperature
    target_temperature = native_target_temperature
    target_temperature_low = native_target_temperature_low
    target_temperature_high = native_target_temperature_high

    @override
    async def async_set_hvac_mode(self, hvac_mode: HVACMode) -> None:
        """Set the mode; this leaves eco."""
        await self._write_mode(WIRE_MODE_OF[hvac_mode])

    @override
    async def async_turn_on(self) -> None:
        """Go back to the mode that was on before, if the equipment still has it; in eco a thermostat is on already."""
        offered = [WIRE_MODE_OF[mode] for mode in self.hvac_modes if mode is not HVACMode.OFF]
        if offered and self.hvac_mode is HVACMode.OFF:
            await self._write_mode(self._last.mode if self._last.mode in offered else offered[0])

    @override
    async def async_set_fan_mode(self, fan_mode: str) -> None:
        """Run the fan for as long as last time, or leave it to the equipment."""
        await self.async_set_fan_timer(None if fan_mode == FAN_ON else 0)

    async def async_set_fan_timer(self, minutes: int | None) -> None:
        """Run the fan for some minutes. None: as long as last time; 0: leave it to the equipment."""
        client = self.coordinator.client
        with self.coordinator.writing():
            await (client.stop_fan(self.wire_id) if minutes == 0 else client.start_fan(self.wire_id, minutes))

    @override
    async def async_set_preset_mode(self, preset_mode: str) -> None:
        """Enter eco, or leave it for the mode before it; this is not away."""
        if preset_mode == PRESET_ECO:
            await self._write_mode(HvacMode.ECO)
        elif (mode := self._of(mode_without_eco, None)) is not None:
            await self._write_mode(mode)
        else:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="mode_not_known")

    @override
    async def async_set_temperature(self, **kwargs: Any) -> None:
        """Set the target or both bounds, after the mode if one is given."""
        low, high = kwargs.get(ATTR_TARGET_TEMP_LOW), kwargs.get(ATTR_TARGET_TEMP_HIGH)
        target = kwargs.get(ATTR_TEMPERATURE)
        scale = self._of(lambda thermostat: thermostat.scale, TemperatureScale.CELSIUS)
        client = self.coordinator.client
        # A temperature that comes while a mode is being taken is meant for that mode.
        async with self._mode_turn:
            wanted = self._wanted_mode(kwargs.get(ATTR_HVAC_MODE))
            check_takes_target(wanted, has_range=low is not None and high is not None, has_target=target is not None)
            if wanted is not None:
                await self._set_mode_and_wait(wanted)
        with self.coordinator.writing():
            if low is not None and high is not None:
                await client.set_range(self.wire_id, scale, low, high)
            elif target is not None:
                await client.set_target(self.wire_id, scale, target)

    def _wanted_mode(self, asked: HVACMode | None) -> HvacMode | None:
        """Return the mode that a temperature is meant for: the one asked for with it, else the one in force."""
        if asked is not None and asked not in self.hvac_modes:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="mode_not_offered")
        if asked is not None:
            return WIRE_MODE_OF[asked]
        in_force = self._of(lambda thermostat: thermostat.hvac_mode, None)
        return in_force if isinstance(in_force, HvacMode) else None

    async def _set_mode_and_wait(self, mode: HvacMode) -> None:
        """Set the mode and wait until a document shows it, if it is not known to be in force already."""
        if self._has_mode(mode) and self.coordinator.client.knows:
            return
        await self._write_mode(mode)
        if not await self.coordinator.async_wait_until(lambda _: self._has_mode(mode), MODE_SHOWN_WITHIN):
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="mode_not_taken")

    def _has_mode(self, mode: HvacMode) -> bool:
        return self._of(lambda thermostat: thermostat.hvac_mode is mode, otherwise=False)

    async def _write_mode(self, mode: HvacMode) -> None:
        with self.coordinator.writing():
            await self.coordinator.client.set_hvac_mode(self.wire_id, mode)
