"""What keeps alarms from being heard is told to the phones, at once or each week."""

from datetime import timedelta
from typing import Any

from homeassistant.util import dt as dt_util
import pytest

from custom_components.works_with_nest import coordinator, listener
from tests.end_to_end.conftest import until
from tests.end_to_end.test_live import state_of
from tools.nest_home import NestHomeServer

from .conftest import House, call

MONITORING = "binary_sensor.home_alarm_monitoring"
KITCHEN = "sensor.kitchen_nest_protect_last_successful_test"
BEDROOM = "sensor.bedroom_nest_protect_last_successful_test"
LOW = "Low battery: Kitchen Nest Protect"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.fixture
def chosen(phone: str) -> dict[str, Any]:
    """Return what somebody chose who is in a hurry."""
    at_once = {"silent_for": {"seconds": 0}, "lost_for": {"seconds": 1}}
    return {"monitoring": MONITORING, "last_tests": [KITCHEN], "phones": [phone], **at_once}


async def test_a_low_battery_is_told_once(house: House, chosen: dict[str, Any]) -> None:
    phones = house.phones
    await house.automations.use("watch", **chosen)
    await house.sense(battery="replace")
    await until(lambda: phones.pushes)
    assert [(push["title"], push["message"]) for push in phones.pushes] == [("Home", LOW)]
    assert "ttl" not in phones.pushes[0]["data"]
    await house.sense(battery="ok")
    await house.shows(MONITORING, "off")
    assert len(phones.pushes) == 1


async def test_an_alarm_that_is_not_heard_from_is_told_of_after_a_while(house: House, chosen: dict[str, Any]) -> None:
    for seconds, expected in ((600, []), (0, ["Not heard from: Kitchen Nest Protect"])):
        await house.automations.use("watch", **chosen | {"silent_for": {"seconds": seconds}})
        await house.sense(is_online=False)
        await house.shows(MONITORING, "on")
        await until(lambda expected=expected: len(house.phones.pushes) == len(expected))
        assert house.phones.messages == expected
        await house.sense(is_online=True)
        await house.shows(MONITORING, "off")


async def test_each_week_what_is_still_so_and_tests_that_are_due_are_told(house: House, chosen: dict[str, Any]) -> None:
    hass, phones = house.hass, house.phones
    today = {"weekday": DAYS[dt_util.now().weekday()], "months": 1, "last_tests": [KITCHEN, BEDROOM]}
    automation = await house.automations.use("watch", **chosen | today)
    await house.sense(battery="replace")
    await until(lambda: len(phones.pushes) == 1)
    await call(hass, "automation.trigger", entity_id=automation)
    await until(lambda: len(phones.pushes) == 2)
    assert phones.messages[1] == f"Time for a test: Kitchen (2026-03-01), Bedroom (never)\n{LOW}"
    for is_active in (True, False):
        await house.sense(is_manual_test_active=is_active)
    await until(lambda: not str(state_of(hass, KITCHEN)).startswith("2026-03-01"))
    await call(hass, "automation.trigger", entity_id=automation)
    await until(lambda: len(phones.pushes) == 3)
    assert phones.messages[2] == f"Time for a test: Bedroom (never)\n{LOW}"


async def test_it_is_told_at_the_chosen_time_of_the_chosen_day(house: House, chosen: dict[str, Any]) -> None:
    for days, expected in ((1, 0), (0, 1)):
        moment = dt_util.now().replace(microsecond=0) + timedelta(seconds=3)
        when = {"weekday": DAYS[(moment.weekday() + days) % 7], "time": f"{moment:%H:%M:%S}"}
        automation = await house.automations.use("watch", **chosen | when | {"months": 1})
        assert dt_util.now() < moment, "it was set up too late"
        await until(lambda moment=moment: dt_util.now() > moment + timedelta(seconds=0.5))
        await house.hass.async_block_till_done()
        assert len(house.phones.pushes) == expected
        assert state_of(house.hass, automation) == "on"


async def test_a_lost_link_is_told_and_its_return(
    house: House, nest_home: NestHomeServer, chosen: dict[str, Any]
) -> None:
    phones = house.phones
    automation = await house.automations.use("watch", **chosen)
    port = int(nest_home.base.rpartition(":")[2])
    await nest_home.stop()
    await until(lambda: phones.pushes, 30)
    assert phones.messages == ["Nothing is heard of the home. Its alarms may sound without Home Assistant knowing."]
    await nest_home.start(port)
    await until(lambda: len(phones.pushes) == 2, 30)
    assert phones.messages[1].startswith("The home is heard of again, after ")
    assert state_of(house.hass, automation) == "on"


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four seconds stand for 75; polls keep the link alive meanwhile, as keep-alives come every 30."""
    monkeypatch.setattr(coordinator, "LIVE_FOR", 4.0)
    monkeypatch.setattr(coordinator, "POLL_BEHIND_STREAM", timedelta(seconds=0.5))
    monkeypatch.setattr(listener, "LONGEST_DELAY", 0.2)
