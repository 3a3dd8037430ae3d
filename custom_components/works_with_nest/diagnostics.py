"""What is known of a link, for a report: from memory alone, the server is not asked.

Nothing in it tells who lives where. Every id, name and room is replaced, the same by the same throughout, so that it
can still be seen what belongs to what; secrets are left out.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from homeassistant.components.diagnostics import REDACTED
from homeassistant.core import HomeAssistant

from .const import CONF_BY_PIN, CONF_CLIENT, CONF_HOMES, CONF_PERMISSIONS, CONF_SERVER
from .coordinator import WwnConfigEntry
from .wwn.models import Alarm, Structure, Thermostat

# Shown as a stand-in, the same for the same value. A name or a place gives a home away as an id does.
REPLACED: Final = frozenset(
    {
        "country_code",
        "device_id",
        "label",
        "name",
        "name_long",
        "postal_code",
        "smoke_co_alarms",
        "structure_id",
        "thermostats",
        "time_zone",
        "where_id",
        "where_name",
    }
)
# Texts that are shown: words and times of the protocol, and versions.
SHOWN: Final = frozenset(
    {
        "away",
        "battery_health",
        "co_alarm_state",
        "eta_begin",
        "fan_timer_timeout",
        "hvac_mode",
        "hvac_state",
        "last_connection",
        "last_manual_test_time",
        "locale",
        "peak_period_end_time",
        "peak_period_start_time",
        "previous_hvac_mode",
        "smoke_alarm_state",
        "software_version",
        "temperature_scale",
        "time_to_target",
        "time_to_target_training",
        "ui_color_state",
    }
)


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: WwnConfigEntry) -> dict[str, Any]:
    """Return what is known of a link."""
    coordinator, stand_ins = entry.runtime_data, StandIns()
    document = coordinator.data
    return {
        "link": _link(entry, stand_ins),
        "live": coordinator.live,
        "has_document": coordinator.has_document,
        "last_contact": coordinator.last_contact,
        "permissions": sorted(coordinator.permissions),
        "permissions_are_told": document.permissions is not None,
        "stream": {
            **asdict(coordinator.statistics),
            "refusals": dict(coordinator.client.refusals),
            "open_gap": coordinator.open_gap,
            "gaps": [{"start": gap.start, "end": gap.end} for gap in coordinator.gaps],
        },
        "document": {
            "structures": _things(document.structures, stand_ins),
            "thermostats": _things(document.thermostats, stand_ins),
            "smoke_co_alarms": _things(document.alarms, stand_ins),
        },
    }


class StandIns:
    """What is shown in place of ids and names: id-1, id-2 and so on, the same for the same."""

    def __init__(self) -> None:
        """Start with none given."""
        self._given: dict[object, str] = {}

    def of(self, value: object) -> object:
        """Return what stands for a value; nothing stays nothing."""
        if value is None or value == "":
            return value
        return self._given.setdefault(value, f"id-{len(self._given) + 1}")


def _link(entry: WwnConfigEntry, stand_ins: StandIns) -> dict[str, Any]:
    server = entry.data[CONF_SERVER]
    return {
        "server": stand_ins.of(server["server_id"]),
        "scheme": entry.runtime_data.server.base.scheme,
        "certificate_confirmed": entry.runtime_data.server.fingerprint is not None,
        "shards": len(server["shards"]),
        "discovered": not entry.runtime_data.server.is_original,
        "own_client": CONF_CLIENT not in entry.data,
        "client_version": entry.data.get(CONF_CLIENT, {}).get("version"),
        "asked_for": sorted(entry.data[CONF_PERMISSIONS]),
        "by_pin": entry.data.get(CONF_BY_PIN, False),
        "homes": [stand_ins.of(home) for home in entry.data[CONF_HOMES]],
        "included": [stand_ins.of(home) for home in sorted(entry.runtime_data.homes)],
        "options": {key: value for key, value in entry.options.items() if key != CONF_HOMES},
    }


def _things(things: Mapping[str, Structure | Thermostat | Alarm], stand_ins: StandIns) -> dict[str, Any]:
    return {str(stand_ins.of(wire_id)): _shown(thing.raw, stand_ins) for wire_id, thing in things.items()}


def _shown(raw: Mapping[str, Any], stand_ins: StandIns) -> dict[str, Any]:
    """Return an object of the wire as it may be shown."""
    return {key: _value(key, value, stand_ins) for key, value in raw.items()}


def _value(key: str, value: Any, stand_ins: StandIns) -> Any:
    if key == "wheres" and isinstance(value, Mapping):
        return len(value)
    if key in REPLACED:
        return _replaced(value, stand_ins)
    # What a server adds of its own is not known to be harmless, unless it is a figure or a switch.
    is_harmless = value is None or isinstance(value, bool | int | float) or (key in SHOWN and isinstance(value, str))
    return value if is_harmless else REDACTED


def _replaced(value: Any, stand_ins: StandIns) -> Any:
    """Return what stands for an id or a name, or for a list of them."""
    if isinstance(value, str):
        return stand_ins.of(value)
    if isinstance(value, list):
        return [stand_ins.of(each) if isinstance(each, str) else REDACTED for each in value]
    return REDACTED
