"""Smoke and carbon monoxide: what happens at a warning, an emergency, a test, and when it is over."""

from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest

from tests.end_to_end.conftest import until
from tests.end_to_end.test_live import alarm_in, state_of

from .conftest import House, call, complaints, event

HOME = {"entity_id": ["binary_sensor.home_smoke"]}
SMOKE = "sensor.kitchen_nest_protect_smoke_level"
CONNECTIVITY = "binary_sensor.kitchen_nest_protect_connectivity"
LIGHT, DOOR, HEATING = "light.hall", "lock.door", "climate.bedroom_nest_thermostat"
UNLOCKING = {"unlock": True, "locks": {"entity_id": DOOR}}
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
        "lights": {"entity_id": LIGHT},
        "phones": [phone],
        "satellites": ["assist_satellite.kitchen"],
        "speakers": ["media_player.hall"],
        "voice": "tts.voice",
        "thermostats": [HEATING],
        "warning_actions": event("warning"),
        "emergency_actions": event("emergency"),
        "cleared_actions": event("cleared"),
    }


async def heard_for_a_while(house: House) -> None:
    """Wait until the alarm was there for longer than what counts as having come back with its emergency."""
    state = house.hass.states.get(CONNECTIVITY)
    assert state is not None
    await until(lambda: dt_util.utcnow() - state.last_changed > timedelta(seconds=1.2))


async def becomes(house: House, level: str) -> None:
    """Let it smoke, or no more, until all is done for it."""
    house.done.clear()
    await house.sense(smoke=level)
    await until(lambda: house.done == ["cleared" if level == "ok" else level])
    await house.hass.async_block_till_done()


async def test_a_warning_tells_loudly_and_an_emergency_does_everything_but_open_the_door(
    house: House, inputs: dict[str, Any], said: list[ServiceCall]
) -> None:
    hass, pushes = house.hass, house.phones.pushes
    await house.automations.use("alarm", **inputs)
    await house.sense(smoke="warning")
    await house.shows(SMOKE, "warning")
    await until(lambda: pushes)
    assert (state_of(hass, LIGHT), house.done) == ("off", ["warning"])
    assert [(push["title"], push["message"]) for push in pushes] == [("Warning, Home", "Smoke, warning: Kitchen.")]
    data = pushes[0]["data"]
    assert {key: data[key] for key in CRITICAL} == CRITICAL
    told = {call.service: call.data for call in said}
    assert {each["message"] for each in told.values()} == {"Smoke, warning: Kitchen."}
    assert told["announce"]["entity_id"] == ["assist_satellite.kitchen"]
    assert told["speak"] == {
        "entity_id": ["tts.voice"],
        "media_player_entity_id": ["media_player.hall"],
        "message": "Smoke, warning: Kitchen.",
    }

    await house.sense(smoke="emergency")
    await house.shows(SMOKE, "emergency")
    await until(lambda: state_of(hass, LIGHT) == "on" and len(pushes) == 2)
    await until(lambda: state_of(hass, HEATING) == "off")
    assert pushes[1]["message"] == "Smoke, emergency: Kitchen."
    assert pushes[1]["data"]["tag"] == data["tag"]
    assert house.done == ["warning", "emergency"]
    assert state_of(hass, DOOR) == "locked"


async def test_it_is_over_when_the_alarm_says_so_and_not_when_it_falls_silent(
    house: House, inputs: dict[str, Any]
) -> None:
    hass, phones = house.hass, house.phones
    await house.automations.use("alarm", **inputs)
    mode = state_of(hass, HEATING)
    assert mode != "off"
    await house.sense(smoke="emergency")
    await until(lambda: state_of(hass, LIGHT) == "on")
    await until(lambda: state_of(hass, HEATING) == "off")
    await house.sense(is_online=False)
    await house.shows(SMOKE, "unavailable")
    assert (state_of(hass, LIGHT), house.done) == ("on", ["emergency"])
    await house.sense(smoke="ok")
    await house.sense(is_online=True)
    await house.shows(SMOKE, "ok")
    await until(lambda: state_of(hass, LIGHT) == "off" and house.done == ["emergency", "cleared"])
    await until(lambda: state_of(hass, HEATING) == mode)
    await until(lambda: len(phones.pushes) == 2)
    assert phones.messages[-1] == "Smoke is over: Kitchen."
    assert "ttl" not in phones.pushes[-1]["data"]


