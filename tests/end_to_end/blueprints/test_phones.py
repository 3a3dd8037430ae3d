"""Phones that leave and return set the Nest home, and never against what Nest decides by itself."""

from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from tests.end_to_end.conftest import until
from tests.end_to_end.test_live import state_of
from tools.nest_home import NestPerson

from .conftest import Automations, restart_with

MODE = "select.home_away_mode"
ADA, BEN = "person.ada", "person.ben"


@pytest.fixture(autouse=True)
def _people(hass: HomeAssistant, _house: None) -> None:
    """Two people, both at home."""
    be(hass, "home", ADA, BEN)


def be(hass: HomeAssistant, place: str, *people: str) -> None:
    for each in people:
        hass.states.async_set(each, place)


def running(hass: HomeAssistant) -> int:
    state = hass.states.get("automation.phones")
    return state.attributes["current"] if state else -1


async def use(automations: Automations, **delay: float) -> str:
    return await automations.use("phones", people=[ADA, BEN], away_mode=MODE, delay=delay)


async def at_nest(person: NestPerson) -> Any:
    (home,) = (await person.document())["structures"].values()
    return home["away"]


async def test_the_last_who_leaves_and_the_first_who_returns_set_the_home(
    hass: HomeAssistant, kitchen: str, person: NestPerson, automations: Automations
) -> None:
    automation = await use(automations, seconds=0)
    be(hass, "not_home", ADA)
    await hass.async_block_till_done()
    state = hass.states.get(automation)
    assert state is not None
    assert state.attributes["last_triggered"] is None
    be(hass, "Work", BEN)
    await until(lambda: state_of(hass, MODE) == "away")
    assert await at_nest(person) == "away"
    be(hass, "home", ADA)
    await until(lambda: state_of(hass, MODE) == "home")
    assert await at_nest(person) == "home"
    await until(lambda: running(hass) == 0)


async def test_coming_back_ends_the_wait(
    hass: HomeAssistant, kitchen: str, person: NestPerson, automations: Automations
) -> None:
    await use(automations, minutes=10)
    be(hass, "not_home", ADA, BEN)
    await until(lambda: running(hass) == 1)
    be(hass, "home", BEN)
    await until(lambda: running(hass) == 0)
    assert await at_nest(person) == "home"


async def test_what_nest_decides_while_everybody_is_out_stays(
    hass: HomeAssistant, kitchen: str, person: NestPerson, automations: Automations
) -> None:
    await use(automations, seconds=0)
    be(hass, "not_home", ADA, BEN)
    await until(lambda: state_of(hass, MODE) == "away")
    await person.set_away("home")
    await until(lambda: state_of(hass, MODE) == "home")
    be(hass, "Work", ADA)
    await hass.async_block_till_done()
    assert (running(hass), await at_nest(person)) == (0, "home")


async def test_what_nest_decides_during_the_wait_stays(
    hass: HomeAssistant, kitchen: str, person: NestPerson, automations: Automations
) -> None:
    await person.set_away("away")
    await until(lambda: state_of(hass, MODE) == "away")
    await use(automations, minutes=10)
    be(hass, "not_home", ADA, BEN)
    await until(lambda: running(hass) == 1)
    await person.set_away("home")
    await until(lambda: running(hass) == 0)
    assert await at_nest(person) == "home"


async def test_somebody_whose_place_is_not_known_has_not_left(
    hass: HomeAssistant, kitchen: str, person: NestPerson, automations: Automations
) -> None:
    automation = await use(automations, seconds=0)
    be(hass, "unavailable", BEN)
    be(hass, "not_home", ADA)
    await hass.async_block_till_done()
    be(hass, "not_home", BEN)
    await hass.async_block_till_done()
    state = hass.states.get(automation)
    assert state is not None
    assert state.attributes["last_triggered"] is None
    assert await at_nest(person) == "home"


async def test_a_restart_during_the_wait_does_not_end_it(
    hass: HomeAssistant, kitchen: str, person: NestPerson, automations: Automations
) -> None:
    automation = await use(automations, seconds=4)
    be(hass, "not_home", ADA, BEN)
    await until(lambda: running(hass) == 1)
    await restart_with(hass, automation)
    await until(lambda: state_of(hass, MODE) == "away")


async def test_a_restart_long_after_leaving_sets_nothing_against_nest(
    hass: HomeAssistant, kitchen: str, person: NestPerson, automations: Automations
) -> None:
    automation = await use(automations, seconds=0)
    be(hass, "not_home", ADA, BEN)
    await until(lambda: state_of(hass, MODE) == "away")
    await person.set_away("home")
    await until(lambda: state_of(hass, MODE) == "home")
    await restart_with(hass, automation, timedelta(minutes=11))
    assert (running(hass), await at_nest(person)) == (0, "home")
