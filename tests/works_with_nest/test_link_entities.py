"""The link's own entities: they stay when everything else goes, and say why."""

from collections.abc import Callable
from datetime import datetime, timedelta

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.works_with_nest import sensor

from .conftest import FixtureService, SetUp, until

CONNECTION = "binary_sensor.home_connection"
LAST_CONTACT = "sensor.home_last_contact"
BEDROOM_SMOKE = "binary_sensor.bedroom_nest_protect_smoke"
KEEP_ALIVE = b"event: keep-alive\ndata: null\n\n"

type StateOf = Callable[[str], str | None]


async def test_a_lost_link_says_so_and_when_it_was_last_heard_of(
    service: FixtureService, link: SetUp, state_of: StateOf, short_clocks: None
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    assert state_of(CONNECTION) == "on"
    service.status = service.stream_status = 503
    await until(lambda: state_of(CONNECTION) == "off")
    assert state_of(BEDROOM_SMOKE) == "unavailable"
    last_contact = entry.runtime_data.last_contact
    assert state_of(LAST_CONTACT) == last_contact.replace(microsecond=0).isoformat()
    service.status = service.stream_status = 200
    await until(lambda: state_of(CONNECTION) == "on")
    assert datetime.fromisoformat(state_of(LAST_CONTACT) or "") > last_contact - timedelta(seconds=1)


async def test_the_link_entities_stay_when_their_home_is_not_in_the_document(
    service: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    await link()
    await until(lambda: service.streams)
    service.push(lambda document: document.clear())
    await until(lambda: state_of(BEDROOM_SMOKE) == "unavailable")
    assert state_of(CONNECTION) == "on"
    assert state_of(LAST_CONTACT) not in (None, "unavailable", "unknown")


async def test_signs_of_life_are_not_each_written(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    state_of: StateOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sensor, "CONTACT_WRITTEN_EVERY", timedelta(seconds=0.5))
    entry = await link()
    await until(lambda: entry.runtime_data.open_gap is None)
    written = state_of(LAST_CONTACT)
    contact = entry.runtime_data.last_contact
    service.send(KEEP_ALIVE)
    await until(lambda: entry.runtime_data.last_contact > contact)
    assert state_of(LAST_CONTACT) == written

    def is_written_later() -> bool:
        service.send(KEEP_ALIVE)
        return state_of(LAST_CONTACT) != written

    await until(is_written_later)


async def test_when_nobody_was_listening_last_is_shown_at_once(
    hass: HomeAssistant, service: FixtureService, link: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await link()

    def shown() -> tuple[datetime | None, datetime | None]:
        state = hass.states.get(LAST_CONTACT)
        assert state is not None
        return state.attributes["gap_from"], state.attributes["gap_to"]

    await until(lambda: entry.runtime_data.open_gap is None)
    gap = entry.runtime_data.gaps[-1]
    await until(lambda: shown() == (gap.start, gap.end))
    # The poll that follows would have it shown, too, as soon as it is over.
    monkeypatch.setattr(entry.runtime_data, "async_refresh_soon", lambda: None)
    service.stream_status = 503
    service.send(None)
    await until(lambda: entry.runtime_data.open_gap is not None)
    await until(lambda: shown() == (entry.runtime_data.open_gap, None))


async def test_they_are_of_the_home_and_about_the_link(hass: HomeAssistant, link: SetUp) -> None:
    await link()
    registry = er.async_get(hass)
    homes = {registry.entities[each].device_id for each in (CONNECTION, LAST_CONTACT, "binary_sensor.home_presence")}
    assert len(homes) == 1
    assert {registry.entities[each].entity_category for each in (CONNECTION, LAST_CONTACT)} == {"diagnostic"}
