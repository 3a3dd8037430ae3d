"""Starling's Developer Connect API, by value (sources, section 3)."""

from collections.abc import AsyncGenerator
from typing import Any

from aiohttp import ClientSession
import pytest

from tools.fakes import Hub
from tools.fakes.starling import HomeState, protect, thermostat


@pytest.fixture
async def hub() -> AsyncGenerator[Hub]:
    async with Hub(thermostat("t1", "Thermostat", "Hallway"), protect("p1", "Protect", "Kitchen")) as hub:
        hub.writes_apart = 0.0
        yield hub


async def ask(session: ClientSession, hub: Hub, path: str, version: int = 2, key: str = "") -> tuple[int, Any]:
    url = f"{hub.base}/api/connect/v{version}{path}?key={key or hub.key}"
    async with session.get(url) as answer:
        return answer.status, await answer.json()


async def write(session: ClientSession, hub: Hub, thing: str, **properties: Any) -> tuple[int, Any]:
    url = f"{hub.base}/api/connect/v2/devices/{thing}?key={hub.key}"
    async with session.post(url, json=properties) as answer:
        return answer.status, await answer.json()


async def test_both_versions_list_devices_with_their_rooms(session: ClientSession, hub: Hub) -> None:
    _, state = await ask(session, hub, "/status")
    assert (state["apiReady"], state["permissions"]["write"]) == (True, True)
    rooms = {}
    for version, name, alarm in ((1, "where", "protect"), (2, "roomName", "smoke_detector")):
        _, listed = await ask(session, hub, "/devices", version)
        assert listed["status"] == "OK"
        rooms[version] = {each["id"]: each[name] for each in listed["devices"]}
        assert {each["type"] for each in listed["devices"]} == {"thermostat", alarm, "home_away_control"}
    assert rooms[1] == rooms[2] == {"t1": "Hallway", "p1": "Kitchen", "home-away": "Home"}


async def test_properties_and_writes(session: ClientSession, hub: Hub) -> None:
    _, told = await ask(session, hub, "/devices/t1")
    assert (told["status"], told["properties"]["targetTemperature"]) == ("OK", 20.0)
    assert await write(session, hub, "t1", targetTemperature=22.0) == (
        200,
        {"status": "OK", "setStatus": {"targetTemperature": "OK"}},
    )
    assert hub.things["t1"].properties["hvacState"] == "heating"
    _, answer = await write(session, hub, "t1", currentTemperature=9.0, hvacMode="warm", colour="red")
    assert answer["setStatus"] == {
        "currentTemperature": "READ_ONLY_PROPERTY",
        "hvacMode": "INVALID_VALUE",
        "colour": "PROPERTY_NOT_FOUND",
    }


async def test_a_test_is_told_as_smoke_that_warns(session: ClientSession, hub: Hub) -> None:
    hub.test("p1")
    _, told = await ask(session, hub, "/devices/p1")
    shown = {name: told["properties"][name] for name in ("manualTestActive", "smokeDetected", "smokeStateDetail")}
    assert shown == {"manualTestActive": True, "smokeDetected": True, "smokeStateDetail": "warn"}


async def test_refusals_have_a_code(session: ClientSession, hub: Hub) -> None:
    code, answer = await ask(session, hub, "/devices", key="wrong")
    assert (code, answer["status"], answer["code"]) == (401, "Error", "INVALID_API_KEY")
    assert (await ask(session, hub, "/devices/nobody"))[0] == 404
    hub.writes_apart = 60.0
    await write(session, hub, "t1", ecoMode=True)
    assert (await write(session, hub, "t1", ecoMode=False))[1]["code"] == "RATE_LIMITED"
    hub.permissions["write"] = False
    assert (await write(session, hub, "t1", ecoMode=False))[1]["code"] == "PERMISSION_DENIED"
    hub.is_ready = False
    assert (await ask(session, hub, "/devices"))[1]["code"] == "NOT_READY"
    assert (await ask(session, hub, "/status"))[1]["apiReady"] is False


@pytest.mark.parametrize(
    ("form", "name", "word"),
    [
        (HomeState.BOOLEAN, "homeState", False),
        (HomeState.STRING, "homeState", "away"),
        (HomeState.OTHER_NAME, "mode", "away"),
    ],
)
async def test_away_is_written_in_three_ways(session: ClientSession, form: HomeState, name: str, word: Any) -> None:
    async with Hub(home_state=form) as hub:
        hub.set_home(is_home=False)
        _, told = await ask(session, hub, "/devices/home-away")
        assert (told["properties"]["type"], told["properties"][name]) == ("home_away_control", word)
        assert hub.is_home is False
