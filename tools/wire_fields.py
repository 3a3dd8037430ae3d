"""Every field of a document in the order of the protocol (3.3 to 3.5), and why some are shown nowhere.

A temperature stands once for its two twins; the one of the thermostat's own scale is read.
"""

from collections.abc import Mapping
from typing import Final

THERMOSTAT: Final = (
    "device_id",
    "locale",
    "software_version",
    "structure_id",
    "name",
    "name_long",
    "label",
    "where_id",
    "where_name",
    "last_connection",
    "is_online",
    "can_cool",
    "can_heat",
    "is_using_emergency_heat",
    "has_fan",
    "fan_timer_active",
    "fan_timer_timeout",
    "fan_timer_duration",
    "has_leaf",
    "temperature_scale",
    "target_temperature",
    "target_temperature_high",
    "target_temperature_low",
    "eco_temperature_high",
    "eco_temperature_low",
    "away_temperature_high",
    "away_temperature_low",
    "hvac_mode",
    "previous_hvac_mode",
    "hvac_state",
    "ambient_temperature",
    "humidity",
    "is_locked",
    "locked_temp_min",
    "locked_temp_max",
    "sunlight_correction_enabled",
    "sunlight_correction_active",
    "time_to_target",
    "time_to_target_training",
)

ALARM: Final = (
    "device_id",
    "locale",
    "software_version",
    "structure_id",
    "where_id",
    "name",
    "name_long",
    "label",
    "where_name",
    "last_connection",
    "is_online",
    "battery_health",
    "co_alarm_state",
    "smoke_alarm_state",
    "is_manual_test_active",
    "last_manual_test_time",
    "ui_color_state",
)

STRUCTURE: Final = (
    "structure_id",
    "name",
    "country_code",
    "postal_code",
    "time_zone",
    "away",
    "thermostats",
    "smoke_co_alarms",
    "eta_begin",
    "eta",
    "peak_period_start_time",
    "peak_period_end_time",
    "rhr_enrollment",
    "co_alarm_state",
    "smoke_alarm_state",
    "wheres",
    # Outside of what is asked for.
    "cameras",
    "wwn_security_state",
    "devices",
)

_LOCALE: Final = "The language of the device's own display; Home Assistant has its own"
_NAME: Final = "Room and label say the same, and each has its own place in Home Assistant"
_CAMERAS: Final = "Of cameras, which are not asked for"

REASONS: Final[Mapping[str, Mapping[str, str]]] = {
    "thermostat": {
        "locale": _LOCALE,
        "name": _NAME,
        "name_long": _NAME,
        "fan_timer_duration": "Only what the next start of the fan takes; the action to run the fan sets it",
        "away_temperature_high": "The old name of the eco bounds, sent with the same values",
        "away_temperature_low": "The old name of the eco bounds, sent with the same values",
    },
    "alarm": {"locale": _LOCALE},
    "structure": {
        "country_code": "Home Assistant knows the country it is in",
        "postal_code": "Nothing here needs it, so it is not asked for",
        "time_zone": "Times are sent in UTC and shown in Home Assistant's own zone",
        "thermostats": "Each thermostat names its home itself",
        "eta": "Can only be written: the actions to set and cancel an arrival time do it",
        "cameras": _CAMERAS,
        "wwn_security_state": _CAMERAS,
        "devices": "Withdrawn by the service in 2018",
    },
}
