"""What stands behind the home of script/demo --sources is found by the real server, and heard."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest

from tools.demo.devices import Devices, devices_behind, options_of
from tools.demo.state import StateFolder, held
from tools.errors import ToolError
from tools.fakes import broker as broker_module, find_mosquitto
from tools.fakes.publish import publish
from tools.nest_home import Document, NestHomeServer, NestPerson

PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def _real_sockets(socket_enabled: None) -> None:
    """Every test here talks over real sockets."""


@pytest.fixture
async def state(tmp_path: Path) -> AsyncGenerator[StateFolder]:
    async with held(tmp_path / "state") as state:
        yield state


async def until(person: NestPerson, shows: Callable[[Document], bool]) -> Document:
    async with asyncio.timeout(30):
        while not shows(document := await person.document()):
            await asyncio.sleep(0.02)
    return document


def states_of(document: Document, field: str) -> dict[str, Any]:
    return {each["where_name"]: each.get(field) for each in document["devices"]["smoke_co_alarms"].values()}


@pytest.mark.skipif(find_mosquitto() is None, reason="no Mosquitto is installed")
async def test_the_server_finds_all_of_it_and_hears_what_somebody_says(state: StateFolder) -> None:
    async with devices_behind(state, wanted=True) as devices:
        assert isinstance(devices, Devices)
        server = NestHomeServer(state.nest_home, state.logs / "nest.log", *options_of(state, devices))
        await server.add_account("ada", PASSWORD)
        base = await server.start()
        try:
            async with NestPerson(base, "ada", PASSWORD) as person:
                await person.sign_in()
                calm = {"Kitchen": "ok", "Hallway": "ok"}
                document = await until(person, lambda found: states_of(found, "smoke_alarm_state") == calm)
                thermostats = document["devices"]["thermostats"].values()
                assert {each["where_name"] for each in thermostats} == {"Living Room", "Bedroom"}
                await publish(devices.broker.address, "zigbee2mqtt/Kitchen", '{"smoke": true}')
                alarming = calm | {"Kitchen": "emergency"}
                await until(person, lambda found: states_of(found, "smoke_alarm_state") == alarming)
        finally:
            await server.stop()


async def test_without_a_broker_one_sentence_says_how_to_get_it(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "find_mosquitto", lambda *_: None)
    with pytest.raises(ToolError, match=r"apt-get install mosquitto"):
        async with devices_behind(state, wanted=True):
            pytest.fail("nothing stands there")


async def test_nothing_stands_behind_a_home_that_is_simulated(state: StateFolder) -> None:
    async with devices_behind(state, wanted=False) as devices:
        assert options_of(state, devices) == ()
