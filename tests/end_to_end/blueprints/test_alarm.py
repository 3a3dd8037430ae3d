"""Smoke and carbon monoxide: what happens at a warning, an emergency, a test, and when it is over."""

from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest

from tests.end_to_end.conftest import until
from tests.end_to_end.test_live import alarm_in, state_of
from tools.nest_home import NestPerson

from .conftest import Automations, Phones, complaints, event

HOME = {"entity_id": ["binary_sensor.home_smoke"]}
SMOKE = "sensor.kitchen_nest_protect_smoke_level"
ALL = ["lights", "notify", "announce", "heating"]
CRITICAL = {
    "ttl": 0,
    "priority": "high",
    "channel": "alarm_stream",
    "push": {"interruption-level": "critical", "sound": {"name": "default", "critical": 1, "volume": 1.0}},
}


@pytest.fixture
def inputs(phone: str) -> dict[str, Any]:
    """Return what somebody chose who wants everything but open doors."""
    return {
        "alarms": HOME,
        "at_clear": ALL,
        "lights": {"entity_id": "light.hall"},
        "phones": [phone],
        "satellites": ["assist_satellite.kitchen"],
        "speakers": ["media_player.hall"],
        "voice": "tts.voice",
        "thermostats": ["climate.bedroom_nest_thermostat"],
        "warning_actions": event("warning"),
        "emergency_actions": event("emergency"),
        "cleared_actions": event("cleared"),
    }


async def shows(hass: HomeAssistant, level: str, entity_id: str = SMOKE) -> None:
    await until(lambda: state_of(hass, entity_id) == level)
    await hass.async_block_till_done()


async def test_a_warning_tells_loudly_and_an_emergency_does_everything_but_open_the_door(
    hass: HomeAssistant,
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    phones: Phones,
    inputs: dict[str, Any],
    said: list[ServiceCall],
    done: list[str],
) -> None:
    await automations.use("alarm", **inputs)
    await person.set_alarm(kitchen, smoke="warning")
    await shows(hass, "warning")
    await until(lambda: phones.pushes)
    assert (state_of(hass, "light.hall"), done) == ("off", ["warning"])
    assert [(push["title"], push["message"]) for push in phones.pushes] == [
        ("Warning, Home", "Smoke, warning: Kitchen.")
    ]
    data = phones.pushes[0]["data"]
    assert {key: data[key] for key in CRITICAL} == CRITICAL
    told = {call.service: call.data for call in said}
    assert {each["message"] for each in told.values()} == {"Smoke, warning: Kitchen."}
    assert told["announce"]["entity_id"] == ["assist_satellite.kitchen"]
    assert told["speak"] == {
        "entity_id": ["tts.voice"],
        "media_player_entity_id": ["media_player.hall"],
        "message": "Smoke, warning: Kitchen.",
    }

    await person.set_alarm(kitchen, smoke="emergency")
    await shows(hass, "emergency")
    await until(lambda: state_of(hass, "light.hall") == "on" and len(phones.pushes) == 2)
    await until(lambda: state_of(hass, "climate.bedroom_nest_thermostat") == "off")
    assert phones.pushes[1]["message"] == "Smoke, emergency: Kitchen."
    assert phones.pushes[1]["data"]["tag"] == data["tag"]
    assert done == ["warning", "emergency"]
    assert state_of(hass, "lock.door") == "locked"


async def test_it_is_over_when_the_alarm_says_so_and_not_when_it_falls_silent(
    hass: HomeAssistant,
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    phones: Phones,
    inputs: dict[str, Any],
    done: list[str],
) -> None:
    await automations.use("alarm", **inputs)
    mode = state_of(hass, "climate.bedroom_nest_thermostat")
    assert mode != "off"
    await person.set_alarm(kitchen, smoke="emergency")
    await until(lambda: state_of(hass, "light.hall") == "on")
    await until(lambda: state_of(hass, "climate.bedroom_nest_thermostat") == "off")
    await person.set_alarm(kitchen, is_online=False)
    await shows(hass, "unavailable")
    assert (state_of(hass, "light.hall"), done) == ("on", ["emergency"])
    await person.set_alarm(kitchen, smoke="ok")
    await person.set_alarm(kitchen, is_online=True)
    await shows(hass, "ok")
    await until(lambda: state_of(hass, "light.hall") == "off" and done == ["emergency", "cleared"])
    await until(lambda: state_of(hass, "climate.bedroom_nest_thermostat") == mode)
    await until(lambda: len(phones.pushes) == 2)
    assert phones.messages[-1] == "Smoke is over: Kitchen."
    assert "ttl" not in phones.pushes[-1]["data"]


