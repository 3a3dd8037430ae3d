"""Push first, a poll behind it, and never yesterday shown as now."""

import asyncio
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
import logging
import time
from types import SimpleNamespace
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.update_coordinator import UpdateFailed
import pytest

from custom_components.works_with_nest import const, coordinator, listener
from custom_components.works_with_nest.wwn import clock, const as wire_const
from tests.conftest import Jump

from .conftest import FixtureService, SetUp, until

KITCHEN = "AWtGSU8po-799NksnRH9ucAUsdMlHUvT"
BEDROOM = "Kas1VOqg6YYZYn9ZhyiA4uoRgnatmUdj"
HALLWAY = "5Kjp1vRt-1fjORS_6ilI8ihN5KXSc7Tv"
HOME = "PtYgjmUhBel31iEl2hpChYgCfrL1spNxnyVmihA_2O76UMFxFkM_Rw"
KEEP_ALIVE = b"event: keep-alive\ndata: null\n\n"
BEDROOM_SMOKE = "binary_sensor.bedroom_nest_protect_smoke"

type StateOf = Callable[[str], str | None]


def alarm(document: dict[str, Any], wire_id: str) -> dict[str, Any]:
    return document["devices"]["smoke_co_alarms"][wire_id]


def smoke_in_the_bedroom(document: dict[str, Any]) -> None:
    alarm(document, BEDROOM)["smoke_alarm_state"] = "emergency"


