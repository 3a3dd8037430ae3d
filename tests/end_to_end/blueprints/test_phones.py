"""Phones that leave and return set the Nest home, and never against what Nest decides by itself."""

from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from tests.end_to_end.conftest import until

from .conftest import House, restart_with

PHONES, MODE = "automation.phones", "select.home_away_mode"
ADA, BEN = "person.ada", "person.ben"


@pytest.fixture(autouse=True)
def _people(hass: HomeAssistant, _house: None) -> None:
    """Two people, both at home."""
    be(hass, "home", ADA, BEN)


def be(hass: HomeAssistant, place: str, *people: str) -> None:
    for each in people:
        hass.states.async_set(each, place)


async def use(house: House, **delay: float) -> None:
    await house.automations.use("phones", people=[ADA, BEN], away_mode=MODE, delay=delay)


async def at_nest(house: House) -> Any:
    (home,) = (await house.person.document())["structures"].values()
    return home["away"]


def ran(house: House) -> bool:
    state = house.hass.states.get(PHONES)
    assert state is not None
    return state.attributes["last_triggered"] is not None


async def test_the_last_who_leaves_and_the_first_who_returns_set_the_home(house: House) -> None:
    hass = house.hass
    await use(house, seconds=0)
    be(hass, "not_home", ADA)
    await hass.async_block_till_done()
    # Somebody whose place is not known has not left.
    for place in ("unavailable", "not_home"):
        be(hass, place, BEN)
        await hass.async_block_till_done()
    assert (ran(house), await at_nest(house)) == (False, "home")
    be(hass, "home", BEN)
    await until(lambda: ran(house) and house.running(PHONES) == 0)
    assert await at_nest(house) == "home"
    be(hass, "Work", BEN)
    await house.shows(MODE, "away")
    assert await at_nest(house) == "away"
    be(hass, "home", ADA)
    await house.shows(MODE, "home")
    assert await at_nest(house) == "home"
    await until(lambda: house.running(PHONES) == 0)


async def test_coming_back_ends_the_wait_and_so_does_what_nest_decides_meanwhile(house: House) -> None:
    await use(house, minutes=10)
    be(house.hass, "not_home", ADA, BEN)
    await until(lambda: house.running(PHONES) == 1)
    be(house.hass, "home", BEN)
    await until(lambda: house.running(PHONES) == 0)
    assert await at_nest(house) == "home"
    await house.person.set_away("away")
    await house.shows(MODE, "away")
    be(house.hass, "not_home", BEN)
    await until(lambda: house.running(PHONES) == 1)
    await house.person.set_away("home")
    await until(lambda: house.running(PHONES) == 0)
    assert await at_nest(house) == "home"


async def test_what_nest_decides_while_everybody_is_out_stays(house: House) -> None:
    hass = house.hass
    await use(house, seconds=0)
    be(hass, "not_home", ADA, BEN)
    await house.shows(MODE, "away")
    await house.person.set_away("home")
    await house.shows(MODE, "home")
    be(hass, "Work", ADA)
    await hass.async_block_till_done()
    assert (house.running(PHONES), await at_nest(house)) == (0, "home")
    # A restart long after they left changes nothing about that.
    await restart_with(hass, PHONES, timedelta(minutes=11))
    assert (house.running(PHONES), await at_nest(house)) == (0, "home")


async def test_a_restart_during_the_wait_does_not_end_it(house: House) -> None:
    await use(house, seconds=4)
    be(house.hass, "not_home", ADA, BEN)
    await until(lambda: house.running(PHONES) == 1)
    await restart_with(house.hass, PHONES)
    await house.shows(MODE, "away")