async def test_a_restart_in_between_does_not_keep_the_lights_on(
    hass: HomeAssistant,
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    phones: Phones,
    inputs: dict[str, Any],
) -> None:
    await automations.use("alarm", **inputs)
    await person.set_alarm(kitchen, smoke="emergency")
    await until(lambda: state_of(hass, "light.hall") == "on")
    (entry,) = hass.config_entries.async_entries("works_with_nest")
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.services.async_call("automation", "reload", blocking=True)
    await person.set_alarm(kitchen, smoke="ok")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: state_of(hass, "light.hall") == "off")
    await until(lambda: "while nobody was listening" in phones.messages[-1])


async def test_the_last_alarm_that_is_over_ends_it(
    hass: HomeAssistant,
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    phones: Phones,
    inputs: dict[str, Any],
    done: list[str],
) -> None:
    await automations.use("alarm", **inputs)
    hallway = alarm_in(await person.document(), "Hallway")
    await person.set_alarm(kitchen, smoke="emergency")
    await person.set_alarm(hallway, carbon_monoxide="emergency")
    await until(lambda: done == ["emergency", "emergency"])
    await person.set_alarm(kitchen, smoke="ok")
    await until(lambda: len(phones.pushes) == 3)
    await hass.async_block_till_done()
    assert phones.messages[-1] == "Smoke is over: Kitchen. Another alarm is still active."
    assert (state_of(hass, "light.hall"), done) == ("on", ["emergency", "emergency"])
    await person.set_alarm(hallway, carbon_monoxide="ok")
    await until(lambda: state_of(hass, "light.hall") == "off" and done[-1] == "cleared")
    await until(lambda: len(phones.pushes) == 4)
    assert phones.messages[-1] == "Carbon monoxide is over: Hallway."


async def test_down_to_a_warning_is_told_quietly_and_starts_nothing(
    hass: HomeAssistant,
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    phones: Phones,
    inputs: dict[str, Any],
    done: list[str],
) -> None:
    await automations.use("alarm", **inputs)
    await person.set_alarm(kitchen, smoke="emergency")
    await until(lambda: len(phones.pushes) == 1)
    await person.set_alarm(kitchen, smoke="warning")
    await until(lambda: len(phones.pushes) == 2)
    await hass.async_block_till_done()
    assert phones.messages[-1] == "Smoke is down to a warning: Kitchen."
    assert "ttl" not in phones.pushes[-1]["data"]
    assert done == ["emergency"]


async def test_a_manual_test_tells_only_the_phones_and_only_if_that_was_chosen(
    hass: HomeAssistant,
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    phones: Phones,
    inputs: dict[str, Any],
    said: list[ServiceCall],
    done: list[str],
) -> None:
    chosen = {"tests": ["event.hallway_nest_protect_alarm"]}
    await automations.use("alarm", **inputs, **chosen, unlock=True, locks={"entity_id": "lock.door"})
    await person.set_alarm(kitchen, is_manual_test_active=True)
    await until(lambda: state_of(hass, "binary_sensor.kitchen_nest_protect_manual_test") == "on")
    await person.set_alarm(kitchen, smoke="warning")
    await shows(hass, "warning")
    hallway = alarm_in(await person.document(), "Hallway")
    await person.set_alarm(hallway, is_manual_test_active=True)
    await until(lambda: phones.pushes)
    await hass.async_block_till_done()
    assert phones.messages == ["A manual test began: Hallway."]
    assert "ttl" not in phones.pushes[0]["data"]
    assert (said, done, state_of(hass, "light.hall"), state_of(hass, "lock.door")) == ([], [], "off", "locked")


async def heard_for_a_while(hass: HomeAssistant) -> None:
    """Wait until an alarm was there for longer than what counts as having come back with its emergency."""
    state = hass.states.get("binary_sensor.kitchen_nest_protect_connectivity")
    assert state is not None
    await until(lambda: dt_util.utcnow() - state.last_changed > timedelta(seconds=1.2))


@pytest.mark.parametrize(
    "case",
    [("emergency", True, "unlocked"), ("warning", True, "locked"), ("emergency", False, "locked")],
)
async def test_doors_open_only_in_an_emergency_and_only_if_that_was_chosen(
    hass: HomeAssistant,
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    done: list[str],
    inputs: dict[str, Any],
    case: tuple[Any, bool, str],
) -> None:
    level, chosen, opened = case
    await automations.use("alarm", **inputs, unlock=chosen, locks={"entity_id": "lock.door"})
    await heard_for_a_while(hass)
    await person.set_alarm(kitchen, smoke=level)
    await until(lambda: done == [level])
    await hass.async_block_till_done()
    assert state_of(hass, "lock.door") == opened


