"""A link that is loaded while its server does not answer: it says so, shows nothing old, and forgets nothing."""

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
import logging
from typing import Any

from homeassistant.components.diagnostics import REDACTED
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.works_with_nest import (
    async_remove_config_entry_device,
    coordinator,
    listener,
    relinking,
    system_health,
    troubles,
)
from custom_components.works_with_nest.const import DOMAIN
from custom_components.works_with_nest.diagnostics import async_get_config_entry_diagnostics

from .automations import device_id
from .conftest import TOKEN, FixtureService, SetUp, until
from .test_conditions import passes
from .test_history import EMERGENCY, OK, Told, told  # noqa: F401 - told is a fixture
from .test_home_and_alarms import BEDROOM, HOME
from .test_link_entities import CONNECTION, LAST_CONTACT
from .test_services import WINDOW, refusal
from .test_troubles import issue

MONITORING = "binary_sensor.home_alarm_monitoring"
EVENT = "event.bedroom_nest_protect_alarm"
LEVEL = "sensor.bedroom_nest_protect_smoke_level"

type StateOf = Callable[[str], str | None]
type GoDown = Callable[..., Any]


@pytest.fixture
def go_down(hass: HomeAssistant, service: FixtureService, link: SetUp) -> GoDown:
    """Return a function that loads a link once with its server and once more without."""

    async def go_down(change: Callable[[dict[str, Any]], None] | None = None, status: int = 503) -> MockConfigEntry:
        entry = await link()
        await until(lambda: entry.runtime_data.open_gap is None)
        if change:
            service.push(change)
            await until(lambda: entry.runtime_data.data.alarms[BEDROOM].raw["smoke_alarm_state"] == "emergency")
        service.status = service.stream_status = status
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
        return entry

    return go_down


def come_back(service: FixtureService) -> None:
    service.status = service.stream_status = 200


@pytest.mark.parametrize("status", [404, 429, 500, 503])
async def test_only_what_tells_of_the_link_and_of_the_past_is_there_until_the_first_document(
    hass: HomeAssistant, service: FixtureService, state_of: StateOf, go_down: GoDown, short_clocks: None, status: int
) -> None:
    entry = await go_down(status=status)
    assert entry.state is ConfigEntryState.LOADED
    assert (state_of(CONNECTION), state_of(MONITORING)) == ("off", "on")
    assert hass.states.get(MONITORING).attributes["link_down"] is True
    assert datetime.fromisoformat(state_of(LAST_CONTACT)) <= dt_util.utcnow()
    there = {state.entity_id for state in hass.states.async_all() if state.state != "unavailable"}
    assert {each for each in there if not each.startswith("event.")} == {CONNECTION, MONITORING, LAST_CONTACT}
    assert EVENT in there
    everything = {each.entity_id for each in er.async_get(hass).entities.values() if not each.disabled_by}
    come_back(service)
    await until(lambda: state_of(LEVEL) == "ok")
    await hass.async_block_till_done()
    assert {state.entity_id for state in hass.states.async_all() if state.state != "unavailable"} == everything


async def test_a_link_that_ended_meanwhile_asks_for_linking_again_and_still_says_that_it_is_down(
    hass: HomeAssistant, service: FixtureService, state_of: StateOf, go_down: GoDown, short_clocks: None
) -> None:
    entry = await go_down()
    service.status = service.stream_status = 401
    await until(hass.config_entries.flow.async_progress)
    assert [flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()] == [SOURCE_REAUTH]
    assert (entry.state, state_of(CONNECTION), state_of(MONITORING)) == (ConfigEntryState.LOADED, "off", "on")


async def test_a_link_that_ended_while_nobody_was_there_is_loaded_and_says_so(
    hass: HomeAssistant, service: FixtureService, state_of: StateOf, go_down: GoDown, short_clocks: None
) -> None:
    entry = await go_down(status=401)
    assert (entry.state, state_of(CONNECTION), state_of(MONITORING)) == (ConfigEntryState.LOADED, "off", "on")
    assert state_of(EVENT) not in (None, "unavailable")
    assert [flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()] == [SOURCE_REAUTH]
    # An answer that shows that the link is up after all is enough.
    come_back(service)
    await until(lambda: state_of(LEVEL) == "ok")
    assert state_of(CONNECTION) == "on"