async def test_a_pushed_emergency_is_shown(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    await link()
    await until(lambda: service.streams)
    assert state_of(BEDROOM_SMOKE) == "off"
    service.push(smoke_in_the_bedroom)
    await until(lambda: state_of(BEDROOM_SMOKE) == "on")
    assert state_of("sensor.bedroom_nest_protect_smoke_level") == "emergency"


async def test_only_entities_of_what_changed_are_written(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    entry = await link()
    await until(lambda: entry.runtime_data.open_gap is None)
    written: list[str] = []

    @callback
    def record(event: Event[EventStateChangedData]) -> None:
        written.append(event.data["entity_id"])

    hass.bus.async_listen("state_changed", record)
    hass.bus.async_listen("state_reported", record, event_filter=callback(lambda _: True))
    service.push(smoke_in_the_bedroom)
    await until(lambda: state_of(BEDROOM_SMOKE) == "on")
    assert {entity_id.split(".")[1].split("_")[0] for entity_id in written} == {"bedroom", "home"}
    # Of the home only what sums up its alarms.
    assert {entity_id for entity_id in written if ".home_" in entity_id} == {"sensor.home_smoke_level"}
    written.clear()
    service.push(lambda document: document["devices"]["thermostats"][HALLWAY].update(humidity=41))
    await until(lambda: state_of("sensor.hallway_nest_thermostat_downstairs_humidity") == "41")
    assert {entity_id.split(".")[1].split("_")[0] for entity_id in written} == {"hallway"}
    written.clear()
    service.push()
    service.send(KEEP_ALIVE)
    service.push(lambda document: document["metadata"].update(user_id="another"))
    await hass.async_block_till_done()
    assert written == []


async def test_permissions_taken_back_are_shown_by_everything_that_depends_on_them(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    await link()
    await until(lambda: service.streams)

    def features() -> int:
        state = hass.states.get("climate.upstairs_nest_thermostat")
        assert state is not None
        return state.attributes["supported_features"]

    assert features() > 0
    service.push(lambda document: document["metadata"].update(permissions=["thermostat read", "smoke+co read"]))
    await until(lambda: features() == 0)
    choice = hass.states.get("select.home_away_mode")
    assert choice is not None
    assert choice.state == "unavailable"


async def test_a_device_that_is_new_in_the_home_appears_within_one_push(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    await link()
    await until(lambda: service.streams)

    def add(document: dict[str, Any]) -> None:
        new = deepcopy(alarm(document, BEDROOM)) | {"device_id": "new", "where_name": "Attic"}
        document["devices"]["smoke_co_alarms"]["new"] = new

    service.push(add)
    await until(lambda: state_of("binary_sensor.attic_nest_protect_smoke") == "off")


async def test_a_device_missing_from_a_document_is_unavailable_and_stays_registered(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    await link()
    await until(lambda: service.streams)
    service.push(lambda document: document["devices"].pop("smoke_co_alarms"))
    await until(lambda: state_of(BEDROOM_SMOKE) == "unavailable")
    assert state_of("climate.upstairs_nest_thermostat") == "heat"
    service.push(lambda document: document.clear())
    await until(lambda: state_of("climate.upstairs_nest_thermostat") == "unavailable")


async def test_an_alarm_that_is_offline_shows_no_level(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    await link()
    await until(lambda: service.streams)
    service.push(lambda document: alarm(document, BEDROOM).update(is_online=False))
    await until(lambda: state_of(BEDROOM_SMOKE) == "unavailable")
    assert state_of("sensor.bedroom_nest_protect_smoke_level") == "unavailable"
    assert state_of("binary_sensor.bedroom_nest_protect_battery") == "unavailable"
    assert state_of("binary_sensor.bedroom_nest_protect_connectivity") == "off"


@pytest.mark.parametrize("is_online", [None, "true", 1])
async def test_an_alarm_that_does_not_say_it_is_online_shows_no_level(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf, is_online: object
) -> None:
    alarm(service.document, BEDROOM)["is_online"] = is_online
    await link()
    assert state_of(BEDROOM_SMOKE) == "unavailable"
    assert state_of("binary_sensor.bedroom_nest_protect_connectivity") == "unknown"


@pytest.mark.parametrize("back", ["the stream", "the poll"])
async def test_silence_makes_everything_unavailable_and_a_sign_of_life_brings_it_back(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf, short_clocks: None, back: str
) -> None:
    await link()
    await until(lambda: service.streams)
    service.status = service.stream_status = 503
    await until(lambda: state_of(BEDROOM_SMOKE) == "unavailable")
    assert state_of("climate.upstairs_nest_thermostat") == "unavailable"
    assert state_of("binary_sensor.bedroom_nest_protect_connectivity") == "unavailable"
    if back == "the stream":
        service.stream_status = 200
    else:
        service.status = 200
    await until(lambda: state_of(BEDROOM_SMOKE) == "off")


async def test_a_poll_with_nothing_new_brings_back_a_link_that_fell_silent_between_polls(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "LIVE_FOR", 0.3)
    service.stream_status = 503
    entry = await link()
    await until(lambda: state_of(BEDROOM_SMOKE) == "unavailable")
    assert entry.runtime_data.last_update_success
    await entry.runtime_data.async_refresh()
    assert state_of(BEDROOM_SMOKE) == "off"


def test_the_figures_are_those_that_were_decided() -> None:
    assert const.LIVE_FOR == 75
    assert wire_const.STREAM_SILENCE == 75
    assert timedelta(seconds=60) == const.POLL_WITHOUT_STREAM
    assert timedelta(minutes=15) == const.POLL_BEHIND_STREAM
    # A poll and its longest answer fit into what counts as live.
    assert const.POLL_WITHOUT_STREAM.total_seconds() + wire_const.REQUEST_TIMEOUT < const.LIVE_FOR


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the longest delay of each new try; the tries themselves come at once."""
    longest: list[float] = []

    def drawn(_shortest: float, most: float) -> float:
        longest.append(most)
        return 0.01

    monkeypatch.setattr(listener.random, "uniform", drawn)
    return longest


async def test_the_delay_doubles_up_to_a_limit_while_there_is_no_stream(
    service: FixtureService, link: SetUp, delays: list[float]
) -> None:
    service.stream_status = 503
    await link()
    await until(lambda: len(delays) >= 8)
    assert delays[:8] == [1, 2, 4, 8, 16, 30, 30, 30]


async def test_a_stream_that_ends_after_its_first_document_does_not_reset_the_delay(
    service: FixtureService, link: SetUp, delays: list[float]
) -> None:
    await link()
    for tries in range(4):
        await until(lambda: service.streams)
        service.send(None)
        await until(lambda tries=tries: len(delays) > tries)
        await until(lambda: not service.streams or service.count("STREAM") > len(delays))
    assert delays[:4] == [1, 2, 4, 8]


async def test_a_stream_that_lasted_resets_the_delay(
    service: FixtureService, link: SetUp, delays: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "PROVEN_AFTER", 0.2)
    service.stream_status = 503
    await link()
    await until(lambda: len(delays) >= 3)
    service.stream_status = 200
    await until(lambda: service.streams)
    await asyncio.sleep(0.4)
    service.stream_status = 503
    tried = len(delays)
    service.send(None)
    await until(lambda: len(delays) > tried)
    assert delays[tried] == 1


async def test_signs_of_life_keep_the_link_without_a_poll(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "LIVE_FOR", 2.0)
    monkeypatch.setattr(coordinator, "POLL_WITHOUT_STREAM", timedelta(seconds=1.0))
    monkeypatch.setattr(listener, "STREAM_SILENCE", 2.0)
    entry = await link()
    await until(lambda: entry.runtime_data.open_gap is None)
    service.status = 503
    polls = service.count("GET")
    for _ in range(30):
        service.send(KEEP_ALIVE)
        await asyncio.sleep(0.1)
        assert state_of(BEDROOM_SMOKE) == "off"
    assert service.count("GET") == polls


async def test_a_lost_stream_is_no_lost_link_while_polls_succeed(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf, short_clocks: None
) -> None:
    await link()
    await until(lambda: service.streams)
    service.stream_status = 503
    service.send(None)
    await until(lambda: not service.streams)
    service.document = deepcopy(service.document)
    smoke_in_the_bedroom(service.document)
    await until(lambda: state_of(BEDROOM_SMOKE) == "on")
    service.stream_status = 200
    await until(lambda: service.streams)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(b"event: put\ndata: {]\n\n", id="a document that is no JSON"),
        pytest.param(b'{"error":"internal","type":"x#internal-error"}\n', id="a bare line of error"),
        pytest.param(b"\xff\xfe\x00garbage\n\nevent: error\ndata: x\n\n", id="garbage"),
        pytest.param(b"event: put\ndata: {", id="cut off in the middle of an event"),
        pytest.param(None, id="closed"),
    ],
)
async def test_the_listener_comes_back_after_every_trouble(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    state_of: StateOf,
    short_clocks: None,
    trouble: bytes | None,
) -> None:
    await link()
    await until(lambda: service.streams)
    service.send(trouble)
    service.send(None)
    await until(lambda: service.count("STREAM") >= 2 and service.streams)
    service.push(smoke_in_the_bedroom)
    await until(lambda: state_of(BEDROOM_SMOKE) == "on")


@pytest.mark.no_fail_on_log_exception
async def test_the_listener_survives_a_bug_in_what_listens_to_it(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    state_of: StateOf,
    short_clocks: None,
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    broken = True

    def listen() -> None:
        if broken:
            msg = "a bug"
            raise ValueError(msg)

    # First in line, so that everybody else comes after the bug.
    listeners = entry.runtime_data._listeners
    behind = dict(listeners)
    listeners.clear()
    entry.runtime_data.async_add_listener(listen)
    listeners.update(behind)
    service.push(smoke_in_the_bedroom)
    await until(lambda: state_of(BEDROOM_SMOKE) == "on")
    broken = False
    service.push(lambda document: alarm(document, KITCHEN).update(co_alarm_state="emergency"))
    await until(lambda: state_of("binary_sensor.kitchen_nest_protect_carbon_monoxide") == "on")


async def test_loss_and_return_of_the_stream_are_said_once_each_to_who_looks_closely(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    short_clocks: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "custom_components.works_with_nest")
    await link()
    await until(lambda: service.streams)
    service.stream_status = 503
    service.send(None)
    await until(lambda: service.count("STREAM") >= 4)
    service.stream_status = 200
    await until(lambda: caplog.text.count("Listening to the link") == 2)
    assert caplog.text.count("Lost the stream of the link") == 1


async def test_a_revoked_link_is_down_at_once_and_asks_for_linking_again_once(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf, short_clocks: None
) -> None:
    await link()
    await until(lambda: service.streams)
    service.status = service.stream_status = 401
    service.send(b"event: auth_revoked\ndata: null\n\n")
    await until(lambda: state_of(BEDROOM_SMOKE) == "unavailable")
    await until(hass.config_entries.flow.async_progress)
    # The poll that was due and the listener may each have asked, and each confirms once; then nobody asks any more.
    await asyncio.sleep(1.0)
    asked = len(service.requests)
    await asyncio.sleep(1.0)
    flows = hass.config_entries.flow.async_progress()
    assert [flow["context"]["source"] for flow in flows] == [SOURCE_REAUTH]
    assert len(service.requests) == asked


async def test_a_link_that_was_over_and_answers_again_is_listened_to_again(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf, short_clocks: None
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    service.status = service.stream_status = 401
    service.send(b"event: auth_revoked\ndata: null\n\n")
    await until(hass.config_entries.flow.async_progress)
    await asyncio.sleep(0.5)
    assert not entry.runtime_data.live
    service.status = service.stream_status = 200
    await entry.runtime_data.async_refresh()
    await until(lambda: entry.runtime_data.open_gap is None)
    service.push(smoke_in_the_bedroom)
    await until(lambda: state_of(BEDROOM_SMOKE) == "on")


async def test_a_token_refused_by_the_stream_alone_does_not_end_the_link(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf, short_clocks: None
) -> None:
    await link()
    await until(lambda: service.streams)
    service.stream_status = 401
    service.send(None)
    await until(lambda: service.count("STREAM") >= 3)
    assert hass.config_entries.flow.async_progress() == []
    service.stream_status = 200
    await until(lambda: service.streams)
    assert state_of(BEDROOM_SMOKE) == "off"


async def test_a_push_that_overtakes_a_poll_is_not_undone_by_it(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    link_coordinator = entry.runtime_data
    old = link_coordinator.data

    async def slow_read() -> object:
        service.push(smoke_in_the_bedroom)
        await until(lambda: link_coordinator.data is not old)
        return old

    monkeypatch.setattr(link_coordinator.client, "read", slow_read)
    await link_coordinator.async_refresh()
    assert state_of(BEDROOM_SMOKE) == "on"


@pytest.mark.parametrize(("told", "waits"), [("90", 90), ("0", 60), ("1000000", 3600)])
async def test_a_blocked_poll_waits_as_long_as_it_was_told_within_reason(
    hass: HomeAssistant, service: FixtureService, link: SetUp, told: str, waits: float
) -> None:
    entry = await link()
    service.status = 429
    service.error_headers = {"Retry-After": told}
    await entry.runtime_data.async_refresh()
    failed = entry.runtime_data.last_exception
    assert isinstance(failed, UpdateFailed)
    assert failed.retry_after == waits


@pytest.mark.parametrize(("status", "told"), [(429, {}), (429, {"Retry-After": "5"}), (503, {"Retry-After": "5"})])
async def test_a_stream_is_not_asked_for_again_before_the_server_wants_it(
    service: FixtureService, link: SetUp, short_clocks: None, status: int, told: dict[str, str]
) -> None:
    service.stream_status, service.error_headers = status, told
    await link()
    await until(lambda: service.count("STREAM"))
    await asyncio.sleep(1.0)
    assert service.count("STREAM") == 1


async def test_an_old_refusal_does_not_end_the_push(
    service: FixtureService, link: SetUp, state_of: StateOf, short_clocks: None
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    service.status = 401
    await entry.runtime_data.async_refresh()
    service.status = 200
    await entry.runtime_data.async_refresh()
    service.stream_status = 401
    service.send(None)
    await until(lambda: service.count("STREAM") >= 3)
    service.stream_status = 200
    await until(lambda: service.streams)
    service.push(smoke_in_the_bedroom)
    await until(lambda: state_of(BEDROOM_SMOKE) == "on")


@pytest.mark.parametrize("has_stream", [True, False])
async def test_a_machine_that_slept_shows_nothing_from_before(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    state_of: StateOf,
    monkeypatch: pytest.MonkeyPatch,
    jump: Jump,
    has_stream: bool,  # noqa: FBT001 - both cases of one test
) -> None:
    slept = 0.0
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: time.time() + slept))
    if not has_stream:
        service.stream_status = 503
    entry = await link()
    await until(lambda: (entry.runtime_data.open_gap is None) is has_stream)
    asked = service.count("GET")
    service.status = 503
    slept = 3600.0
    jump()
    await until(lambda: state_of(BEDROOM_SMOKE) == "unavailable")
    await until(lambda: service.count("GET") > asked)
    assert entry.runtime_data.open_gap is not None


async def test_many_reasons_to_ask_at_once_are_few_questions(service: FixtureService, link: SetUp) -> None:
    await link()
    await until(lambda: service.streams)
    asked = service.count("GET")
    service.send(b"e!vent: keep-alive\ndata: null\n\n" * 50)
    await until(lambda: service.count("GET") > asked)
    await asyncio.sleep(0.3)
    # The one that was under way when the next reason came, and one for all those since.
    assert service.count("GET") <= asked + 2
