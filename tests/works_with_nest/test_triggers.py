"""Triggers of our own: once for each thing that happened, also when nobody was listening."""

import asyncio
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from typing import Any

from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, Event, HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    config_validation as cv,
    entity_registry as er,
    trigger as trigger_helper,
)
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.works_with_nest.const import DOMAIN
from custom_components.works_with_nest.trigger import TRIGGERS

from .automations import arm_automations, automate, device_id, fired_by
from .conftest import FixtureService, SetUp, until
from .test_climate import HALLWAY
from .test_home_and_alarms import HOME
from .test_push import BEDROOM, KITCHEN, alarm

CO = "carbon_monoxide"

type StateOf = Callable[[str], str | None]
type Change = Callable[[dict[str, Any]], object]


def away(word: str) -> Change:
    return lambda document: document["structures"][HOME].update(away=word)


def bedroom(**fields: Any) -> Change:
    return lambda document: alarm(document, BEDROOM).update(fields)


def told(events: list[Event]) -> list[dict[str, Any]]:
    return [dict(event.data) for event in events]


async def nothing_more(hass: HomeAssistant, events: list[Event], count: int) -> None:
    """Fail if more was fired than was meant, once all that was caused is done."""
    await hass.async_block_till_done()
    assert len(events) == count


def on(name: str, options: dict[str, Any] | None = None, **target: Any) -> dict[str, Any]:
    return {"trigger": f"{DOMAIN}.{name}", "target": target, **({"options": options} if options else {})}


@pytest.mark.parametrize(
    ("name", "words"), [("home_became_away", ("away", "home")), ("home_became_home", ("away", "home"))]
)
async def test_a_home_that_changes_fires_once_with_all_that_is_known(
    hass: HomeAssistant, service: FixtureService, link: SetUp, name: str, words: tuple[str, str]
) -> None:
    await link()
    await until(lambda: service.streams)
    events = await fired_by(hass, on(name, device_id=device_id(hass, HOME)))
    for word in ("away", "home"):
        service.push(away(word))
        service.push(lambda document: alarm(document, BEDROOM).update(ui_color_state="gray"))
        service.push()
    await until(lambda: len(service.streams) and events)
    await until(lambda: hass.states.get("binary_sensor.home_presence").state == "on")
    await nothing_more(hass, events, 1)
    expected = {"away": "home", "home": "away"}
    to = name.rpartition("_")[2]
    seen = told(events)[0]
    assert datetime.fromisoformat(seen.pop("at")).tzinfo
    assert seen == {
        "home": "Home",
        "alarm": None,
        "sensor": None,
        "from": expected[to],
        "to": to,
        "late": False,
        "gap_from": None,
        "gap_to": None,
        "device_id": device_id(hass, HOME),
    }


