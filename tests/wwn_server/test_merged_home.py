"""A home made of several sources: one document, one rule for who decides, and nothing stale shown as fresh."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
import sqlite3
from typing import Any

from aiohttp import ClientSession, CookieJar
from aiohttp.test_utils import TestServer
from hypothesis import given, settings as hypothesis_settings, strategies as st
import pytest

from wwn_server.app import create_app
from wwn_server.document import ALARMS, STRUCTURES, THERMOSTATS, Thing
from wwn_server.errors import WireError
from wwn_server.homes import clock as machine
from wwn_server.homes.base import AlarmKind, AlarmLevel, Presence, Write
from wwn_server.homes.held import followed, passed_on
from wwn_server.homes.merged import MergedHome
from wwn_server.homes.shown import color_of, levels
from wwn_server.homes.simulated import SimulatedHome
from wwn_server.homes.simulated_source import SimulatedSource
from wwn_server.homes.source import AlarmWords, Report, Source, refused, silent
from wwn_server.homes.sources.polled import Polled, now_in_utc
from wwn_server.settings import Settings
from wwn_server.store import Store

from .conftest import NOON
from .hub import Hub
from .person import Person
from .scripted import NeverAnswering, ScriptedSource, detector, heater

SMOKE, CO = AlarmKind.SMOKE, AlarmKind.CO
LATER = NOON + timedelta(hours=1)
NOON_ON_THE_WIRE = "2026-11-24T12:00:00.000Z"


def merged(store: Store, **sources: Source) -> MergedHome:
    return MergedHome(store.server_id, store.devices, store.memory("home"), sources)


def only(home: MergedHome, group: str) -> Thing:
    (thing,) = home.document.group(group).values()
    return thing


def structure(home: MergedHome) -> Thing:
    return only(home, STRUCTURES)


async def write_home(home: MergedHome, **fields: Any) -> None:
    await home.write(Write(STRUCTURES, structure(home)["structure_id"], fields))


class TestTheSimulatedHomeAsASource:
    async def test_it_is_what_it_is_alone(self, store: Store, home: SimulatedHome) -> None:
        alone = home.document.tree()
        assert merged(store, simulated=SimulatedSource(home)).document.tree() == alone
        assert list(store.devices.all()) == []

    async def test_it_follows_what_happens_in_it(self, store: Store, home: SimulatedHome) -> None:
        whole = merged(store, simulated=SimulatedSource(home))
        told: list[Mapping[str, Any]] = []
        whole.subscribe(lambda: told.append(whole.document.tree()))
        home.set_alarm_level(next(iter(home.document.group(ALARMS))), SMOKE, AlarmLevel.EMERGENCY)
        assert told == [home.document.tree()]
        assert structure(whole)["smoke_alarm_state"] == "emergency"

    async def test_it_takes_what_is_written(self, store: Store, home: SimulatedHome) -> None:
        whole = merged(store, simulated=SimulatedSource(home))
        await write_home(whole, away="away")
        whole.rename(structure(whole)["structure_id"], "Villa")
        assert (structure(whole)["away"], structure(whole)["name"]) == ("away", "Villa")
        key = next(iter(home.document.group(THERMOSTATS)))
        await whole.write(Write(THERMOSTATS, key, {"hvac_mode": "off"}))
        assert whole.document.tree() == home.document.tree()
        assert whole.document.group(THERMOSTATS)[key]["hvac_mode"] == "off"

    async def test_it_can_be_played_with_beside_real_devices(self, store: Store, home: SimulatedHome) -> None:
        whole = merged(store, simulated=SimulatedSource(home), real=ScriptedSource(detector("a", smoke="warning")))
        assert whole.playable is home
        assert len(whole.document.group(ALARMS)) == 4
        assert structure(whole)["smoke_alarm_state"] == "warning"
        assert merged(store, real=ScriptedSource(detector("a"))).playable is None


class TestOneDocument:
    def test_thermostats_of_one_and_alarms_of_another_are_one_home(self, store: Store) -> None:
        home = merged(store, heat=ScriptedSource(heater("t"), kind="one"), fire=ScriptedSource(detector("a")))
        whole = structure(home)
        thermostat, alarm = only(home, THERMOSTATS), only(home, ALARMS)
        assert whole["thermostats"] == [thermostat["device_id"]]
        assert whole["smoke_co_alarms"] == [alarm["device_id"]]
        assert {each["structure_id"] for each in (thermostat, alarm)} == {whole["structure_id"]}
        assert (thermostat["name"], alarm["name"]) == ("Stairs", "Hallway")
        assert whole["wheres"][alarm["where_id"]] == {"where_id": alarm["where_id"], "name": "Hallway"}
        # What is in no room is where it is called, and its name still tells it from others.
        assert (thermostat["where_name"], thermostat["label"], "label" in alarm) == ("Stairs", "Stairs", False)

    def test_what_a_source_does_not_know_is_missing(self, store: Store) -> None:
        alarm = only(merged(store, fire=ScriptedSource(detector("a", co=None, heard=None))), ALARMS)
        assert not alarm.keys() & {"co_alarm_state", "battery_health", "is_manual_test_active", "last_connection"}
        assert alarm["smoke_alarm_state"] == "ok"

    def test_ids_are_the_same_after_a_restart_and_when_a_source_comes_back(self, store: Store) -> None:
        before = only(merged(store, fire=ScriptedSource(detector("a"))), ALARMS)
        other = merged(store, other=ScriptedSource(detector("b")))
        assert only(other, ALARMS)["device_id"] != before["device_id"]
        # Another source of the same kind, at another address for one, knows the same device.
        assert only(merged(store, moved=ScriptedSource(detector("a"))), ALARMS)["device_id"] == before["device_id"]

    async def test_removing_a_source_keeps_what_people_called_its_devices(self, store: Store) -> None:
        home = merged(store, fire=ScriptedSource(detector("a")))
        home.name_device("scripted", "a", "Attic stairs", "Attic")
        before = only(home, ALARMS)
        assert (before["name"], before["where_name"]) == ("Attic (Attic stairs)", "Attic")
        await home.remove("fire")
        assert not home.document.group(ALARMS)
        assert "smoke_co_alarms" not in structure(home)
        await home.add("again", ScriptedSource(detector("a")))
        assert only(home, ALARMS) == before

    def test_a_device_that_two_sources_know_is_shown_once_as_the_first_knows_it(self, store: Store) -> None:
        home = merged(store, one=ScriptedSource(heater("t")), two=ScriptedSource(heater("t", hvac_mode="off")))
        assert only(home, THERMOSTATS)["hvac_mode"] == "heat"

    async def test_a_dead_source_does_not_hide_what_another_hears_of_the_same_device(self, store: Store) -> None:
        one, two = ScriptedSource(detector("a")), ScriptedSource(detector("a", smoke="emergency"))
        home = merged(store, one=one, two=two)
        # Both hear it: the worst counts.
        assert only(home, ALARMS)["smoke_alarm_state"] == "emergency"
        two.tell(detector("a", co="warning"))
        assert only(home, ALARMS)["co_alarm_state"] == "warning"
        two.fall_silent()
        assert (only(home, ALARMS)["is_online"], only(home, ALARMS)["co_alarm_state"]) == (True, "ok")
        one.fall_silent()
        two.tell(detector("a", smoke="emergency"))
        assert (only(home, ALARMS)["is_online"], structure(home)["smoke_alarm_state"]) == (True, "emergency")

    async def test_a_command_goes_where_a_device_is_heard(self, store: Store) -> None:
        one, two = ScriptedSource(heater("t")), ScriptedSource(heater("t"))
        home = merged(store, one=one, two=two)
        one.fall_silent()
        await home.write(Write(THERMOSTATS, only(home, THERMOSTATS)["device_id"], {"hvac_mode": "off"}))
        assert (one.written, two.written) == ([], [("t", {"hvac_mode": "off"})])

    def test_the_first_source_that_tells_decides(self, store: Store) -> None:
        one = ScriptedSource(heater("t"), time_zone="Europe/Rome")
        two = ScriptedSource(heater("u"), time_zone="Asia/Tokyo", name="Castle", postal_code="12345")
        whole = structure(merged(store, one=one, two=two))
        assert (whole["time_zone"], whole["name"], whole["postal_code"]) == ("Europe/Rome", "Castle", "12345")

    def test_people_name_the_home_whatever_sources_call_it(self, store: Store) -> None:
        source = ScriptedSource(heater("t"), name="Castle")
        home = merged(store, one=source)
        home.rename(structure(home)["structure_id"], "Villa")
        home.rename("another", "Nobody")
        assert structure(home)["name"] == source.name == "Villa"

    @pytest.mark.parametrize(
        ("said", "zone"), [("Europe/Paris", "Europe/Paris"), (":Asia/Tokyo", "Asia/Tokyo"), ("/nowhere", "UTC")]
    )
    def test_where_no_source_tells_the_time_zone_is_the_machines(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, said: str, zone: str
    ) -> None:
        monkeypatch.setenv("TZ", said)
        machine.own_time_zone.cache_clear()
        assert structure(merged(store))["time_zone"] == zone
        machine.own_time_zone.cache_clear()


class TestSilence:
    def test_a_silent_source_has_its_devices_offline_with_the_time_they_were_heard(self, store: Store) -> None:
        quiet = ScriptedSource(detector("a"), kind="quiet")
        home = merged(store, quiet=quiet, other=ScriptedSource(heater("t")))
        quiet.fall_silent()
        alarm = only(home, ALARMS)
        assert (alarm["is_online"], alarm["last_connection"]) == (False, NOON_ON_THE_WIRE)
        assert (alarm["ui_color_state"], alarm["smoke_alarm_state"]) == ("gray", "ok")
        assert "smoke_alarm_state" not in structure(home)
        # Nobody else is disturbed.
        assert only(home, THERMOSTATS)["is_online"] is True
        quiet.tell(detector("a", heard=LATER))
        assert (only(home, ALARMS)["is_online"], structure(home)["smoke_alarm_state"]) == (True, "ok")
        assert only(home, ALARMS)["last_connection"] == "2026-11-24T13:00:00.000Z"

    def test_an_emergency_that_falls_silent_is_not_over(self, store: Store) -> None:
        source = ScriptedSource(detector("a", smoke="emergency"))
        home = merged(store, fire=source)
        source.fall_silent()
        assert structure(home)["smoke_alarm_state"] == "emergency"
        assert "co_alarm_state" not in structure(home)

    async def test_an_emergency_outlives_a_restart_while_its_source_is_silent(self, store: Store) -> None:
        before = merged(store, fire=ScriptedSource(detector("a", smoke="emergency")))
        alarm = only(before, ALARMS)
        again = merged(store, fire=NeverAnswering())
        assert only(again, ALARMS) == {**alarm, "is_online": False, "ui_color_state": "gray"}
        assert structure(again)["smoke_alarm_state"] == "emergency"

    def test_what_was_there_before_is_offline_until_it_is_heard_again(self, store: Store) -> None:
        merged(store, fire=ScriptedSource(detector("a")))
        # Its source lists it, but it has not said a word since the restart.
        source = ScriptedSource(detector("a", smoke=None, co=None, heard=None, online=False))
        again = merged(store, fire=source)
        assert only(again, ALARMS)["smoke_alarm_state"] == "ok"
        assert only(again, ALARMS)["last_connection"] == NOON_ON_THE_WIRE
        assert "smoke_alarm_state" not in structure(again)
        source.tell(detector("a", co=None, heard=LATER))
        assert only(again, ALARMS)["is_online"] is True
        assert "co_alarm_state" not in only(again, ALARMS)

    def test_a_device_that_its_source_no_longer_has_is_gone(self, store: Store) -> None:
        source = ScriptedSource(detector("a"), detector("b"))
        home = merged(store, fire=source)
        source.tell(detector("b"))
        assert structure(home)["smoke_co_alarms"] == [only(home, ALARMS)["device_id"]]

    def test_devices_of_a_source_that_was_taken_out_do_not_come_back_by_themselves(self, store: Store) -> None:
        merged(store, fire=ScriptedSource(detector("a")))
        assert not merged(store, other=NeverAnswering()).document.group(ALARMS)

    @pytest.mark.parametrize("told", ["", "{", "[]", '{"group":"smoke_co_alarms"}'])
    def test_what_can_not_be_read_is_shown_when_it_is_heard_again(
        self, store: Store, caplog: pytest.LogCaptureFixture, told: str
    ) -> None:
        merged(store, fire=ScriptedSource(detector("a")))
        store._database.change("UPDATE devices SET told = ?", told)
        assert not merged(store, fire=NeverAnswering()).document.group(ALARMS)
        assert "can't be read" in caplog.text
        assert only(merged(store, fire=ScriptedSource(detector("a"))), ALARMS)["is_online"] is True

    def test_an_alarm_that_can_not_be_kept_is_shown_all_the_same(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def full(*_: object) -> None:
            raise sqlite3.OperationalError

        source = ScriptedSource(detector("a"))
        home = merged(store, fire=source)
        monkeypatch.setattr(store.devices, "keep", full)
        source.tell(detector("a", smoke="emergency"))
        assert structure(home)["smoke_alarm_state"] == "emergency"
        assert "could not be kept" in caplog.text

    def test_time_alone_is_kept_only_now_and_then(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        kept: list[object] = []
        source = ScriptedSource(detector("a"))
        merged(store, fire=source)
        monkeypatch.setattr(store.devices, "keep", kept.append)
        source.tell(detector("a", heard=NOON + timedelta(minutes=9)))
        assert not kept
        source.tell(detector("a", heard=NOON + timedelta(minutes=10)))
        assert len(kept) == 1


class Counting(Polled):
    """A source that has something new to say whenever it is asked."""

    interval = 0.001
    asked = 0

    async def _asked(self) -> Report:
        self.asked += 1
        return Report(reachable=True, devices=(), home={"name": str(self.asked)})


async def test_somebody_who_can_not_hear_a_source_does_not_silence_it(caplog: pytest.LogCaptureFixture) -> None:
    source, heard = Counting("counting", now_in_utc), asyncio.Event()

    def fail() -> None:
        raise KeyError

    source.subscribe(fail)
    source.subscribe(lambda: heard.set() if source.asked > 2 else None)
    await source.start()
    try:
        async with asyncio.timeout(5):
            await heard.wait()
    finally:
        await source.stop()
    assert "could not be told" in caplog.text


class TestAway:
    def test_without_anybody_who_knows_it_is_not_known(self, store: Store) -> None:
        assert structure(merged(store, fire=ScriptedSource(detector("a"))))["away"] == "unknown"

    async def test_it_is_told_to_every_source_that_takes_it(self, store: Store) -> None:
        one, two = (ScriptedSource(heater(key), takes=("away",)) for key in "tu")
        alarms = ScriptedSource(detector("a"))
        home = merged(store, one=one, fire=alarms, two=two)
        await write_home(home, away="away")
        assert one.written == two.written == [("home", {"away": "away"})]
        assert alarms.written == []

    async def test_where_no_source_tells_it_is_what_was_written_last(self, store: Store) -> None:
        await write_home(merged(store, fire=ScriptedSource(detector("a"))), away="away")
        again = merged(store, fire=ScriptedSource(detector("a")))
        assert structure(again)["away"] == "away"

    async def test_the_first_source_that_tells_and_answers_decides(self, store: Store) -> None:
        one, two = ScriptedSource(heater("t"), away="home"), ScriptedSource(heater("u"), away="away")
        home = merged(store, fire=ScriptedSource(detector("a")), one=one, two=two)
        await write_home(home, away="away")
        assert structure(home)["away"] == "home"
        one.fall_silent()
        assert structure(home)["away"] == "away"
        two.fall_silent()
        # What was written once is not what holds: somebody else may have changed it since.
        assert structure(home)["away"] == "unknown"

    async def test_one_that_does_not_answer_keeps_it_from_nobody_and_is_not_hushed_up(self, store: Store) -> None:
        one, two = (ScriptedSource(heater(key), takes=("away",)) for key in "tu")
        home = merged(store, one=one, two=two)
        one.error = silent()
        with pytest.raises(WireError) as caught:
            await write_home(home, away="away")
        assert (caught.value.status, caught.value.anchor) == (503, "service-unavailable")
        assert two.written == [("home", {"away": "away"})]
        assert structure(home)["away"] == "unknown"

    async def test_one_that_is_slow_keeps_it_from_nobody(self, store: Store) -> None:
        told = asyncio.Event()

        class Slow(ScriptedSource):
            async def write_home(self, fields: Mapping[str, Any]) -> None:
                await told.wait()
                await super().write_home(fields)

        class Quick(ScriptedSource):
            async def write_home(self, fields: Mapping[str, Any]) -> None:
                await super().write_home(fields)
                told.set()

        slow, quick = Slow(heater("t"), takes=("away",)), Quick(heater("u"), takes=("away",))
        async with asyncio.timeout(5):
            await write_home(merged(store, slow=slow, quick=quick), away="away")
        assert slow.written == quick.written == [("home", {"away": "away"})]

    async def test_a_home_without_devices_has_nobody_to_be_at_home(self, store: Store) -> None:
        home = merged(store)
        await write_home(home, away="home")
        assert structure(home)["away"] == "unknown"


class TestCommands:
    async def test_a_command_goes_to_the_source_of_its_device(self, store: Store) -> None:
        one, two = ScriptedSource(heater("t"), kind="one"), ScriptedSource(heater("t"), kind="two")
        home = merged(store, one=one, two=two)
        first, second = home.document.group(THERMOSTATS)
        await home.write(Write(THERMOSTATS, second, {"hvac_mode": "off"}))
        await home.write(Write(THERMOSTATS, first, {"target_temperature_c": 21.0}))
        assert two.written == [("t", {"hvac_mode": "off"})]
        assert one.written == [("t", {"target_temperature_c": 21.0})]

    async def test_what_no_source_takes_is_refused_in_the_protocols_words(self, store: Store) -> None:
        source = ScriptedSource(heater("t"), takes=("away",))
        home = merged(store, one=source)
        with pytest.raises(WireError, match="Not writable") as caught:
            await write_home(home, away="home", eta="x")
        assert (caught.value.anchor, caught.value.details) == ("not-writable", {"field_name": "eta"})
        assert source.written == []

    async def test_a_source_runs_while_it_is_part_of_a_home_that_lives(self, store: Store) -> None:
        first, second = ScriptedSource(), ScriptedSource(kind="two")
        home = merged(store, first=first)
        await home.start()
        await home.add("second", second)
        assert (first.running, second.running) == (True, True)
        await home.remove("second")
        await home.remove("never there")
        assert (second.running, list(home.sources)) == (False, ["first"])
        await home.stop()
        assert not first.running


LEVELS = st.sampled_from(["ok", "warning", "emergency", None])


@hypothesis_settings(max_examples=200)
@given(st.lists(st.tuples(LEVELS, st.booleans()), max_size=4))
def test_a_structure_is_ok_only_if_every_alarm_says_so_now(alarms: list[tuple[str | None, bool]]) -> None:
    found = levels(detector(str(n), smoke=level, online=online) for n, (level, online) in enumerate(alarms))
    said = [level for level, _ in alarms]
    if "emergency" in said or "warning" in said:
        assert found["smoke_alarm_state"] == ("emergency" if "emergency" in said else "warning")
    elif alarms and all(level == "ok" and online for level, online in alarms):
        assert found["smoke_alarm_state"] == "ok"
    else:
        assert "smoke_alarm_state" not in found


def test_an_alarm_that_does_not_look_out_for_something_is_not_asked_about_it() -> None:
    smoke_only = replace(detector("s", co=None), senses=frozenset({SMOKE}))
    assert levels([smoke_only]) == {"smoke_alarm_state": "ok"}
    assert levels([smoke_only, detector("both")]) == {"smoke_alarm_state": "ok", "co_alarm_state": "ok"}
    assert color_of(smoke_only) == "green"


@pytest.mark.parametrize(
    ("smoke", "co", "battery", "online", "color"),
    [
        ("ok", "ok", "ok", True, "green"),
        ("ok", "ok", "replace", True, "yellow"),
        ("warning", "ok", "ok", True, "yellow"),
        ("warning", "emergency", "ok", True, "red"),
        ("ok", None, "ok", True, "gray"),
        ("emergency", "ok", "ok", False, "gray"),
    ],
)
def test_the_color_says_all_is_well_only_if_it_is(
    *, smoke: str, co: str | None, battery: str, online: bool, color: str
) -> None:
    device = detector("a", smoke=smoke, co=co, online=online)
    assert color_of(replace(device, fields={**device.fields, "battery_health": battery})) == color


MOVED = frozenset({AlarmLevel.EMERGENCY})
CALM = {SMOKE: AlarmLevel.OK}
FIRE = {SMOKE: AlarmLevel.EMERGENCY}


class TestHoldingBack:
    """What a test alone moves is held for three minutes at most."""

    def test_during_a_test_it_stays_what_it_was(self) -> None:
        test = followed(None, testing=True, shown=CALM, now=NOON)
        assert passed_on(FIRE, test, NOON + timedelta(seconds=179), MOVED) == CALM

    def test_after_three_minutes_it_is_passed_on_though_the_test_goes_on(self) -> None:
        test = followed(None, testing=True, shown=CALM, now=NOON)
        test = followed(test, testing=True, shown=CALM, now=NOON + timedelta(minutes=2))
        assert passed_on(FIRE, test, NOON + timedelta(minutes=3), MOVED) == FIRE

    def test_when_the_test_ends_what_still_stands_is_passed_on(self) -> None:
        test = followed(None, testing=True, shown=CALM, now=NOON)
        test = followed(test, testing=False, shown=CALM, now=NOON)
        assert passed_on(FIRE, test, NOON, MOVED) == FIRE

    def test_an_alarm_from_before_the_test_is_not_hushed(self) -> None:
        test = followed(None, testing=True, shown=FIRE, now=NOON)
        assert passed_on(FIRE, test, NOON, MOVED) == FIRE

    def test_a_level_that_a_test_does_not_move_is_passed_on_at_once(self) -> None:
        test = followed(None, testing=True, shown=CALM, now=NOON)
        assert passed_on(FIRE, test, NOON, frozenset({AlarmLevel.WARNING})) == FIRE

    def test_what_was_not_known_before_the_test_is_not_known_in_it(self) -> None:
        test = followed(None, testing=True, shown={}, now=NOON)
        assert passed_on(FIRE, test, NOON, MOVED) == {}


@pytest.mark.parametrize(
    ("said", "level"),
    [
        (True, AlarmLevel.EMERGENCY),
        ("FALSE", AlarmLevel.OK),
        (None, None),
        ("", None),
        ("chirping", AlarmLevel.WARNING),
        ({"x": 1}, AlarmLevel.WARNING),
        ("y" * 5000, AlarmLevel.WARNING),
    ],
)
def test_a_word_that_nobody_knows_is_a_warning(said: object, level: AlarmLevel | None) -> None:
    words = AlarmWords({"true": AlarmLevel.EMERGENCY, "false": AlarmLevel.OK})
    assert words.level(said, "x") is level


def test_a_word_that_nobody_knows_is_logged_once_and_not_at_length(caplog: pytest.LogCaptureFixture) -> None:
    words = AlarmWords({})
    for _ in range(3):
        words.level("z" * 5000, "Attic")
    (record,) = caplog.records
    assert "Attic" in record.getMessage()
    assert len(record.getMessage()) < 150


class TestOverTheWire:
    @pytest.fixture
    def source(self) -> ScriptedSource:
        return ScriptedSource(heater("t", can_cool=True, hvac_mode="heat-cool"), detector("a"))

    @pytest.fixture
    def home(self, store: Store, source: ScriptedSource) -> MergedHome:  # type: ignore[override]
        return merged(store, one=source)

    async def test_a_command_reaches_the_source_and_its_refusals_the_hub(
        self, linked: Hub, home: MergedHome, source: ScriptedSource
    ) -> None:
        path = f"/devices/thermostats/{only(home, THERMOSTATS)['device_id']}"
        # The other bound is not known, so only the thermostat can judge it.
        assert (await linked.put(path, {"target_temperature_low_c": 19})).status == 200
        assert source.written == [("t", {"target_temperature_low_c": 19.0, "target_temperature_low_f": 66})]
        for error, status, anchor in ((refused(), 400, "source-refused"), (silent(), 503, "service-unavailable")):
            source.error = error
            answer = await linked.put(path, {"hvac_mode": "off"})
            assert answer.status == status
            assert (await answer.json())["type"].endswith(f"#{anchor}")

    async def test_values_outside_the_protocols_limits_never_reach_a_source(
        self, linked: Hub, home: MergedHome, source: ScriptedSource
    ) -> None:
        path = f"/devices/thermostats/{only(home, THERMOSTATS)['device_id']}"
        answer = await linked.put(path, {"target_temperature_high_c": 60})
        assert (answer.status, (await answer.json())["error"]) == (400, "Temperature C value is too high: 60")
        assert source.written == []


async def test_the_console_shows_real_devices_without_buttons_whatever_they_do_not_tell(
    settings: Settings, store: Store, home: SimulatedHome
) -> None:
    bare = ScriptedSource(heater("t"), detector("a", smoke="emergency", co=None, heard=None), kind="real")
    store.accounts.add("anna", "x")
    whole = merged(store, simulated=SimulatedSource(home), real=bare)
    async with (
        TestServer(create_app(settings, store, whole), host="127.0.0.1") as server,
        ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser,
    ):
        person = Person(str(server.make_url("")).rstrip("/"), browser, store)
        person.be_signed_in()
        text = await (await person.get("/console")).text()
        real = {only(merged(store, real=bare), group)["device_id"] for group in (ALARMS, THERMOSTATS)}
        assert all(f"-{each}" in text and f"/{each}" not in text for each in real)
        csrf = (await person.console())["csrf"]
        # The simulated part of the home is still played with.
        assert (await person.post("/console/home", {"csrf": csrf, "away": "away"})).status == 303
        assert home.world.presence is Presence.AWAY
        assert (await person.post(f"/console/alarms/{min(real)}", {"csrf": csrf, "is_online": "false"})).status == 404
