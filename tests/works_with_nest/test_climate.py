"""Thermostats: what is shown, and what is written."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util.unit_system import METRIC_SYSTEM, US_CUSTOMARY_SYSTEM, UnitSystem
import pytest

from custom_components.works_with_nest import climate

from .conftest import FixtureService, SetUp, until

HALLWAY = "5Kjp1vRt-1fjORS_6ilI8ihN5KXSc7Tv"
UPSTAIRS = "o_hBKqFYY_kv5ZJr3J1TWDtkwtDDb-xH"
HALLWAY_CLIMATE = "climate.hallway_nest_thermostat_downstairs"
UPSTAIRS_CLIMATE = "climate.upstairs_nest_thermostat"


@pytest.fixture(autouse=True)
def _fahrenheit_at_home(hass: HomeAssistant) -> None:
    """Show temperatures in Fahrenheit, so that the hallway's are shown as they are."""
    hass.config.units = US_CUSTOMARY_SYSTEM


def shown(hass: HomeAssistant, entity_id: str) -> dict[str, Any]:
    state = hass.states.get(entity_id)
    assert state is not None
    left_out = {"fan_modes", "friendly_name", "hvac_modes", "preset_modes", "supported_features", "target_temp_step"}
    # Told since 2026.11.
    left_out |= {"temperature_unit"}
    return {"state": state.state} | {str(key): value for key, value in state.attributes.items() if key not in left_out}


async def test_a_thermostat_with_a_range_is_shown_in_its_own_scale(hass: HomeAssistant, link: SetUp) -> None:
    await link()
    assert shown(hass, HALLWAY_CLIMATE) == {
        "state": "heat_cool",
        "current_temperature": 67,
        "current_humidity": 40,
        "fan_mode": "auto",
        "hvac_action": "heating",
        "max_temp": 90,
        "min_temp": 50,
        "preset_mode": "none",
        "target_temp_high": 76,
        "target_temp_low": 68,
        "temperature": None,
    }


