"""What keeps alarms from being heard is told to the phones, at once or each week."""

from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.works_with_nest import coordinator, listener
from tests.end_to_end.conftest import until
from tests.end_to_end.test_live import state_of
from tools.nest_home import NestHomeServer, NestPerson

from .conftest import Automations, Phones, call

MONITORING = "binary_sensor.home_alarm_monitoring"
KITCHEN = "sensor.kitchen_nest_protect_last_successful_test"
BEDROOM = "sensor.bedroom_nest_protect_last_successful_test"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.fixture
def chosen(phone: str) -> dict[str, Any]:
    """Return what somebody chose who is in a hurry."""
    at_once = {"silent_for": {"seconds": 0}, "lost_for": {"seconds": 1}}
    return {"monitoring": MONITORING, "last_tests": [KITCHEN], "phones": [phone], **at_once}


async def test_a_low_battery_is_told_once(
    hass: HomeAssistant,
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    phones: Phones,
    chosen: dict[str, Any],
) -> None:
    await automations.use("watch", **chosen)
    await person.set_alarm(kitchen, battery="replace")
    await until(lambda: phones.pushes)
    assert [(push["title"], push["message"]) for push in phones.pushes] == [
        ("Home", "Low battery: Kitchen Nest Protect")
    ]
    assert "ttl" not in phones.pushes[0]["data"]
    await person.set_alarm(kitchen, battery="ok")
    await until(lambda: state_of(hass, MONITORING) == "off")
    await hass.async_block_till_done()
    assert len(phones.pushes) == 1


@pytest.mark.parametrize(("seconds", "expected"), [(0, ["Not heard from: Kitchen Nest Protect"]), (600, [])])
async def test_an_alarm_that_is_not_heard_from_is_told_of_after_a_while(
    hass: HomeAssistant,
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    phones: Phones,
    chosen: dict[str, Any],
    seconds: int,
    expected: list[str],
) -> None:
    await automations.use("watch", **chosen | {"silent_for": {"seconds": seconds}})
    await person.set_alarm(kitchen, is_online=False)
    await until(lambda: state_of(hass, MONITORING) == "on")
    await until(lambda: len(phones.pushes) == len(expected))
    await hass.async_block_till_done()
    assert phones.messages == expected


async def test_each_week_what_is_still_so_and_tests_that_are_due_are_told(
    hass: HomeAssistant,
    kitchen: str,
    person: NestPerson,
    automations: Automations,
    phones: Phones,
    chosen: dict[str, Any],
) -> None:
    today = {"weekday": DAYS[dt_util.now().weekday()], "months": 1, "last_tests": [KITCHEN, BEDROOM]}
    automation = await automations.use("watch", **chosen | today)
    await person.set_alarm(kitchen, battery="replace")
    await until(lambda: len(phones.pushes) == 1)
    await call(hass, "automation.trigger", entity_id=automation)
    await until(lambda: len(phones.pushes) == 2)
    assert (
        phones.messages[1]
        == "Time for a test: Kitchen (2026-03-01), Bedroom (never)\nLow battery: Kitchen Nest Protect"
    )
    for is_active in (True, False):
        await person.set_alarm(kitchen, is_manual_test_active=is_active)
    await until(lambda: not str(state_of(hass, KITCHEN)).startswith("2026-03-01"))
    await call(hass, "automation.trigger", entity_id=automation)
    await until(lambda: len(phones.pushes) == 3)
    assert phones.messages[2] == "Time for a test: Bedroom (never)\nLow battery: Kitchen Nest Protect"


@pytest.mark.parametrize(("days", "expected"), [(0, 1), (1, 0)])
async def test_it_is_told_at_the_chosen_time_of_the_chosen_day(
    hass: HomeAssistant,
    kitchen: str,
    automations: Automations,
    phones: Phones,
    chosen: dict[str, Any],
    days: int,
    expected: int,
) -> None:
    moment = dt_util.now() + timedelta(seconds=3)
    when = {"weekday": DAYS[(moment.weekday() + days) % 7], "time": f"{moment:%H:%M:%S}"}
    automation = await automations.use("watch", **chosen | when | {"months": 1})
    await until(lambda: dt_util.now() > moment + timedelta(seconds=1))
    await hass.async_block_till_done()
    assert len(phones.pushes) == expected
    assert state_of(hass, automation) == "on"


async def test_a_lost_link_is_told_and_its_return(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    kitchen: str,
    automations: Automations,
    phones: Phones,
    chosen: dict[str, Any],
) -> None:
    automation = await automations.use("watch", **chosen)
    port = int(nest_home.base.rpartition(":")[2])
    await nest_home.stop()
    await until(lambda: phones.pushes, 30)
    assert phones.messages == ["Nothing is heard of the home. Its alarms may sound without Home Assistant knowing."]
    await nest_home.start(port)
    await until(lambda: len(phones.pushes) == 2, 30)
    assert phones.messages[1].startswith("The home is heard of again, after ")
    assert state_of(hass, automation) == "on"


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four seconds stand for 75; polls keep the link alive meanwhile, as keep-alives come every 30."""
    monkeypatch.setattr(coordinator, "LIVE_FOR", 4.0)
    monkeypatch.setattr(coordinator, "POLL_BEHIND_STREAM", timedelta(seconds=0.5))
    monkeypatch.setattr(listener, "LONGEST_DELAY", 0.2)
