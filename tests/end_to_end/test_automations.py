"""The automations of the documents, as a person would copy them, in a Home Assistant linked to the real server."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
import re
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service
import yaml

from custom_components.works_with_nest import coordinator, listener
from tools.nest_home import NestHomeServer, NestPerson
from tools.paths import CHECKOUT

from .conftest import Browser, until
from .test_live import alarm_in, state_of

LINK_LOST = """
triggers:
  - trigger: works_with_nest.link_lost
    target:
      entity_id: binary_sensor.home_connection
actions:
  - action: notify.send_message
    target:
      entity_id: notify.phones
    data:
      message: "The link to {{ trigger.home }} is lost."
"""

type Automate = Callable[..., Awaitable[None]]


def documented(trigger: str) -> str:
    """Return the automation with this trigger that the document shows."""
    text = (CHECKOUT / "docs" / "automations.md").read_text(encoding="utf-8")
    found = [each for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if trigger in each]
    assert len(found) == 1
    return found[0]


@pytest.fixture
def notified(hass: HomeAssistant) -> list[ServiceCall]:
    """Return what phones are told; there is no phone here."""
    return async_mock_service(hass, "notify", "send_message")


@pytest.fixture
async def automate(hass: HomeAssistant) -> Automate:
    """Return a function that sets up automations beside a light that is on or off."""

    async def automate(*automations: str, light: str) -> None:
        hall = {"hall": {"initial": light == "on"}}
        assert await async_setup_component(hass, "input_boolean", {"input_boolean": hall})
        turns = {
            f"turn_{way}": [{"action": f"input_boolean.turn_{way}", "target": {"entity_id": "input_boolean.hall"}}]
            for way in ("on", "off")
        }
        shown = {"name": "Hall", "state": "{{ is_state('input_boolean.hall', 'on') }}", **turns}
        assert await async_setup_component(hass, "template", {"template": [{"light": [shown]}]})
        await hass.async_block_till_done()
        config = [yaml.safe_load(each) for each in automations]
        assert await async_setup_component(hass, "automation", {"automation": config})
        await hass.async_block_till_done()
        assert {state.state for state in hass.states.async_all("automation")} == {"on"}
        assert state_of(hass, "light.hall") == light

    return automate


@pytest.fixture
def runs(hass: HomeAssistant) -> list[Any]:
    """Return each run of an automation from now on."""
    seen: list[Any] = []
    hass.bus.async_listen("automation_triggered", seen.append)
    return seen


async def test_leaving_turns_the_lights_off_once(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    person: NestPerson,
    browser: Browser,
    automate: Automate,
    runs: list[Any],
) -> None:
    await browser.link(nest_home.base, person.accept)
    await automate(documented("home_became_away"), light="on")
    await person.set_away("away")
    await until(lambda: state_of(hass, "light.hall") == "off")
    await person.set_away("home")
    await until(lambda: state_of(hass, "binary_sensor.home_presence") == "on")
    await hass.async_block_till_done()
    assert len(runs) == 1


async def test_an_emergency_turns_the_lights_on_and_tells_the_phones_once_and_a_test_does_not(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    person: NestPerson,
    browser: Browser,
    automate: Automate,
    notified: list[ServiceCall],
    runs: list[Any],
) -> None:
    await browser.link(nest_home.base, person.accept)
    await automate(documented("alarm_reached_emergency"), light="off")
    kitchen = alarm_in(await person.document(), "Kitchen")
    for is_active, shown in ((True, "on"), (False, "off")):
        await person.set_alarm(kitchen, is_manual_test_active=is_active)
        await until(lambda shown=shown: state_of(hass, "binary_sensor.kitchen_nest_protect_manual_test") == shown)
    await person.set_alarm(kitchen, smoke="warning")
    await until(lambda: state_of(hass, "sensor.kitchen_nest_protect_smoke_level") == "warning")
    await hass.async_block_till_done()
    assert (state_of(hass, "light.hall"), notified, runs) == ("off", [], [])
    await person.set_alarm(kitchen, smoke="emergency")
    await until(lambda: state_of(hass, "light.hall") == "on")
    await person.set_alarm(kitchen, battery="replace")
    await until(lambda: state_of(hass, "binary_sensor.kitchen_nest_protect_battery") == "on")
    await hass.async_block_till_done()
    assert [call.data["message"] for call in notified] == ["Nest Protect: smoke"]
    assert len(runs) == 1


async def test_a_lost_link_tells_the_phones_once(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    person: NestPerson,
    browser: Browser,
    automate: Automate,
    notified: list[ServiceCall],
    runs: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Four seconds stand for 75; polls keep the link alive meanwhile, as keep-alives come every 30.
    monkeypatch.setattr(coordinator, "LIVE_FOR", 4.0)
    monkeypatch.setattr(coordinator, "POLL_BEHIND_STREAM", timedelta(seconds=0.5))
    monkeypatch.setattr(listener, "LONGEST_DELAY", 0.2)
    await browser.link(nest_home.base, person.accept)
    await automate(LINK_LOST, light="off")
    port = int(nest_home.base.rpartition(":")[2])
    await nest_home.stop()
    await until(lambda: state_of(hass, "binary_sensor.home_connection") == "off")
    await nest_home.start(port)
    await until(lambda: state_of(hass, "binary_sensor.home_connection") == "on", 20)
    await hass.async_block_till_done()
    assert [call.data["message"] for call in notified] == ["The link to Home is lost."]
    assert len(runs) == 1