async def test_a_restart_in_between_does_not_keep_the_lights_on(house: House, inputs: dict[str, Any]) -> None:
    await house.automations.use("alarm", **inputs)
    await house.sense(smoke="emergency")
    await until(lambda: state_of(house.hass, LIGHT) == "on")
    async with house.deaf():
        await call(house.hass, "automation.reload")
        await house.sense(smoke="ok")
    await until(lambda: state_of(house.hass, LIGHT) == "off")
    await until(lambda: "while nobody was listening" in house.phones.messages[-1])


async def test_what_becomes_less_is_told_quietly_and_the_last_alarm_that_is_over_ends_it(
    house: House, inputs: dict[str, Any]
) -> None:
    hass, phones, both = house.hass, house.phones, ["emergency", "emergency"]
    await house.automations.use("alarm", **inputs)
    hallway = alarm_in(await house.person.document(), "Hallway")
    await house.sense(smoke="emergency")
    await house.person.set_alarm(hallway, carbon_monoxide="emergency")
    await until(lambda: house.done == both and len(phones.pushes) == 2)
    for level, message in (
        ("warning", "Smoke is down to a warning: Kitchen."),
        ("ok", "Smoke is over: Kitchen. Another alarm is still active."),
    ):
        told = len(phones.pushes)
        await house.sense(smoke=level)
        await until(lambda told=told: len(phones.pushes) == told + 1)
        await hass.async_block_till_done()
        assert phones.messages[-1] == message
        assert "ttl" not in phones.pushes[-1]["data"]
        assert (state_of(hass, LIGHT), house.done) == ("on", both)
    await house.person.set_alarm(hallway, carbon_monoxide="ok")
    await until(lambda: state_of(hass, LIGHT) == "off" and house.done[-1] == "cleared")
    await until(lambda: len(phones.pushes) == 5)
    assert phones.messages[-1] == "Carbon monoxide is over: Hallway."


async def test_a_manual_test_tells_only_the_phones_and_only_if_that_was_chosen(
    house: House, inputs: dict[str, Any], said: list[ServiceCall]
) -> None:
    hass, phones = house.hass, house.phones
    await house.automations.use("alarm", **inputs, **UNLOCKING, tests=["event.hallway_nest_protect_alarm"])
    await house.sense(is_manual_test_active=True)
    await house.shows("binary_sensor.kitchen_nest_protect_manual_test", "on")
    await house.sense(smoke="warning")
    await house.shows(SMOKE, "warning")
    await house.person.set_alarm(alarm_in(await house.person.document(), "Hallway"), is_manual_test_active=True)
    await until(lambda: phones.pushes)
    await hass.async_block_till_done()
    assert phones.messages == ["A manual test began: Hallway."]
    assert "ttl" not in phones.pushes[0]["data"]
    assert (said, house.done, state_of(hass, LIGHT), state_of(hass, DOOR)) == ([], [], "off", "locked")


async def test_doors_open_only_in_an_emergency_and_only_if_that_was_chosen(
    house: House, inputs: dict[str, Any]
) -> None:
    await heard_for_a_while(house)
    for level, chosen, opened in (
        ("warning", True, "locked"),
        ("emergency", False, "locked"),
        ("emergency", True, "unlocked"),
    ):
        await house.automations.use("alarm", **inputs | UNLOCKING | {"unlock": chosen})
        await becomes(house, level)
        assert state_of(house.hass, DOOR) == opened, (level, chosen)
        await becomes(house, "ok")