@pytest.mark.parametrize("case", [(4, "unlocked"), (6, "locked")])
async def test_an_emergency_that_may_be_older_than_five_minutes_opens_no_door(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    phones: Phones,
    inputs: dict[str, Any],
    case: tuple[int, str],
) -> None:
    minutes, opened = case
    await automations.use("alarm", **inputs, unlock=True, locks={"entity_id": "lock.door"})
    (entry,) = hass.config_entries.async_entries("works_with_nest")
    assert await hass.config_entries.async_unload(entry.entry_id)
    # As if Home Assistant had been down for as long.
    stored = hass_storage[f"works_with_nest.{entry.entry_id}"]["data"]
    stored["last_contact"] = (dt_util.utcnow() - timedelta(minutes=minutes)).isoformat()
    await person.set_alarm(kitchen, smoke="emergency")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: phones.pushes and state_of(hass, "light.hall") == "on")
    await hass.async_block_till_done()
    await until(lambda: state_of(hass, "lock.door") == opened)
    assert "while nobody was listening" in phones.messages[0]
    assert state_of(hass, "lock.door") == opened


async def test_an_alarm_that_comes_back_with_its_emergency_opens_no_door(
    hass: HomeAssistant,
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    done: list[str],
    inputs: dict[str, Any],
) -> None:
    await automations.use("alarm", **inputs, unlock=True, locks={"entity_id": "lock.door"})
    await heard_for_a_while(hass)
    await person.set_alarm(kitchen, is_online=False)
    await shows(hass, "unavailable")
    await person.set_alarm(kitchen, smoke="emergency")
    await person.set_alarm(kitchen, is_online=True)
    await until(lambda: done == ["emergency"])
    await hass.async_block_till_done()
    assert state_of(hass, "lock.door") == "locked"


async def test_an_emergency_of_an_alarm_whose_connectivity_is_turned_off_opens_no_door(
    hass: HomeAssistant,
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    done: list[str],
    inputs: dict[str, Any],
) -> None:
    await automations.use("alarm", **inputs, unlock=True, locks={"entity_id": "lock.door"})
    await heard_for_a_while(hass)
    entity_id = "binary_sensor.kitchen_nest_protect_connectivity"
    er.async_get(hass).async_update_entity(entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    await until(lambda: hass.states.get(entity_id) is None)
    await person.set_alarm(kitchen, smoke="emergency")
    await until(lambda: done == ["emergency"])
    await hass.async_block_till_done()
    assert state_of(hass, "lock.door") == "locked"


async def test_one_thing_that_fails_keeps_nothing_else_from_happening(
    hass: HomeAssistant,
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    phones: Phones,
    inputs: dict[str, Any],
    done: list[str],
) -> None:
    gone = {"phones": ["a device that is gone", *inputs["phones"]], "thermostats": ["climate.gone"]}
    fails = {"locks": {"entity_id": "lock.gone"}, "unlock": True, "satellites": ["assist_satellite.gone"]}
    await automations.use("alarm", **inputs | gone | fails)
    await person.set_alarm(kitchen, smoke="emergency")
    await until(lambda: phones.messages == ["Smoke, emergency: Kitchen."])
    await until(lambda: state_of(hass, "light.hall") == "on" and done == ["emergency"])


async def test_with_nothing_but_alarms_chosen_nothing_goes_wrong(
    hass: HomeAssistant,
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    caplog: pytest.LogCaptureFixture,
) -> None:
    empty: dict[str, Any] = {"lights": {}, "phones": [], "locks": {}, "unlock": True, "heating": "fan", "tests": []}
    automation = await automations.use("alarm", alarms=HOME, at_warning=ALL, at_clear=ALL, **empty)
    for level in ("warning", "emergency", "ok"):
        await person.set_alarm(kitchen, smoke=level)
        await shows(hass, level)
    await hass.services.async_call("automation", "trigger", {"entity_id": automation}, blocking=True)
    await hass.async_block_till_done()
    assert complaints(caplog) == []


async def test_only_the_fan_is_ended_where_that_was_chosen(
    hass: HomeAssistant,
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    inputs: dict[str, Any],
) -> None:
    thermostats = sorted(hass.states.async_entity_ids("climate"))
    await automations.use("alarm", **inputs | {"thermostats": thermostats, "heating": "fan"})
    modes = {each: state_of(hass, each) for each in thermostats}
    with_fan = [each for each in thermostats if (state := hass.states.get(each)) and state.attributes.get("fan_modes")]
    assert with_fan
    for each in with_fan:
        await hass.services.async_call("climate", "set_fan_mode", {"entity_id": each, "fan_mode": "on"}, blocking=True)
    await until(lambda: all(hass.states.get(each).attributes["fan_mode"] == "on" for each in with_fan))
    await person.set_alarm(kitchen, smoke="emergency")
    await until(lambda: all(hass.states.get(each).attributes["fan_mode"] == "auto" for each in with_fan))
    assert {each: state_of(hass, each) for each in thermostats} == modes
