"""What happened to an alarm, as events that stay."""

import asyncio
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from typing import Any

from homeassistant.components.event import ATTR_EVENT_TYPE
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State, callback
import pytest

from custom_components.works_with_nest import event

from .conftest import FixtureService, SetUp, until
from .test_push import BEDROOM, alarm

EVENT = "event.bedroom_nest_protect_alarm"

type StateOf = Callable[[str], str | None]


@pytest.fixture
def told(hass: HomeAssistant) -> list[State]:
    """Return each state that the events of the bedroom's alarm go through, from now on."""
    states: list[State] = []

    @callback
    def keep(changed: Event[EventStateChangedData]) -> None:
        state = changed.data["new_state"]
        if changed.data["entity_id"] == EVENT and state is not None and state.attributes[ATTR_EVENT_TYPE]:
            states.append(state)

    hass.bus.async_listen(EVENT_STATE_CHANGED, keep)
    return states


def kinds(told: list[State]) -> list[str]:
    return [state.attributes[ATTR_EVENT_TYPE] for state in told]


def of_bedroom(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: alarm(document, BEDROOM).update(fields)


async def test_a_first_link_tells_nothing(
    hass: HomeAssistant, link: SetUp, state_of: StateOf, told: list[State]
) -> None:
    await link()
    assert state_of(EVENT) == "unknown"
    assert told == []


@pytest.mark.parametrize(("field", "name"), [("smoke_alarm_state", "smoke"), ("co_alarm_state", "carbon_monoxide")])
async def test_each_level_that_an_alarm_reaches_is_an_event_with_the_level_before(
    hass: HomeAssistant, service: FixtureService, link: SetUp, told: list[State], field: str, name: str
) -> None:
    await link()
    await until(lambda: service.streams)
    for count, level in enumerate(("warning", "emergency", "warning", "ok"), start=1):
        service.push(of_bedroom(**{field: level}))
        await until(lambda count=count: len(told) == count)
    assert kinds(told) == [f"{name}_{what}" for what in ("warning", "emergency", "warning", "cleared")]
    assert [state.attributes["level_before"] for state in told] == ["ok", "warning", "emergency", "warning"]
    assert [state.attributes["late"] for state in told] == [False] * 4
    assert {(state.attributes["gap_from"], state.attributes["gap_to"]) for state in told} == {(None, None)}
    times = [datetime.fromisoformat(state.attributes["time"]) for state in told]
    assert times == sorted(times)
    assert all(time.tzinfo for time in times)


async def test_a_manual_test_is_told_and_its_warning_is_not(
    hass: HomeAssistant, service: FixtureService, link: SetUp, told: list[State]
) -> None:
    await link()
    await until(lambda: service.streams)
    service.push(of_bedroom(is_manual_test_active=True, smoke_alarm_state="warning"))
    await until(lambda: len(told) == 1)
    service.push(
        of_bedroom(
            is_manual_test_active=False, smoke_alarm_state="ok", last_manual_test_time="2019-01-14T18:00:00.000Z"
        )
    )
    await until(lambda: len(told) == 2)
    assert kinds(told) == ["test_started", "test_passed"]


async def test_what_one_document_brings_is_told_one_after_another(
    hass: HomeAssistant, service: FixtureService, link: SetUp, told: list[State]
) -> None:
    await link()
    await until(lambda: service.streams)
    service.push(of_bedroom(smoke_alarm_state="emergency", co_alarm_state="warning"))
    await until(lambda: len(told) == 2)
    assert kinds(told) == ["smoke_emergency", "carbon_monoxide_warning"]
    assert told[0].state < told[1].state


async def test_events_stay_available_without_the_link(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf, told: list[State], short_clocks: None
) -> None:
    await link()
    await until(lambda: service.streams)
    service.push(of_bedroom(smoke_alarm_state="emergency"))
    await until(lambda: len(told) == 1)
    service.status = service.stream_status = 503
    service.send(None)
    await until(lambda: state_of("binary_sensor.bedroom_nest_protect_smoke") == "unavailable")
    assert state_of(EVENT) == told[0].state


async def test_a_new_alarm_that_sounds_is_told(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    await link()
    await until(lambda: service.streams)

    def add(document: dict[str, Any]) -> None:
        new = deepcopy(alarm(document, BEDROOM)) | {"device_id": "new", "where_name": "Attic"}
        document["devices"]["smoke_co_alarms"]["new"] = new | {"smoke_alarm_state": "emergency"}

    service.push(add)
    await until(lambda: state_of("event.attic_nest_protect_alarm") not in (None, "unknown"))
    state = hass.states.get("event.attic_nest_protect_alarm")
    assert state is not None
    assert state.attributes[ATTR_EVENT_TYPE] == "smoke_emergency"


async def test_what_happened_while_nobody_listened_is_told_late_with_the_gap(
    hass: HomeAssistant, service: FixtureService, link: SetUp, told: list[State]
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    await hass.config_entries.async_unload(entry.entry_id)
    service.document = deepcopy(service.document)
    of_bedroom(smoke_alarm_state="emergency")(service.document)
    await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: told)
    attributes = told[0].attributes
    assert (attributes[ATTR_EVENT_TYPE], attributes["level_before"], attributes["late"]) == (
        "smoke_emergency",
        "ok",
        True,
    )
    assert attributes["gap_from"] < attributes["gap_to"]
    # Nothing of it is told again.
    await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: service.streams)
    await asyncio.sleep(0.1)
    assert len({state.state for state in told}) == 1


def test_every_event_is_one_that_the_entity_can_tell() -> None:
    assert set(event.ALARMS[0].event_types or ()) == set(event.EVENT_OF.values())
    assert len(event.EVENT_OF) == 8
