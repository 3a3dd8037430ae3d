"""A travel time becomes an arrival that the Nest home knows of, and is taken back."""

from datetime import datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from tests.end_to_end.conftest import until
from tests.end_to_end.test_live import state_of
from tools.nest_home import NestPerson

from .conftest import Automations, call, complaints

ARRIVAL = "sensor.home_expected_arrival"
TRAVEL, ADA, WAY = "sensor.travel_time", "person.ada", "input_boolean.on_the_way"


@pytest.fixture
async def automation(hass: HomeAssistant, kitchen: str, person: NestPerson, automations: Automations) -> str:
    """Return the automation of somebody who is out, as everybody is."""
    hass.states.async_set(ADA, "not_home")
    takes(hass, "unknown")
    await person.set_away("away")
    await until(lambda: state_of(hass, "binary_sensor.home_presence") == "off")
    chosen: dict[str, Any] = {"home": "binary_sensor.home_presence", "person": ADA, "travel_time": TRAVEL}
    return await automations.use("arrival", **chosen, on_the_way=WAY, window=10)


def takes(hass: HomeAssistant, value: str, unit: str | None = "min") -> None:
    hass.states.async_set(TRAVEL, value, {"unit_of_measurement": unit} if unit else {})


def expected_in(hass: HomeAssistant) -> timedelta | None:
    arrival = state_of(hass, ARRIVAL)
    return datetime.fromisoformat(arrival) - dt_util.utcnow() if arrival not in {None, "unknown"} else None


def is_about(hass: HomeAssistant, minutes: float) -> bool:
    expected = expected_in(hass)
    return expected is not None and abs(expected - timedelta(minutes=minutes)) < timedelta(minutes=1)


async def test_the_time_is_told_in_whatever_unit_it_comes(hass: HomeAssistant, automation: str) -> None:
    for value, unit in (("30", "min"), ("1800", "s"), ("0.5", "h")):
        takes(hass, value, unit)
        await call(hass, "input_boolean.turn_on", entity_id=WAY)
        await until(lambda: is_about(hass, 30))
        await call(hass, "input_boolean.turn_off", entity_id=WAY)
        await until(lambda: expected_in(hass) is None)


async def test_it_is_told_anew_and_taken_back_on_arrival(
    hass: HomeAssistant, automation: str, caplog: pytest.LogCaptureFixture
) -> None:
    await call(hass, "input_boolean.turn_on", entity_id=WAY)
    takes(hass, "30")
    await until(lambda: is_about(hass, 30))
    takes(hass, "20")
    await until(lambda: is_about(hass, 20))
    hass.states.async_set(ADA, "home")
    await until(lambda: expected_in(hass) is None)
    takes(hass, "1")
    await hass.async_block_till_done()
    assert expected_in(hass) is None
    assert complaints(caplog) == []


async def test_it_is_taken_back_from_whoever_turns_out_not_to_come(hass: HomeAssistant, automation: str) -> None:
    await call(hass, "input_boolean.turn_on", entity_id=WAY)
    takes(hass, "30")
    await until(lambda: is_about(hass, 30))
    await call(hass, "input_boolean.turn_off", entity_id=WAY)
    await until(lambda: expected_in(hass) is None)


async def test_what_is_no_time_changes_nothing(hass: HomeAssistant, automation: str) -> None:
    await call(hass, "input_boolean.turn_on", entity_id=WAY)
    takes(hass, "30")
    await until(lambda: is_about(hass, 30))
    before = state_of(hass, ARRIVAL)
    no_times = ("unavailable", "min"), ("unknown", "min"), ("soon", "min"), ("-5", "min"), ("10", "km"), ("10", None)
    for value, unit in no_times:
        takes(hass, value, unit)
        await hass.async_block_till_done()
        assert state_of(hass, ARRIVAL) == before, (value, unit)


async def test_nothing_is_told_of_somebody_who_is_not_on_the_way_or_while_the_home_is_home(
    hass: HomeAssistant, automation: str, person: NestPerson
) -> None:
    takes(hass, "30")
    await hass.async_block_till_done()
    assert expected_in(hass) is None
    await person.set_away("home")
    await until(lambda: state_of(hass, "binary_sensor.home_presence") == "on")
    await call(hass, "input_boolean.turn_on", entity_id=WAY)
    await hass.async_block_till_done()
    assert expected_in(hass) is None
    # Whoever is on the way already when the home becomes away is told of then.
    await person.set_away("away")
    await until(lambda: is_about(hass, 30))
