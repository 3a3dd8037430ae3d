"""Documents from the field: whatever is odd in one place hides nothing in another."""

from collections.abc import Callable
from copy import deepcopy
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.works_with_nest.const import DOMAIN

from .conftest import SERVER_ID, FixtureService, SetUp, until
from .test_climate import HALLWAY, UPSTAIRS
from .test_home_and_alarms import BEDROOM, HOME
from .test_push import KITCHEN, alarm

type StateOf = Callable[[str], str | None]

# One of each kind of JSON, and words that nobody knows.
ODD: list[Any] = [
    None,
    "",
    "sideways",
    0,
    -1,
    1e300,
    True,
    False,
    [],
    ["x"],
    {},
    {"a": {"b": []}},
    "\ud83d\udd25" * 100,
]
# What has to be shown whatever the devices beside these say.
HEALTHY = {
    "climate.upstairs_nest_thermostat": "heat",
    "sensor.upstairs_nest_thermostat_temperature": "18.0",
    "binary_sensor.kitchen_nest_protect_smoke": "on",
    "sensor.kitchen_nest_protect_smoke_level": "warning",
}


def healthy(hass: HomeAssistant) -> dict[str, str]:
    return {entity_id: state.state for entity_id in HEALTHY if (state := hass.states.get(entity_id))}


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20].encode("ascii", "replace").decode())
async def test_a_device_in_which_every_field_is_odd_hides_no_other(
    hass: HomeAssistant, service: FixtureService, link: SetUp, caplog: pytest.LogCaptureFixture, odd: Any
) -> None:
    for group, wire_id in (("thermostats", HALLWAY), ("smoke_co_alarms", BEDROOM)):
        device = service.document["devices"][group][wire_id]
        service.document["devices"][group][wire_id] = dict.fromkeys(device, odd)
    await link()
    assert healthy(hass) == HEALTHY
    assert errors(caplog) == []


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20].encode("ascii", "replace").decode())
async def test_a_home_in_which_every_field_is_odd_hides_no_device(
    hass: HomeAssistant, service: FixtureService, link: SetUp, caplog: pytest.LogCaptureFixture, odd: Any
) -> None:
    home = service.document["structures"][HOME]
    service.document["structures"][HOME] = dict.fromkeys(home, odd)
    await link()
    assert healthy(hass) == HEALTHY
    # Nothing odd is taken for a level, and the kitchen's alarm warns all the same.
    sensor = er.async_get(hass).async_get_entity_id("sensor", DOMAIN, f"{SERVER_ID}_{HOME}_smoke_level")
    assert hass.states.get(sensor or "").state == "warning"
    assert errors(caplog) == []


@pytest.mark.parametrize("odd", [None, "sideways", 0, [], {}, {"a": {"b": []}}], ids=repr)
@pytest.mark.parametrize("place", ["a thermostat", "an alarm", "the alarms", "the devices", "the homes", "metadata"])
async def test_what_is_odd_as_a_whole_is_left_out_and_comes_back(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    state_of: StateOf,
    caplog: pytest.LogCaptureFixture,
    place: str,
    odd: Any,
) -> None:
    good = deepcopy(service.document)
    await link()
    await until(lambda: service.streams)
    devices = service.document["devices"]
    changed: dict[str, Any] = {
        "a thermostat": {"devices": devices | {"thermostats": devices["thermostats"] | {HALLWAY: odd}}},
        "an alarm": {"devices": devices | {"smoke_co_alarms": devices["smoke_co_alarms"] | {BEDROOM: odd}}},
        "the alarms": {"devices": devices | {"smoke_co_alarms": odd}},
        "the devices": {"devices": odd},
        "the homes": {"structures": odd},
        "metadata": {"metadata": odd},
    }
    service.push(lambda document: document.update(changed[place]))
    service.push(lambda document: document.update({**good, "structures": good["structures"]}))
    service.push(
        lambda document: document["devices"]["thermostats"][UPSTAIRS].update(humidity=46, ambient_temperature_c=18.5)
    )
    await until(lambda: state_of("sensor.upstairs_nest_thermostat_humidity") == "46")
    assert healthy(hass) == HEALTHY | {"sensor.upstairs_nest_thermostat_temperature": "18.5"}
    assert state_of("binary_sensor.bedroom_nest_protect_smoke") == "off"
    assert errors(caplog) == []


