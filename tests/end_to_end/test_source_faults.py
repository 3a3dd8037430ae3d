"""What goes wrong behind a home, as Home Assistant shows it: nothing old passes for new, and nothing unknown for OK."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
import pytest

from tools.fakes import Broker, Detector, Fault, NoLongerEvil, Zigbee2Mqtt, find_mosquitto
from tools.nest_home import NestHomeServer, NestPerson

from .conftest import Browser, until

SERIAL, HALL = "02AA01AC0123456X", "0x00158d0001a2b3c4"
CLIMATE, SMOKE = "climate.landing_nest_thermostat_landing", "binary_sensor.hall_nest_protect_hall_smoke"
HOME_SMOKE, CONNECTIVITY = "binary_sensor.home_smoke", "binary_sensor.hall_nest_protect_hall_connectivity"
# Longer than a server asks NoLongerEvil again, and than a broker that hangs is waited for.
LONG = 50.0

pytestmark = [
    pytest.mark.skipif(find_mosquitto() is None, reason="Mosquitto is not installed"),
    pytest.mark.timeout(240),
]

type Shows = Callable[[str, str], bool]


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncGenerator[Broker]:
    async with Broker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
async def bridge(broker: Broker) -> AsyncGenerator[Zigbee2Mqtt]:
    hall = Detector("Hall", HALL, state={"smoke": False, "battery_low": False, "test": False}, retained=True)
    async with Zigbee2Mqtt(broker, hall) as bridge:
        yield bridge


@pytest.fixture
async def thermostats() -> AsyncGenerator[NoLongerEvil]:
    async with NoLongerEvil() as thermostats:
        thermostats.add(SERIAL, name="Landing", current_temperature=20.5)
        yield thermostats


@pytest.fixture
def more_options(tmp_path: Path, broker: Broker, bridge: Zigbee2Mqtt, thermostats: NoLongerEvil) -> tuple[str, ...]:
    """Put both behind the server."""
    file = tmp_path / "server.toml"
    file.write_text(
        f'[[source]]\nkind = "nolongerevil"\naddress = "{thermostats.base}"\n'
        f'[[source]]\nkind = "mqtt"\naddress = "{broker.address}"\n'
    )
    return "--config", str(file)


@pytest.fixture
async def shows(hass: HomeAssistant, browser: Browser, nest_home: NestHomeServer, person: NestPerson) -> Shows:
    """Link, wait until both sources are live, and return what tells whether an entity has a state."""
    await browser.link(nest_home.base, person.accept)

    def shows(entity_id: str, state: str) -> bool:
        found = hass.states.get(entity_id)
        return found is not None and found.state == state

    await until(lambda: shows(CLIMATE, "heat") and shows(SMOKE, "off"), LONG)
    return shows


async def test_an_emergency_that_falls_silent_is_neither_over_nor_ok(
    shows: Shows, bridge: Zigbee2Mqtt, broker: Broker
) -> None:
    await bridge.say("Hall", smoke=True)
    await until(lambda: shows(SMOKE, "on") and shows(HOME_SMOKE, "on"), LONG)
    await broker.go_away()
    await until(lambda: shows(SMOKE, STATE_UNAVAILABLE), LONG)
    assert shows(CONNECTIVITY, "off")
    assert not shows(HOME_SMOKE, "off")
    assert shows(CLIMATE, "heat")
    # Back with nothing kept: only what the bridge says anew is known, and that is still the emergency.
    await broker.come_back()
    await until(lambda: shows(SMOKE, "on"), LONG)
    await bridge.say("Hall", smoke=False)
    await until(lambda: shows(SMOKE, "off") and shows(HOME_SMOKE, "off"), LONG)


@pytest.mark.parametrize("fault", [Fault.GARBAGE, Fault.BIG, Fault.REDIRECT])
async def test_answers_that_are_none_are_not_the_last_ones_again(
    hass: HomeAssistant, shows: Shows, thermostats: NoLongerEvil, bridge: Zigbee2Mqtt, fault: Fault
) -> None:
    thermostats.misbehave(fault)
    # What is said on the events makes the server ask, and nothing it is told is an answer.
    await thermostats.report(SERIAL, current_temperature=25.0)
    await until(lambda: shows(CLIMATE, STATE_UNAVAILABLE), LONG)
    assert thermostats.strangers == 0
    await bridge.say("Hall", smoke=True)
    await until(lambda: shows(SMOKE, "on"), LONG)
    thermostats.misbehave(Fault.NONE)
    await thermostats.report(SERIAL, current_temperature=26.0)
    await until(lambda: shows(CLIMATE, "heat"), LONG)
    assert hass.states.get(CLIMATE).attributes["current_temperature"] == 26.0


async def test_another_device_under_an_old_name_is_another(
    hass: HomeAssistant, shows: Shows, thermostats: NoLongerEvil, bridge: Zigbee2Mqtt
) -> None:
    # Nobody knows anything of the one that hangs there now, least of all that it is OK.
    await bridge.replace("Hall", "0x00158d00ffffffff")
    await until(lambda: not shows(SMOKE, "off"), LONG)
    await thermostats.change_serial(SERIAL, "02AA01AC0123456Y")
    thermostats.say_on_streams("{}")
    await until(lambda: not shows(CLIMATE, "heat"), LONG)
    await until(lambda: len(hass.states.async_entity_ids("climate")) == 2, LONG)
