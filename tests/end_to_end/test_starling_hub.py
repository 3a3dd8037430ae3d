"""A Starling Home Hub, as far as it can be faked: from its wire to Home Assistant's entities, and commands back."""

from collections.abc import AsyncGenerator
from pathlib import Path

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from tools.fakes import Hub
from tools.fakes.starling import protect, thermostat
from tools.nest_home import NestHomeServer, NestPerson

from .conftest import Browser, until

# Longer than the server asks the hub again, and than the hub makes it wait between two writes.
LONG = 30.0
CLIMATE, LEVEL = "climate.hallway_nest_thermostat", "sensor.kitchen_nest_protect_smoke_level"

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def hub() -> AsyncGenerator[Hub]:
    async with Hub(thermostat("t1", "Hallway", "Hallway"), protect("p1", "Kitchen", "Kitchen")) as hub:
        yield hub


@pytest.fixture
def more_options(tmp_path: Path, hub: Hub) -> tuple[str, ...]:
    """Put the hub behind the server."""
    secret, file = tmp_path / "key", tmp_path / "server.toml"
    secret.touch(mode=0o600)
    secret.write_text(hub.key)
    file.write_text(f'[[source]]\nkind = "starling"\naddress = "{hub.base}"\nkey-file = "{secret}"\n')
    return "--config", str(file)


async def set_temperature(hass: HomeAssistant, celsius: float) -> None:
    await hass.services.async_call(
        "climate", "set_temperature", {"entity_id": CLIMATE, "temperature": celsius}, blocking=True
    )


async def test_thermostat_protect_and_away_all_the_way_and_back(
    hass: HomeAssistant, browser: Browser, nest_home: NestHomeServer, person: NestPerson, hub: Hub, tmp_path: Path
) -> None:
    await browser.link(nest_home.base, person.accept)

    def shows(entity_id: str, state: str) -> bool:
        found = hass.states.get(entity_id)
        return found is not None and found.state == state

    await until(lambda: shows(CLIMATE, "heat") and shows(LEVEL, "ok"), LONG)
    # The hub is asked now and then, and at once after each write.
    hub.set("p1", smokeDetected=True, smokeStateDetail="warn")
    await set_temperature(hass, 22.5)
    await until(lambda: hass.states.get(CLIMATE).attributes["temperature"] == 22.5 and shows(LEVEL, "warning"), LONG)
    assert hub.things["t1"].properties["targetTemperature"] == 22.5
    hub.set("p1", smokeStateDetail="emergency")
    await hass.services.async_call(
        "select", "select_option", {"entity_id": "select.home_away_mode", "option": "away"}, blocking=True
    )
    await until(lambda: not hub.is_home and shows("binary_sensor.home_presence", "off"), LONG)
    await until(lambda: shows(LEVEL, "emergency"), LONG)

    hub.set("p1", smokeDetected=False, smokeStateDetail="ok")
    await hub.go_away()
    with pytest.raises(HomeAssistantError):
        await set_temperature(hass, 23.0)
    await until(lambda: shows(CLIMATE, STATE_UNAVAILABLE) and shows(LEVEL, STATE_UNAVAILABLE), LONG)
    await hub.come_back()
    await until(lambda: shows(CLIMATE, "heat") and shows(LEVEL, "ok"), LONG)
    # The key goes with every address, and no address is to be told.
    assert hub.key not in (tmp_path / "nest.log").read_text()
