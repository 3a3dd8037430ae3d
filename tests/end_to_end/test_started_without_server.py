"""Home Assistant starts while the server is down: it says so, shows nothing old, and is live when the server starts."""

import logging

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest

from custom_components.works_with_nest.const import DOMAIN
from tools.nest_home import NestHomeServer, NestPerson

from .conftest import Browser, until
from .test_live import alarm_in, state_of

LINK = "binary_sensor.home_connection"
LAST_CONTACT = "sensor.home_last_contact"
MONITORING = "binary_sensor.home_alarm_monitoring"
EVENT = "event.kitchen_nest_protect_alarm"
LEVEL = "sensor.kitchen_nest_protect_smoke_level"
PASSWORD = "a long enough password"


def registered(hass: HomeAssistant, entry_id: str) -> tuple[set[str], set[str]]:
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry_id)
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry_id)
    return {each.entity_id for each in entities}, {each.id for each in devices}


def said_of_link(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage().partition(" the link")[0]
        for record in caplog.records
        if record.name.startswith(f"custom_components.{DOMAIN}") and record.levelno >= logging.INFO
    ]


def events_of(hass: HomeAssistant, entity_id: str) -> dict[str, str]:
    """Return what an event entity tells from now on: the kind of each event by its time."""
    told: dict[str, str] = {}

    @callback
    def take(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state and state.entity_id == entity_id and state.state not in ("unavailable", "unknown"):
            told[state.state] = state.attributes["event_type"]

    hass.bus.async_listen("state_changed", take)
    return told


async def test_what_can_be_told_is_told_and_all_comes_live_when_the_server_starts(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    person: NestPerson,
    browser: Browser,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await browser.link(nest_home.base, person.accept)
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    await until(lambda: entry.runtime_data.open_gap is None)
    kitchen = alarm_in(await person.document(), "Kitchen")
    await person.set_alarm(kitchen, smoke="warning")
    await until(lambda: state_of(hass, EVENT) not in (None, "unknown"))
    before, told_before = registered(hass, entry.entry_id), state_of(hass, EVENT)
    shown = {state.entity_id for state in hass.states.async_all()}
    heard_before = entry.runtime_data.last_contact.replace(microsecond=0)
    port = int(nest_home.base.rpartition(":")[2])
    await hass.config_entries.async_unload(entry.entry_id)
    await nest_home.stop()
    caplog.clear()

    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert (state_of(hass, LINK), state_of(hass, MONITORING)) == ("off", "on")
    assert hass.states.get(MONITORING).attributes["link_down"] is True
    assert state_of(hass, LAST_CONTACT) >= heard_before.isoformat()
    assert state_of(hass, EVENT) == told_before
    stays = {each for each in shown if each.startswith("event.")} | {LINK, MONITORING, LAST_CONTACT}
    assert {each for each in shown if state_of(hass, each) != "unavailable"} == stays
    with pytest.raises(ServiceValidationError) as refused:
        await hass.services.async_call(
            DOMAIN, "set_fan_timer", {"entity_id": "climate.bedroom_nest_thermostat", "minutes": 15}, blocking=True
        )
    assert refused.value.translation_key == "link_not_loaded"
    assert said_of_link(caplog) == ["Nothing is heard of"]

    await nest_home.start(port)
    await until(lambda: state_of(hass, LEVEL) == "warning", 40)
    await until(lambda: entry.runtime_data.open_gap is None, 40)
    await hass.async_block_till_done()
    assert said_of_link(caplog) == ["Nothing is heard of", "Heard of"]
    assert {state.entity_id for state in hass.states.async_all()} == shown
    assert state_of(hass, LINK) == "on"
    assert state_of(hass, "climate.bedroom_nest_thermostat") != "unavailable"
    assert registered(hass, entry.entry_id) == before
    # What was known already is not told again.
    assert state_of(hass, EVENT) == told_before
    async with NestPerson(nest_home.base, "ada", PASSWORD) as again:
        await again.sign_in()
        await again.set_alarm(kitchen, smoke="ok")
    await until(lambda: state_of(hass, LEVEL) == "ok")


async def test_what_happened_meanwhile_is_told_once_and_late(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    person: NestPerson,
    browser: Browser,
) -> None:
    await browser.link(nest_home.base, person.accept)
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    await until(lambda: entry.runtime_data.open_gap is None)
    kitchen = alarm_in(await person.document(), "Kitchen")
    port = int(nest_home.base.rpartition(":")[2])
    await hass.config_entries.async_unload(entry.entry_id)
    await person.set_alarm(kitchen, smoke="emergency")
    await nest_home.stop()
    told = events_of(hass, EVENT)
    await hass.config_entries.async_setup(entry.entry_id)
    # Once more without it, as a person might who looks for the cause.
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert told == {}
    await nest_home.start(port)
    await until(lambda: told, 40)
    await until(lambda: entry.runtime_data.open_gap is None, 40)
    await hass.async_block_till_done()
    assert list(told.values()) == ["smoke_emergency"]
    said = hass.states.get(EVENT).attributes
    assert (said["late"], said["level_before"]) == (True, "ok")
    assert said["gap_from"] < said["gap_to"]
