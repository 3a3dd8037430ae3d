"""Conditions of our own: a home that is away or home, and an alarm that is active."""

from collections.abc import Callable
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import condition as condition_helper, config_validation as cv
import pytest
import voluptuous as vol

from custom_components.works_with_nest.condition import CONDITIONS
from custom_components.works_with_nest.const import DOMAIN

from .automations import device_id
from .conftest import FixtureService, SetUp, until
from .test_home_and_alarms import HOME
from .test_push import BEDROOM, KITCHEN, alarm

type StateOf = Callable[[str], str | None]


async def passes(hass: HomeAssistant, name: str, options: dict[str, Any] | None = None, **target: Any) -> bool | None:
    config: dict[str, Any] = {"condition": f"{DOMAIN}.{name}", "target": target}
    if options:
        config["options"] = options
    valid = await condition_helper.async_validate_condition_config(hass, cv.CONDITION_SCHEMA(config))
    checker = await condition_helper.async_from_config(hass, valid)
    try:
        return checker.async_check()
    finally:
        checker.async_unload()


@pytest.mark.parametrize(
    ("word", "is_away", "is_home"),
    [
        ("away", True, False),
        ("auto-away", True, False),
        ("home", False, True),
        ("unknown", False, False),
        ("vacation", False, False),
        (None, False, False),
    ],
)
async def test_a_home_is_what_it_says_and_unknown_is_neither(
    hass: HomeAssistant, service: FixtureService, link: SetUp, word: str | None, is_away: object, is_home: object
) -> None:
    service.document["structures"][HOME]["away"] = word
    await link()
    target = {"device_id": device_id(hass, HOME)}
    assert await passes(hass, "home_is_away", **target) is is_away
    assert await passes(hass, "home_is_home", **target) is is_home


async def test_any_and_all_homes_can_be_asked_for(hass: HomeAssistant, service: FixtureService, link: SetUp) -> None:
    service.document["structures"]["other"] = {"structure_id": "other", "name": "Cabin", "away": "away"}
    await link()
    both = {"entity_id": ["binary_sensor.home_presence", "binary_sensor.cabin_presence"]}
    assert await passes(hass, "home_is_away", {"behavior": "any"}, **both) is True
    assert await passes(hass, "home_is_away", {"behavior": "all"}, **both) is False
    assert await passes(hass, "home_is_away", {"behavior": "all"}, entity_id="binary_sensor.cabin_presence") is True


@pytest.mark.parametrize("behavior", ["any", "all"])
async def test_nothing_of_ours_passes_nothing(hass: HomeAssistant, link: SetUp, behavior: str) -> None:
    await link()
    hass.states.async_set("binary_sensor.other", "on", {"device_class": "occupancy"})
    for name in CONDITIONS:
        assert await passes(hass, name, {"behavior": behavior}, entity_id="binary_sensor.other") is False
        assert await passes(hass, name, {"behavior": behavior}, device_id="none") is False


async def test_a_home_that_is_not_heard_of_is_neither(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf, short_clocks: None
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    target = {"device_id": device_id(hass, HOME)}
    assert await passes(hass, "home_is_home", **target) is True
    service.status = service.stream_status = 503
    await until(lambda: state_of("binary_sensor.home_connection") == "off")
    assert await passes(hass, "home_is_home", **target) is False
    await hass.config_entries.async_unload(entry.entry_id)
    assert await passes(hass, "home_is_home", **target) is False


@pytest.mark.parametrize(
    ("fields", "either", "smoke", "carbon_monoxide"),
    [
        ({}, False, False, False),
        ({"smoke_alarm_state": "warning"}, True, True, False),
        ({"co_alarm_state": "emergency"}, True, False, True),
        ({"smoke_alarm_state": "emergency", "is_online": False}, True, True, False),
        ({"smoke_alarm_state": "smouldering"}, False, False, False),
        ({"smoke_alarm_state": "warning", "is_manual_test_active": True}, False, False, False),
        ({"smoke_alarm_state": "emergency", "is_manual_test_active": True}, True, True, False),
    ],
)
async def test_an_alarm_is_active_while_it_warns_or_sounds(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    fields: dict[str, Any],
    either: object,
    smoke: object,
    carbon_monoxide: object,
) -> None:
    alarm(service.document, BEDROOM).update(fields)
    await link()
    for sensor, expected in (("either", either), ("smoke", smoke), ("carbon_monoxide", carbon_monoxide)):
        answer = await passes(hass, "alarm_is_active", {"sensor": sensor}, device_id=device_id(hass, BEDROOM))
        assert answer is expected, sensor


async def test_an_alarm_that_falls_silent_stays_active(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    await link()
    await until(lambda: service.streams)
    service.push(lambda document: alarm(document, BEDROOM).update(smoke_alarm_state="emergency"))
    await until(lambda: state_of("sensor.bedroom_nest_protect_smoke_level") == "emergency")
    service.push(lambda document: document["devices"]["smoke_co_alarms"].pop(BEDROOM))
    await until(lambda: state_of("sensor.bedroom_nest_protect_smoke_level") == "unavailable")
    assert await passes(hass, "alarm_is_active", device_id=device_id(hass, BEDROOM)) is True


async def test_a_home_stands_for_its_alarms(hass: HomeAssistant, service: FixtureService, link: SetUp) -> None:
    alarm(service.document, KITCHEN)["smoke_alarm_state"] = "ok"
    await link()
    await until(lambda: service.streams)
    home = {"device_id": device_id(hass, HOME)}
    assert await passes(hass, "alarm_is_active", **home) is False
    service.push(lambda document: alarm(document, KITCHEN).update(co_alarm_state="warning"))
    await until(lambda: hass.states.get("binary_sensor.home_carbon_monoxide").state == "on")
    assert await passes(hass, "alarm_is_active", **home) is True
    assert await passes(hass, "alarm_is_active", {"sensor": "smoke"}, **home) is False


@pytest.mark.parametrize(
    "config",
    [
        {"condition": f"{DOMAIN}.home_is_away"},
        {"condition": f"{DOMAIN}.home_is_away", "target": {"device_id": "1"}, "options": {"behavior": "some"}},
        {"condition": f"{DOMAIN}.alarm_is_active", "target": {"device_id": "1"}, "options": {"sensor": "heat"}},
    ],
)
async def test_a_condition_that_is_not_understood_is_refused(
    hass: HomeAssistant, link: SetUp, config: dict[str, Any]
) -> None:
    await link()
    with pytest.raises(vol.Invalid, match=r"target|options"):
        await condition_helper.async_validate_condition_config(hass, cv.CONDITION_SCHEMA(config))


async def test_the_editor_is_told_of_every_condition_and_what_it_is_for(hass: HomeAssistant, link: SetUp) -> None:
    await link()
    described = await condition_helper.async_get_all_descriptions(hass)
    ours = {key.removeprefix(f"{DOMAIN}."): each for key, each in described.items() if key.startswith(f"{DOMAIN}.")}
    assert ours.keys() == CONDITIONS.keys()
    assert all(each["target"]["entity"][0]["integration"] == DOMAIN for each in ours.values())
