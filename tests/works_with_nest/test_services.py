"""Actions of our own: arrival times and the fan, and every way in which they are refused."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er, label_registry as lr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.works_with_nest.const import DOMAIN

from .automations import device_id
from .conftest import ALL_PERMISSIONS, FixtureService, SetUp, entry_data
from .test_climate import HALLWAY, HALLWAY_CLIMATE, UPSTAIRS
from .test_home_and_alarms import BEDROOM, HOME

EVERYTHING = [*ALL_PERMISSIONS, "eta write"]
WINDOW = {"arrival_begin": "2026-11-24 18:00:00+01:00", "arrival_end": "2026-11-24T18:30:00+01:00"}
ETA = f"/structures/{HOME}/eta"
FAN = f"/devices/thermostats/{HALLWAY}"


async def call(hass: HomeAssistant, action: str, **data: Any) -> None:
    await hass.services.async_call(DOMAIN, action, data, blocking=True)


@pytest.mark.parametrize("by", ["device_id", "entity_id", "area_id", "label_id"])
async def test_an_arrival_is_told_to_the_home_that_is_meant(
    hass: HomeAssistant, service: FixtureService, link: SetUp, by: str, label_registry: lr.LabelRegistry
) -> None:
    await link(EVERYTHING)
    label = label_registry.async_create("Home").label_id
    er.async_get(hass).async_update_entity("binary_sensor.home_presence", labels={label}, area_id="hallway")
    target = {
        "device_id": device_id(hass, HOME),
        "entity_id": "binary_sensor.home_presence",
        "area_id": "hallway",
        "label_id": label,
    }
    await call(hass, "set_eta", **{by: target[by]}, **WINDOW, trip_id="commute")
    assert service.writes() == [
        (
            ETA,
            {
                "trip_id": "commute",
                "estimated_arrival_window_begin": "2026-11-24T17:00:00.000Z",
                "estimated_arrival_window_end": "2026-11-24T17:30:00.000Z",
            },
        )
    ]


async def test_times_without_a_zone_are_those_of_this_home_assistant_and_a_trip_needs_no_name(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    await link(EVERYTHING)
    await call(
        hass,
        "set_eta",
        device_id=device_id(hass, HOME),
        arrival_begin="2026-11-24 18:00:00",
        arrival_end="2026-11-24 18:30:00",
    )
    written = service.writes()[0][1]
    # The tests' Home Assistant is in California.
    assert written["estimated_arrival_window_begin"] == "2026-11-25T02:00:00.000Z"
    assert written["trip_id"] == "home-assistant"


async def test_quick_arrivals_of_two_trips_are_both_told(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    await link(EVERYTHING)
    for trip in ("one", "two"):
        await call(hass, "set_eta", device_id=device_id(hass, HOME), **WINDOW, trip_id=trip)
    assert [body["trip_id"] for _, body in service.writes()] == ["one", "two"]


async def test_an_arrival_is_taken_back(hass: HomeAssistant, service: FixtureService, link: SetUp) -> None:
    await link(EVERYTHING)
    await call(hass, "cancel_eta", device_id=device_id(hass, HOME), trip_id="commute")
    cancelled = {"trip_id": "commute", "estimated_arrival_window_begin": 0, "estimated_arrival_window_end": 0}
    assert service.writes() == [(ETA, cancelled)]


@pytest.mark.parametrize("by", ["device_id", "entity_id", "area_id"])
async def test_the_fan_of_the_thermostat_that_is_meant_runs(
    hass: HomeAssistant, service: FixtureService, link: SetUp, by: str
) -> None:
    await link()
    target = {"device_id": device_id(hass, HALLWAY), "entity_id": HALLWAY_CLIMATE, "area_id": "hallway"}
    await call(hass, "set_fan_timer", **{by: target[by]}, minutes="45")
    assert service.writes() == [(FAN, {"fan_timer_active": True, "fan_timer_duration": 45})]


async def refusal(hass: HomeAssistant, action: str, **data: Any) -> tuple[str | None, dict[str, str] | None]:
    with pytest.raises(HomeAssistantError) as raised:
        await call(hass, action, **data)
    return raised.value.translation_key, raised.value.translation_placeholders


async def test_what_the_action_is_not_for_is_refused_by_its_name(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    await link(EVERYTHING)
    hass.states.async_set("switch.other", "on")
    wrong = [
        ({"device_id": device_id(hass, BEDROOM)}, "Nest Protect"),
        ({"device_id": device_id(hass, HALLWAY)}, "Nest Thermostat (Downstairs)"),
        ({"device_id": "none"}, "none"),
        ({"entity_id": "switch.other"}, "switch.other"),
        ({"entity_id": ["binary_sensor.home_presence", "switch.other"]}, "switch.other"),
    ]
    for target, name in wrong:
        assert await refusal(hass, "set_eta", **target, **WINDOW) == ("wrong_target", {"name": name})
    at_home = await refusal(hass, "set_fan_timer", device_id=device_id(hass, HOME), minutes=15)
    assert at_home == ("wrong_target", {"name": "Home"})
    assert (await refusal(hass, "cancel_eta", area_id="bedroom"))[0] == "nothing_targeted"
    assert service.writes() == []


async def test_what_was_not_granted_is_refused_in_its_own_words(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    await link(["thermostat read", "away read"])
    home, thermostat = device_id(hass, HOME), device_id(hass, HALLWAY)
    assert (await refusal(hass, "set_eta", device_id=home, **WINDOW))[0] == "arrivals_not_granted"
    assert (await refusal(hass, "cancel_eta", device_id=home))[0] == "arrivals_not_granted"
    assert (await refusal(hass, "set_fan_timer", device_id=thermostat, minutes=15))[0] == "thermostats_not_granted"
    assert service.writes() == []


async def test_what_cannot_be_is_refused_before_anything_is_sent(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    entry = await link(EVERYTHING)
    home, upstairs = device_id(hass, HOME), device_id(hass, UPSTAIRS)
    backwards = {"arrival_begin": WINDOW["arrival_end"], "arrival_end": WINDOW["arrival_begin"]}
    assert (await refusal(hass, "set_eta", device_id=home, **backwards))[0] == "arrival_ends_before_it_begins"
    fan = await refusal(hass, "set_fan_timer", device_id=upstairs, minutes=15)
    assert fan == ("no_fan", {"name": "Nest Thermostat"})
    await hass.config_entries.async_unload(entry.entry_id)
    assert (await refusal(hass, "set_eta", device_id=home, **WINDOW))[0] == "link_not_loaded"
    assert service.writes() == []


async def test_an_area_acts_on_what_is_loaded_of_it_and_a_name_has_to_be(
    hass: HomeAssistant, service: FixtureService, link: SetUp, device_registry: dr.DeviceRegistry
) -> None:
    await link()
    other = MockConfigEntry(domain=DOMAIN, data=entry_data(service.base, ["other"], []))
    other.add_to_hass(hass)
    unloaded = device_registry.async_get_or_create(config_entry_id=other.entry_id, identifiers={(DOMAIN, "x_other")})
    device_registry.async_update_device(unloaded.id, area_id="hallway")
    await call(hass, "set_fan_timer", area_id="hallway", minutes=15)
    assert [path for path, _ in service.writes()] == [FAN]
    by_name = await refusal(hass, "set_fan_timer", area_id="hallway", device_id=unloaded.id, minutes=15)
    assert by_name[0] == "link_not_loaded"
    device_registry.async_update_device(unloaded.id, area_id="attic")
    assert (await refusal(hass, "set_fan_timer", area_id="attic", minutes=15))[0] == "link_not_loaded"
    assert len(service.writes()) == 1


@pytest.mark.parametrize(
    ("status", "key"), [(400, "refused"), (401, "link_ended"), (403, "forbidden"), (404, "not_found"), (429, "blocked")]
)
@pytest.mark.parametrize("action", ["set_eta", "cancel_eta", "set_fan_timer"])
async def test_a_refusal_of_the_server_is_said_in_words(
    hass: HomeAssistant, service: FixtureService, link: SetUp, action: str, status: int, key: str
) -> None:
    await link(EVERYTHING)
    service.status, service.error = status, {"error": "x", "message": "Not in away mode"}
    data = {
        "set_eta": {"device_id": device_id(hass, HOME), **WINDOW},
        "cancel_eta": {"device_id": device_id(hass, HOME)},
        "set_fan_timer": {"device_id": device_id(hass, HALLWAY), "minutes": 15},
    }
    assert await refusal(hass, action, **data[action]) == (key, {"message": "Not in away mode"})


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("set_fan_timer", {"entity_id": HALLWAY_CLIMATE, "minutes": 20}),
        ("set_fan_timer", {"entity_id": HALLWAY_CLIMATE}),
        ("set_fan_timer", {"minutes": 15}),
        ("set_eta", {"entity_id": "binary_sensor.home_presence", "arrival_begin": "soon", "arrival_end": "later"}),
        ("set_eta", {"entity_id": "binary_sensor.home_presence"} | WINDOW | {"trip_id": ""}),
        ("cancel_eta", {}),
    ],
)
async def test_fields_that_are_not_understood_are_refused(
    hass: HomeAssistant, link: SetUp, action: str, data: dict[str, Any]
) -> None:
    await link(EVERYTHING)
    with pytest.raises(vol.Invalid):
        await call(hass, action, **data)


async def test_the_actions_are_there_without_a_link(hass: HomeAssistant, link: SetUp) -> None:
    entry = await link()
    await hass.config_entries.async_remove(entry.entry_id)
    assert hass.services.async_services_for_domain(DOMAIN).keys() == {"set_eta", "cancel_eta", "set_fan_timer"}
    with pytest.raises(ServiceValidationError):
        await call(hass, "set_fan_timer", entity_id=HALLWAY_CLIMATE, minutes=15)
