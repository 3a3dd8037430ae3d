"""NoLongerEvil's thermostats: what they are on the wire, each trap of their server, and whatever can go wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from hypothesis import given, settings as hypothesis_settings, strategies as st
import pytest

from tools.fakes import Broker, Fault, NoLongerEvil as Fake, find_mosquitto
from wwn_server.document import STRUCTURES, THERMOSTATS, Thing
from wwn_server.errors import WireError
from wwn_server.homes.base import Write
from wwn_server.homes.merged import MergedHome
from wwn_server.homes.source import Failure
from wwn_server.homes.sources.broker import Login
from wwn_server.homes.sources.nolongerevil import NoLongerEvil, NoLongerEvilSettings
from wwn_server.homes.sources.nolongerevil_status import device_of, fields_of
from wwn_server.homes.sources.reach import MQTT, WEB, address
from wwn_server.store import Store

from .conftest import NOON
from .hub import Hub
from .scripted import ScriptedSource, detector
from .waiting import until

SERIAL = "02AA01AC0123456X"
OTHER = "02AA01AC0999999X"


class Watched:
    """The thermostats of a server, in a home beside an alarm of another source."""

    def __init__(self, fake: Fake, store: Store, broker: Broker | None = None) -> None:
        self.moment = datetime.now(UTC)
        self.ahead = timedelta()
        login = Login(address(broker.address, MQTT)) if broker else None
        options = NoLongerEvilSettings(address=address(fake.base, WEB), broker=login)
        self.source = NoLongerEvil(options, lambda: datetime.now(UTC) + self.ahead)
        self.source.interval = 0.1
        other = ScriptedSource(detector("a"))
        self.home = MergedHome(store.server_id, store.devices, store.memory("home"), {"n": self.source, "o": other})

    @property
    def thermostat(self) -> Thing:
        return next(iter(self.home.document.group(THERMOSTATS).values()), {})

    @property
    def structure(self) -> Thing:
        (structure,) = self.home.document.group(STRUCTURES).values()
        return structure

    async def shows(self, **fields: object) -> Thing:
        await until(self.home, lambda: {each: self.thermostat.get(each) for each in fields} == fields)
        return self.thermostat

    async def write(self, **fields: Any) -> None:
        await self.home.write(Write(THERMOSTATS, self.thermostat["device_id"], fields))

    async def be(self, away: str) -> None:
        await self.home.write(Write(STRUCTURES, self.structure["structure_id"], {"away": away}))


def heard(watched: Watched) -> datetime:
    return datetime.fromisoformat(watched.thermostat["last_connection"])


@asynccontextmanager
async def watching(fake: Fake, store: Store, broker: Broker | None = None) -> AsyncIterator[Watched]:
    watched = Watched(fake, store, broker)
    await watched.home.start()
    try:
        yield watched
    finally:
        await watched.home.stop()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wwn_server.homes.sources.nolongerevil._FIRST_PAUSE", 0.1)


@pytest.fixture
async def fake() -> AsyncIterator[Fake]:
    async with Fake() as fake:
        fake.add(SERIAL, name="Hall")
        yield fake


@pytest.fixture
async def watched(fake: Fake, store: Store) -> AsyncIterator[Watched]:
    async with watching(fake, store) as watched:
        await watched.shows(is_online=True)
        yield watched


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    if find_mosquitto() is None:
        pytest.skip("Mosquitto is not installed")
    async with Broker(tmp_path / "broker") as broker:
        yield broker


class TestReading:
    async def test_a_thermostat_is_one_on_the_wire(self, watched: Watched) -> None:
        thermostat = watched.thermostat
        expected = {
            "name": "Hall",
            "hvac_mode": "heat",
            "previous_hvac_mode": "",
            "hvac_state": "off",
            "ambient_temperature_c": 20.5,
            "ambient_temperature_f": 69,
            "target_temperature_c": 20.0,
            "target_temperature_f": 68,
            "target_temperature_low_c": 18.0,
            "target_temperature_high_c": 24.0,
            "eco_temperature_low_c": 12.5,
            "eco_temperature_high_f": 77,
            "humidity": 45,
            "can_heat": True,
            "can_cool": True,
            "has_fan": True,
            "fan_timer_active": False,
            "fan_timer_timeout": "1970-01-01T00:00:00.000Z",
            "fan_timer_duration": 15,
            "has_leaf": False,
            "temperature_scale": "C",
            "software_version": "6.0-31",
            "time_to_target": "~0",
            "time_to_target_training": "ready",
        }
        assert {name: thermostat.get(name) for name in expected} == expected

    async def test_changes_come_at_once_and_not_with_the_next_question(self, fake: Fake, store: Store) -> None:
        async with watching(fake, store) as watched:
            watched.source.interval = 1000.0
            await until(watched.home, lambda: fake.open_streams)
            await watched.shows(is_online=True)
            await fake.report(SERIAL, current_temperature=23.0, hvac_ac_state=True)
            await watched.shows(ambient_temperature_c=23.0, hvac_state="cooling")

    async def test_a_name_that_is_the_serial_number_is_none(self, watched: Watched, fake: Fake) -> None:
        await fake.report(SERIAL, name="")
        await until(watched.home, lambda: watched.thermostat["name"] != "Hall")
        assert watched.thermostat["name"] == "Thermostat"

    @pytest.mark.parametrize(
        ("said", "shown"),
        [
            ("range", {"hvac_mode": "heat-cool", "is_using_emergency_heat": False}),
            ("emergency", {"hvac_mode": "heat", "is_using_emergency_heat": True}),
            ("off", {"hvac_mode": "off"}),
            ("mystery", {"hvac_mode": None}),
        ],
    )
    async def test_modes_are_called_otherwise(
        self, watched: Watched, fake: Fake, said: str, shown: dict[str, object]
    ) -> None:
        await fake.report(SERIAL, target_temperature_type=said)
        await watched.shows(**shown)

    async def test_how_long_it_takes_is_told_in_minutes(self, watched: Watched, fake: Fake) -> None:
        soon = int((datetime.now(UTC) + timedelta(minutes=46)).timestamp())
        await fake.report(SERIAL, device={"time_to_target": soon, "time_to_target_training_status": "training"})
        await watched.shows(time_to_target="~45", time_to_target_training="training")


class TestTraps:
    async def test_zero_degrees_are_not_known_and_the_last_ones_are_not_repeated(
        self, watched: Watched, fake: Fake
    ) -> None:
        await fake.report(SERIAL, current_temperature=0)
        thermostat = await watched.shows(ambient_temperature_c=None)
        assert "ambient_temperature_f" not in thermostat
        assert thermostat["is_online"] is True

    async def test_is_online_says_nothing_and_is_available_does(self, watched: Watched, fake: Fake) -> None:
        assert fake.status(SERIAL)["is_online"] is False
        seen = watched.thermostat["last_connection"]
        await fake.lose(SERIAL)
        thermostat = await watched.shows(is_online=False)
        assert thermostat["last_connection"] <= seen
        await fake.find(SERIAL)
        await watched.shows(is_online=True)

    async def test_after_a_restart_nobody_is_taken_for_there_who_was_not_seen(
        self, watched: Watched, fake: Fake
    ) -> None:
        await fake.lose(SERIAL)
        await watched.shows(is_online=False)
        await fake.restart()
        assert fake.status(SERIAL)["is_available"] is True
        await until(watched.home, lambda: watched.source.report.reachable and ("GET", "/api/devices") in fake.asked)
        asked = len(fake.asked)
        await until(watched.home, lambda: len(fake.asked) > asked + 3)
        assert watched.thermostat["is_online"] is False
        await fake.report(SERIAL, current_temperature=19.0)
        await watched.shows(is_online=True, ambient_temperature_c=19.0)

    @pytest.mark.parametrize(("hours", "has_zone"), [(-9, False), (9, False), (9, True)])
    async def test_when_one_was_heard_is_told_by_our_clock_whatever_the_servers_says(
        self, fake: Fake, store: Store, *, hours: int, has_zone: bool
    ) -> None:
        fake.zone = timezone(timedelta(hours=hours))
        fake.traps = replace(fake.traps, times_have_no_zone=not has_zone)
        async with watching(fake, store) as watched:
            await watched.shows(is_online=True)
            assert abs(heard(watched) - datetime.now(UTC)) < timedelta(seconds=5)
            watched.ahead = timedelta(minutes=20)
            await fake.report(SERIAL, current_temperature=19.0)
            await watched.shows(ambient_temperature_c=19.0)
            last = heard(watched)
            assert abs(last - datetime.now(UTC) - watched.ahead) < timedelta(seconds=5)
            await fake.lose(SERIAL)
            await watched.shows(is_online=False)
            # After a restart the server has seen everybody a moment ago. Nobody has.
            watched.ahead = timedelta(minutes=40)
            await fake.restart()
            asked = len(fake.asked)
            await until(watched.home, lambda: watched.source.report.reachable and len(fake.asked) > asked + 3)
            assert (watched.thermostat["is_online"], heard(watched)) == (False, last)

    async def test_what_is_still_available_after_five_minutes_is_believed(self, watched: Watched, fake: Fake) -> None:
        await fake.restart()
        await watched.shows(is_online=False)
        # From here on nothing is lost any more.
        await until(watched.home, lambda: fake.open_streams and watched.source.report.reachable)
        watched.ahead = timedelta(seconds=301)
        await watched.shows(is_online=True)

    async def test_a_target_that_the_server_clamps_is_not_passed_off_as_taken(
        self, watched: Watched, fake: Fake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tools.fakes.nolongerevil.HIGHEST", 25.0)
        with pytest.raises(WireError, match="25") as caught:
            await watched.write(target_temperature_c=28.0, target_temperature_f=82)
        assert (caught.value.status, caught.value.anchor) == (400, "range-error")

    async def test_a_command_never_goes_to_a_thermostat_that_the_server_does_not_have(
        self, watched: Watched, fake: Fake
    ) -> None:
        with pytest.raises(WireError) as caught:
            await watched.source.write("made-up", {"hvac_mode": "off"})
        assert caught.value.status == 503
        assert (fake.commands, fake.serials()) == ([], [SERIAL])

    async def test_a_thermostat_that_was_deleted_since_the_list_is_not_made_anew_by_a_command(
        self, watched: Watched, fake: Fake
    ) -> None:
        await until(watched.home, lambda: fake.open_streams)
        watched.source.interval = 1000.0
        await asyncio.sleep(0.3)
        await fake.remove(SERIAL)
        for write in (watched.write(hvac_mode="off"), watched.source.write_home({"away": "away"})):
            with pytest.raises(WireError) as caught:
                await write
            assert caught.value.status == 503
        assert (fake.commands, fake.serials()) == ([], [])

    async def test_away_that_never_shows_is_what_was_written(self, watched: Watched, fake: Fake) -> None:
        assert watched.structure["away"] == "unknown"
        await watched.be("away")
        assert fake.is_away
        assert fake.status(SERIAL)["away"] is False
        assert watched.structure["away"] == "away"
        thermostat = await watched.shows(hvac_mode="eco")
        assert thermostat["previous_hvac_mode"] == "heat"
        await watched.be("home")
        await watched.shows(hvac_mode="heat", previous_hvac_mode="")
        assert watched.structure["away"] == "home"

    async def test_passwords_that_it_shows_to_everybody_are_kept_nowhere(
        self, watched: Watched, fake: Fake, store: Store, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        await fake.report(SERIAL, current_temperature=19.0)
        await watched.shows(ambient_temperature_c=19.0)
        kept = repr([*store.devices.all()]) + repr(watched.source._statuses) + caplog.text
        assert "password-of" in str(fake.status(SERIAL))
        assert "password-of" not in kept


class TestCommands:
    async def test_each_command_arrives_in_the_servers_words(self, watched: Watched, fake: Fake) -> None:
        await watched.write(target_temperature_c=21.5, target_temperature_f=71)
        await watched.shows(target_temperature_c=21.5, hvac_state="heating")
        await watched.write(hvac_mode="heat-cool")
        await watched.shows(hvac_mode="heat-cool")
        low_and_high = {"target_temperature_low_c": 19.0, "target_temperature_high_c": 25.0}
        await watched.write(**low_and_high)
        await watched.shows(**low_and_high)
        await watched.write(fan_timer_duration=30, fan_timer_active=True)
        await watched.shows(fan_timer_active=True, fan_timer_duration=30)
        await watched.write(fan_timer_active=False)
        await watched.shows(fan_timer_active=False, fan_timer_timeout="1970-01-01T00:00:00.000Z")
        assert [(each["command"], each["value"]) for each in fake.commands] == [
            ("set_temperature", 21.5),
            ("set_mode", "heat-cool"),
            ("set_temperature", {"high": 25.0, "low": 19.0}),
            ("set_fan", 1800),
            ("set_fan", "auto"),
        ]
        assert {each["serial"] for each in fake.commands} == {SERIAL}

    async def test_a_target_in_fahrenheit_is_not_rounded_to_half_degrees_of_celsius(
        self, watched: Watched, fake: Fake
    ) -> None:
        await fake.report(SERIAL, device={"temperature_scale": "F"})
        await watched.shows(temperature_scale="F")
        await watched.write(target_temperature_c=21.5, target_temperature_f=71)
        await watched.shows(target_temperature_f=71)
        assert fake.commands[-1]["value"] == 21.667

    @pytest.mark.parametrize("fields", [{"label": "x"}, {"temperature_scale": "F"}])
    async def test_what_it_has_no_command_for_is_refused_and_nothing_of_the_write_is_done(
        self, watched: Watched, fake: Fake, fields: dict[str, Any]
    ) -> None:
        with pytest.raises(WireError, match="Not writable"):
            await watched.write(hvac_mode="off", **fields)
        assert fake.commands == []

    async def test_eco_is_the_homes_away_and_not_a_thermostats_to_write(self, watched: Watched, fake: Fake) -> None:
        with pytest.raises(WireError, match="eco comes and goes"):
            await watched.write(hvac_mode="eco")
        assert fake.commands == []
        await watched.be("away")
        await watched.shows(hvac_mode="eco")
        with pytest.raises(WireError, match="eco comes and goes"):
            await watched.write(hvac_mode="heat")

    @pytest.mark.parametrize(
        ("fault", "status"),
        [
            (Fault.ERROR, 400),
            (Fault.DENIED, 400),
            (Fault.CUT, 503),
            (Fault.PAGE, 400),
            (Fault.EMPTY, 400),
            (Fault.OTHER_SHAPE, 400),
            (Fault.REDIRECT, 400),
            (Fault.BIG, 503),
        ],
    )
    async def test_a_command_that_was_not_taken_is_not_said_to_be(
        self, watched: Watched, fake: Fake, fault: Fault, status: int
    ) -> None:
        fake.misbehave(fault, "/command")
        with pytest.raises(WireError) as caught:
            await watched.write(hvac_mode="off")
        assert (caught.value.status, fake.strangers) == (status, 0)
        with pytest.raises(WireError):
            await watched.be("away")
        assert watched.structure["away"] == "unknown"

    async def test_what_the_server_itself_refuses_is_refused(self, watched: Watched, fake: Fake) -> None:
        await fake.report(SERIAL, device={"can_cool": False})
        with pytest.raises(WireError) as caught:
            await watched.write(hvac_mode="cool")
        assert (caught.value.status, caught.value.anchor) == (400, "source-refused")


class TestFaults:
    async def test_a_server_that_goes_away_leaves_its_thermostats_offline_and_nobody_else(
        self, watched: Watched, fake: Fake
    ) -> None:
        seen = watched.thermostat["last_connection"]
        await fake.go_away()
        thermostat = await watched.shows(is_online=False)
        assert (thermostat["last_connection"], thermostat["ambient_temperature_c"]) == (seen, 20.5)
        assert watched.source.report.trouble is Failure.NOBODY
        assert watched.structure["smoke_alarm_state"] == "ok"
        with pytest.raises(WireError) as caught:
            await watched.write(hvac_mode="off")
        assert caught.value.status == 503
        await fake.come_back()
        await fake.report(SERIAL, current_temperature=18.0)
        await watched.shows(is_online=True, ambient_temperature_c=18.0)

    @pytest.mark.parametrize(
        ("fault", "failure"),
        [
            (Fault.CUT, Failure.LOST),
            (Fault.ERROR, Failure.FAULT),
            (Fault.DENIED, Failure.CREDENTIALS),
            (Fault.GARBAGE, Failure.NOT_IT),
            (Fault.BINARY, Failure.NOT_IT),
            (Fault.PAGE, Failure.NOT_IT),
            (Fault.EMPTY, Failure.NOT_IT),
            (Fault.OTHER_SHAPE, Failure.NOT_IT),
            (Fault.REDIRECT, Failure.REDIRECT),
            (Fault.BIG, Failure.TOO_LARGE),
        ],
    )
    async def test_answers_that_are_none_take_its_thermostats_offline(
        self, watched: Watched, fake: Fake, fault: Fault, failure: Failure
    ) -> None:
        fake.misbehave(fault)
        await watched.shows(is_online=False)
        assert (watched.source.report.trouble, fake.strangers) == (failure, 0)
        fake.misbehave(Fault.NONE)
        await watched.shows(is_online=True)
        assert watched.source.report.trouble is None

    async def test_an_answer_that_takes_too_long_is_none(
        self, watched: Watched, fake: Fake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("wwn_server.homes.sources.web.SECONDS", 0.3)
        fake.misbehave(Fault.SLOW)
        await watched.shows(is_online=False)
        assert watched.source.report.trouble is Failure.TOO_SLOW

    async def test_one_odd_thermostat_hides_no_other(self, watched: Watched, fake: Fake) -> None:
        fake.add(OTHER, name={"x": 1}, target_temperature="warm", target_temperature_type=["heat"])
        await until(watched.home, lambda: len(watched.home.document.group(THERMOSTATS)) == 2)
        odd = next(each for each in watched.home.document.group(THERMOSTATS).values() if each["name"] != "Hall")
        assert (odd["is_online"], "hvac_mode" in odd, "target_temperature_c" in odd) == (True, False, False)
        assert watched.thermostat["hvac_mode"] == "heat"

    async def test_another_serial_is_another_thermostat(self, watched: Watched, fake: Fake) -> None:
        before = watched.thermostat["device_id"]
        await fake.change_serial(SERIAL, OTHER)
        await until(watched.home, lambda: watched.thermostat.get("device_id") not in {None, before})
        await fake.change_serial(OTHER, SERIAL)
        await until(watched.home, lambda: watched.thermostat.get("device_id") == before)

    async def test_nonsense_on_the_events_makes_nothing_but_a_question(self, watched: Watched, fake: Fake) -> None:
        await until(watched.home, lambda: fake.open_streams)
        watched.source.interval = 1000.0
        await asyncio.sleep(0.2)
        asked = len(fake.asked)
        fake.say_on_streams('"\0' * 5000)
        await until(watched.home, lambda: len(fake.asked) > asked)
        assert watched.thermostat["is_online"] is True


class TestWithABroker:
    async def test_what_was_written_before_a_restart_is_not_shown_for_what_nobody_said_since(
        self, fake: Fake, store: Store, broker: Broker
    ) -> None:
        store.memory("home").write("away")
        async with watching(fake, store, broker) as watched:
            await watched.shows(is_online=True)
        await fake.go_away()
        async with watching(fake, store, broker) as watched:
            await until(watched.home, lambda: watched.source.report.trouble)
            assert watched.structure["away"] == "unknown"

    async def test_away_is_read_where_it_shows(self, fake: Fake, store: Store, broker: Broker) -> None:
        async with watching(fake, store, broker) as watched:
            await watched.shows(is_online=True)
            assert watched.structure["away"] == "unknown"
            async with fake.on_mqtt(broker):
                await until(watched.home, lambda: watched.structure["away"] == "home")
                # Somebody else says so, on the thermostat for one.
                await fake._execute(SERIAL, "set_away", value=True)
                await until(watched.home, lambda: watched.structure["away"] == "away")
                await watched.be("home")
                await until(watched.home, lambda: watched.structure["away"] == "home")
                await fake.lose(SERIAL)
                await watched.shows(is_online=False)
                await asyncio.gather(*fake._tasks)
                await broker.go_away()
                await until(watched.home, lambda: watched.structure["away"] == "unknown")
                await broker.come_back()
                await fake.find(SERIAL)
                await watched.shows(is_online=True)

    async def test_online_on_mqtt_proves_nothing(self, fake: Fake, store: Store, broker: Broker) -> None:
        async with watching(fake, store, broker) as watched, fake.on_mqtt(broker):
            await watched.shows(is_online=True)
            await fake.lose(SERIAL)
            await watched.shows(is_online=False)
            await fake._publish(f"{SERIAL}/availability", "online")
            await until(watched.home, lambda: watched.source._heard.get(SERIAL, {}).get("availability") == "online")
            asked = len(fake.asked)
            await until(watched.home, lambda: len(fake.asked) > asked + 2)
            assert watched.thermostat["is_online"] is False


JSON = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.lists(st.integers(), max_size=2)
)
STATUS = st.dictionaries(st.sampled_from(sorted({*Fake().status(SERIAL), "mode"})), JSON)


@hypothesis_settings(max_examples=100)
@given(STATUS, st.dictionaries(st.sampled_from(["can_heat", "heater", "high", "low"]), JSON))
def test_whatever_is_said_of_a_thermostat_no_field_is_made_up(status: dict[str, Any], part: dict[str, Any]) -> None:
    said = status | {"serial": SERIAL, "capabilities": part, "hvac": part, "eco_temperatures": part}
    fields = fields_of(said, NOON)
    assert device_of(said, online=True, heard=NOON, minutes=15, now=NOON).heard == NOON
    assert fields.get("hvac_mode") in {None, "off", "heat", "cool", "heat-cool", "eco"}
    assert None not in fields.values()
    if status.get("current_temperature") is None:
        assert "ambient_temperature_c" not in fields


class TestOverTheWire:
    @pytest.fixture
    async def home(self, watched: Watched) -> MergedHome:
        return watched.home

    async def test_a_hub_sets_a_thermostat_and_sees_it_follow(self, fake: Fake, watched: Watched, linked: Hub) -> None:
        path = f"/devices/thermostats/{watched.thermostat['device_id']}"
        assert (await linked.put(path, {"target_temperature_c": 22})).status == 200
        await watched.shows(target_temperature_c=22.0)
        assert (await linked.read(path))["target_temperature_c"] == 22.0
        refused = await linked.put(path, {"target_temperature_c": 60})
        assert (refused.status, (await refused.json())["error"]) == (400, "Temperature C value is too high: 60")
        assert len(fake.commands) == 1