def without_alarms(document: dict[str, Any]) -> None:
    del document["devices"]
    for key in [key for key in document["structures"][HOME] if "alarm" in key]:
        del document["structures"][HOME][key]


@pytest.mark.parametrize("change", [dict.clear, without_alarms])
async def test_what_the_first_answer_lacks_is_there_as_it_would_be_in_the_same_run(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    state_of: StateOf,
    change: Callable[[dict[str, Any]], None],
) -> None:
    entry = await link()
    service.push(change)
    await until(lambda: state_of(LEVEL) == "unavailable")

    def shown() -> dict[str, str | None]:
        return {each: state_of(each) for each in (CONNECTION, MONITORING, EVENT)}

    before = shown()
    assert before[CONNECTION] == "on"
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert shown() == before
    assert state_of(LAST_CONTACT) not in (None, "unavailable", "unknown")


@pytest.mark.parametrize("lacks", ["alarm", "all"])
async def test_nothing_of_a_home_that_was_left_out_is_there_again_though_the_first_answer_lacks_it(
    hass: HomeAssistant, service: FixtureService, state_of: StateOf, link: SetUp, lacks: str
) -> None:
    service.document["structures"]["other"] = {"structure_id": "other", "name": "Cabin", "away": "away"}
    alarm = deepcopy(service.document["devices"]["smoke_co_alarms"][BEDROOM])
    alarm |= {"device_id": "far", "structure_id": "other", "name": "Attic", "name_long": "Attic Nest Protect"}
    service.document["devices"]["smoke_co_alarms"]["far"] = alarm | {"where_name": "Attic"}
    entry = await link()
    found = er.async_get(hass).async_get_entity_id("event", DOMAIN, entry.runtime_data.unique_id("far_alarm"))
    assert found is not None
    assert state_of(found) == "unknown"
    service.document = deepcopy(service.document)
    del service.document["devices"]["smoke_co_alarms"]["far"]
    if lacks == "all":
        service.document.clear()
    hass.config_entries.async_update_entry(entry, options={"homes": [HOME]})
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(found) in (None, "unavailable")
    assert state_of(EVENT) == "unknown"


async def test_what_happened_is_told_once_with_the_gap_since_the_last_run(
    hass: HomeAssistant,
    service: FixtureService,
    go_down: GoDown,
    told: Told,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listener, "FIRST_DELAY", 0.05)
    monkeypatch.setattr(listener, "LONGEST_DELAY", 0.1)
    entry = await go_down()
    last_contact = entry.runtime_data.last_contact
    monkeypatch.setattr(coordinator, "LIVE_FOR", 0.1)
    await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: told.links)
    service.document = deepcopy(service.document)
    EMERGENCY(service.document)
    # The loss was told; another start in it is no other loss.
    await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: entry.runtime_data._silence is None)
    monkeypatch.setattr(coordinator, "LIVE_FOR", 75)
    come_back(service)
    await until(lambda: told.transitions)
    await until(lambda: entry.runtime_data.open_gap is None)
    assert told.words() == ["smoke: ok -> emergency (late)"]
    assert [change.kind for change in told.links] == ["lost", "restored"]
    assert told.links[1].gap.start == last_contact == told.transitions[0].gap.start
    await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: entry.runtime_data.open_gap is None)
    assert (len(told.transitions), len(told.links)) == (1, 2)


async def test_an_alarm_that_was_active_still_is_and_is_cleared_when_it_says_so(
    hass: HomeAssistant,
    service: FixtureService,
    go_down: GoDown,
    told: Told,  # noqa: F811 - the fixture
    short_clocks: None,
) -> None:
    await go_down(EMERGENCY)
    for target in (device_id(hass, HOME), device_id(hass, BEDROOM)):
        assert await passes(hass, "alarm_is_active", device_id=target) is True
    assert await passes(hass, "home_is_home", device_id=device_id(hass, HOME)) is False
    service.document = deepcopy(service.document)
    OK(service.document)
    come_back(service)
    await until(lambda: len(told.transitions) == 2)
    assert told.words() == ["smoke: ok -> emergency", "smoke: emergency -> ok (late)"]


