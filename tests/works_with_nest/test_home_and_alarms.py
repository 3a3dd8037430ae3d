"""Homes and alarms: what is shown for each word, and home or away as a choice."""

from collections.abc import Callable
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from .conftest import FixtureService, SetUp

HOME = "PtYgjmUhBel31iEl2hpChYgCfrL1spNxnyVmihA_2O76UMFxFkM_Rw"
BEDROOM = "Kas1VOqg6YYZYn9ZhyiA4uoRgnatmUdj"

type StateOf = Callable[[str], str | None]


@pytest.mark.parametrize(("field", "name"), [("smoke_alarm_state", "smoke"), ("co_alarm_state", "carbon_monoxide")])
@pytest.mark.parametrize(
    ("word", "binary", "level"),
    [
        ("ok", "off", "ok"),
        ("warning", "on", "warning"),
        ("emergency", "on", "emergency"),
        ("OK", "unknown", "unknown"),
        ("smouldering", "unknown", "unknown"),
        ("", "unknown", "unknown"),
        (None, "unknown", "unknown"),
        (0, "unknown", "unknown"),
        (False, "unknown", "unknown"),
    ],
)
async def test_each_level_is_shown_and_what_is_unknown_is_never_ok(
    service: FixtureService,
    link: SetUp,
    state_of: StateOf,
    field: str,
    name: str,
    word: object,
    binary: str,
    level: str,
) -> None:
    service.document["devices"]["smoke_co_alarms"][BEDROOM][field] = word
    await link()
    assert state_of(f"binary_sensor.bedroom_nest_protect_{name}") == binary
    assert state_of(f"sensor.bedroom_nest_protect_{name}_level") == level


@pytest.mark.parametrize(
    ("word", "state"), [("ok", "off"), ("replace", "on"), ("missing", "unknown"), (None, "unknown")]
)
async def test_a_battery_is_low_when_the_alarm_says_so(
    service: FixtureService, link: SetUp, state_of: StateOf, word: str | None, state: str
) -> None:
    service.document["devices"]["smoke_co_alarms"][BEDROOM]["battery_health"] = word
    await link()
    assert state_of("binary_sensor.bedroom_nest_protect_battery") == state


@pytest.mark.parametrize(
    ("word", "presence", "choice"),
    [
        ("home", "on", "home"),
        ("away", "off", "away"),
        ("auto-away", "off", "away"),
        ("unknown", "unknown", "unknown"),
        ("vacation", "unknown", "unknown"),
    ],
)
async def test_presence_follows_the_home(
    service: FixtureService, link: SetUp, state_of: StateOf, word: str, presence: str, choice: str
) -> None:
    service.document["structures"][HOME]["away"] = word
    await link()
    assert state_of("binary_sensor.home_presence") == presence
    assert state_of("select.home_away_mode") == choice


async def choose(hass: HomeAssistant, option: str) -> None:
    target = {"entity_id": "select.home_away_mode", "option": option}
    await hass.services.async_call("select", "select_option", target, blocking=True)


async def test_choosing_away_writes_the_home_and_no_thermostat(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    await link()
    await choose(hass, "away")
    await choose(hass, "home")
    assert service.writes() == [
        (f"/structures/{HOME}", {"away": "away"}),
        (f"/structures/{HOME}", {"away": "home"}),
    ]


async def test_a_refused_choice_is_said_in_words_and_the_true_one_stays(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    await link()
    service.status, service.error = 400, {"error": "x", "message": "Not now"}
    with pytest.raises(HomeAssistantError) as raised:
        await choose(hass, "away")
    assert (raised.value.translation_key, raised.value.translation_placeholders) == ("refused", {"message": "Not now"})
    assert state_of("select.home_away_mode") == "home"


def names(hass: HomeAssistant) -> set[str]:
    return {state.entity_id for state in hass.states.async_all()}


@pytest.mark.parametrize("told_by", ["the entry", "the server"])
async def test_a_choice_exists_only_where_changing_was_granted(
    hass: HomeAssistant, service: FixtureService, link: SetUp, told_by: str
) -> None:
    granted = ["thermostat read", "away read", "smoke+co read"]
    if told_by == "the server":
        service.document["metadata"]["permissions"] = granted
    await link(granted if told_by == "the entry" else ["away read/write"])
    assert "binary_sensor.home_presence" in names(hass)
    assert "select.home_away_mode" not in names(hass)


@pytest.mark.parametrize(
    ("left_out", "domains"),
    [
        ("thermostats", {"binary_sensor", "event", "sensor", "select"}),
        ("smoke_co_alarms", {"binary_sensor", "climate", "sensor", "select"}),
    ],
)
async def test_only_what_was_granted_appears(
    hass: HomeAssistant, service: FixtureService, link: SetUp, left_out: str, domains: set[str]
) -> None:
    del service.document["devices"][left_out]
    await link()
    assert {entity_id.split(".")[0] for entity_id in names(hass)} == domains
    gone = "thermostat" if left_out == "thermostats" else "protect"
    assert not [entity_id for entity_id in names(hass) if gone in entity_id]


async def test_a_home_without_its_away_status_has_no_presence(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    del service.document["structures"][HOME]["away"]
    await link(["smoke+co read"])
    assert "binary_sensor.home_presence" not in names(hass)


async def test_homes_that_are_not_part_of_the_link_are_left_out(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    entry = await link()
    other: dict[str, Any] = {"structure_id": "other", "name": "Cabin", "away": "away"}
    service.document["structures"]["other"] = other
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert "binary_sensor.cabin_presence" not in names(hass)


async def test_temperature_and_humidity_of_a_thermostat_are_sensors(
    service: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    await link()
    assert state_of("sensor.upstairs_nest_thermostat_temperature") == "18.0"
    assert state_of("sensor.upstairs_nest_thermostat_humidity") == "45"
    assert float(state_of("sensor.hallway_nest_thermostat_downstairs_temperature") or 0) == pytest.approx(
        19.44, abs=0.01
    )
