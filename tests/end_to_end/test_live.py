"""What happens in the Nest home is shown in Home Assistant, and what is set there happens in the home."""

from typing import Any

from homeassistant.core import HomeAssistant

from tools.nest_home import NestHomeServer, NestPerson

from .conftest import Browser, until


def alarm_in(document: dict[str, Any], room: str) -> str:
    alarms = document["devices"]["smoke_co_alarms"]
    return next(key for key, alarm in alarms.items() if alarm["where_name"] == room)


def state_of(hass: HomeAssistant, entity_id: str) -> str | None:
    state = hass.states.get(entity_id)
    return state.state if state else None


async def test_an_emergency_is_shown_and_is_over_when_the_alarm_says_so(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    await browser.link(nest_home.base, person.accept)
    kitchen = alarm_in(await person.document(), "Kitchen")
    smoke, level = "binary_sensor.kitchen_nest_protect_smoke", "sensor.kitchen_nest_protect_smoke_level"
    assert (state_of(hass, smoke), state_of(hass, level)) == ("off", "ok")
    for word, on in (("warning", "on"), ("emergency", "on"), ("ok", "off")):
        await person.set_alarm(kitchen, smoke=word)
        await until(lambda word=word: state_of(hass, level) == word)
        assert state_of(hass, smoke) == on
    assert state_of(hass, "binary_sensor.hallway_nest_protect_smoke") == "off"


async def test_an_alarm_cut_off_shows_nothing_until_it_is_back(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    await browser.link(nest_home.base, person.accept)
    kitchen = alarm_in(await person.document(), "Kitchen")
    await person.set_alarm(kitchen, is_online=False)
    await until(lambda: state_of(hass, "binary_sensor.kitchen_nest_protect_smoke") == "unavailable")
    assert state_of(hass, "binary_sensor.kitchen_nest_protect_connectivity") == "off"
    await person.set_alarm(kitchen, is_online=True)
    await until(lambda: state_of(hass, "binary_sensor.kitchen_nest_protect_smoke") == "off")


async def test_leaving_is_shown_and_puts_the_thermostats_into_eco(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    await browser.link(nest_home.base, person.accept)
    climates = hass.states.async_entity_ids("climate")
    assert len(climates) == 2
    modes = {entity_id: state_of(hass, entity_id) for entity_id in climates}
    await person.set_away("away")
    await until(lambda: state_of(hass, "binary_sensor.home_presence") == "off")
    assert state_of(hass, "select.home_away_mode") == "away"
    await until(lambda: all(hass.states.get(each).attributes["preset_mode"] == "eco" for each in climates))
    await person.set_away("home")
    await until(lambda: all(hass.states.get(each).attributes["preset_mode"] == "none" for each in climates))
    assert {entity_id: state_of(hass, entity_id) for entity_id in climates} == modes


async def test_what_is_set_in_home_assistant_happens_in_the_home(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    await browser.link(nest_home.base, person.accept)
    climate = "climate.bedroom_nest_thermostat"
    await hass.services.async_call(
        "climate", "set_temperature", {"entity_id": climate, "hvac_mode": "heat", "temperature": 22.5}, blocking=True
    )
    await until(lambda: hass.states.get(climate).attributes["temperature"] == 22.5)
    await hass.services.async_call(
        "select", "select_option", {"entity_id": "select.home_away_mode", "option": "away"}, blocking=True
    )
    await until(lambda: state_of(hass, "binary_sensor.home_presence") == "off")
    document = await person.document()
    thermostats = document["devices"]["thermostats"].values()
    bedroom = next(each for each in thermostats if each["where_name"] == "Bedroom")
    assert bedroom["target_temperature_c"] == 22.5
    assert bedroom["target_temperature_f"] == 73  # 72.5 F, to a whole degree
    assert [structure["away"] for structure in document["structures"].values()] == ["away"]


async def test_the_link_survives_a_restart_of_the_server(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    await browser.link(nest_home.base, person.accept)
    port = int(nest_home.base.rpartition(":")[2])
    await nest_home.stop()
    await nest_home.start(port)
    async with NestPerson(nest_home.base, "ada", "a long enough password") as again:
        await again.sign_in()
        kitchen = alarm_in(await again.document(), "Kitchen")
        await again.set_alarm(kitchen, smoke="emergency")
    await until(lambda: state_of(hass, "sensor.kitchen_nest_protect_smoke_level") == "emergency", 20)
    assert hass.config_entries.flow.async_progress() == []