async def test_nothing_is_removed_and_nothing_can_be_while_nobody_knows(
    hass: HomeAssistant, service: FixtureService, go_down: GoDown
) -> None:
    entry = await go_down()
    entities, devices = er.async_get(hass).entities, dr.async_get(hass)

    def known() -> tuple[set[str], set[str]]:
        found = dr.async_entries_for_config_entry(devices, entry.entry_id)
        return {*entities}, {device.id for device in found}

    before = known()
    for device in dr.async_entries_for_config_entry(devices, entry.entry_id):
        assert not await async_remove_config_entry_device(hass, entry, device)
    await relinking.async_forget_lost(hass, entry)
    options = await hass.config_entries.options.async_init(entry.entry_id)
    assert (options["type"], options["reason"]) == ("abort", "link_not_loaded")
    assert known() == before


async def test_a_home_left_out_meanwhile_goes_with_the_first_document(
    hass: HomeAssistant, service: FixtureService, state_of: StateOf, link: SetUp, short_clocks: None
) -> None:
    service.document["structures"]["other"] = {"structure_id": "other", "name": "Cabin", "away": "away"}
    entry = await link()
    service.status = service.stream_status = 503
    hass.config_entries.async_update_entry(entry, options={"homes": [HOME]})
    await hass.config_entries.async_reload(entry.entry_id)
    assert (state_of("binary_sensor.cabin_connection"), state_of(CONNECTION)) == ("unavailable", "off")
    come_back(service)
    await until(lambda: state_of("binary_sensor.cabin_connection") is None)
    assert state_of(CONNECTION) == "on"


async def test_an_action_is_refused_in_words(hass: HomeAssistant, go_down: GoDown) -> None:
    await go_down()
    assert (await refusal(hass, "set_eta", device_id=device_id(hass, HOME), **WINDOW))[0] == "link_not_loaded"


async def test_it_is_said_when_the_link_is_down_for_long_and_at_once_when_that_does_not_pass(
    hass: HomeAssistant, service: FixtureService, go_down: GoDown, short_clocks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await go_down()
    assert issue(hass, "link_down", entry) is None
    monkeypatch.setattr(troubles, "BORN", dt_util.utcnow() - timedelta(minutes=31))
    await hass.config_entries.async_reload(entry.entry_id)
    # It was heard of a moment ago.
    await hass.async_block_till_done()
    assert issue(hass, "link_down", entry) is None
    service.status = 403
    await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: issue(hass, "link_down", entry))
    come_back(service)
    await until(lambda: not issue(hass, "link_down", entry))
    assert not ir.async_get(hass).issues


async def test_reports_hold_what_is_known(hass: HomeAssistant, go_down: GoDown) -> None:
    entry = await go_down()
    report = await async_get_config_entry_diagnostics(hass, entry)
    assert (report["live"], report["has_document"]) == (False, False)
    assert report["document"] == {"structures": {}, "thermostats": {}, "smoke_co_alarms": {}}
    assert TOKEN not in str(report)
    assert REDACTED not in str(report["link"])
    health = await system_health.async_info(hass)
    await health["server_reachable"]
    assert (health["links"], health["streams_up"], health["last_contact"]) == (1, 0, entry.runtime_data.last_contact)


async def test_it_can_be_unloaded_and_removed(hass: HomeAssistant, go_down: GoDown) -> None:
    entry = await go_down()
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.config_entries.async_entries(DOMAIN) == []
    assert [each for each in er.async_get(hass).entities.values() if each.platform == DOMAIN] == []


@pytest.mark.parametrize("stream", [pytest.param(200, id="pushed to"), pytest.param(503, id="polled only")])
async def test_a_loss_and_a_return_are_one_line_each(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    state_of: StateOf,
    short_clocks: None,
    caplog: pytest.LogCaptureFixture,
    stream: int,
) -> None:
    service.stream_status = stream
    await link()
    await until(lambda: state_of(CONNECTION) == "on")
    caplog.clear()
    service.status = service.stream_status = 503
    service.send(None)
    await until(lambda: state_of(CONNECTION) == "off")
    polls = service.count("GET")
    await until(lambda: service.count("GET") > polls + 2)
    service.status, service.stream_status = 200, stream
    await until(lambda: state_of(CONNECTION) == "on")
    said = [record for record in caplog.records if record.levelno >= logging.INFO and DOMAIN in record.name]
    assert [(each.levelname, each.getMessage().partition(" the link")[0]) for each in said] == [
        ("INFO", "Lost"),
        ("INFO", "Heard of"),
    ]
