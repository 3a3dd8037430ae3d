"""Every operation of Home Assistant on a Nest home, against the real server, and every way in which it is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.works_with_nest.const import DOMAIN
from tools.nest_home import NestHomeServer, NestPerson

from .conftest import EVERYTHING, Browser, until
from .test_live import alarm_in, state_of

LIVING = "climate.living_room_nest_thermostat"
BEDROOM = "climate.bedroom_nest_thermostat"
PRESENCE = "binary_sensor.home_presence"
AWAY = "select.home_away_mode"

UPSIDE_DOWN = {"target_temp_low": 25, "target_temp_high": 20}


@pytest.fixture
async def linked(nest_home: NestHomeServer, person: NestPerson, browser: Browser) -> NestPerson:
    """Return the owner of a home that is linked with all that can be shared."""
    await browser.link(nest_home.base, person.accept, EVERYTHING | {"arrivals": True})
    return person


async def call(hass: HomeAssistant, action: str, entity_id: str, **data: Any) -> None:
    domain, _, name = action.partition(".")
    await hass.services.async_call(domain, name, {"entity_id": entity_id, **data}, blocking=True)


async def refused(hass: HomeAssistant, action: str, entity_id: str, **data: Any) -> tuple[str | None, str]:
    """Return the key of the sentence that a person reads, and what the server said."""
    with pytest.raises(HomeAssistantError) as raised:
        await call(hass, action, entity_id, **data)
    return raised.value.translation_key, (raised.value.translation_placeholders or {}).get("message", "")


def attribute(hass: HomeAssistant, entity_id: str, name: str) -> Any:
    state = hass.states.get(entity_id)
    return state.attributes.get(name) if state else None


async def thermostat(person: NestPerson, room: str) -> dict[str, Any]:
    thermostats = (await person.document())["devices"]["thermostats"].values()
    return next(each for each in thermostats if each["where_name"] == room)


async def become(hass: HomeAssistant, mode: str, entity_id: str = LIVING) -> None:
    if state_of(hass, entity_id) != mode:
        await call(hass, "climate.set_hvac_mode", entity_id, hvac_mode=mode)
        await until(lambda: state_of(hass, entity_id) == mode)


async def test_every_mode_and_temperature_is_taken_and_shown(hass: HomeAssistant, linked: NestPerson) -> None:
    for mode, wire in (("heat", "heat"), ("cool", "cool"), ("off", "off"), ("heat_cool", "heat-cool")):
        await call(hass, "climate.set_hvac_mode", LIVING, hvac_mode=mode)
        await until(lambda mode=mode: state_of(hass, LIVING) == mode)
        assert (await thermostat(linked, "Living Room"))["hvac_mode"] == wire
    await call(hass, "climate.set_temperature", LIVING, target_temp_low=19, target_temp_high=25.5)
    await until(lambda: attribute(hass, LIVING, "target_temp_high") == 25.5)
    assert attribute(hass, LIVING, "target_temp_low") == 19
    await call(hass, "climate.set_temperature", LIVING, hvac_mode="cool", temperature=23.5)
    await until(lambda: attribute(hass, LIVING, "temperature") == 23.5)
    assert state_of(hass, LIVING) == "cool"
    written = await thermostat(linked, "Living Room")
    assert (written["hvac_mode"], written["target_temperature_c"], written["target_temperature_f"]) == (
        "cool",
        23.5,
        74,
    )


async def test_off_and_on_return_to_the_mode_before(hass: HomeAssistant, linked: NestPerson) -> None:
    await become(hass, "cool")
    await call(hass, "climate.turn_off", LIVING)
    await until(lambda: state_of(hass, LIVING) == "off")
    await call(hass, "climate.turn_on", LIVING)
    await until(lambda: state_of(hass, LIVING) == "cool")


async def test_eco_and_back_restore_the_mode_before_and_leave_the_home_alone(
    hass: HomeAssistant, linked: NestPerson
) -> None:
    await become(hass, "cool")
    await call(hass, "climate.set_preset_mode", LIVING, preset_mode="eco")
    await until(lambda: attribute(hass, LIVING, "preset_mode") == "eco")
    in_eco = await thermostat(linked, "Living Room")
    assert (in_eco["hvac_mode"], in_eco["previous_hvac_mode"]) == ("eco", "cool")
    assert attribute(hass, LIVING, "temperature") == in_eco["eco_temperature_high_c"]
    assert (await refused(hass, "climate.set_temperature", LIVING, temperature=20))[0] == "eco_has_fixed_temperatures"
    await call(hass, "climate.set_preset_mode", LIVING, preset_mode="none")
    await until(lambda: attribute(hass, LIVING, "preset_mode") == "none")
    assert state_of(hass, LIVING) == "cool"
    assert state_of(hass, PRESENCE) == "on"


async def test_the_fan_runs_for_as_long_as_was_said(hass: HomeAssistant, linked: NestPerson) -> None:
    await call(hass, "climate.set_fan_mode", LIVING, fan_mode="on")
    await until(lambda: attribute(hass, LIVING, "fan_mode") == "on")
    assert state_of(hass, "binary_sensor.living_room_nest_thermostat_fan_timer") == "on"
    await call(hass, "climate.set_fan_mode", LIVING, fan_mode="auto")
    await until(lambda: attribute(hass, LIVING, "fan_mode") == "auto")
    await call(hass, f"{DOMAIN}.set_fan_timer", LIVING, minutes=120)
    await until(lambda: attribute(hass, LIVING, "fan_mode") == "on")
    end = datetime.fromisoformat(state_of(hass, "sensor.living_room_nest_thermostat_fan_timer_end") or "")
    assert timedelta(minutes=115) < end - datetime.now(UTC) <= timedelta(minutes=120)


async def test_away_and_home_are_taken_and_shown(hass: HomeAssistant, linked: NestPerson) -> None:
    for option, shown in (("away", "off"), ("home", "on")):
        await call(hass, "select.select_option", AWAY, option=option)
        await until(lambda shown=shown: state_of(hass, PRESENCE) == shown)
        assert state_of(hass, AWAY) == option


async def test_an_arrival_is_shown_until_it_is_taken_back_and_refused_while_somebody_is_there(
    hass: HomeAssistant, linked: NestPerson
) -> None:
    begin = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    window = {"arrival_begin": begin.isoformat(), "arrival_end": (begin + timedelta(minutes=20)).isoformat()}
    at_home = await refused(hass, f"{DOMAIN}.set_eta", PRESENCE, **window)
    assert at_home == ("refused", "Not in away mode")
    await call(hass, "select.select_option", AWAY, option="away")
    await until(lambda: state_of(hass, PRESENCE) == "off")
    await call(hass, f"{DOMAIN}.set_eta", PRESENCE, **window)
    await until(lambda: state_of(hass, "sensor.home_expected_arrival") == begin.isoformat())
    await call(hass, f"{DOMAIN}.cancel_eta", PRESENCE)
    await until(lambda: state_of(hass, "sensor.home_expected_arrival") == "unknown")


async def test_what_home_assistant_knows_cannot_be_is_refused_before_it_is_sent(
    hass: HomeAssistant, linked: NestPerson
) -> None:
    before = await linked.document()
    refusals: list[tuple[str, str, dict[str, Any], str]] = [
        ("climate.set_temperature", LIVING, {"temperature": 20}, "range_needed"),
        ("climate.set_temperature", LIVING, {"target_temp_low": 20, "target_temp_high": 40}, "temp_out_of_range"),
        (
            "climate.set_temperature",
            LIVING,
            {"target_temp_low": 25, "target_temp_high": 20},
            "low_temp_higher_than_high_temp",
        ),
        ("climate.set_temperature", BEDROOM, {"temperature": 8}, "temp_out_of_range"),
        ("climate.set_hvac_mode", BEDROOM, {"hvac_mode": "cool"}, "not_valid_hvac_mode"),
        ("climate.set_preset_mode", LIVING, {"preset_mode": "away"}, "not_valid_preset_mode"),
        ("climate.set_fan_mode", LIVING, {"fan_mode": "high"}, "not_valid_fan_mode"),
        ("select.select_option", AWAY, {"option": "auto-away"}, "not_valid_option"),
        (f"{DOMAIN}.set_fan_timer", BEDROOM, {"minutes": 15}, "no_fan"),
        (f"{DOMAIN}.set_fan_timer", PRESENCE, {"minutes": 15}, "wrong_target"),
    ]
    for action, entity_id, data, key in refusals:
        assert (await refused(hass, action, entity_id, **data))[0] == key, (action, data)
    after = await linked.document()
    fields = ("hvac_mode", "target_temperature_c", "target_temperature_low_c", "target_temperature_high_c")
    for key, each in after["devices"]["thermostats"].items():
        assert [each[field] for field in fields] == [before["devices"]["thermostats"][key][field] for field in fields]


async def test_bounds_too_close_together_are_refused_by_the_server_and_the_true_ones_stay(
    hass: HomeAssistant, linked: NestPerson
) -> None:
    low, high = (attribute(hass, LIVING, f"target_temp_{bound}") for bound in ("low", "high"))
    refusal = await refused(hass, "climate.set_temperature", LIVING, target_temp_low=20, target_temp_high=20.5)
    assert refusal == ("refused", "The low and high targets must be at least 1.5 °C apart.")
    assert (attribute(hass, LIVING, "target_temp_low"), attribute(hass, LIVING, "target_temp_high")) == (low, high)


async def test_a_lock_bounds_what_can_be_set(hass: HomeAssistant, linked: NestPerson) -> None:
    await linked.set_thermostat((await thermostat(linked, "Bedroom"))["device_id"], is_locked=True)
    await until(lambda: state_of(hass, "binary_sensor.bedroom_nest_thermostat_temperature_lock") == "on")
    assert (attribute(hass, BEDROOM, "min_temp"), attribute(hass, BEDROOM, "max_temp")) == (18.5, 24)
    assert (await refused(hass, "climate.set_temperature", BEDROOM, temperature=25))[0] == "temp_out_of_range"
    await call(hass, "climate.set_temperature", BEDROOM, temperature=24)
    await until(lambda: attribute(hass, BEDROOM, "temperature") == 24)


async def test_emergency_heat_keeps_the_mode(hass: HomeAssistant, linked: NestPerson) -> None:
    await linked.set_thermostat((await thermostat(linked, "Living Room"))["device_id"], is_using_emergency_heat=True)
    await until(lambda: state_of(hass, "binary_sensor.living_room_nest_thermostat_emergency_heat") == "on")
    refusal = await refused(hass, "climate.set_hvac_mode", LIVING, hvac_mode="cool")
    assert refusal == ("refused", "Mode and cooling can't be changed while emergency heat is on.")


async def test_an_emergency_shuts_fan_and_heating_off(hass: HomeAssistant, linked: NestPerson) -> None:
    await become(hass, "heat", BEDROOM)
    await linked.set_alarm(alarm_in(await linked.document(), "Kitchen"), carbon_monoxide="emergency")
    await until(lambda: state_of(hass, "sensor.home_carbon_monoxide_level") == "emergency")
    fan = await refused(hass, "climate.set_fan_mode", LIVING, fan_mode="on")
    assert fan == ("refused", "Cannot activate fan during smoke/co safety shutoff")
    heating = await refused(hass, "climate.set_temperature", BEDROOM, temperature=22)
    assert heating[0] == "refused"
    assert "safety shutoff" in heating[1]


async def test_a_thermostat_that_is_offline_takes_nothing(hass: HomeAssistant, linked: NestPerson) -> None:
    living = await thermostat(linked, "Living Room")
    await linked.set_thermostat(living["device_id"], is_online=False)
    await until(lambda: state_of(hass, LIVING) == "unavailable")
    assert await refused(hass, f"{DOMAIN}.set_fan_timer", LIVING, minutes=15) == ("refused", "Thermostat is not online")


@pytest.mark.parametrize(
    ("share", "action", "entity_id", "data"),
    [
        ({"thermostat": "see"}, "climate.set_temperature", BEDROOM, {"temperature": 20}),
        ({"thermostat": "see"}, "climate.set_fan_mode", LIVING, {"fan_mode": "on"}),
        ({"thermostat": "see"}, "climate.turn_off", LIVING, {}),
        ({"thermostat": "see"}, f"{DOMAIN}.set_fan_timer", LIVING, {"minutes": 15}),
        ({"arrivals": False}, f"{DOMAIN}.cancel_eta", PRESENCE, {}),
    ],
)
async def test_what_was_not_granted_cannot_be_changed(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    person: NestPerson,
    browser: Browser,
    share: dict[str, Any],
    action: str,
    entity_id: str,
    data: dict[str, Any],
) -> None:
    await browser.link(nest_home.base, person.accept, EVERYTHING | share)
    with pytest.raises(HomeAssistantError):
        await call(hass, action, entity_id, **data)


async def test_home_or_away_can_only_be_chosen_where_that_was_granted(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    await browser.link(nest_home.base, person.accept, EVERYTHING | {"away": "see"})
    assert state_of(hass, AWAY) is None
    assert state_of(hass, PRESENCE) == "on"


class TestLimits:
    """A server that takes two changes to a thermostat or home in an hour."""

    @pytest.fixture
    def more_options(self) -> tuple[str, ...]:
        return ("--limits", "--limit-changes", "2")

    async def test_one_change_too_many_is_blocked_in_words_and_the_true_value_stays(
        self, hass: HomeAssistant, linked: NestPerson
    ) -> None:
        for temperature in (20, 22):
            await call(hass, "climate.set_temperature", BEDROOM, temperature=temperature)
        await until(lambda: attribute(hass, BEDROOM, "temperature") == 22)
        assert (await refused(hass, "climate.set_temperature", BEDROOM, temperature=23))[0] == "blocked"
        assert attribute(hass, BEDROOM, "temperature") == 22
        for option, shown in (("away", "off"), ("home", "on")):
            await call(hass, "select.select_option", AWAY, option=option)
            await until(lambda shown=shown: state_of(hass, PRESENCE) == shown)
        assert (await refused(hass, "select.select_option", AWAY, option="away"))[0] == "blocked"
        assert (await refused(hass, f"{DOMAIN}.cancel_eta", PRESENCE))[0] == "blocked"
