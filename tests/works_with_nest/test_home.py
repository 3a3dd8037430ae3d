"""A home as its alarms make it: the worst level of all, and whether they can be heard."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.db_schema import StateAttributes
from homeassistant.core import Event, EventStateChangedData, HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.works_with_nest import binary_sensor
from custom_components.works_with_nest.const import CONF_TEST_MONTHS, DOMAIN

from .conftest import SERVER_ID, FixtureService, SetUp, until
from .test_home_and_alarms import BEDROOM, HOME
from .test_push import KITCHEN, alarm

MONITORING = "binary_sensor.home_alarm_monitoring"
NOTHING = {"missing": [], "offline": [], "unknown": [], "battery_low": [], "untested": []}

type StateOf = Callable[[str], str | None]


@pytest.fixture
def quiet(service: FixtureService) -> FixtureService:
    """Return the service with a home in which all is well."""
    service.document["structures"][HOME]["smoke_alarm_state"] = "ok"
    alarm(service.document, KITCHEN).update(
        smoke_alarm_state="ok", battery_health="ok", last_manual_test_time="2018-12-03T11:01:00.000Z"
    )
    return service


def smoke_shown(state_of: StateOf) -> tuple[str | None, str | None]:
    return state_of("binary_sensor.home_smoke"), state_of("sensor.home_smoke_level")


@pytest.mark.parametrize(
    ("home", "kitchen", "shown"),
    [
        pytest.param("ok", {}, ("off", "ok"), id="all say ok"),
        pytest.param("warning", {}, ("on", "warning"), id="the home alone warns"),
        pytest.param("ok", {"smoke_alarm_state": "warning"}, ("on", "warning"), id="an alarm alone warns"),
        pytest.param("warning", {"smoke_alarm_state": "emergency"}, ("on", "emergency"), id="the worst counts"),
        pytest.param(
            "ok", {"smoke_alarm_state": "emergency", "is_online": False}, ("on", "emergency"), id="silent, not over"
        ),
        pytest.param("ok", {"is_online": False}, ("unknown", "unknown"), id="an alarm is offline"),
        pytest.param("ok", {"is_online": None}, ("unknown", "unknown"), id="an alarm does not say it is online"),
        pytest.param("ok", {"smoke_alarm_state": "OK"}, ("unknown", "unknown"), id="an alarm's word is not known"),
        pytest.param("ok", {"smoke_alarm_state": None}, ("unknown", "unknown"), id="an alarm says nothing"),
        pytest.param("smouldering", {}, ("unknown", "unknown"), id="the home's word is not known"),
        pytest.param(None, {}, ("unknown", "unknown"), id="the home says nothing"),
        pytest.param("smouldering", {"smoke_alarm_state": "warning"}, ("on", "warning"), id="not known beside bad"),
    ],
)
async def test_a_home_shows_its_worst_level_and_ok_only_if_everybody_says_so(
    quiet: FixtureService,
    link: SetUp,
    state_of: StateOf,
    home: str | None,
    kitchen: dict[str, Any],
    shown: tuple[str, str],
) -> None:
    quiet.document["structures"][HOME]["smoke_alarm_state"] = home
    alarm(quiet.document, KITCHEN).update(kitchen)
    await link()
    assert smoke_shown(state_of) == shown
    assert state_of("sensor.home_carbon_monoxide_level") == ("unknown" if "is_online" in kitchen else "ok")


async def test_an_alarm_that_is_listed_but_not_in_the_document_leaves_the_home_unknown(
    quiet: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    del quiet.document["devices"]["smoke_co_alarms"][KITCHEN]
    await link()
    assert smoke_shown(state_of) == ("unknown", "unknown")


@pytest.mark.parametrize(
    "odd", ["many", 3, {"a": "b"}, True, [KITCHEN, BEDROOM, 5], [KITCHEN, BEDROOM, None]], ids=repr
)
async def test_a_list_of_alarms_that_cannot_be_read_leaves_the_home_unknown(
    hass: HomeAssistant, quiet: FixtureService, link: SetUp, state_of: StateOf, odd: object
) -> None:
    quiet.document["structures"][HOME]["smoke_co_alarms"] = odd
    await link()
    assert smoke_shown(state_of) == ("unknown", "unknown")
    assert monitoring(hass) == ("on", NOTHING | {"link_down": False, "unknown": ["Home"]})


@pytest.mark.parametrize("word", [None, "smouldering", 0])
@pytest.mark.parametrize("field", ["smoke_alarm_state", "co_alarm_state"])
async def test_a_home_that_does_not_say_how_it_is_is_not_well_though_its_alarms_are(
    hass: HomeAssistant, quiet: FixtureService, link: SetUp, state_of: StateOf, field: str, word: object
) -> None:
    quiet.document["structures"][HOME][field] = word
    await link()
    name = {"smoke_alarm_state": "smoke", "co_alarm_state": "carbon_monoxide"}[field]
    assert state_of(f"sensor.home_{name}_level") == "unknown"
    assert monitoring(hass) == ("on", NOTHING | {"link_down": False, "unknown": ["Home"]})


async def test_an_alarm_that_names_the_home_counts_though_it_is_not_listed(
    quiet: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    quiet.document["structures"][HOME]["smoke_co_alarms"] = [BEDROOM]
    alarm(quiet.document, KITCHEN)["smoke_alarm_state"] = "emergency"
    await link()
    assert smoke_shown(state_of) == ("on", "emergency")


async def test_an_alarm_of_another_home_does_not_count(quiet: FixtureService, link: SetUp, state_of: StateOf) -> None:
    quiet.document["structures"]["cabin"] = {"structure_id": "cabin", "name": "Cabin", "smoke_alarm_state": "ok"}
    alarm(quiet.document, KITCHEN).update(structure_id="cabin", smoke_alarm_state="emergency")
    quiet.document["structures"][HOME]["smoke_co_alarms"] = [BEDROOM]
    await link()
    assert smoke_shown(state_of) == ("off", "ok")
    assert state_of("sensor.cabin_smoke_level") == "emergency"


async def test_a_home_without_alarms_has_no_level(quiet: FixtureService, link: SetUp, state_of: StateOf) -> None:
    home = quiet.document["structures"][HOME]
    for field in ("smoke_co_alarms", "smoke_alarm_state", "co_alarm_state"):
        del home[field]
    del quiet.document["devices"]["smoke_co_alarms"]
    await link()
    assert (*smoke_shown(state_of), state_of(MONITORING)) == (None, None, None)


def changed(hass: HomeAssistant) -> Event[EventStateChangedData]:
    state = hass.states.get(MONITORING)
    return Event("state_changed", {"entity_id": MONITORING, "old_state": None, "new_state": state})


def monitoring(hass: HomeAssistant) -> tuple[str, dict[str, Any]]:
    state = hass.states.get(MONITORING)
    assert state is not None
    return state.state, {key: state.attributes[key] for key in (*NOTHING, "link_down")}


async def test_nothing_keeps_the_alarms_of_a_quiet_home_from_being_heard(
    hass: HomeAssistant, quiet: FixtureService, link: SetUp
) -> None:
    await link()
    assert monitoring(hass) == ("off", NOTHING | {"link_down": False})


@pytest.mark.parametrize(
    ("kitchen", "shortcomings"),
    [
        ({"is_online": False}, ["offline"]),
        ({"is_online": None}, ["unknown"]),
        ({"smoke_alarm_state": "smouldering"}, ["unknown"]),
        ({"co_alarm_state": None}, ["unknown"]),
        ({"battery_health": None}, ["unknown"]),
        ({"battery_health": "replace"}, ["battery_low"]),
        ({"battery_health": "replace", "is_online": False}, ["offline", "battery_low"]),
        ({"smoke_alarm_state": "emergency"}, []),
    ],
)
async def test_what_keeps_an_alarm_from_being_heard_is_named_with_the_alarm(
    hass: HomeAssistant, quiet: FixtureService, link: SetUp, kitchen: dict[str, Any], shortcomings: list[str]
) -> None:
    alarm(quiet.document, KITCHEN).update(kitchen)
    await link()
    named = NOTHING | {key: ["Kitchen Nest Protect (Pantry)"] for key in shortcomings}
    assert monitoring(hass) == ("on" if shortcomings else "off", named | {"link_down": False})


async def test_of_very_many_alarms_some_are_named_and_the_recorder_takes_it(
    hass: HomeAssistant, quiet: FixtureService, link: SetUp
) -> None:
    quiet.document["structures"][HOME]["smoke_co_alarms"] += [f"{number:03}{'ü' * 60}" for number in range(500)]
    odd = {"is_online": None, "battery_health": "replace", "name_long": "ü" * 300}
    for number in range(40):
        silent = alarm(quiet.document, KITCHEN) | odd
        quiet.document["devices"]["smoke_co_alarms"][f"silent {number}"] = silent
    await link()
    shortcomings = hass.states.get(MONITORING).attributes
    for shortcoming, count in (("missing", 500), ("unknown", 40), ("battery_low", 40)):
        named = len(shortcomings[shortcoming])
        assert (named >= 5, named + shortcomings["more"][shortcoming]) == (True, count)
    # Home Assistant's recorder keeps nothing of what is larger.
    assert len(StateAttributes.shared_attrs_bytes_from_event(changed(hass), None)) > 2000


async def test_a_missing_alarm_is_named_as_people_named_it(
    hass: HomeAssistant, quiet: FixtureService, link: SetUp, device_registry: dr.DeviceRegistry
) -> None:
    entry = await link()
    await until(lambda: quiet.streams)
    device = device_registry.async_get_device_by_identifier((DOMAIN, f"{SERVER_ID}_{KITCHEN}"), entry.entry_id)
    assert device is not None
    quiet.push(lambda document: document["devices"]["smoke_co_alarms"].pop(KITCHEN))
    await until(lambda: monitoring(hass)[0] == "on")
    assert monitoring(hass)[1]["missing"] == ["Nest Protect"]
    device_registry.async_update_device(device.id, name_by_user="The one by the stove")
    quiet.push(lambda document: document["devices"]["smoke_co_alarms"].pop(BEDROOM))
    await until(lambda: len(monitoring(hass)[1]["missing"]) == 2)
    assert monitoring(hass)[1]["missing"] == ["Nest Protect", "The one by the stove"]


async def test_a_link_that_is_down_is_told_while_all_else_is_unavailable(
    hass: HomeAssistant, quiet: FixtureService, link: SetUp, state_of: StateOf, short_clocks: None
) -> None:
    await link()
    await until(lambda: quiet.streams)
    quiet.status = quiet.stream_status = 503
    await until(lambda: smoke_shown(state_of) == ("unavailable", "unavailable"))
    assert monitoring(hass) == ("on", NOTHING | {"link_down": True})
    quiet.status = quiet.stream_status = 200
    await until(lambda: monitoring(hass) == ("off", NOTHING | {"link_down": False}))


async def test_a_home_that_is_gone_is_told(hass: HomeAssistant, quiet: FixtureService, link: SetUp) -> None:
    await link()
    await until(lambda: quiet.streams)
    quiet.push(lambda document: document.pop("structures"))
    await until(lambda: monitoring(hass)[0] == "on")


@pytest.fixture
def in_january(freezer: FrozenDateTimeFactory) -> None:
    """Let it be January 2019, a few weeks after the alarms were tested."""
    freezer.move_to(datetime(2019, 1, 14, tzinfo=UTC))


@pytest.mark.parametrize(
    ("months", "tested", "shown"),
    [
        (0, None, "off"),
        (1, "2018-12-03T11:01:00.000Z", "on"),
        (2, "2018-12-03T11:01:00.000Z", "off"),
        (2, None, "on"),
        (2, "1970-01-01T00:00:00.000Z", "on"),
    ],
)
async def test_an_alarm_that_was_not_tested_for_as_long_as_was_set_is_named(
    hass: HomeAssistant,
    quiet: FixtureService,
    link: SetUp,
    in_january: None,
    months: int,
    tested: str | None,
    shown: str,
) -> None:
    alarm(quiet.document, KITCHEN)["last_manual_test_time"] = tested
    alarm(quiet.document, BEDROOM)["last_manual_test_time"] = "2019-01-13T00:00:00.000Z"
    await link(options={CONF_TEST_MONTHS: months})
    assert monitoring(hass)[0] == shown
    assert monitoring(hass)[1]["untested"] == (["Kitchen Nest Protect (Pantry)"] if shown == "on" else [])


async def test_a_test_becomes_too_old_without_anything_happening_and_a_new_one_mends_that(
    hass: HomeAssistant, quiet: FixtureService, link: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (KITCHEN, BEDROOM):
        alarm(quiet.document, each)["last_manual_test_time"] = (
            dt_util.utcnow() - timedelta(days=365, hours=5, minutes=30)
        ).isoformat()
    monkeypatch.setattr(binary_sensor, "LOOK_AGAIN_AFTER", timedelta(seconds=10))
    await link(options={CONF_TEST_MONTHS: 12})
    assert monitoring(hass)[0] == "off"
    # The clock that tells the age goes on by an hour; the one that wakes, by a few seconds.
    monkeypatch.setattr(binary_sensor, "DAYS_OF_MONTH", 365.2 / 12)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=11))
    await until(lambda: monitoring(hass)[0] == "on")
    passed = {"last_manual_test_time": dt_util.utcnow().isoformat()}
    quiet.push(lambda document: [alarm(document, each).update(passed) for each in (KITCHEN, BEDROOM)])
    await until(lambda: monitoring(hass)[0] == "off")
