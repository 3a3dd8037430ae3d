"""A Nest home that becomes away or home: what is done, and what coming back ends."""

from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from tests.end_to_end.conftest import until
from tests.end_to_end.test_live import state_of
from tools.nest_home import NestPerson

from .conftest import Automations, event, restart_with

PRESENCE = "binary_sensor.home_presence"


def chosen(**delay: float) -> dict[str, Any]:
    return {"home": PRESENCE, "delay": delay, "away_actions": event("away"), "home_actions": event("home")}


async def test_leaving_waits_and_returning_does_not(
    hass: HomeAssistant, kitchen: str, person: NestPerson, automations: Automations, done: list[str]
) -> None:
    await automations.use("away", **chosen(seconds=1))
    left = dt_util.utcnow()
    await person.set_away("away")
    await until(lambda: done == ["away"])
    assert dt_util.utcnow() - left >= timedelta(seconds=1)
    await person.set_away("home")
    await until(lambda: done == ["away", "home"])


async def test_coming_back_ends_the_wait(
    hass: HomeAssistant, kitchen: str, person: NestPerson, automations: Automations, done: list[str]
) -> None:
    automation = await automations.use("away", **chosen(minutes=10))
    await person.set_away("away")
    await until(lambda: running(hass, automation) == 1)
    await person.set_away("home")
    await until(lambda: done == ["home"])
    await until(lambda: running(hass, automation) == 0)


def running(hass: HomeAssistant, automation: str) -> int:
    state = hass.states.get(automation)
    return state.attributes["current"] if state else -1


@pytest.mark.parametrize(("minutes", "expected"), [(10, ["away"]), (20, [])])
async def test_leaving_that_was_seen_too_late_does_nothing(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    done: list[str],
    minutes: int,
    expected: list[str],
) -> None:
    await automations.use("away", **chosen(seconds=0), latest=15)
    (entry,) = hass.config_entries.async_entries("works_with_nest")
    assert await hass.config_entries.async_unload(entry.entry_id)
    # As if Home Assistant had been down for as long.
    stored = hass_storage[f"works_with_nest.{entry.entry_id}"]["data"]
    stored["last_contact"] = (dt_util.utcnow() - timedelta(minutes=minutes)).isoformat()
    await person.set_away("away")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: state_of(hass, PRESENCE) == "off")
    if expected:
        await until(lambda: done)
    await hass.async_block_till_done()
    assert done == expected


async def test_a_restart_during_the_wait_does_not_end_it(
    hass: HomeAssistant, kitchen: str, person: NestPerson, automations: Automations, done: list[str]
) -> None:
    automation = await automations.use("away", **chosen(seconds=4))
    await person.set_away("away")
    await until(lambda: running(hass, automation) == 1)
    await restart_with(hass, automation)
    await until(lambda: done == ["away"])


async def test_a_restart_long_after_leaving_does_nothing_again(
    hass: HomeAssistant, kitchen: str, person: NestPerson, automations: Automations, done: list[str]
) -> None:
    automation = await automations.use("away", **chosen(seconds=0))
    await person.set_away("away")
    await until(lambda: done == ["away"])
    await restart_with(hass, automation, timedelta(minutes=11))
    await hass.async_block_till_done()
    assert (running(hass, automation), done) == (0, ["away"])
