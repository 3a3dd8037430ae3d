"""A server that sends hubs to a second port for data, as Google's service did: the link works as without one."""

from pathlib import Path

from homeassistant.core import HomeAssistant
import pytest

from tools.nest_home import NestHomeServer, NestPerson

from .conftest import Browser, until
from .test_live import alarm_in, state_of


@pytest.fixture
def more_options() -> tuple[str, ...]:
    return ("--shard", "0")


async def test_reads_writes_and_events_go_by_way_of_the_shard(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser, tmp_path: Path
) -> None:
    await browser.link(nest_home.base, person.accept)
    climate = "climate.bedroom_nest_thermostat"
    await hass.services.async_call(
        "climate", "set_temperature", {"entity_id": climate, "hvac_mode": "heat", "temperature": 22.5}, blocking=True
    )
    await until(lambda: hass.states.get(climate).attributes["temperature"] == 22.5)
    kitchen = alarm_in(await person.document(), "Kitchen")
    await person.set_alarm(kitchen, smoke="emergency")
    await until(lambda: state_of(hass, "sensor.kitchen_nest_protect_smoke_level") == "emergency")
    lines = (tmp_path / "nest.log").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if " GET / 307 " in line]
    assert [line for line in lines if " PUT /devices/thermostats/" in line and " 200 " in line]
    assert [line for line in lines if " 401 " in line] == []
