"""What happened is told once, in order, and as late where nobody was listening; also across restarts and crashes."""

import asyncio
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.works_with_nest.const import DOMAIN, SIGNAL_LINK, SIGNAL_TRANSITION
from custom_components.works_with_nest.gaps import LinkChange
from custom_components.works_with_nest.transitions import Transition
from custom_components.works_with_nest.wwn.clock import Instant

from .conftest import FixtureService, SetUp, until

BEDROOM = "Kas1VOqg6YYZYn9ZhyiA4uoRgnatmUdj"
KITCHEN = "AWtGSU8po-799NksnRH9ucAUsdMlHUvT"
HOME = "PtYgjmUhBel31iEl2hpChYgCfrL1spNxnyVmihA_2O76UMFxFkM_Rw"
LONG_AGO = "2026-11-20T08:00:00+00:00"


def bedroom(**change: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["devices"]["smoke_co_alarms"][BEDROOM].update(change)


EMERGENCY = bedroom(smoke_alarm_state="emergency")
OK = bedroom(smoke_alarm_state="ok")


class Told:
    """What the integration told of its links."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.transitions: list[Transition] = []
        self.links: list[LinkChange] = []
        async_dispatcher_connect(hass, SIGNAL_TRANSITION, self.take_transition)
        async_dispatcher_connect(hass, SIGNAL_LINK, self.take_link)

    @callback
    def take_transition(self, _entry_id: str, transition: Transition) -> None:
        self.transitions.append(transition)

    @callback
    def take_link(self, _entry_id: str, change: LinkChange) -> None:
        self.links.append(change)

    def words(self) -> list[str]:
        return [f"{each.kind}: {each.before} -> {each.after}{' (late)' * each.late}" for each in self.transitions]


@pytest.fixture
def told(hass: HomeAssistant) -> Told:
    """Return what was told since the test began."""
    return Told(hass)


def stored(storage: dict[str, Any], entry: MockConfigEntry) -> dict[str, Any]:
    return storage[f"{DOMAIN}.{entry.entry_id}"]["data"]


def remember(storage: dict[str, Any], *, smoke: str, presence: str = "home") -> None:
    """Store what an earlier run with the entry of these tests left behind."""
    alarm = {"smoke": smoke, "carbon_monoxide": "ok", "testing": False, "tested": "2018-12-03T11:01:00+00:00"}
    data = {
        "known": {"alarms": {BEDROOM: alarm, KITCHEN: alarm | {"smoke": "warning"}}, "homes": {HOME: presence}},
        "last_contact": LONG_AGO,
        "gaps": [],
    }
    storage[f"{DOMAIN}.linked"] = {"version": 1, "minor_version": 1, "key": f"{DOMAIN}.linked", "data": data}


@pytest.fixture
def _fixed_entry_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the entry of a test have the id that remember() stores for."""
    made = MockConfigEntry.__init__

    def init(self: MockConfigEntry, **kwargs: Any) -> None:
        made(self, **kwargs, entry_id="linked")

    monkeypatch.setattr(MockConfigEntry, "__init__", init)


async def test_each_transition_is_told_once_and_in_order(service: FixtureService, link: SetUp, told: Told) -> None:
    await link()
    await until(lambda: service.streams)
    service.push(EMERGENCY)
    service.push()
    service.push(bedroom(is_online=False))
    service.push(OK)
    service.push(bedroom(is_online=True))
    service.push(lambda document: document["structures"][HOME].update(away="away"))
    await until(lambda: len(told.transitions) == 3)
    assert told.words() == ["smoke: ok -> emergency", "smoke: emergency -> ok", "presence: home -> away"]
    assert [each.gap for each in told.transitions] == [None] * 3


async def test_what_happened_while_nobody_listened_is_late_and_inside_the_gap(
    service: FixtureService, link: SetUp, told: Told, short_clocks: None
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    await until(lambda: entry.runtime_data.open_gap is None)
    before = datetime.now(UTC)
    service.document = deepcopy(service.document)
    EMERGENCY(service.document)
    service.send(None)
    await until(lambda: told.transitions)
    await until(lambda: entry.runtime_data.open_gap is None)
    assert told.words() == ["smoke: ok -> emergency (late)"]
    gap, found = entry.runtime_data.gaps[-1], told.transitions[0].gap
    assert found is not None
    assert gap.start <= found.start <= before <= found.end <= gap.end


async def test_what_comes_while_the_link_is_unloaded_is_told_late_at_the_next_load(
    hass: HomeAssistant, service: FixtureService, link: SetUp, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await link()
    await until(lambda: entry.runtime_data.open_gap is None)
    unload, seen = hass.config_entries.async_unload_platforms, []

    async def unload_slowly(*args: Any) -> bool:
        is_unloaded = await unload(*args)
        old = entry.runtime_data
        service.push(EMERGENCY)
        await until(lambda: old.data.alarms[BEDROOM].raw["smoke_alarm_state"] == "emergency")
        seen.append((old, told.words()))
        return is_unloaded

    with monkeypatch.context() as slow:
        slow.setattr(hass.config_entries, "async_unload_platforms", unload_slowly)
        await hass.config_entries.async_unload(entry.entry_id)
    ((old, told_meanwhile),) = seen
    assert (told_meanwhile, old.live) == ([], False)
    await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: told.transitions)
    assert told.words() == ["smoke: ok -> emergency (late)"]


@pytest.mark.usefixtures("_fixed_entry_id")
@pytest.mark.parametrize("broken", ["last_contact", "gaps"])
async def test_of_what_is_stored_and_cannot_be_read_nothing_is_kept(
    link: SetUp, told: Told, hass_storage: dict[str, Any], broken: str
) -> None:
    remember(hass_storage, smoke="emergency")
    hass_storage[f"{DOMAIN}.linked"]["data"][broken] = ["yesterday"]
    entry = await link()
    await until(lambda: entry.runtime_data.open_gap is None)
    assert told.transitions == []
    assert all(gap.start.year > 2000 for gap in entry.runtime_data.gaps)
    assert entry.runtime_data.history.alarms[BEDROOM].smoke == "ok"


async def test_a_sign_of_life_of_the_same_stream_ends_a_gap_too(
    service: FixtureService, link: SetUp, told: Told
) -> None:
    entry = await link()
    await until(lambda: entry.runtime_data.open_gap is None)
    entry.runtime_data.async_lost()
    assert entry.runtime_data.open_gap is not None
    service.send(b"event: keep-alive\ndata: null\n\n")
    await until(lambda: entry.runtime_data.open_gap is None)
    service.push(EMERGENCY)
    await until(lambda: told.transitions)
    assert told.words() == ["smoke: ok -> emergency"]
    assert [change.kind for change in told.links] == ["lost", "restored"]


@pytest.mark.parametrize("lacking", ["smoke_co_alarms", "devices", "everything"])
async def test_an_alarm_that_documents_lacked_is_late_and_nobody_else(
    service: FixtureService, link: SetUp, told: Told, lacking: str
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    whole = deepcopy(service.document)

    def lack(document: dict[str, Any]) -> None:
        if lacking == "smoke_co_alarms":
            document["devices"].pop(lacking)
        elif lacking == "devices":
            document.pop(lacking)
        else:
            document.clear()

    service.push(lack)
    await until(lambda: BEDROOM not in entry.runtime_data.data.alarms)
    before = len(entry.runtime_data.gaps)

    def back(document: dict[str, Any]) -> None:
        document.update(deepcopy(whole))
        EMERGENCY(document)

    service.push(back)
    await until(lambda: told.transitions)
    service.push(bedroom(smoke_alarm_state="ok"))
    await until(lambda: len(told.transitions) > 1)
    assert told.words() == ["smoke: ok -> emergency (late)", "smoke: emergency -> ok"]
    assert told.transitions[0].gap in entry.runtime_data.gaps
    assert len(entry.runtime_data.gaps) == before + 1


async def test_while_there_are_only_polls_the_gap_stays_open(
    service: FixtureService, link: SetUp, told: Told, short_clocks: None
) -> None:
    service.stream_status = 503
    entry = await link()
    opened = entry.runtime_data.open_gap
    assert opened is not None
    asked = service.count("GET")
    await until(lambda: service.count("GET") > asked)
    service.document = deepcopy(service.document)
    EMERGENCY(service.document)
    await until(lambda: told.transitions)
    assert told.words() == ["smoke: ok -> emergency (late)"]
    found = told.transitions[0].gap
    assert found is not None
    assert opened < found.start
    assert (entry.runtime_data.open_gap, entry.runtime_data.gaps) == (opened, ())


async def test_a_lost_link_is_told_and_its_return_says_for_how_long(
    service: FixtureService, link: SetUp, told: Told, short_clocks: None
) -> None:
    entry = await link()
    await until(lambda: entry.runtime_data.live)
    # A busy machine may have lost it before.
    told.links.clear()
    service.status = service.stream_status = 503
    await until(lambda: told.links)
    last_contact = entry.runtime_data.last_contact
    service.status = service.stream_status = 200
    await until(lambda: len(told.links) == 2)
    lost, restored = told.links
    assert (lost.kind, restored.kind) == ("lost", "restored")
    assert restored.gap is not None
    assert (restored.gap.start, restored.gap.end) == (last_contact, restored.at)
    assert lost.at < restored.at


async def test_a_first_link_tells_nothing(service: FixtureService, link: SetUp, told: Told) -> None:
    EMERGENCY(service.document)
    await link()
    await until(lambda: service.streams)
    service.push()
    await asyncio.sleep(0.1)
    assert (told.transitions, told.links) == ([], [])


@pytest.mark.usefixtures("_fixed_entry_id")
async def test_what_differs_from_the_last_run_is_told_late_once_home_assistant_has_started(
    hass: HomeAssistant, service: FixtureService, link: SetUp, told: Told, hass_storage: dict[str, Any]
) -> None:
    remember(hass_storage, smoke="emergency", presence="away")
    hass.set_state(CoreState.starting)
    await link()
    await until(lambda: service.streams)
    service.push(bedroom(co_alarm_state="warning"))
    await until(lambda: hass.states.get("binary_sensor.bedroom_nest_protect_carbon_monoxide").state == "on")
    assert told.transitions == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
    assert told.words()[:2] == ["smoke: emergency -> ok (late)", "presence: away -> home (late)"]
    assert told.words()[2].startswith("carbon_monoxide: ok -> warning")
    gap = told.transitions[0].gap
    assert gap is not None
    assert gap.start == datetime.fromisoformat(LONG_AGO)


@pytest.mark.usefixtures("_fixed_entry_id")
async def test_a_crash_before_home_assistant_has_started_loses_nothing(
    hass: HomeAssistant, service: FixtureService, link: SetUp, hass_storage: dict[str, Any]
) -> None:
    remember(hass_storage, smoke="emergency")
    hass.set_state(CoreState.starting)
    entry = await link()
    await until(lambda: entry.runtime_data.open_gap is None)
    await hass.config_entries.async_unload(entry.entry_id)
    left = stored(hass_storage, entry)
    assert left["known"]["alarms"][BEDROOM]["smoke"] == "emergency"
    assert left["last_contact"] == LONG_AGO


async def test_a_transition_is_stored_at_once(
    hass: HomeAssistant, service: FixtureService, link: SetUp, told: Told, hass_storage: dict[str, Any]
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    service.push(EMERGENCY)
    await until(lambda: told.transitions)
    await until(lambda: stored(hass_storage, entry)["known"]["alarms"][BEDROOM]["smoke"] == "emergency", seconds=1)


async def test_a_reload_is_a_gap_from_the_last_contact(
    hass: HomeAssistant, service: FixtureService, link: SetUp, told: Told
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    await until(lambda: entry.runtime_data.open_gap is None)
    last_contact = entry.runtime_data.last_contact
    assert await hass.config_entries.async_unload(entry.entry_id)
    service.document = deepcopy(service.document)
    EMERGENCY(service.document)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: entry.runtime_data.open_gap is None)
    assert told.words() == ["smoke: ok -> emergency (late)"]
    gap = entry.runtime_data.gaps[-1]
    assert gap.start - last_contact < gap.end - gap.start
    found = told.transitions[0].gap
    assert found is not None
    assert gap.start == found.start


@pytest.mark.usefixtures("_fixed_entry_id")
@pytest.mark.parametrize("left", [{}, {"known": {"alarms": 1}}, {"known": None, "last_contact": "x", "gaps": []}, 7])
async def test_what_cannot_be_read_counts_as_a_first_link(
    hass: HomeAssistant, service: FixtureService, link: SetUp, told: Told, hass_storage: dict[str, Any], left: Any
) -> None:
    remember(hass_storage, smoke="emergency")
    hass_storage[f"{DOMAIN}.linked"]["data"] = left
    entry = await link()
    assert entry.state is ConfigEntryState.LOADED
    await until(lambda: service.streams)
    service.push(EMERGENCY)
    await until(lambda: told.transitions)
    assert told.words() == ["smoke: ok -> emergency"]


async def test_an_alarm_that_was_removed_by_hand_is_new_when_it_comes_back(
    service: FixtureService, link: SetUp, told: Told, device_registry: dr.DeviceRegistry
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    service.push(EMERGENCY)
    await until(lambda: told.words() == ["smoke: ok -> emergency"])
    removed = deepcopy(service.document["devices"]["smoke_co_alarms"][BEDROOM])
    service.push(lambda document: document["devices"]["smoke_co_alarms"].pop(BEDROOM))
    await until(lambda: BEDROOM not in entry.runtime_data.data.alarms)
    identifier = (DOMAIN, entry.runtime_data.unique_id(BEDROOM))
    device = device_registry.async_get_device_by_identifier(identifier, entry.entry_id)
    assert device is not None
    device_registry.async_remove_device(device.id)
    service.push(
        lambda document: document["devices"]["smoke_co_alarms"].update({BEDROOM: removed | {"smoke_alarm_state": "ok"}})
    )
    await until(lambda: BEDROOM in entry.runtime_data.history.alarms)
    assert told.words() == ["smoke: ok -> emergency"]


async def test_removing_the_link_forgets_what_happened_on_it(
    hass: HomeAssistant, service: FixtureService, link: SetUp, hass_storage: dict[str, Any]
) -> None:
    entry = await link()
    await until(lambda: f"{DOMAIN}.{entry.entry_id}" in hass_storage)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert [key for key in hass_storage if key.startswith(DOMAIN)] == []


async def test_a_document_that_is_older_than_the_last_answer_is_not_shown_and_asked_for_once_more(
    service: FixtureService, link: SetUp, told: Told
) -> None:
    entry = await link()
    coordinator = entry.runtime_data
    await until(lambda: coordinator.open_gap is None)
    polls = service.count("GET")
    begun = Instant.now()
    old = coordinator.data
    service.document = deepcopy(service.document)
    EMERGENCY(service.document)
    await coordinator.async_refresh()
    assert told.words() == ["smoke: ok -> emergency"]
    coordinator.async_put(old, begun)
    await until(lambda: service.count("GET") == polls + 2)
    assert told.words() == ["smoke: ok -> emergency"]
    assert coordinator.data.alarms[BEDROOM].smoke == "emergency"


async def test_a_gap_begins_when_the_first_byte_of_the_last_event_came(
    service: FixtureService, link: SetUp, told: Told
) -> None:
    entry = await link()
    coordinator = entry.runtime_data
    await until(lambda: coordinator.open_gap is None)
    now = Instant.now()
    coordinator.async_keep_alive(Instant(now.steady - 40, now.wall - 40))
    coordinator.async_set_push(is_up=False)
    assert coordinator.open_gap is not None
    age = datetime.now(UTC) - coordinator.open_gap
    assert timedelta(seconds=40) <= age < timedelta(seconds=70)


async def test_a_damaged_stream_is_a_gap_and_the_document_is_asked_for(
    service: FixtureService, link: SetUp, told: Told
) -> None:
    entry = await link()
    await until(lambda: entry.runtime_data.open_gap is None)
    gaps = len(entry.runtime_data.gaps)
    service.document = deepcopy(service.document)
    EMERGENCY(service.document)
    service.send(b"e!vent: put\ndata: {}\n\n")
    await until(lambda: told.transitions)
    assert told.words() == ["smoke: ok -> emergency (late)"]
    await until(lambda: entry.runtime_data.open_gap is None)
    assert len(entry.runtime_data.gaps) == gaps + 1


async def test_a_gap_begins_with_the_last_event_of_the_stream_whatever_a_poll_said_meanwhile(
    service: FixtureService, link: SetUp, told: Told
) -> None:
    entry = await link()
    coordinator = entry.runtime_data
    await until(lambda: coordinator.open_gap is None)
    last_event = datetime.now(UTC)
    await asyncio.sleep(0.05)
    # The stream is dead already, and nobody knows: what came and went since its last event was seen by nobody.
    await coordinator.async_refresh()
    coordinator.async_set_push(is_up=False)
    assert coordinator.open_gap is not None
    assert coordinator.open_gap <= last_event


async def test_a_document_that_is_older_than_the_last_answer_is_not_the_answer_to_the_next_question_either(
    service: FixtureService, link: SetUp, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await link()
    coordinator = entry.runtime_data
    client = coordinator.client
    await until(lambda: coordinator.open_gap is None)
    begun, old, answer = Instant.now(), deepcopy(service.document), client._content
    service.document = deepcopy(service.document)
    EMERGENCY(service.document)
    await coordinator.async_refresh()
    polls = service.count("GET")

    async def overtaken(*asked: Any) -> bytes:
        content = await answer(*asked)
        monkeypatch.setattr(client, "_content", answer)
        coordinator.async_put(client.document(old), begun)
        return content

    monkeypatch.setattr(client, "_content", overtaken)
    await coordinator.async_refresh()
    await until(lambda: service.count("GET") == polls + 2)
    await asyncio.sleep(0.1)
    assert told.words() == ["smoke: ok -> emergency"]