async def test_an_emergency_that_may_be_older_than_five_minutes_opens_no_door(
    house: House, inputs: dict[str, Any]
) -> None:
    hass, phones = house.hass, house.phones
    await house.automations.use("alarm", **inputs, **UNLOCKING)
    for minutes, opened in ((6, "locked"), (4, "unlocked")):
        house.done.clear()
        async with house.deaf(timedelta(minutes=minutes)):
            await house.sense(smoke="emergency")
        await until(lambda: house.done == ["emergency"] and state_of(hass, LIGHT) == "on")
        await hass.async_block_till_done()
        assert state_of(hass, DOOR) == opened, minutes
        await until(lambda: "while nobody was listening" in phones.messages[-1])
        await becomes(house, "ok")


async def test_an_emergency_of_which_nobody_can_tell_that_it_just_began_opens_no_door(
    house: House, inputs: dict[str, Any]
) -> None:
    hass = house.hass
    await house.automations.use("alarm", **inputs, **UNLOCKING)
    await heard_for_a_while(house)
    # The alarm comes back with it.
    await house.sense(is_online=False)
    await house.shows(SMOKE, "unavailable")
    await house.sense(smoke="emergency")
    await house.sense(is_online=True)
    await until(lambda: house.done == ["emergency"])
    await hass.async_block_till_done()
    assert state_of(hass, DOOR) == "locked"
    await becomes(house, "ok")
    # Whether it just came back is what nobody can see any more.
    await heard_for_a_while(house)
    er.async_get(hass).async_update_entity(CONNECTIVITY, disabled_by=er.RegistryEntryDisabler.USER)
    await until(lambda: hass.states.get(CONNECTIVITY) is None)
    await becomes(house, "emergency")
    assert state_of(hass, DOOR) == "locked"


async def test_one_thing_that_fails_keeps_nothing_else_from_happening(house: House, inputs: dict[str, Any]) -> None:
    gone = {"phones": ["a device that is gone", *inputs["phones"]], "thermostats": ["climate.gone"]}
    fails = {"locks": {"entity_id": "lock.gone"}, "unlock": True, "satellites": ["assist_satellite.gone"]}
    await house.automations.use("alarm", **inputs | gone | fails)
    await house.sense(smoke="emergency")
    await until(lambda: house.phones.messages == ["Smoke, emergency: Kitchen."])
    await until(lambda: state_of(house.hass, LIGHT) == "on" and house.done == ["emergency"])


async def test_with_nothing_but_alarms_chosen_nothing_goes_wrong(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    empty: dict[str, Any] = {"lights": {}, "phones": [], "locks": {}, "unlock": True, "heating": "fan", "tests": []}
    automation = await house.automations.use("alarm", alarms=HOME, at_warning=ALL, at_clear=ALL, **empty)
    for level in ("warning", "emergency", "ok"):
        await house.sense(smoke=level)
        await house.shows(SMOKE, level)
    await call(house.hass, "automation.trigger", entity_id=automation)
    await house.hass.async_block_till_done()
    assert complaints(caplog) == []


def fan_modes(hass: HomeAssistant, *thermostats: str) -> set[str]:
    states = [state for each in thermostats if (state := hass.states.get(each))]
    return {mode for state in states if (mode := state.attributes.get("fan_mode"))}


async def test_only_the_fan_is_ended_where_that_was_chosen(house: House, inputs: dict[str, Any]) -> None:
    hass = house.hass
    thermostats = sorted(hass.states.async_entity_ids("climate"))
    await house.automations.use("alarm", **inputs | {"thermostats": thermostats, "heating": "fan"})
    modes = {each: state_of(hass, each) for each in thermostats}
    with_fan = [each for each in thermostats if fan_modes(hass, each)]
    assert with_fan
    for each in with_fan:
        await call(hass, "climate.set_fan_mode", entity_id=each, fan_mode="on")
    await until(lambda: fan_modes(hass, *with_fan) == {"on"})
    await house.sense(smoke="emergency")
    await until(lambda: fan_modes(hass, *with_fan) == {"auto"})
    assert {each: state_of(hass, each) for each in thermostats} == modes