@pytest.mark.parametrize("document", [{}, {"devices": {}}, {"structures": {}}, {"metadata": None}, [], None, "x", 1])
async def test_a_document_that_holds_nothing_sets_up_nothing_and_breaks_nothing(
    hass: HomeAssistant, service: FixtureService, link: SetUp, caplog: pytest.LogCaptureFixture, document: Any
) -> None:
    homes = deepcopy(service.document)
    entry = await link()
    await hass.config_entries.async_unload(entry.entry_id)
    service.document = document
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    await until(lambda: service.count("STREAM") == 2)
    service.document = homes
    service.push()
    await until(lambda: healthy(hass) == HEALTHY)
    assert errors(caplog) == []


async def test_an_id_that_does_not_match_its_place_changes_nothing(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    for group in service.document["devices"].values():
        for device in group.values():
            device["device_id"] = "another"
    service.document["structures"][HOME]["structure_id"] = "another"
    await link()
    assert healthy(hass) == HEALTHY
    assert hass.states.get("sensor.home_smoke_level").state == "warning"


async def test_a_device_of_a_home_that_nobody_knows_is_left_out(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    alarm(service.document, BEDROOM)["structure_id"] = "elsewhere"
    await link()
    assert healthy(hass) == HEALTHY
    assert hass.states.get("binary_sensor.bedroom_nest_protect_smoke") is None


async def test_a_home_that_lists_the_same_alarm_twice_and_one_that_is_missing_counts_each_once(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    service.document["structures"][HOME]["smoke_co_alarms"] = [KITCHEN, KITCHEN, "ghost", BEDROOM]
    await link()
    state = hass.states.get("binary_sensor.home_alarm_monitoring")
    assert state is not None
    assert (state.attributes["battery_low"], state.attributes["missing"]) == (
        ["Kitchen Nest Protect (Pantry)"],
        ["ghost"],
    )


async def test_one_odd_device_is_one_debug_line_for_each_field(
    hass: HomeAssistant, service: FixtureService, link: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    service.document["devices"]["thermostats"][HALLWAY].update(humidity="damp", is_locked="yes")
    await link()
    lines = [record for record in caplog.records if record.getMessage().startswith("Cannot read")]
    assert sorted(record.getMessage() for record in lines) == [
        f"Cannot read humidity of {HALLWAY}",
        f"Cannot read is_locked of {HALLWAY}",
    ]
    assert {record.levelno for record in lines} == {logging.DEBUG}


async def test_five_hundred_devices_are_shown_and_one_change_is_one_devices(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    alarms, thermostats = ({} for _ in range(2))
    for number in range(250):
        room = {"where_name": f"Room {number}", "label": ""}
        alarms[f"a{number}"] = alarm(service.document, BEDROOM) | room | {"device_id": f"a{number}"}
        thermostat = service.document["devices"]["thermostats"][UPSTAIRS]
        thermostats[f"t{number}"] = thermostat | room | {"device_id": f"t{number}"}
    service.document["devices"] = {"thermostats": thermostats, "smoke_co_alarms": alarms}
    service.document["structures"][HOME].update(
        thermostats=list(thermostats), smoke_co_alarms=list(alarms), smoke_alarm_state="ok"
    )
    await link()
    await until(lambda: service.streams)
    assert len(hass.states.async_all("climate")) == 250
    assert len(hass.states.async_all("event")) == 250
    assert state_of("sensor.home_smoke_level") == "ok"
    written: list[str] = []
    hass.bus.async_listen("state_changed", lambda event: written.append(event.data["entity_id"]))
    service.push(lambda document: document["devices"]["smoke_co_alarms"]["a77"].update(smoke_alarm_state="emergency"))
    await until(lambda: state_of("event.room_77_nest_protect_alarm") != "unknown", 20)
    assert {entity_id.split(".")[1].split("_nest")[0] for entity_id in written if ".home_" not in entity_id} == {
        "room_77"
    }
    assert state_of("sensor.home_smoke_level") == "emergency"
