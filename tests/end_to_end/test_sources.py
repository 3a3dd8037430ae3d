"""Real devices, as far as they can be faked: from their own wire to Home Assistant's entities, and a command back."""

from collections.abc import AsyncGenerator
from pathlib import Path

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
import pytest

from tools.fakes import Broker, Detector, NoLongerEvil, Zigbee2Mqtt, find_mosquitto
from tools.nest_home import NestHomeServer, NestPerson

from .conftest import PASSWORD, Browser, until

SERIAL = "02AA01AC0123456X"
HALL = "0x00158d0001a2b3c4"
LONG = 30.0

pytestmark = pytest.mark.skipif(find_mosquitto() is None, reason="Mosquitto is not installed")


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncGenerator[Broker]:
    async with Broker(tmp_path / "broker", sign_in=("nest", "right-secret")) as broker:
        yield broker


@pytest.fixture
async def bridge(broker: Broker) -> AsyncGenerator[Zigbee2Mqtt]:
    hall = Detector("Hall", HALL, state={"smoke": False, "battery_low": False, "test": False}, retained=True)
    async with Zigbee2Mqtt(broker, hall) as bridge:
        yield bridge


@pytest.fixture
async def thermostats(broker: Broker) -> AsyncGenerator[NoLongerEvil]:
    async with NoLongerEvil() as thermostats:
        thermostats.add(SERIAL, name="Landing")
        async with thermostats.on_mqtt(broker):
            yield thermostats


@pytest.fixture
async def nest_home(
    tmp_path: Path, broker: Broker, bridge: Zigbee2Mqtt, thermostats: NoLongerEvil
) -> AsyncGenerator[NestHomeServer]:
    """Return a server with what its file names behind it."""
    secret, file = tmp_path / "password", tmp_path / "server.toml"
    secret.touch(mode=0o600)
    secret.write_text("right-secret")
    at_broker = f'username = "nest"\npassword-file = "{secret}"\n'
    file.write_text(
        f'[[source]]\nkind = "nolongerevil"\naddress = "{thermostats.base}"\nbroker = "{broker.address}"\n{at_broker}'
        f'[[source]]\nkind = "mqtt"\naddress = "{broker.address}"\n{at_broker}'
    )
    server = NestHomeServer(tmp_path / "nest", tmp_path / "nest.log", "--config", str(file))
    await server.add_account("ada", PASSWORD)
    await server.start()
    yield server
    await server.stop()
    log = (tmp_path / "nest.log").read_text()
    assert "right-secret" not in log
    assert "password-of" not in log


async def test_a_home_of_two_sources_from_their_wires_to_entities_and_a_command_all_the_way_back(
    hass: HomeAssistant,
    browser: Browser,
    nest_home: NestHomeServer,
    person: NestPerson,
    bridge: Zigbee2Mqtt,
    thermostats: NoLongerEvil,
    broker: Broker,
) -> None:
    result = await browser.link(nest_home.base, person.accept)
    assert result["type"] == "create_entry", result
    (climate,) = hass.states.async_entity_ids("climate")
    smoke = "binary_sensor.hall_nest_protect_hall_smoke"

    def shows(entity_id: str, state: str) -> bool:
        found = hass.states.get(entity_id)
        return found is not None and found.state == state

    await until(lambda: shows(climate, "heat"), LONG)
    await until(lambda: shows(smoke, "off"), LONG)

    await bridge.say("Hall", smoke=True)
    await until(lambda: shows(smoke, "on"), LONG)
    await bridge.say("Hall", smoke=False)
    await until(lambda: shows(smoke, "off"), LONG)

    await hass.services.async_call(
        "climate", "set_temperature", {"entity_id": climate, "temperature": 22.5}, blocking=True
    )
    assert thermostats.commands[-1] == {"serial": SERIAL, "command": "set_temperature", "value": 22.5}
    await until(lambda: hass.states.get(climate).attributes["temperature"] == 22.5, LONG)

    (away,) = [each for each in hass.states.async_entity_ids("select") if not shows(each, STATE_UNKNOWN)][:1]
    await until(lambda: shows(away, "home"), LONG)
    await hass.services.async_call("select", "select_option", {"entity_id": away, "option": "away"}, blocking=True)
    await until(lambda: shows(away, "away"), LONG)
    assert thermostats.is_away

    # One goes: its devices can't be told from silence, and nobody else is disturbed.
    await thermostats.go_away()
    await until(lambda: shows(climate, STATE_UNAVAILABLE), LONG)
    assert shows(smoke, "off")
    await thermostats.come_back()
    await thermostats.report(SERIAL, current_temperature=19.0)
    await until(lambda: not shows(climate, STATE_UNAVAILABLE), LONG)
    await bridge.crash()
    await until(lambda: shows(smoke, STATE_UNAVAILABLE) or shows(smoke, STATE_UNKNOWN), LONG)
