"""A Nest home that becomes away or home: what is done, and what coming back ends."""

from datetime import timedelta
from typing import Any

from homeassistant.util import dt as dt_util

from tests.end_to_end.conftest import until

from .conftest import House, event, restart_with

PRESENCE = "binary_sensor.home_presence"


def chosen(**delay: float) -> dict[str, Any]:
    return {"home": PRESENCE, "delay": delay, "away_actions": event("away"), "home_actions": event("home")}


async def test_leaving_waits_and_returning_does_not(house: House) -> None:
    await house.automations.use("away", **chosen(seconds=1))
    left = dt_util.utcnow()
    await house.person.set_away("away")
    await until(lambda: house.done == ["away"])
    assert dt_util.utcnow() - left >= timedelta(seconds=1)
    await house.person.set_away("home")
    await until(lambda: house.done == ["away", "home"])


async def test_coming_back_ends_the_wait(house: House) -> None:
    automation = await house.automations.use("away", **chosen(minutes=10))
    await house.person.set_away("away")
    await until(lambda: house.running(automation) == 1)
    await house.person.set_away("home")
    await until(lambda: house.done == ["home"])
    await until(lambda: house.running(automation) == 0)


async def test_leaving_that_was_seen_too_late_does_nothing(house: House) -> None:
    await house.automations.use("away", **chosen(seconds=0), latest=15)
    for minutes, expected in ((20, []), (10, ["away"])):
        async with house.deaf(timedelta(minutes=minutes)):
            await house.person.set_away("away")
        await house.shows(PRESENCE, "off")
        if expected:
            await until(lambda: house.done)
        assert house.done == expected, minutes
        await house.person.set_away("home")
        await until(lambda: house.done[-1:] == ["home"])
        house.done.clear()


async def test_a_restart_during_the_wait_does_not_end_it(house: House) -> None:
    automation = await house.automations.use("away", **chosen(seconds=4))
    await house.person.set_away("away")
    await until(lambda: house.running(automation) == 1)
    await restart_with(house.hass, automation)
    await until(lambda: house.done == ["away"])


async def test_a_restart_long_after_leaving_does_nothing_again(house: House) -> None:
    automation = await house.automations.use("away", **chosen(seconds=0))
    await house.person.set_away("away")
    await until(lambda: house.done == ["away"])
    await restart_with(house.hass, automation, timedelta(minutes=11))
    await house.hass.async_block_till_done()
    assert (house.running(automation), house.done) == (0, ["away"])