async def test_eco_is_a_preset_and_shows_its_bound(hass: HomeAssistant, link: SetUp) -> None:
    await link()
    state = hass.states.get(UPSTAIRS_CLIMATE)
    assert state is not None
    assert state.state == "heat"
    assert state.attributes["preset_mode"] == "eco"
    assert state.attributes["temperature"] == 59  # 15 C, as the thermostat has it
    assert state.attributes["hvac_modes"] == ["off", "heat"]
    assert state.attributes["preset_modes"] == ["none", "eco"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"hvac_mode": "heat"}, {"state": "heat", "temperature": 70, "target_temp_low": None}, id="heat"),
        pytest.param({"hvac_mode": "cool"}, {"state": "cool", "temperature": 70, "target_temp_high": None}, id="cool"),
        pytest.param({"hvac_mode": "off"}, {"state": "off", "temperature": None, "target_temp_low": None}, id="off"),
        pytest.param(
            {"hvac_mode": "eco", "previous_hvac_mode": "heat-cool"},
            {"state": "heat_cool", "target_temp_low": 60, "target_temp_high": 80, "preset_mode": "eco"},
            id="eco before heat-cool",
        ),
        pytest.param(
            {"hvac_mode": "eco", "previous_hvac_mode": "cool"},
            {"state": "cool", "temperature": 80, "preset_mode": "eco"},
            id="eco before cool",
        ),
        pytest.param(
            {"hvac_mode": "eco", "previous_hvac_mode": ""},
            {"state": "heat_cool", "preset_mode": "eco"},
            id="eco before nothing known",
        ),
        pytest.param(
            {"hvac_mode": "eco", "previous_hvac_mode": "", "can_cool": False},
            {"state": "heat", "temperature": 60},
            id="eco of heating alone",
        ),
        pytest.param(
            {"hvac_mode": "eco", "previous_hvac_mode": "off"},
            {"state": "off", "temperature": None, "preset_mode": "eco"},
            id="eco before off",
        ),
        pytest.param(
            {"hvac_mode": "turbo"},
            {"state": "unknown", "temperature": None, "preset_mode": None},
            id="a mode not known",
        ),
        pytest.param({"fan_timer_active": True}, {"fan_mode": "on"}, id="fan timer"),
        pytest.param({"fan_timer_active": None}, {"fan_mode": None}, id="fan timer not told"),
        pytest.param(
            {"temperature_scale": "C", "hvac_mode": "heat"},
            {"temperature": 69.8, "min_temp": 48.2, "max_temp": 89.6},
            id="a thermostat in Celsius",
        ),
        pytest.param({"hvac_state": "cooling"}, {"hvac_action": "cooling"}, id="cooling"),
        pytest.param({"hvac_state": "off"}, {"hvac_action": "idle"}, id="idle"),
        pytest.param({"hvac_state": "off", "hvac_mode": "off"}, {"hvac_action": "off"}, id="action off"),
        pytest.param({"hvac_state": "off", "fan_timer_active": True}, {"hvac_action": "fan"}, id="fan alone"),
        pytest.param({"hvac_state": "melting"}, {"hvac_action": None}, id="an action not known"),
        pytest.param({"is_locked": True}, {"min_temp": 65, "max_temp": 75}, id="locked"),
        pytest.param({"humidity": None}, {"current_humidity": None}, id="no humidity"),
        pytest.param({"is_online": False}, {"state": "unavailable"}, id="offline"),
    ],
)
async def test_each_state_of_a_thermostat_is_shown(
    hass: HomeAssistant, service: FixtureService, link: SetUp, fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    service.document["devices"]["thermostats"][HALLWAY] |= fields
    await link()
    seen = shown(hass, HALLWAY_CLIMATE)
    assert {key: seen.get(key) for key in expected} == expected


async def call(hass: HomeAssistant, action: str, entity_id: str = HALLWAY_CLIMATE, **data: Any) -> None:
    await hass.services.async_call("climate", action, {"entity_id": entity_id, **data}, blocking=True)


def mode(service: FixtureService, wire_mode: str, wire_id: str = HALLWAY) -> None:
    service.document["devices"]["thermostats"][wire_id]["hvac_mode"] = wire_mode


@pytest.mark.parametrize(
    ("wire_mode", "action", "data", "written"),
    [
        ("heat", "set_temperature", {"temperature": 69}, {"target_temperature_f": 69}),
        ("cool", "set_temperature", {"temperature": 69.4}, {"target_temperature_f": 69}),
        (
            "heat-cool",
            "set_temperature",
            {"target_temp_low": 66, "target_temp_high": 77},
            {"target_temperature_low_f": 66, "target_temperature_high_f": 77},
        ),
        ("heat", "set_hvac_mode", {"hvac_mode": "heat_cool"}, {"hvac_mode": "heat-cool"}),
        ("heat", "set_hvac_mode", {"hvac_mode": "off"}, {"hvac_mode": "off"}),
        ("heat", "turn_off", {}, {"hvac_mode": "off"}),
        ("off", "turn_on", {}, {"hvac_mode": "heat-cool"}),
        ("heat", "set_preset_mode", {"preset_mode": "eco"}, {"hvac_mode": "eco"}),
        ("heat", "set_fan_mode", {"fan_mode": "on"}, {"fan_timer_active": True}),
        ("heat", "set_fan_mode", {"fan_mode": "auto"}, {"fan_timer_active": False}),
    ],
)
async def test_each_action_is_one_write_in_the_thermostats_scale(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    wire_mode: str,
    action: str,
    data: dict[str, Any],
    written: dict[str, Any],
) -> None:
    mode(service, wire_mode)
    await link()
    await call(hass, action, **data)
    assert service.writes() == [(f"/devices/thermostats/{HALLWAY}", written)]


async def test_a_celsius_thermostat_is_written_in_half_degrees(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    mode(service, "heat", UPSTAIRS)
    await link()
    await call(hass, "set_temperature", UPSTAIRS_CLIMATE, temperature=70)
    assert service.writes() == [(f"/devices/thermostats/{UPSTAIRS}", {"target_temperature_c": 21.0})]


@pytest.mark.parametrize(("previous", "written"), [("heat", "heat"), ("", "heat"), ("cool", "heat")])
async def test_leaving_eco_restores_the_mode_before_if_the_thermostat_has_it(
    hass: HomeAssistant, service: FixtureService, link: SetUp, previous: str, written: str
) -> None:
    service.document["devices"]["thermostats"][UPSTAIRS]["previous_hvac_mode"] = previous
    await link()
    await call(hass, "set_preset_mode", UPSTAIRS_CLIMATE, preset_mode="none")
    assert service.writes() == [(f"/devices/thermostats/{UPSTAIRS}", {"hvac_mode": written})]


async def test_leaving_eco_is_refused_in_words_where_nobody_knows_what_is_left(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    mode(service, "emergency-heat", UPSTAIRS)
    await link()
    with pytest.raises(ServiceValidationError) as raised:
        await call(hass, "set_preset_mode", UPSTAIRS_CLIMATE, preset_mode="none")
    assert raised.value.translation_key == "mode_not_known"
    assert service.writes() == []


async def test_mode_and_temperature_are_two_writes_the_second_when_the_mode_is_shown(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    await link()
    await until(lambda: service.streams)
    calling = asyncio.create_task(call(hass, "set_temperature", hvac_mode="heat", temperature=69))
    await until(service.writes)
    assert service.writes() == [(f"/devices/thermostats/{HALLWAY}", {"hvac_mode": "heat"})]
    service.push(lambda document: document["devices"]["thermostats"][HALLWAY].update(hvac_mode="heat"))
    await calling
    assert service.writes()[1:] == [(f"/devices/thermostats/{HALLWAY}", {"target_temperature_f": 69})]


async def test_a_target_that_is_dragged_is_two_writes_the_first_and_the_newest(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    mode(service, "heat")
    await link()
    await call(hass, "set_temperature", temperature=60)
    await asyncio.gather(*(call(hass, "set_temperature", temperature=each) for each in range(61, 70)))
    assert [body for _, body in service.writes()] == [{"target_temperature_f": 60}, {"target_temperature_f": 69}]


async def test_a_temperature_that_comes_while_a_mode_is_taken_is_for_that_mode(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    mode(service, "off")
    await link()
    await until(lambda: service.streams)
    both = asyncio.create_task(call(hass, "set_temperature", hvac_mode="heat", temperature=69))
    await until(service.writes)
    warmer = asyncio.create_task(call(hass, "set_temperature", temperature=71))
    await asyncio.sleep(0.1)
    service.push(lambda document: document["devices"]["thermostats"][HALLWAY].update(hvac_mode="heat"))
    await asyncio.gather(both, warmer)
    assert service.writes()[-1] == (f"/devices/thermostats/{HALLWAY}", {"target_temperature_f": 71})


async def test_a_mode_that_is_not_taken_keeps_the_temperature_back(
    hass: HomeAssistant, service: FixtureService, link: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(climate, "MODE_SHOWN_WITHIN", 0.1)
    await link()
    with pytest.raises(HomeAssistantError) as raised:
        await call(hass, "set_temperature", hvac_mode="heat", temperature=69)
    assert raised.value.translation_key == "mode_not_taken"
    assert len(service.writes()) == 1


@pytest.mark.parametrize(
    ("wire_mode", "data", "key"),
    [
        ("eco", {"temperature": 69}, "eco_has_fixed_temperatures"),
        ("off", {"temperature": 69}, "off_has_no_temperature"),
        ("heat-cool", {"temperature": 69}, "range_needed"),
        ("heat", {"target_temp_low": 66, "target_temp_high": 77}, "single_temperature_needed"),
    ],
)
async def test_a_temperature_the_mode_has_no_place_for_is_refused_before_anything_is_sent(
    hass: HomeAssistant, service: FixtureService, link: SetUp, wire_mode: str, data: dict[str, Any], key: str
) -> None:
    mode(service, wire_mode)
    await link()
    with pytest.raises(ServiceValidationError) as raised:
        await call(hass, "set_temperature", **data)
    assert raised.value.translation_key == key
    assert service.writes() == []


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"hvac_mode": "off", "temperature": 69}, "off_has_no_temperature"),
        ({"hvac_mode": "heat_cool", "temperature": 69}, "range_needed"),
        ({"hvac_mode": "auto", "temperature": 69}, "mode_not_offered"),
    ],
)
async def test_a_mode_that_does_not_go_with_the_temperature_is_refused_before_it_is_set(
    hass: HomeAssistant, service: FixtureService, link: SetUp, data: dict[str, Any], key: str
) -> None:
    mode(service, "heat")
    await link()
    with pytest.raises(ServiceValidationError) as raised:
        await call(hass, "set_temperature", **data)
    assert raised.value.translation_key == key
    assert service.writes() == []


@pytest.mark.parametrize(
    ("status", "key"),
    [
        (400, "refused"),
        (401, "link_ended"),
        (403, "forbidden"),
        (404, "not_found"),
        (429, "blocked"),
        (500, "server_error"),
    ],
)
async def test_a_refused_write_is_said_in_words_and_the_true_value_stays(
    hass: HomeAssistant, service: FixtureService, link: SetUp, status: int, key: str
) -> None:
    mode(service, "heat")
    await link()
    service.status = status
    service.error = {"error": "x", "message": "Thermostat is not online", "type": "x#mode-error"}
    with pytest.raises(HomeAssistantError) as raised:
        await call(hass, "set_temperature", temperature=60)
    assert raised.value.translation_key == key
    assert raised.value.translation_placeholders == {"message": "Thermostat is not online"}
    assert shown(hass, HALLWAY_CLIMATE)["temperature"] == 70


@pytest.mark.parametrize(("status", "asks"), [(400, True), (403, True), (404, True), (429, False), (500, False)])
async def test_a_refused_write_asks_for_what_is_true(
    hass: HomeAssistant, service: FixtureService, link: SetUp, status: int, *, asks: bool
) -> None:
    mode(service, "heat")
    await link()
    await until(lambda: service.streams)
    asked = service.count("GET")
    service.status = status
    with pytest.raises(HomeAssistantError):
        await call(hass, "set_temperature", temperature=60)
    service.status = 200
    await hass.async_block_till_done(wait_background_tasks=False)
    await asyncio.sleep(0.1)
    assert (service.count("GET") > asked) is asks


async def test_a_confirmed_refusal_of_the_token_asks_for_linking_again(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    mode(service, "heat")
    await link()
    service.status = 401
    with pytest.raises(HomeAssistantError):
        await call(hass, "set_temperature", temperature=60)
    await until(hass.config_entries.flow.async_progress)


async def test_seeing_without_changing_offers_nothing_to_change(
    hass: HomeAssistant, link: SetUp, service: FixtureService
) -> None:
    await link(["thermostat read"])
    state = hass.states.get(HALLWAY_CLIMATE)
    assert state is not None
    assert state.state == "heat_cool"
    assert state.attributes["supported_features"] == 0
    assert state.attributes["hvac_modes"] == ["heat_cool"]
    with pytest.raises(HomeAssistantError):
        await call(hass, "set_temperature", temperature=60)
    assert service.writes() == []


@pytest.mark.parametrize(
    ("fields", "seen"),
    [
        (
            {"hvac_mode": "heat-cool"},
            {"target_temp_low": 68, "target_temp_high": 76, "preset_mode": "none", "fan_mode": "auto"},
        ),
        ({"hvac_mode": "heat", "fan_timer_active": True}, {"temperature": 70, "preset_mode": "none", "fan_mode": "on"}),
        (
            {"hvac_mode": "eco", "previous_hvac_mode": "heat", "has_fan": False},
            {"temperature": 60, "preset_mode": "eco"},
        ),
        (
            {"hvac_mode": "heat", "temperature_scale": "C", "has_fan": False},
            {"temperature": 69.8, "preset_mode": "none"},
        ),
        ({"hvac_mode": "off", "has_fan": False}, {"preset_mode": "none"}),
        ({"is_online": False}, {}),
    ],
    ids=["range", "heat", "eco", "Celsius", "off", "offline"],
)
async def test_what_can_only_be_seen_is_shown_all_the_same(
    hass: HomeAssistant, service: FixtureService, link: SetUp, fields: dict[str, Any], seen: dict[str, Any]
) -> None:
    service.document["devices"]["thermostats"][HALLWAY] |= fields
    await link(["thermostat read"])
    names = ("temperature", "target_temp_low", "target_temp_high", "preset_mode", "fan_mode")
    assert {name: value for name, value in attributes(hass).items() if name in names} == seen


async def test_what_can_be_set_follows_the_equipment(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: Callable[[str], str | None]
) -> None:
    await link()
    await until(lambda: service.streams)
    service.push(lambda document: document["devices"]["thermostats"][HALLWAY].update(can_cool=False, hvac_mode="heat"))
    await until(lambda: state_of(HALLWAY_CLIMATE) == "heat")
    state = hass.states.get(HALLWAY_CLIMATE)
    assert state is not None
    assert state.attributes["hvac_modes"] == ["off", "heat"]
    assert "target_temp_low" not in state.attributes


@pytest.mark.parametrize("mode_before", ["cool", "heat", "heat-cool"])
async def test_turning_on_returns_to_the_mode_before_also_after_a_reload(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: Callable[[str], str | None], mode_before: str
) -> None:
    mode(service, mode_before)
    entry = await link()
    await until(lambda: service.streams)
    service.push(lambda document: document["devices"]["thermostats"][HALLWAY].update(hvac_mode="off"))
    await until(lambda: state_of(HALLWAY_CLIMATE) == "off")
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(HALLWAY_CLIMATE) == "off"
    await call(hass, "turn_on")
    assert service.writes() == [(f"/devices/thermostats/{HALLWAY}", {"hvac_mode": mode_before})]


@pytest.mark.parametrize("mode_before", ["cool", "eco"])
async def test_turning_on_what_is_on_changes_nothing(
    hass: HomeAssistant, service: FixtureService, link: SetUp, mode_before: str
) -> None:
    mode(service, mode_before)
    await link()
    await call(hass, "turn_on")
    assert service.writes() == []


async def test_turning_on_takes_a_mode_that_the_equipment_still_has(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: Callable[[str], str | None]
) -> None:
    mode(service, "cool")
    await link()
    await until(lambda: service.streams)
    changed = {"hvac_mode": "off", "can_cool": False}
    service.push(lambda document: document["devices"]["thermostats"][HALLWAY].update(changed))
    await until(lambda: state_of(HALLWAY_CLIMATE) == "off")
    await call(hass, "turn_on")
    assert service.writes() == [(f"/devices/thermostats/{HALLWAY}", {"hvac_mode": "heat"})]


@pytest.mark.parametrize(
    ("fields", "modes", "fans"),
    [
        ({"can_cool": False}, ["off", "heat"], ["auto", "on"]),
        ({"can_heat": False, "hvac_mode": "cool"}, ["off", "cool"], ["auto", "on"]),
        ({"has_fan": False}, ["off", "heat_cool", "heat", "cool"], None),
        ({"can_heat": False, "can_cool": False, "hvac_mode": "off"}, ["off"], ["auto", "on"]),
    ],
)
async def test_only_what_the_equipment_has_is_offered(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    fields: dict[str, Any],
    modes: list[str],
    fans: list[str] | None,
) -> None:
    service.document["devices"]["thermostats"][HALLWAY] |= fields
    await link()
    state = hass.states.get(HALLWAY_CLIMATE)
    assert state is not None
    assert (state.attributes["hvac_modes"], state.attributes.get("fan_modes")) == (modes, fans)


async def test_steps_are_those_of_each_thermostats_own_scale(hass: HomeAssistant, link: SetUp) -> None:
    await link()
    steps = [hass.states.get(each).attributes["target_temp_step"] for each in (HALLWAY_CLIMATE, UPSTAIRS_CLIMATE)]
    assert steps == [1, 0.5]


def attributes(hass: HomeAssistant, entity_id: str = HALLWAY_CLIMATE) -> Mapping[str, Any]:
    state = hass.states.get(entity_id)
    assert state is not None
    return state.attributes


async def test_a_step_in_celsius_is_one_of_each_thermostats_own(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    hass.config.units = METRIC_SYSTEM
    mode(service, "heat")
    await link()
    assert [attributes(hass, each)["target_temp_step"] for each in (HALLWAY_CLIMATE, UPSTAIRS_CLIMATE)] == [0.5, 0.5]
    # 70 F is shown as 21.1 C.
    for shown_target, written in ((21.6, 71), (20.6, 69)):
        await call(hass, "set_temperature", temperature=shown_target)
        assert service.writes()[-1] == (f"/devices/thermostats/{HALLWAY}", {"target_temperature_f": written})


@pytest.mark.parametrize("units", [US_CUSTOMARY_SYSTEM, METRIC_SYSTEM], ids=["shown in F", "shown in C"])
@pytest.mark.parametrize(
    ("scale", "bounds"),
    [
        # Of these whole degrees Fahrenheit would make others: 12.5, 17.5, 22.5 and 27.5.
        *[("C", (high - 4, high)) for high in (16.5, 17.5, 21, 22.5, 27.5, 32)],
        *[("F", (degrees - 8, degrees)) for degrees in (59, 64, 71, 90)],
    ],
)
async def test_what_is_shown_of_two_bounds_and_set_again_changes_neither(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    units: UnitSystem,
    scale: str,
    bounds: tuple[float, float],
) -> None:
    hass.config.units = units
    names = [f"target_temperature_{which}_{scale.lower()}" for which in ("low", "high")]
    service.document["devices"]["thermostats"][HALLWAY] |= {
        "hvac_mode": "heat-cool",
        "temperature_scale": scale,
        **dict(zip(names, bounds, strict=True)),
    }
    await link()
    seen = attributes(hass)
    again = {name: seen[name] for name in ("target_temp_low", "target_temp_high")}
    await call(hass, "set_temperature", **again)
    assert service.writes() == []


@pytest.mark.parametrize("units", [US_CUSTOMARY_SYSTEM, METRIC_SYSTEM], ids=["shown in F", "shown in C"])
@pytest.mark.parametrize(
    ("fields", "lowest", "highest"),
    [
        ({"temperature_scale": "C"}, {"target_temperature_c": 9.0}, {"target_temperature_c": 32.0}),
        ({"temperature_scale": "F"}, {"target_temperature_f": 50}, {"target_temperature_f": 90}),
        ({"is_locked": True}, {"target_temperature_f": 65}, {"target_temperature_f": 75}),
    ],
    ids=["Celsius", "Fahrenheit", "locked"],
)
async def test_the_limits_that_are_shown_can_be_set(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    units: UnitSystem,
    fields: dict[str, Any],
    lowest: dict[str, float],
    highest: dict[str, float],
) -> None:
    hass.config.units = units
    service.document["devices"]["thermostats"][HALLWAY] |= {"hvac_mode": "heat", **fields}
    await link()
    for name, written in (("min_temp", lowest), ("max_temp", highest)):
        await call(hass, "set_temperature", temperature=attributes(hass)[name])
        assert service.writes()[-1] == (f"/devices/thermostats/{HALLWAY}", written)


async def test_no_member_of_the_thermostat_is_one_that_home_assistant_warns_of(
    hass: HomeAssistant, link: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    await link()
    names = ("temperature_unit", "current_temperature", "target_temperature", "target_temperature_low")
    for name in (*names, "target_temperature_high"):
        own, native = (vars(climate.WwnClimate)[each] for each in (name, f"native_{name}"))
        assert own is native, name
    warned = [
        record.getMessage() for record in caplog.records if record.levelname == "WARNING" and record.name != "asyncio"
    ]
    assert [text for text in warned if "works_with_nest" in text and "has not been tested" not in text] == []