async def test_auto_away_is_away_and_unknown_is_neither(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    await link(["thermostat read", "smoke+co read"])
    await until(lambda: service.streams)
    events = await fired_by(hass, on("home_became_away", device_id=device_id(hass, HOME)))
    for word in ("unknown", "vacation", "auto-away", "away", "unknown", "away"):
        service.push(away(word))
    await until(lambda: events)
    await nothing_more(hass, events, 1)


@pytest.mark.parametrize(
    ("name", "sensor", "fields", "expected"),
    [
        ("alarm_reached_warning", "either", {"smoke_alarm_state": "warning"}, [("smoke", "ok", "warning")]),
        ("alarm_reached_warning", "smoke", {"co_alarm_state": "warning"}, []),
        ("alarm_reached_warning", "either", {"smoke_alarm_state": "emergency"}, []),
        (
            "alarm_reached_emergency",
            "either",
            {"co_alarm_state": "emergency"},
            [("carbon_monoxide", "ok", "emergency")],
        ),
        ("alarm_reached_emergency", "smoke", {"smoke_alarm_state": "emergency"}, [("smoke", "ok", "emergency")]),
        ("alarm_reached_emergency", "carbon_monoxide", {"smoke_alarm_state": "emergency"}, []),
        (
            "alarm_reached_emergency",
            "either",
            {"smoke_alarm_state": "emergency", "co_alarm_state": "emergency"},
            [("smoke", "ok", "emergency"), (CO, "ok", "emergency")],
        ),
    ],
)
async def test_an_alarm_that_reaches_a_level_fires_for_the_sensors_that_were_chosen(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    name: str,
    sensor: str,
    fields: dict[str, Any],
    expected: list[tuple[str, str, str]],
) -> None:
    await link()
    await until(lambda: service.streams)
    events = await fired_by(hass, on(name, {"sensor": sensor}, device_id=device_id(hass, BEDROOM)))
    service.push(bedroom(**fields))
    service.push(lambda document: alarm(document, KITCHEN).update(battery_health="ok"))
    await until(lambda: hass.states.get("binary_sensor.kitchen_nest_protect_battery").state == "off")
    await nothing_more(hass, events, len(expected))
    assert [(each["sensor"], each["from"], each["to"]) for each in told(events)] == expected
    assert {each["alarm"] for each in told(events)} <= {"Nest Protect"}
    assert {each["home"] for each in told(events)} <= {"Home"}


async def test_an_alarm_is_cleared_once_when_it_says_so_itself(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    await link()
    await until(lambda: service.streams)
    events = await fired_by(hass, on("alarm_cleared", device_id=device_id(hass, BEDROOM)))
    for fields in (
        {"smoke_alarm_state": "emergency"},
        {"is_online": False},
        {"smoke_alarm_state": "ok"},
        {"smoke_alarm_state": "OK", "is_online": True},
    ):
        service.push(bedroom(**fields))
    await until(lambda: hass.states.get("sensor.bedroom_nest_protect_smoke_level").state == "unknown")
    await nothing_more(hass, events, 0)
    service.push(bedroom(smoke_alarm_state="ok"))
    await until(lambda: events)
    await nothing_more(hass, events, 1)
    assert (told(events)[0]["from"], told(events)[0]["to"]) == ("emergency", "ok")


async def test_a_manual_test_fires_nothing_and_hides_no_emergency(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    await link()
    await until(lambda: service.streams)
    target = {"device_id": device_id(hass, BEDROOM)}
    names = ("alarm_reached_warning", "alarm_reached_emergency", "alarm_cleared")
    events = await fired_by(hass, *(on(name, **target) for name in names))
    service.push(bedroom(is_manual_test_active=True, smoke_alarm_state="warning"))
    service.push(bedroom(is_manual_test_active=False, smoke_alarm_state="ok"))
    await until(lambda: hass.states.get("binary_sensor.bedroom_nest_protect_manual_test").state == "off")
    await nothing_more(hass, events, 0)
    service.push(bedroom(is_manual_test_active=True, smoke_alarm_state="emergency"))
    await until(lambda: events)
    assert told(events)[0]["to"] == "emergency"


@pytest.mark.parametrize(
    "target",
    [
        {"entity_id": "binary_sensor.bedroom_nest_protect_smoke"},
        {"entity_id": "event.bedroom_nest_protect_alarm"},
        {"entity_id": "binary_sensor.home_smoke"},
        {"entity_id": "binary_sensor.bedroom_nest_protect_connectivity"},
        {"area_id": "bedroom"},
        {"label_id": "alarms"},
        {"floor_id": "upstairs"},
    ],
)
async def test_an_alarm_is_found_by_its_entity_its_home_its_area_and_its_label(
    hass: HomeAssistant, service: FixtureService, link: SetUp, target: dict[str, str]
) -> None:
    await link()
    await until(lambda: service.streams)
    er.async_get(hass).async_update_entity("binary_sensor.bedroom_nest_protect_smoke", labels={"alarms"})
    ar.async_get(hass).async_update("bedroom", floor_id="upstairs")
    events = await fired_by(hass, on("alarm_reached_emergency", **target))
    service.push(bedroom(smoke_alarm_state="emergency"))
    await until(lambda: events)
    await nothing_more(hass, events, 1)


async def test_only_entities_of_ours_are_answered_for(
    hass: HomeAssistant, service: FixtureService, link: SetUp, entity_registry: er.EntityRegistry
) -> None:
    await link()
    await until(lambda: service.streams)
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    foreign = entity_registry.async_get_or_create(
        "binary_sensor", "other", "1", config_entry=other, original_device_class="smoke"
    )
    target = {"entity_id": [foreign.entity_id, "binary_sensor.kitchen_nest_protect_smoke"]}
    events = await fired_by(hass, on("alarm_reached_emergency", **target))
    hass.states.async_set(foreign.entity_id, "on", {"device_class": "smoke"})
    service.push(bedroom(smoke_alarm_state="emergency"))
    await until(lambda: hass.states.get("sensor.bedroom_nest_protect_smoke_level").state == "emergency")
    await nothing_more(hass, events, 0)


async def test_a_thermostat_is_no_target_for_what_happens_to_its_home(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    await link()
    await until(lambda: service.streams)
    events = await fired_by(hass, on("home_became_away", device_id=device_id(hass, HALLWAY)))
    service.push(away("away"))
    await until(lambda: state_of("binary_sensor.home_presence") == "off")
    await nothing_more(hass, events, 0)


async def test_a_reload_fires_late_what_happened_meanwhile_and_nothing_twice(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    targets = {"device_id": [device_id(hass, HOME), device_id(hass, BEDROOM)]}
    names = ("home_became_away", "alarm_reached_emergency")
    events = await fired_by(hass, *(on(name, **targets) for name in names))
    await hass.config_entries.async_unload(entry.entry_id)
    service.document = deepcopy(service.document)
    away("away")(service.document)
    bedroom(smoke_alarm_state="emergency")(service.document)
    await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: len(events) == 2)
    assert [(each["to"], each["late"]) for each in told(events)] == [("emergency", True), ("away", True)]
    assert told(events)[0]["gap_from"] < told(events)[0]["gap_to"]
    for _ in range(2):
        await hass.config_entries.async_reload(entry.entry_id)
        await until(lambda: service.streams)
    await nothing_more(hass, events, 2)


async def test_what_happened_before_a_start_fires_once_automations_are_armed(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    home = device_id(hass, HOME)
    await hass.config_entries.async_unload(entry.entry_id)
    service.document = deepcopy(service.document)
    away("away")(service.document)
    # As in a start: the link is read while nothing runs yet, and automations are armed just before it has started.
    hass.set_state(CoreState.not_running)
    await hass.config_entries.async_setup(entry.entry_id)
    events = await fired_by(hass, on("home_became_away", device_id=home))
    await nothing_more(hass, events, 0)
    hass.set_state(CoreState.starting)
    await arm_automations(hass)
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await until(lambda: events)
    await nothing_more(hass, events, 1)
    assert told(events)[0]["late"] is True


async def test_a_lost_link_and_its_return_fire_once_each_the_return_with_the_gap(
    hass: HomeAssistant, service: FixtureService, link: SetUp, short_clocks: None
) -> None:
    await link()
    await until(lambda: service.streams)
    target = {"entity_id": "binary_sensor.home_connection"}
    events = await fired_by(hass, on("link_lost", **target), on("link_restored", **target))
    service.status = service.stream_status = 503
    service.send(None)
    await until(lambda: events)
    await asyncio.sleep(0.5)
    await nothing_more(hass, events, 1)
    assert told(events)[0]["gap_from"] is None
    service.status = service.stream_status = 200
    await until(lambda: len(events) == 2)
    await asyncio.sleep(0.5)
    await nothing_more(hass, events, 2)
    assert told(events)[1]["gap_from"] < told(events)[1]["gap_to"]
    assert [each["home"] for each in told(events)] == ["Home", "Home"]


async def test_a_condition_on_late_leaves_out_what_is_old(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    condition = {"condition": "template", "value_template": "{{ not trigger.late }}"}
    events = await fired_by(hass, on("home_became_away", device_id=device_id(hass, HOME)), conditions=[condition])
    await hass.config_entries.async_unload(entry.entry_id)
    service.document = deepcopy(service.document)
    away("away")(service.document)
    await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: service.count("STREAM") == 2)
    await nothing_more(hass, events, 0)
    service.push(away("home"))
    await until(lambda: state_of("binary_sensor.home_presence") == "on")
    service.push(away("away"))
    await until(lambda: events)
    await nothing_more(hass, events, 1)


async def test_templates_can_ask_for_everything_by_its_name(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    events: list[Event] = []
    hass.bus.async_listen("asked", events.append)
    await automate(
        hass,
        f"""
        - triggers:
            trigger: works_with_nest.alarm_reached_emergency
            target:
              device_id: {device_id(hass, BEDROOM)}
          actions:
            event: asked
            event_data:
              text: >-
                {{{{ trigger.alarm }}}} {{{{ trigger.home }}}} {{{{ trigger.sensor }}}} {{{{ trigger.from }}}}
                {{{{ trigger.to }}}} {{{{ trigger.late }}}} {{{{ trigger.at > trigger.gap.from }}}}
                {{{{ trigger.gap.to == trigger.at }}}}
        """,
    )
    await hass.config_entries.async_unload(entry.entry_id)
    service.document = deepcopy(service.document)
    bedroom(smoke_alarm_state="emergency")(service.document)
    await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: events)
    assert events[0].data["text"] == "Nest Protect Home smoke ok emergency True True True"


@pytest.mark.parametrize(
    "config",
    [
        {"trigger": f"{DOMAIN}.home_became_away"},
        {"trigger": f"{DOMAIN}.alarm_cleared", "target": {"device_id": "1"}, "options": {"sensor": "heat"}},
        {"trigger": f"{DOMAIN}.alarm_cleared", "target": {"device_id": "1"}, "options": {"other": "smoke"}},
        {"trigger": f"{DOMAIN}.link_lost", "target": {"device_id": "1"}, "options": {"sensor": "smoke"}},
    ],
)
async def test_a_trigger_that_is_not_understood_is_refused(
    hass: HomeAssistant, link: SetUp, config: dict[str, Any]
) -> None:
    await link()
    with pytest.raises(vol.Invalid, match=r"target|options"):
        await trigger_helper.async_validate_trigger_config(hass, cv.TRIGGER_SCHEMA([config]))


async def test_the_editor_is_told_of_every_trigger_and_what_it_is_for(hass: HomeAssistant, link: SetUp) -> None:
    await link()
    described = await trigger_helper.async_get_all_descriptions(hass)
    ours = {key.removeprefix(f"{DOMAIN}."): each for key, each in described.items() if key.startswith(f"{DOMAIN}.")}
    assert ours.keys() == TRIGGERS.keys()
    assert all(each["target"]["entity"][0]["integration"] == DOMAIN for each in ours.values())


async def test_what_a_poll_finds_while_the_stream_is_down_fires_once_late_and_not_again_when_it_is_back(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf, short_clocks: None
) -> None:
    await link()
    await until(lambda: service.streams)
    events = await fired_by(hass, on("alarm_reached_emergency", device_id=device_id(hass, BEDROOM)))
    service.stream_status = 503
    service.send(None)
    await until(lambda: not service.streams)
    polls = service.count("GET")
    await until(lambda: service.count("GET") > polls + 1)
    service.document = deepcopy(service.document)
    bedroom(smoke_alarm_state="emergency")(service.document)
    await until(lambda: events)
    assert told(events)[0]["late"] is True
    assert told(events)[0]["gap_from"] < told(events)[0]["gap_to"]
    service.stream_status = 200
    await until(lambda: service.streams)
    service.push(bedroom(battery_health="replace"))
    await until(lambda: state_of("binary_sensor.bedroom_nest_protect_battery") == "on")
    await nothing_more(hass, events, 1)
