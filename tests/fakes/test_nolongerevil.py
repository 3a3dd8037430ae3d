"""NoLongerEvil's control port and topics, by value (sources, section 2)."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta, timezone
import json
from typing import Any

from aiohttp import ClientSession
import aiomqtt
import pytest

from tools.fakes import Broker, NoLongerEvil, Traps
from tools.ports import LOOPBACK

SERIAL = "02AA01AC31140000"


@pytest.fixture
async def server() -> AsyncGenerator[NoLongerEvil]:
    async with NoLongerEvil() as server:
        server.add(SERIAL, name="Hall", current_temperature=19.0)
        yield server


async def get(session: ClientSession, server: NoLongerEvil, path: str) -> tuple[int, Any]:
    async with session.get(server.base + path) as answer:
        return answer.status, await answer.json()


async def command(session: ClientSession, server: NoLongerEvil, name: str, value: Any, serial: str = SERIAL) -> Any:
    body = {"serial": serial, "command": name, "value": value}
    async with session.post(f"{server.base}/command", json=body) as answer:
        return answer.status, await answer.json()


async def status(session: ClientSession, server: NoLongerEvil, serial: str = SERIAL) -> Any:
    code, value = await get(session, server, f"/status?serial={serial}")
    assert code == 200
    return value


async def test_it_lists_thermostats_with_their_passwords(session: ClientSession, server: NoLongerEvil) -> None:
    assert await get(session, server, "/health") == (200, {"status": "ok"})
    code, listed = await get(session, server, "/api/devices")
    assert (code, listed["total"], listed["devices"][0]["serial"]) == (200, 1, SERIAL)
    assert listed["devices"][0]["api_key"]
    told = await status(session, server)
    assert {name: told[name] for name in ("name", "mode", "current_temperature", "target_temperature", "humidity")} == {
        "name": "Hall",
        "mode": "heat",
        "current_temperature": 19.0,
        "target_temperature": 20.0,
        "humidity": 45,
    }
    assert (told["is_available"], told["is_online"], told["eco_mode"]) == (True, False, "schedule")
    assert await get(session, server, "/status") == (400, {"error": "Serial parameter required"})
    assert await get(session, server, "/status?serial=NOBODY") == (404, {"error": "Device not found"})


async def test_a_target_is_clamped_without_a_word(session: ClientSession, server: NoLongerEvil) -> None:
    code, answer = await command(session, server, "set_temperature", 60)
    assert (code, answer["success"], answer["data"]["object_key"]) == (200, True, f"shared.{SERIAL}")
    assert answer["data"]["values"]["target_temperature"] == 35.0
    assert (await status(session, server))["target_temperature"] == 35.0


async def test_modes_are_read_back_otherwise_and_eco_is_none(session: ClientSession, server: NoLongerEvil) -> None:
    assert (await command(session, server, "set_mode", "heat-cool"))[0] == 200
    assert (await status(session, server))["mode"] == "range"
    code, answer = await command(session, server, "set_mode", "eco")
    assert (code, answer["success"]) == (400, False)


async def test_away_never_shows_but_eco_does(session: ClientSession, server: NoLongerEvil) -> None:
    code, answer = await command(session, server, "set_away", value=True)
    assert (code, answer["data"]["object_key"]) == (200, "structure.default")
    await until(lambda: server.status(SERIAL)["eco_mode"] == "manual-eco")
    assert (await status(session, server))["away"] is False
    assert (await command(session, server, "set_away", value=False))[0] == 200
    await until(lambda: server.status(SERIAL)["eco_mode"] == "schedule")


async def test_a_thermostat_that_sleeps_does_not_answer(session: ClientSession, server: NoLongerEvil) -> None:
    server.thermostats_answer = False
    assert (await command(session, server, "set_away", value=True))[0] == 200
    assert (await status(session, server))["eco_mode"] == "schedule"


async def test_zero_is_absent_and_an_unknown_serial_is_created(session: ClientSession, server: NoLongerEvil) -> None:
    await server.report(SERIAL, current_temperature=0.0)
    assert (await status(session, server))["current_temperature"] is None
    assert (await command(session, server, "set_temperature", 21, "NEVERHEARDOF"))[0] == 200
    assert (await status(session, server, "NEVERHEARDOF"))["target_temperature"] == 21.0
    assert (await get(session, server, "/api/devices"))[1]["total"] == 2


async def test_everything_is_available_after_a_restart(session: ClientSession, server: NoLongerEvil) -> None:
    await server.lose(SERIAL)
    before = await status(session, server)
    assert before["is_available"] is False
    await server.restart()
    after = await status(session, server)
    assert after["is_available"] is True
    assert after["last_seen"] > before["last_seen"]


async def test_the_time_it_saw_one_is_its_own_and_says_no_zone(session: ClientSession, server: NoLongerEvil) -> None:
    server.zone = timezone(timedelta(hours=9))
    seen = datetime.fromisoformat((await status(session, server))["last_seen"])
    assert seen.tzinfo is None
    assert abs(seen.replace(tzinfo=server.zone) - datetime.now(UTC)) < timedelta(minutes=1)


async def test_every_trap_can_be_switched_off(session: ClientSession) -> None:
    none = dict.fromkeys(Traps.__slots__, False)
    async with NoLongerEvil(traps=Traps(**none)) as server:
        server.add(SERIAL, current_temperature=0.0)
        assert (await command(session, server, "set_temperature", 60))[0] == 400
        assert (await command(session, server, "set_temperature", 20, "NEVERHEARDOF"))[0] == 400
        await command(session, server, "set_away", value=True)
        told = await status(session, server)
        assert (told["current_temperature"], told["away"], told["is_online"]) == (0.0, True, True)
        assert "api_key" not in told
        assert abs(datetime.fromisoformat(told["last_seen"]) - datetime.now(UTC)) < timedelta(minutes=1)


async def test_events_tell_the_serial_alone_and_only_of_changes(session: ClientSession, server: NoLongerEvil) -> None:
    async with session.get(f"{server.base}/api/events") as stream:
        assert stream.content_type == "text/event-stream"
        await until(lambda: server.open_streams)
        await server.lose(SERIAL)
        await server.report(SERIAL, current_temperature=19.5)
        assert await stream.content.readline() == b'data: {"serial": "%s"}\n' % SERIAL.encode()
        assert await stream.content.readline() == b"\n"


async def test_topics_tell_away_and_availability(session: ClientSession, server: NoLongerEvil, broker: Broker) -> None:
    async with server.on_mqtt(broker), aiomqtt.Client(LOOPBACK, broker.port) as client:
        await client.subscribe("nolongerevil/#")
        heard = Heard(client)
        await heard.until(f"nolongerevil/{SERIAL}/availability", "online")
        await heard.until(f"nolongerevil/{SERIAL}/ha/preset", "home")
        await command(session, server, "set_away", value=True)
        await heard.until(f"nolongerevil/{SERIAL}/ha/preset", "away")
        await server.lose(SERIAL)
        await heard.until(f"nolongerevil/{SERIAL}/availability", "offline")
        await client.publish(f"nolongerevil/{SERIAL}/ha/target_temperature/set", "22.5")
        await heard.until(f"nolongerevil/{SERIAL}/ha/target_temperature", "22.5")
        raw = json.loads(heard.topics[f"nolongerevil/{SERIAL}/shared"])
        assert raw["target_temperature"] == 22.5
        assert not [topic for topic in heard.topics if "structure." in topic or topic.endswith("/structure")]


class Heard:
    """What was heard on topics, the last of each."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.topics: dict[str, str] = {}
        self._messages = aiter(client.messages)

    async def until(self, topic: str, payload: str) -> None:
        async with asyncio.timeout(5):
            while self.topics.get(topic) != payload:
                message = await anext(self._messages)
                assert isinstance(message.payload, bytes)
                self.topics[message.topic.value] = message.payload.decode()


async def until(holds: Any) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.005)
