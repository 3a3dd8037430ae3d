"""Detectors on a real broker: what they say, what they leave out, and whatever can go wrong on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
import json
from pathlib import Path
import socket
from typing import Any

from hypothesis import given, settings as hypothesis_settings, strategies as st
import pytest

from tools.fakes import Broker, Detector, Zigbee2Mqtt, find_mosquitto
from tools.fakes.zigbee2mqtt import CO_DETECTOR, SMOKE_DETECTOR, Form
from wwn_server.document import ALARMS, STRUCTURES, Thing
from wwn_server.errors import WireError
from wwn_server.homes.merged import MergedHome
from wwn_server.homes.source import Device, Failure
from wwn_server.homes.sources.broker import Login
from wwn_server.homes.sources.detector import REPEATS, Detector as Heard, Profile, moment_of, truth
from wwn_server.homes.sources.mqtt_alarms import AlarmSettings, MqttAlarms, profiles_of
from wwn_server.homes.sources.reach import MQTT, address
from wwn_server.store import Store

from .certificates import make
from .conftest import NOON, Clock
from .scripted import ScriptedSource, heater
from .waiting import until

pytestmark = pytest.mark.skipif(find_mosquitto() is None, reason="Mosquitto is not installed")

HALL = "0x00158d0001a2b3c4"
CELLAR = "0x00158d0001a2b3c5"
NOON_ON_THE_WIRE = "2026-11-24T12:00:00.000Z"
BOTH = (*SMOKE_DETECTOR, "carbon_monoxide")


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    async with Broker(tmp_path / "broker") as broker:
        yield broker


def settings_for(broker: Broker, **options: Any) -> AlarmSettings:
    return AlarmSettings(login=Login(address(broker.address, MQTT), *(broker.sign_in or ())), **options)


class Watched:
    """A source at a broker, in a home beside a thermostat of another."""

    def __init__(self, broker: Broker, store: Store, clock: Clock, **options: Any) -> None:
        self.clock = clock
        self.source = MqttAlarms(settings_for(broker, **options), clock.now)
        other = ScriptedSource(heater("t"))
        self.home = MergedHome(store.server_id, store.devices, store.memory("home"), {"m": self.source, "o": other})

    def alarm(self, name: str = "Hall") -> Thing:
        return next((each for each in self.home.document.group(ALARMS).values() if each["name"] == name), {})

    @property
    def structure(self) -> Thing:
        (structure,) = self.home.document.group(STRUCTURES).values()
        return structure

    async def shows(self, name: str = "Hall", **fields: object) -> Thing:
        """Wait until an alarm shows this; None stands for nothing."""
        await until(self.home, lambda: {each: self.alarm(name).get(each) for each in fields} == fields)
        return self.alarm(name)

    async def finds(self, name: str = "Hall") -> Thing:
        """Wait until a detector is listed, and whatever it says from now on is heard."""
        await until(self.home, lambda: follows(self.source, name) and self.alarm(name))
        return self.alarm(name)

    async def later(self, **time: float) -> None:
        self.clock.seconds += timedelta(**time).total_seconds()
        self.source.look()


def follows(source: MqttAlarms, name: str = "Hall") -> bool:
    """Say whether what a detector says from now on is heard."""
    return {f"zigbee2mqtt/{name}", f"zigbee2mqtt/{name}/availability"} <= source._broker.following


@asynccontextmanager
async def watching(broker: Broker, store: Store, clock: Clock, **options: Any) -> AsyncIterator[Watched]:
    """Watch since long enough that nothing the bridge may repeat is still awaited."""
    watched = Watched(broker, store, clock, **options)
    clock.seconds -= REPEATS.total_seconds()
    await watched.home.start()
    try:
        await until(watched.home, lambda: watched.source._connected)
        clock.seconds += REPEATS.total_seconds()
        yield watched
    finally:
        await watched.home.stop()


@pytest.fixture
async def bridge(broker: Broker) -> AsyncIterator[Zigbee2Mqtt]:
    hall = Detector("Hall", HALL, properties=BOTH, state={"smoke": False, "carbon_monoxide": False, "test": False})
    async with Zigbee2Mqtt(broker, hall) as bridge:
        yield bridge


@pytest.fixture
async def watched(broker: Broker, bridge: Zigbee2Mqtt, store: Store, clock: Clock) -> AsyncIterator[Watched]:
    """A home that has found its detector; nobody has said anything since."""
    async with watching(broker, store, clock) as watched:
        await watched.finds()
        yield watched


class TestZigbee2Mqtt:
    async def test_a_detector_is_an_alarm_once_it_has_said_something(
        self, watched: Watched, bridge: Zigbee2Mqtt
    ) -> None:
        silent = watched.alarm()
        assert silent["is_online"] is False
        assert not silent.keys() & {"smoke_alarm_state", "co_alarm_state", "battery_health", "last_connection"}
        assert "smoke_alarm_state" not in watched.structure
        await bridge.say("Hall", battery_low=False)
        alarm = await watched.shows(is_online=True)
        assert (alarm["smoke_alarm_state"], alarm["co_alarm_state"], alarm["battery_health"]) == ("ok", "ok", "ok")
        assert (alarm["is_manual_test_active"], alarm["ui_color_state"]) == (False, "green")
        assert alarm["last_connection"] == NOON_ON_THE_WIRE
        assert (watched.structure["smoke_alarm_state"], watched.structure["co_alarm_state"]) == ("ok", "ok")

    async def test_a_binary_detector_knows_no_warning(self, watched: Watched, bridge: Zigbee2Mqtt) -> None:
        await bridge.say("Hall", smoke=True, battery_low=True)
        alarm = await watched.shows(smoke_alarm_state="emergency")
        assert (alarm["co_alarm_state"], alarm["battery_health"], alarm["ui_color_state"]) == ("ok", "replace", "red")
        assert watched.structure["smoke_alarm_state"] == "emergency"
        await bridge.say("Hall", smoke=False, carbon_monoxide=True)
        alarm = await watched.shows(co_alarm_state="emergency")
        assert alarm["smoke_alarm_state"] == "ok"

    async def test_a_detector_of_one_thing_says_nothing_of_the_other(
        self, watched: Watched, bridge: Zigbee2Mqtt
    ) -> None:
        await bridge.say("Hall", smoke=False)
        await bridge.add(Detector("Cellar", CELLAR, properties=CO_DETECTOR, state={"carbon_monoxide": False}))
        await watched.finds("Cellar")
        await bridge.say("Cellar", carbon_monoxide=False)
        cellar = await watched.shows("Cellar", is_online=True)
        assert ("smoke_alarm_state" in cellar, cellar["ui_color_state"]) == (False, "green")
        # It is not asked about smoke, so the home is calm.
        await watched.shows(is_online=True)
        assert (watched.structure["smoke_alarm_state"], watched.structure["co_alarm_state"]) == ("ok", "ok")

    async def test_what_is_no_alarm_is_left_out(self, watched: Watched, bridge: Zigbee2Mqtt) -> None:
        await bridge.add(Detector("Window", "0x00158d0001a2b3c6", properties=("contact", "battery_low")))
        await bridge.add(Detector("Old", "0x00158d0001a2b3c7", disabled=True))
        await bridge.say("Hall", smoke=True)
        await watched.shows(smoke_alarm_state="emergency")
        assert len(watched.home.document.group(ALARMS)) == 1

    async def test_a_value_that_is_null_is_not_known(self, watched: Watched, bridge: Zigbee2Mqtt) -> None:
        await bridge.say("Hall", smoke=False)
        await watched.shows(smoke_alarm_state="ok")
        await bridge.say("Hall", smoke=None)
        alarm = await watched.shows(smoke_alarm_state=None)
        assert (alarm["co_alarm_state"], alarm["ui_color_state"]) == ("ok", "gray")
        assert "smoke_alarm_state" not in watched.structure

    @pytest.mark.parametrize("form", list(Form))
    async def test_availability_is_heard_in_both_its_forms(
        self, broker: Broker, store: Store, clock: Clock, form: Form
    ) -> None:
        async with (
            Zigbee2Mqtt(broker, Detector("Hall", HALL), form=form) as bridge,
            watching(broker, store, clock) as watched,
        ):
            await watched.finds()
            await bridge.say("Hall", smoke=False)
            await watched.shows(is_online=True)
            await bridge.set_available("Hall", is_available=False)
            alarm = await watched.shows(is_online=False)
            assert (alarm["smoke_alarm_state"], alarm["ui_color_state"]) == ("ok", "gray")
            assert "smoke_alarm_state" not in watched.structure
            # It is said to be silent, so no time of ours makes it otherwise.
            await bridge.set_available("Hall", is_available=True)
            await watched.shows(is_online=True)
            await watched.later(hours=48)
            assert watched.alarm()["is_online"] is True

    async def test_a_word_of_availability_that_nobody_knows_is_not_online(
        self, watched: Watched, bridge: Zigbee2Mqtt
    ) -> None:
        await bridge.say("Hall", smoke=False)
        await watched.shows(is_online=True)
        await bridge.publish_raw("Hall/availability", '{"state": "sleepy"}')
        await watched.shows(is_online=False)

    async def test_a_renamed_detector_is_the_same(self, watched: Watched, bridge: Zigbee2Mqtt) -> None:
        await bridge.say("Hall", smoke=False)
        before = await watched.shows(is_online=True)
        await bridge.rename("Hall", "Upstairs/Hall")
        await watched.finds("Upstairs/Hall")
        await bridge.say("Upstairs/Hall", smoke=False)
        alarm = await watched.shows("Upstairs/Hall", is_online=True)
        assert alarm["device_id"] == before["device_id"]
        await bridge.say("Upstairs/Hall", smoke=True)
        await watched.shows("Upstairs/Hall", smoke_alarm_state="emergency")
        assert len(watched.home.document.group(ALARMS)) == 1

    async def test_another_detector_under_an_old_name_is_another(self, watched: Watched, bridge: Zigbee2Mqtt) -> None:
        await bridge.say("Hall", smoke=True)
        before = await watched.shows(smoke_alarm_state="emergency")
        await bridge.replace("Hall", CELLAR)
        await until(watched.home, lambda: watched.alarm().get("device_id") != before["device_id"])
        # Nothing that the old one said is true of the new one.
        assert (watched.alarm()["is_online"], "smoke_alarm_state" in watched.alarm()) == (False, False)

    async def test_a_removed_detector_is_gone_and_comes_back_as_itself(
        self, watched: Watched, bridge: Zigbee2Mqtt
    ) -> None:
        key = watched.alarm()["device_id"]
        await bridge.remove("Hall")
        await until(watched.home, lambda: not watched.home.document.group(ALARMS))
        await bridge.add(Detector("Hall", HALL))
        await watched.finds()
        assert watched.alarm()["device_id"] == key

    async def test_nothing_can_be_written(self, watched: Watched) -> None:
        with pytest.raises(WireError, match="Not writable"):
            await watched.source.write(HALL, {"label": "x"})
        with pytest.raises(WireError, match="Not writable"):
            await watched.source.write_home({"away": "away"})


class TestKeptByTheBroker:
    async def test_that_the_bridge_is_there_is_not_believed_forever_when_the_broker_alone_says_so(
        self, broker: Broker, store: Store, clock: Clock
    ) -> None:
        hall = Detector("Hall", HALL, state={"smoke": False}, retained=True)
        async with Zigbee2Mqtt(broker, hall):
            pass
        async with other_publisher(broker) as publish:
            # As after the machine of both lost its power, and only the broker came back, with all it had.
            await publish("zigbee2mqtt/bridge/state", "online", retain=True, qos=1)
            async with watching(broker, store, clock) as watched:
                await watched.shows(is_online=True)
                await watched.later(hours=24, minutes=58)
                assert watched.alarm()["is_online"] is True
                await watched.later(minutes=1)
                assert watched.alarm()["is_online"] is False
                assert watched.source.report.trouble is Failure.BRIDGE
                await publish("zigbee2mqtt/bridge/health", "{}")
                await watched.shows(is_online=True)
                await watched.later(hours=48)
                assert watched.alarm()["is_online"] is True


class TestWithoutAvailability:
    @pytest.fixture
    async def bridge(self, broker: Broker) -> AsyncIterator[Zigbee2Mqtt]:
        async with Zigbee2Mqtt(broker, Detector("Hall", HALL), has_availability=False) as bridge:
            yield bridge

    async def test_a_detector_is_offline_25_hours_after_its_last_word(
        self, watched: Watched, bridge: Zigbee2Mqtt
    ) -> None:
        await bridge.say("Hall", smoke=False)
        await watched.shows(is_online=True)
        await watched.later(hours=24, minutes=59)
        assert watched.alarm()["is_online"] is True
        await watched.later(minutes=1)
        alarm = watched.alarm()
        assert (alarm["is_online"], alarm["last_connection"]) == (False, NOON_ON_THE_WIRE)
        await bridge.say("Hall", smoke=False)
        await watched.shows(is_online=True, last_connection="2026-11-25T13:00:00.000Z")

    async def test_the_hours_can_be_set(self, broker: Broker, bridge: Zigbee2Mqtt, store: Store, clock: Clock) -> None:
        async with watching(broker, store, clock, silence=timedelta(hours=2)) as watched:
            await watched.finds()
            await bridge.say("Hall", smoke=False)
            await watched.shows(is_online=True)
            await watched.later(hours=2)
            assert watched.alarm()["is_online"] is False

    async def test_time_alone_takes_it_offline_by_itself(
        self, broker: Broker, bridge: Zigbee2Mqtt, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("wwn_server.homes.sources.mqtt_alarms.REPEATS", timedelta())
        source = MqttAlarms(settings_for(broker, silence=timedelta(seconds=0.3)))
        await source.start()
        try:
            await until(source, lambda: follows(source))
            await bridge.say("Hall", smoke=False)
            online: list[bool] = []
            source.subscribe(lambda: online.append(device_of(source).online))
            await until(source, lambda: online[-2:] == [True, False])
        finally:
            await source.stop()

    async def test_what_the_bridge_repeats_at_its_start_is_no_younger(
        self, watched: Watched, bridge: Zigbee2Mqtt
    ) -> None:
        await bridge.say("Hall", smoke=False)
        await watched.shows(is_online=True)
        await watched.later(hours=20)
        await bridge.crash()
        await watched.shows(is_online=False)
        await bridge.come_back()
        await watched.shows(is_online=True, last_connection=NOON_ON_THE_WIRE)
        await watched.later(hours=5)
        assert watched.alarm()["is_online"] is False
        await bridge.say("Hall", smoke=False)
        await watched.shows(is_online=True, last_connection="2026-11-25T13:00:00.000Z")

    async def test_what_the_bridge_repeats_for_home_assistant_is_no_younger(
        self, watched: Watched, bridge: Zigbee2Mqtt, broker: Broker
    ) -> None:
        bridge.repeats_after = 0.0
        await bridge.say("Hall", smoke=False)
        await watched.shows(is_online=True)
        await watched.later(hours=20)
        # What makes the repetition known here.
        bridge.detectors["Hall"].state["battery_low"] = True
        async with other_publisher(broker) as publish:
            await publish("homeassistant/status", "online")
        await watched.shows(battery_health="replace", last_connection=NOON_ON_THE_WIRE)
        await watched.later(hours=5)
        assert watched.alarm()["is_online"] is False

    async def test_what_the_bridge_repeats_under_a_new_name_is_no_younger(
        self, watched: Watched, bridge: Zigbee2Mqtt
    ) -> None:
        await bridge.say("Hall", smoke=False)
        await watched.shows(is_online=True)
        await watched.later(hours=20)
        await bridge.rename("Hall", "Stairs")
        await watched.finds("Stairs")
        bridge.detectors["Stairs"].state["battery_low"] = True
        await bridge._repeat(0.0)
        await watched.shows("Stairs", battery_health="replace", last_connection=NOON_ON_THE_WIRE)

    async def test_right_after_connecting_nobody_knows_what_is_repeated_but_an_alarm_is_one(
        self, watched: Watched, bridge: Zigbee2Mqtt
    ) -> None:
        watched.source.connected()
        await bridge.say("Hall", smoke=False)
        alarm = await watched.shows(smoke_alarm_state="ok")
        assert (alarm["is_online"], "last_connection" in alarm) == (False, False)
        await bridge.say("Hall", smoke=True)
        await watched.shows(smoke_alarm_state="emergency", is_online=True, last_connection=NOON_ON_THE_WIRE)
        await watched.later(seconds=59)
        await bridge.say("Hall", smoke=True, battery_low=True)
        await watched.shows(battery_health="replace", last_connection=NOON_ON_THE_WIRE)
        await watched.later(seconds=1)
        await bridge.say("Hall", smoke=False)
        await watched.shows(smoke_alarm_state="ok", last_connection="2026-11-24T12:01:00.000Z")

    async def test_what_the_broker_kept_is_of_no_known_age(self, broker: Broker, store: Store, clock: Clock) -> None:
        async with Zigbee2Mqtt(broker, Detector("Attic", CELLAR, retained=True), has_availability=False) as bridge:
            await bridge.say("Attic", smoke=True)
            async with watching(broker, store, clock) as watched:
                alarm = await watched.shows("Attic", smoke_alarm_state="emergency")
                assert (alarm["is_online"], "last_connection" in alarm) == (False, False)
                assert watched.structure["smoke_alarm_state"] == "emergency"

    async def test_what_the_broker_kept_may_say_its_age_itself(
        self, broker: Broker, store: Store, clock: Clock
    ) -> None:
        async with Zigbee2Mqtt(broker, Detector("Attic", CELLAR, retained=True), has_availability=False) as bridge:
            await bridge.say("Attic", smoke=False, last_seen="2026-11-24T09:30:00+00:00")
            async with watching(broker, store, clock) as watched:
                await watched.shows("Attic", is_online=True, last_connection="2026-11-24T09:30:00.000Z")
                # Said again after a restart of Zigbee2MQTT, it is no younger.
                await bridge.say("Attic", smoke=False)
                await watched.later(hours=23)
                assert watched.alarm("Attic")["is_online"] is False


def device_of(source: MqttAlarms) -> Device:
    assert source.report.devices is not None
    return source.report.devices[0]


class TestFaults:
    async def test_without_the_broker_every_detector_is_offline_and_nobody_else(
        self, watched: Watched, bridge: Zigbee2Mqtt, broker: Broker
    ) -> None:
        await bridge.say("Hall", smoke=False)
        await watched.shows(is_online=True)
        await broker.go_away()
        alarm = await watched.shows(is_online=False)
        assert (alarm["smoke_alarm_state"], alarm["last_connection"]) == ("ok", NOON_ON_THE_WIRE)
        assert "smoke_alarm_state" not in watched.structure
        (thermostat,) = watched.home.document.group("thermostats").values()
        assert thermostat["is_online"] is True
        await watched.later(hours=1)
        await broker.come_back()
        await until(watched.home, lambda: watched.source.report.reachable)
        await watched.later(minutes=1)
        await bridge.say("Hall", smoke=False)
        await watched.shows(is_online=True, last_connection="2026-11-24T13:01:00.000Z")

    async def test_what_may_have_been_missed_while_the_broker_was_gone_is_not_taken_for_so(
        self, watched: Watched, bridge: Zigbee2Mqtt, broker: Broker
    ) -> None:
        await bridge.say("Hall", smoke=False)
        await watched.shows(is_online=True)
        bridge.detectors["Hall"].state.clear()
        await broker.go_away()
        await watched.shows(is_online=False)
        await broker.come_back()
        await until(watched.home, lambda: watched.source.report.reachable)
        # The bridge is back, and the detector has not said a word since.
        assert watched.alarm()["is_online"] is False
        await bridge.say("Hall", smoke=True)
        await watched.shows(is_online=True, smoke_alarm_state="emergency")

    async def test_a_broker_that_hangs_is_given_up(
        self, watched: Watched, bridge: Zigbee2Mqtt, broker: Broker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("wwn_server.homes.sources.broker._KEEP_ALIVE_SECONDS", 1)
        async with watching(broker, watched_store(watched), watched.clock) as other:
            await other.finds()
            await bridge.say("Hall", smoke=False)
            await other.shows(is_online=True)
            broker.freeze()
            try:
                await other.shows(is_online=False)
            finally:
                broker.thaw()
            await bridge.say("Hall", smoke=False)
            await until(other.home, lambda: other.source.report.reachable)

    @pytest.mark.parametrize("rudely", [False, True])
    async def test_without_the_bridge_every_detector_is_offline(
        self, watched: Watched, bridge: Zigbee2Mqtt, *, rudely: bool
    ) -> None:
        await bridge.say("Hall", smoke=False)
        await watched.shows(is_online=True)
        await (bridge.crash() if rudely else bridge.end())
        await watched.shows(is_online=False)
        assert watched.source.report.trouble is Failure.BRIDGE
        await bridge.come_back()
        await watched.shows(is_online=True)
        assert watched.source.report.trouble is None

    @pytest.mark.parametrize(
        "payload",
        [b"", b"{", b"\xff\xfe", b"5", b'"on"', b"null", b"<html>", b'{"smoke": {"a": [1]}' * 3, b"[" * 5000],
    )
    async def test_garbage_changes_nothing(
        self, watched: Watched, bridge: Zigbee2Mqtt, caplog: pytest.LogCaptureFixture, payload: bytes
    ) -> None:
        await bridge.say("Hall", smoke=False)
        await watched.shows(is_online=True)
        await watched.later(hours=1)
        for topic in ("Hall", "bridge/devices"):
            await bridge.publish_raw(topic, payload)
        await bridge.publish_raw("bridge/logging", payload)
        await bridge.set_available("Hall", is_available=False)
        # In order, so the garbage was heard before.
        alarm = await watched.shows(is_online=False)
        assert alarm["last_connection"] == NOON_ON_THE_WIRE
        assert (alarm["smoke_alarm_state"], alarm["co_alarm_state"]) == ("ok", "ok")
        assert "html" not in caplog.text

    @pytest.mark.parametrize("word", ["chirping", 7, [True], {"state": "on"}, "SMOKE!"])
    async def test_a_word_that_nobody_knows_is_a_warning_and_is_logged(
        self, watched: Watched, bridge: Zigbee2Mqtt, caplog: pytest.LogCaptureFixture, word: object
    ) -> None:
        await bridge.say("Hall", smoke=word)
        await watched.shows(smoke_alarm_state="warning", is_online=True)
        assert watched.structure["smoke_alarm_state"] == "warning"
        assert "nobody knows" in caplog.text

    async def test_a_broker_that_does_not_want_us_is_a_failure_of_its_own_and_the_password_stays_secret(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        async with Broker(tmp_path / "strict", sign_in=("anna", "right-secret")) as broker:
            login = Login(address(broker.address, MQTT), "anna", "wrong-secret")
            source = MqttAlarms(AlarmSettings(login=login))
            await source.start()
            try:
                await until(source, lambda: source.report.trouble)
                assert source.report.trouble is Failure.CREDENTIALS
                assert "wrong-secret" not in caplog.text + repr(source._settings)
            finally:
                await source.stop()
            good = MqttAlarms(settings_for(broker))
            await good.start()
            try:
                await until(good, lambda: good._connected)
            finally:
                await good.stop()

    @pytest.mark.parametrize(
        ("place", "found", "failure"),
        [
            ("mqtt://127.0.0.1:9", None, Failure.NOBODY),
            ("mqtt://nowhere.invalid", socket.gaierror(), Failure.UNKNOWN_NAME),
            ("mqtt://nowhere.invalid", TimeoutError(), Failure.TOO_SLOW),
            ("mqtt://nowhere.invalid", "169.254.1.1", Failure.FORBIDDEN),
            ("mqtt://nowhere.invalid", "fe80::1%eth0", Failure.FORBIDDEN),
            ("mqtt://nowhere.invalid", "::169.254.1.1", Failure.FORBIDDEN),
            ("mqtt://nowhere.invalid", "64:ff9b::a9fe:101", Failure.FORBIDDEN),
            ("mqtt://nowhere.invalid", "2002:a9fe:101::1", Failure.FORBIDDEN),
            ("mqtt://nowhere.invalid", UnicodeError(), Failure.FAULT),
        ],
    )
    async def test_what_keeps_it_from_a_broker_is_told_apart(
        self, monkeypatch: pytest.MonkeyPatch, place: str, found: object, failure: Failure
    ) -> None:
        async def look_up(*_: object, **__: object) -> list[tuple[object, ...]]:
            if isinstance(found, Exception):
                raise found
            return [(socket.AF_INET, 1, 6, "", (found, 1883))]

        if found is not None:
            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
        source = MqttAlarms(AlarmSettings(login=Login(address(place, MQTT))))
        await source.start()
        try:
            await until(source, lambda: source.report.trouble)
            assert (source.report.trouble, source.report.devices) == (failure, None)
        finally:
            await source.stop()


@pytest.fixture
async def found_once(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads to the broker. Whoever looked it up once more, in a thread of theirs, would find nobody."""

    async def look_up(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, 1, 6, "", ("127.0.0.1", broker.port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)


async def reached(place: str) -> Failure | None:
    """Return why a broker can't be reached, nothing where it can."""
    source = MqttAlarms(AlarmSettings(login=Login(address(place, MQTT))))
    await source.start()
    try:
        await until(source, lambda: source._connected or source.report.trouble)
        return source.report.trouble
    finally:
        await source.stop()


@pytest.mark.usefixtures("found_once")
async def test_a_broker_is_reached_at_the_address_that_was_judged(broker: Broker) -> None:
    assert await reached(f"mqtt://nowhere.invalid:{broker.port}") is None


@pytest.mark.parametrize(("hangs_up", "failure"), [(False, Failure.TOO_SLOW), (True, Failure.CERTIFICATE)])
async def test_who_speaks_no_tls_is_given_up_soon_and_said_to(
    monkeypatch: pytest.MonkeyPatch, *, hangs_up: bool, failure: Failure
) -> None:
    async def be_there(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not hangs_up:
            await reader.read()
        writer.close()

    monkeypatch.setattr("wwn_server.homes.sources.broker.SECONDS", 0.3)
    async with await asyncio.start_server(be_there, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await reached(f"mqtts://127.0.0.1:{port}") is failure


class TestWithACertificate:
    @pytest.fixture
    async def broker(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Broker]:
        pair = make(tmp_path, host="broker.invalid")
        monkeypatch.setenv("SSL_CERT_FILE", str(pair.certificate))
        async with Broker(tmp_path / "broker", certificate=(pair.certificate, pair.key)) as broker:
            yield broker

    @pytest.mark.usefixtures("found_once")
    async def test_it_is_reached_at_the_address_that_was_judged_and_has_to_be_for_its_name(
        self, broker: Broker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert await reached(f"mqtts://broker.invalid:{broker.port}") is None
        for another in ("other.invalid", "127.0.0.1"):
            assert await reached(f"mqtts://{another}:{broker.port}") is Failure.CERTIFICATE
        monkeypatch.delenv("SSL_CERT_FILE")
        assert await reached(f"mqtts://broker.invalid:{broker.port}") is Failure.CERTIFICATE


def watched_store(watched: Watched) -> Any:
    """Return a store that another home may use beside this one."""
    keeper = watched.home._keeper

    class Beside:
        server_id = watched.home._server_id
        devices = keeper

        def memory(self, _: str) -> object:
            return watched.home._memory

    return Beside()


class TestManualTest:
    async def test_smoke_beside_a_test_is_held_back_and_passed_on_after_three_minutes(
        self, watched: Watched, bridge: Zigbee2Mqtt
    ) -> None:
        await bridge.say("Hall", smoke=False)
        await watched.shows(smoke_alarm_state="ok")
        await bridge.say("Hall", smoke=True, test=True)
        alarm = await watched.shows(is_manual_test_active=True)
        assert alarm["smoke_alarm_state"] == "ok"
        await watched.later(seconds=179)
        assert watched.alarm()["smoke_alarm_state"] == "ok"
        # Said once more, the test did not begin anew.
        await bridge.say("Hall", battery_low=True)
        await watched.shows(battery_health="replace", smoke_alarm_state="ok")
        await watched.later(seconds=1)
        assert watched.alarm()["smoke_alarm_state"] == "emergency"

    async def test_smoke_that_outlasts_the_test_is_passed_on_with_its_end(
        self, watched: Watched, bridge: Zigbee2Mqtt
    ) -> None:
        await bridge.say("Hall", smoke=False)
        await bridge.say("Hall", smoke=True, test=True)
        await watched.shows(is_manual_test_active=True, smoke_alarm_state="ok")
        await bridge.say("Hall", test=False)
        await watched.shows(is_manual_test_active=False, smoke_alarm_state="emergency")

    async def test_smoke_from_before_the_test_is_not_hushed_by_it(self, watched: Watched, bridge: Zigbee2Mqtt) -> None:
        await bridge.say("Hall", smoke=True)
        await watched.shows(smoke_alarm_state="emergency")
        await bridge.say("Hall", test=True)
        await watched.shows(is_manual_test_active=True, smoke_alarm_state="emergency")

    async def test_a_test_whose_begin_nobody_saw_holds_nothing_back(
        self, broker: Broker, store: Store, clock: Clock
    ) -> None:
        async with Zigbee2Mqtt(broker, Detector("Attic", CELLAR, retained=True)) as bridge:
            await bridge.say("Attic", smoke=True, test=True)
            async with watching(broker, store, clock) as watched:
                await watched.shows("Attic", is_online=True, smoke_alarm_state="emergency")

    def test_a_test_that_began_while_nobody_listened_holds_nothing_back(self) -> None:
        calm = Heard(profile=Profile(key="k", topic="t")).told({"smoke": False}, NOON, retained=False)
        later = NOON + timedelta(hours=2)
        tested = calm.missed().told({"smoke": True, "test": True}, later, retained=False)
        assert tested.device(later, timedelta(hours=25)).fields["smoke_alarm_state"] == "emergency"

    async def test_three_minutes_pass_by_themselves(
        self, broker: Broker, bridge: Zigbee2Mqtt, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for place in ("held", "sources.detector"):
            monkeypatch.setattr(f"wwn_server.homes.{place}.LONGEST", timedelta(seconds=0.3))
        source = MqttAlarms(settings_for(broker))
        await source.start()
        try:
            await until(source, lambda: follows(source))
            await bridge.say("Hall", smoke=False)
            await until(source, lambda: device_of(source).fields.get("smoke_alarm_state") == "ok")
            await bridge.say("Hall", smoke=True, test=True)
            await until(source, lambda: device_of(source).fields["smoke_alarm_state"] == "emergency")
            assert device_of(source).fields["is_manual_test_active"] is True
        finally:
            await source.stop()


class TestOtherShapes:
    async def test_topics_and_field_names_can_be_any(
        self, broker: Broker, bridge: Zigbee2Mqtt, store: Store, clock: Clock
    ) -> None:
        options = {"topics": ("house/attic",), "smoke": "fumes", "co": "gas", "battery": "weak"}
        async with watching(broker, store, clock, **options) as watched:
            assert watched.alarm("attic")["is_online"] is False
            await until(watched.home, lambda: watched.source.report.reachable)
            said = {"fumes": "ON", "gas": 0, "weak": "1"}
            async with other_publisher(broker) as publish:
                await publish("house/attic", json.dumps(said))
                alarm = await watched.shows("attic", is_online=True)
                levels = (alarm["smoke_alarm_state"], alarm["co_alarm_state"], alarm["battery_health"])
                assert levels == ("emergency", "ok", "replace")
                await publish("house/attic/availability", "offline")
                await watched.shows("attic", is_online=False)
            # What a bridge lists is another's.
            assert len(watched.home.document.group(ALARMS)) == 1

    async def test_topics_of_a_bridge_are_offline_without_it_and_others_are_not(
        self, broker: Broker, bridge: Zigbee2Mqtt, store: Store, clock: Clock
    ) -> None:
        options = {"topics": ("zigbee2mqtt/Hall", "attic")}
        async with watching(broker, store, clock, **options) as watched, other_publisher(broker) as say:
            await until(watched.home, lambda: watched.source.report.reachable)
            await bridge.say("Hall", smoke=False)
            await say("attic", '{"smoke": false}')
            await watched.shows("Hall", is_online=True)
            await watched.shows("attic", is_online=True)
            await bridge.crash()
            await watched.shows("Hall", is_online=False)
            assert watched.alarm("attic")["is_online"] is True
            await bridge.come_back()
            await watched.shows("Hall", is_online=True)

    async def test_one_topic_at_two_brokers_is_two_detectors(self, store: Store) -> None:
        places = [Login(address(f"mqtt://{name}", MQTT)) for name in ("a", "b")]
        sources = [MqttAlarms(AlarmSettings(login=each, topics=("attic",))) for each in places]
        home = MergedHome(store.server_id, store.devices, store.memory("home"), dict(zip("ab", sources, strict=True)))
        assert len(home.document.group(ALARMS)) == 2

    async def test_a_detector_has_only_the_fields_that_are_named(
        self, broker: Broker, bridge: Zigbee2Mqtt, store: Store, clock: Clock
    ) -> None:
        async with (
            watching(broker, store, clock, topics=("attic",), battery="") as watched,
            other_publisher(broker) as say,
        ):
            await until(watched.home, lambda: watched.source.report.reachable)
            await say("attic", '{"smoke": false, "carbon_monoxide": true, "battery_low": true}')
            alarm = await watched.shows("attic", is_online=True, smoke_alarm_state="ok")
            assert not alarm.keys() & {"co_alarm_state", "battery_health"}
            assert "co_alarm_state" not in watched.structure


@asynccontextmanager
async def other_publisher(broker: Broker) -> AsyncIterator[Any]:
    other = Zigbee2Mqtt(broker, base="somewhere-else")
    async with other:
        yield other._client.publish


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
LISTED = st.dictionaries(
    st.sampled_from(["ieee_address", "friendly_name", "definition", "exposes", "disabled", "property"]), JSON
)


@hypothesis_settings(max_examples=60)
@given(st.lists(LISTED | JSON, max_size=4))
def test_any_list_of_devices_can_be_read(listed: list[Any]) -> None:
    assert [each for each in profiles_of(listed, "zigbee2mqtt") if not each.fields] == []


def test_parts_within_parts_are_looked_into_but_not_without_end() -> None:
    def listed(depth: int) -> dict[str, Any]:
        exposes: dict[str, Any] = {"property": "smoke"}
        for _ in range(depth):
            exposes = {"type": "composite", "features": [exposes]}
        return {"ieee_address": HALL, "friendly_name": "Hall", "definition": {"exposes": [exposes]}}

    assert len(list(profiles_of([listed(2)], "z"))) == 1
    assert list(profiles_of([listed(900)], "z")) == []
    assert list(profiles_of([listed(0) | {"friendly_name": "all/#"}], "z")) == []


@hypothesis_settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.dictionaries(st.sampled_from(["smoke", "test", "last_seen"]), JSON), st.booleans()), max_size=6
    )
)
def test_no_message_makes_ok_of_what_is_not_known(messages: list[tuple[dict[str, Any], bool]]) -> None:
    detector = Heard(profile=Profile(key="k", topic="t"))
    for message, retained in messages:
        detector = detector.told(message, NOON, retained=retained)
        device = detector.device(NOON, timedelta(hours=25))
        said = str(detector.said.get("smoke")).strip().lower()
        if device.fields.get("smoke_alarm_state") == "ok" and not detector.test:
            assert said in {"false", "off", "0", "no", "clear", "ok", "normal"}
        assert device.heard is None or device.heard <= NOON


@pytest.mark.parametrize("said", ["2026-11-24T12:00:00", "2031-01-01T00:00:00Z", 1e13, "yesterday"])
def test_a_time_that_tells_nothing_makes_what_was_kept_no_younger(said: object) -> None:
    profile = Profile(key="k", topic="t")
    kept = Heard(profile=profile).told({"smoke": False, "last_seen": said}, NOON, retained=True)
    live = Heard(profile=profile).told({"smoke": False, "last_seen": said}, NOON, retained=False)
    assert (kept.heard, live.heard) == (None, NOON)


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2026-11-24T12:00:00Z", "2026-11-24T12:00:00+00:00"),
        ("2026-11-24T13:00:00+01:00", "2026-11-24T12:00:00+00:00"),
        ("2026-11-24T12:00:00", None),
        (1795521600000, "2026-11-24T12:00:00+00:00"),
        (1795521600, "2026-11-24T12:00:00+00:00"),
        ("yesterday", None),
        (True, None),
        (1e300, None),
        (float("nan"), None),
        (None, None),
    ],
)
def test_moments_are_read_in_all_the_ways_they_are_written(said: object, moment: str | None) -> None:
    found = moment_of(said)
    assert (found and found.isoformat()) == moment


@pytest.mark.parametrize(("said", "means"), [(True, True), ("OFF", False), (None, None), ("perhaps", None), (0, False)])
def test_yes_and_no_are_known_and_nothing_else_is_taken_for_them(*, said: object, means: bool | None) -> None:
    assert truth(said) is means


async def test_stopping_leaves_nothing_behind(broker: Broker, bridge: Zigbee2Mqtt) -> None:
    source = MqttAlarms(settings_for(broker))
    await source.start()
    await until(source, lambda: follows(source))
    await source.stop()
    await source.stop()
    assert not [each for each in asyncio.all_tasks() if each.get_name().startswith("broker")]
