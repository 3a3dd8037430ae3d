"""Automations in the Home Assistant under test, written the way a person writes them."""

from typing import Any

from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_capture_events
import yaml

from custom_components.works_with_nest.const import DOMAIN

from .conftest import SERVER_ID


async def automate(hass: HomeAssistant, text: str) -> None:
    """Set up automations from YAML."""
    assert await async_setup_component(hass, "automation", {"automation": yaml.safe_load(text)})
    await hass.async_block_till_done()
    automations = hass.states.async_all("automation")
    assert automations
    assert {state.state for state in automations} == {"on"}, "an automation is not understood"


async def arm_automations(hass: HomeAssistant) -> None:
    """Do what a start does between its two events."""
    for job in hass._startup_jobs:
        hass.async_run_hass_job(job.job, *job.args)
    hass._startup_jobs.clear()
    await hass.async_block_till_done()


TOLD = ("home", "alarm", "device_id", "sensor", "from", "to", "at", "late")


async def fired_by(
    hass: HomeAssistant, *triggers: dict[str, Any], conditions: list[dict[str, Any]] | None = None
) -> list[Event]:
    """Return the events of an automation that fires one with what its trigger tells, from now on."""
    data = {key: f"{{{{ trigger.get('{key}') }}}}" for key in TOLD}
    data |= {f"gap_{key}": f"{{{{ (trigger.gap or {{}}).get('{key}') }}}}" for key in ("from", "to")}
    automation = {
        "triggers": list(triggers),
        "conditions": conditions or [],
        "actions": {"event": "told", "event_data": data},
        "mode": "queued",
    }
    events = async_capture_events(hass, "told")
    await automate(hass, yaml.safe_dump([automation]))
    return events


def device_id(hass: HomeAssistant, wire_id: str) -> str:
    """Return the registry's id of a home or device."""
    entry, *_ = hass.config_entries.async_entries(DOMAIN)
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, f"{SERVER_ID}_{wire_id}"), entry.entry_id)
    assert device is not None
    return device.id
