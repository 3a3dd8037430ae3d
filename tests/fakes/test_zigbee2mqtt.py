"""Zigbee2MQTT's topics on a real broker, by value (sources, section 4)."""

import asyncio
import json
from pathlib import Path

import aiomqtt
import pytest

from tools.errors import ToolError
from tools.fakes import Broker, Detector, Zigbee2Mqtt, broker as broker_module
from tools.fakes.zigbee2mqtt import Form
from tools.ports import LOOPBACK

KITCHEN = "ground floor/kitchen"


async def read(broker: Broker, *topics: str) -> dict[str, str]:
    """Return what a newcomer hears on some topics: the last message of each that is retained."""
    heard: dict[str, str] = {}
    async with aiomqtt.Client(LOOPBACK, broker.port) as client, asyncio.timeout(5):
        for topic in topics:
            await client.subscribe(topic)
        await client.subscribe("read/end", qos=1)
        await client.publish("read/end", "end", qos=1)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            if message.topic.value == "read/end":
                return heard
            heard[message.topic.value] = message.payload.decode()
    return heard


async def test_what_a_newcomer_hears(broker: Broker) -> None:
    async with Zigbee2Mqtt(broker, Detector(KITCHEN, "0x00158d0001d82999")) as zigbee:
        await zigbee.say(KITCHEN, smoke=False)
        heard = await read(broker, "zigbee2mqtt/#")
    assert json.loads(heard["zigbee2mqtt/bridge/state"]) == {"state": "online"}
    assert json.loads(heard[f"zigbee2mqtt/{KITCHEN}/availability"]) == {"state": "online"}
    # Not retained, unless somebody set it so.
    assert f"zigbee2mqtt/{KITCHEN}" not in heard
    coordinator, detector = json.loads(heard["zigbee2mqtt/bridge/devices"])
    assert (coordinator["type"], coordinator["definition"]) == ("Coordinator", None)
    assert (detector["ieee_address"], detector["friendly_name"]) == ("0x00158d0001d82999", KITCHEN)
    exposed = {each["property"]: each for each in detector["definition"]["exposes"]}
    assert exposed["smoke"]["value_on"] is True
    assert exposed.keys() == {"smoke", "battery_low", "battery", "test", "tamper", "linkquality"}


async def test_what_was_never_said_is_null_and_what_was_said_is_said_again(broker: Broker) -> None:
    detector = Detector(KITCHEN, "0x00158d0001d82999", retained=True)
    async with Zigbee2Mqtt(broker, detector) as zigbee:
        await zigbee.say(KITCHEN, smoke=True)
        await zigbee.say(KITCHEN, battery=90)
        heard = await read(broker, f"zigbee2mqtt/{KITCHEN}")
    told = json.loads(heard[f"zigbee2mqtt/{KITCHEN}"])
    assert (told["smoke"], told["battery"], told["test"]) == (True, 90, None)


async def test_it_says_all_again_when_home_assistant_has_started_as_if_it_were_new(broker: Broker) -> None:
    async with (
        Zigbee2Mqtt(broker, Detector(KITCHEN, "0x00158d0001d82999")) as zigbee,
        aiomqtt.Client(LOOPBACK, broker.port) as client,
    ):
        zigbee.repeats_after = 0.0
        await zigbee.say(KITCHEN, smoke=False)
        await client.subscribe(f"zigbee2mqtt/{KITCHEN}")
        await client.publish("homeassistant/status", "online")
        async with asyncio.timeout(5):
            message = await anext(aiter(client.messages))
        assert isinstance(message.payload, bytes)
        assert (json.loads(message.payload)["smoke"], message.retain) == (False, False)


async def test_states_can_be_bare_words(broker: Broker) -> None:
    async with Zigbee2Mqtt(broker, Detector("hall", "0x00158d0001d82999"), base="house/z2m", form=Form.WORD) as zigbee:
        await zigbee.set_available("hall", is_available=False)
        heard = await read(broker, "house/#")
    assert heard["house/z2m/bridge/state"] == "online"
    assert heard["house/z2m/hall/availability"] == "offline"


@pytest.mark.parametrize("how", ["in order", "crash"])
async def test_the_bridge_goes_offline_in_order_or_by_its_will(broker: Broker, how: str) -> None:
    zigbee = Zigbee2Mqtt(broker, Detector("hall", "0x00158d0001d82999"))
    await zigbee.__aenter__()
    await (zigbee.end() if how == "in order" else zigbee.crash())
    async with asyncio.timeout(5):
        while json.loads((await read(broker, "zigbee2mqtt/bridge/state"))["zigbee2mqtt/bridge/state"]) != {
            "state": "offline"
        }:
            await asyncio.sleep(0.01)


async def test_a_renamed_detector_leaves_nothing_under_its_old_name(broker: Broker) -> None:
    async with Zigbee2Mqtt(broker, Detector("hall", "0x00158d0001d82999", retained=True)) as zigbee:
        await zigbee.say("hall", smoke=False)
        await zigbee.rename("hall", "landing")
        heard = await read(broker, "zigbee2mqtt/#")
    assert {topic for topic in heard if "bridge" not in topic} == {
        "zigbee2mqtt/landing",
        "zigbee2mqtt/landing/availability",
    }


async def test_a_broker_comes_back_on_its_port_with_nothing_kept(broker: Broker) -> None:
    async with Zigbee2Mqtt(broker, Detector("hall", "0x00158d0001d82999")):
        await broker.go_away()
        with pytest.raises(aiomqtt.MqttError):
            await read(broker, "#")
        await broker.come_back()
        async with asyncio.timeout(5):
            while "zigbee2mqtt/bridge/devices" not in await read(broker, "#"):
                await asyncio.sleep(0.01)


async def test_to_a_broker_that_comes_back_only_what_is_kept_is_said_anew(broker: Broker) -> None:
    detectors = Detector("hall", "0x00158d0001d82999"), Detector("attic", "0x00158d0001d8299a", retained=True)
    async with Zigbee2Mqtt(broker, *detectors) as zigbee:
        for name in ("hall", "attic"):
            await zigbee.say(name, smoke=False)
        await broker.go_away()
        await broker.come_back()
        heard: list[str] = []
        async with aiomqtt.Client(LOOPBACK, broker.port) as client, asyncio.timeout(5):
            await client.subscribe("zigbee2mqtt/#")
            async for message in client.messages:
                heard.append(message.topic.value)
                if message.topic.value == "zigbee2mqtt/attic":
                    break
    assert "zigbee2mqtt/hall/availability" in heard
    assert "zigbee2mqtt/hall" not in heard


async def test_a_broker_can_ask_for_a_sign_in(broker: Broker, tmp_path: Path) -> None:
    async with Broker(tmp_path / "locked", sign_in=("nest", "not to be told")) as locked:
        with pytest.raises(aiomqtt.MqttError):
            await read(locked, "#")
        async with aiomqtt.Client(LOOPBACK, locked.port, username="nest", password="not to be told"):
            pass
    assert "not to be told" not in (tmp_path / "locked" / "mosquitto.passwords").read_text()


async def test_where_there_is_no_mosquitto_one_sentence_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "find_mosquitto", lambda *_: None)
    with pytest.raises(ToolError, match="apt-get install mosquitto"):
        await Broker(tmp_path).start()
