"""A Starling Home Hub's devices: what they are on the wire, commands back, and whatever can go wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from hypothesis import given, settings as hypothesis_settings, strategies as st
import pytest

from tools.fakes import Fault, Hub as Fake
from tools.fakes.starling import KEY, HomeState, protect, thermostat
from wwn_server.document import ALARMS, STRUCTURES, THERMOSTATS, Thing
from wwn_server.errors import WireError
from wwn_server.homes.base import AlarmKind, AlarmLevel, Write
from wwn_server.homes.merged import MergedHome
from wwn_server.homes.source import Failure
from wwn_server.homes.sources.reach import WEB, address
from wwn_server.homes.sources.starling import Starling, StarlingSettings
from wwn_server.homes.sources.starling_properties import protect_levels, thermostat_fields
from wwn_server.store import Store

from .scripted import ScriptedSource, heater
from .waiting import until

OK, WARNING, EMERGENCY = AlarmLevel.OK, AlarmLevel.WARNING, AlarmLevel.EMERGENCY


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wwn_server.homes.sources.starling._WRITES_APART", 0.0)


class Watched:
    """A hub's devices, in a home beside a thermostat of another source."""

    def __init__(self, fake: Fake, store: Store, key: str = KEY) -> None:
        self.ahead = timedelta()
        settings = StarlingSettings(address(fake.base, WEB), key)
        self.source = Starling(settings, lambda: datetime.now(UTC) + self.ahead)
        self.source.interval = 0.1
        other = ScriptedSource(heater("other"))
        self.home = MergedHome(store.server_id, store.devices, store.memory("home"), {"s": self.source, "o": other})

    def thing(self, name: str) -> Thing:
        groups = (self.home.document.group(each) for each in (THERMOSTATS, ALARMS))
        return next((each for group in groups for each in group.values() if each["where_name"] == name), {})

    @property
    def structure(self) -> Thing:
        (structure,) = self.home.document.group(STRUCTURES).values()
        return structure

    async def shows(self, name: str, **fields: object) -> Thing:
        await until(self.home, lambda: {each: self.thing(name).get(each) for each in fields} == fields)
        return self.thing(name)

    async def write(self, **fields: Any) -> None:
        await self.home.write(Write(THERMOSTATS, self.thing("Living Room")["device_id"], fields))

    async def be(self, away: str) -> None:
        await self.home.write(Write(STRUCTURES, self.structure["structure_id"], {"away": away}))


@asynccontextmanager
async def watching(fake: Fake, store: Store, key: str = KEY) -> AsyncIterator[Watched]:
    watched = Watched(fake, store, key)
    await watched.home.start()
    try:
        yield watched
    finally:
        await watched.home.stop()


def hub(**options: Any) -> Fake:
    fake = Fake(thermostat("t1", "Wall", "Living Room"), protect("p1", "Ceiling", "Hallway"), **options)
    fake.writes_apart = 0.0
    return fake


@pytest.fixture
async def fake() -> AsyncIterator[Fake]:
    async with hub() as fake:
        yield fake


@pytest.fixture
async def watched(fake: Fake, store: Store) -> AsyncIterator[Watched]:
    async with watching(fake, store) as watched:
        await watched.shows("Hallway", is_online=True)
        yield watched


async def test_a_thermostat_and_a_protect_are_those_of_the_wire(watched: Watched) -> None:
    known, alarm = watched.thing("Living Room"), watched.thing("Hallway")
    expected = {
        "name": "Living Room (Wall)",
        "hvac_mode": "heat",
        "hvac_state": "off",
        "ambient_temperature_c": 20.5,
        "target_temperature_c": 20.0,
        "target_temperature_low_c": 18.0,
        "target_temperature_high_c": 24.0,
        "humidity": 45,
        "can_cool": True,
        "has_fan": True,
        "fan_timer_active": False,
        "temperature_scale": "C",
    }
    assert {name: known.get(name) for name in expected} == expected
    told = ("smoke_alarm_state", "co_alarm_state", "battery_health", "is_manual_test_active", "ui_color_state")
    assert [alarm[name] for name in told] == ["ok", "ok", "ok", False, "green"]
    assert (watched.structure["smoke_alarm_state"], watched.structure["away"]) == ("ok", "home")


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ({"smokeStateDetail": "warn", "smokeDetected": True}, WARNING),
        ({"smokeStateDetail": "emergency", "smokeDetected": True}, EMERGENCY),
        ({"smokeStateDetail": "ok", "smokeDetected": False}, OK),
        ({"smokeStateDetail": "ok", "smokeDetected": True}, WARNING),
        ({"smokeDetected": True}, EMERGENCY),
        ({"smokeDetected": False}, OK),
        ({"smokeStateDetail": "smouldering"}, WARNING),
        ({"smokeStateDetail": None, "smokeDetected": "yes"}, None),
        ({}, None),
    ],
)
def test_smoke_has_three_levels_and_doubt_is_never_ok(said: dict[str, Any], level: AlarmLevel | None) -> None:
    assert protect_levels(said, "x").get(AlarmKind.SMOKE) is level


async def test_a_low_battery_has_to_be_replaced(watched: Watched, fake: Fake) -> None:
    fake.set("p1", batteryStatus="low")
    await watched.shows("Hallway", battery_health="replace", ui_color_state="yellow")
    fake.set("p1", batteryStatus=None)
    await watched.shows("Hallway", battery_health=None)


async def test_what_the_hub_says_in_a_test_is_held_back_and_a_fire_is_not(watched: Watched, fake: Fake) -> None:
    fake.test("p1")
    await watched.shows("Hallway", is_manual_test_active=True, smoke_alarm_state="ok")
    fake.set("p1", smokeStateDetail="emergency")
    await watched.shows("Hallway", smoke_alarm_state="emergency")
    fake.set("p1", smokeStateDetail="warn")
    await watched.shows("Hallway", smoke_alarm_state="ok")
    watched.ahead = timedelta(minutes=3)
    await watched.shows("Hallway", is_manual_test_active=True, smoke_alarm_state="warning")
    fake.end_test("p1")
    await watched.shows("Hallway", is_manual_test_active=False, smoke_alarm_state="ok")


async def test_a_test_whose_begin_nobody_saw_holds_nothing_back(fake: Fake, store: Store) -> None:
    fake.test("p1")
    async with watching(fake, store) as watched:
        await watched.shows("Hallway", is_manual_test_active=True, smoke_alarm_state="warning")


async def test_a_test_that_may_have_begun_while_the_hub_was_away_is_held_back_from_then_on(
    watched: Watched, fake: Fake
) -> None:
    await fake.go_away()
    await watched.shows("Hallway", is_online=False)
    watched.ahead = timedelta(seconds=150)
    fake.test("p1")
    await fake.come_back()
    await watched.shows("Hallway", is_online=True, is_manual_test_active=True, smoke_alarm_state="ok")
    watched.ahead = timedelta(seconds=181)
    await watched.shows("Hallway", is_manual_test_active=True, smoke_alarm_state="warning")


async def test_a_hub_that_goes_away_in_a_test_does_not_keep_a_warning_back(watched: Watched, fake: Fake) -> None:
    fake.test("p1")
    await watched.shows("Hallway", is_manual_test_active=True, smoke_alarm_state="ok")
    await fake.go_away()
    await watched.shows("Hallway", is_online=False, smoke_alarm_state="ok")
    watched.ahead = timedelta(seconds=181)
    await watched.shows("Hallway", is_online=False, smoke_alarm_state="warning")
    assert watched.structure["smoke_alarm_state"] == "warning"


async def test_before_the_hub_answers_nobody_knows_who_is_at_home_and_no_command_is_lost(
    fake: Fake, store: Store
) -> None:
    async with watching(fake, store) as watched:
        await until(watched.home, lambda: watched.structure["away"] == "home")
        await watched.be("away")
    await fake.go_away()
    async with watching(fake, store) as watched:
        await until(watched.home, lambda: watched.source.report.trouble)
        assert watched.structure["away"] == "unknown"
        with pytest.raises(WireError) as caught:
            await watched.be("home")
        assert (caught.value.status, caught.value.anchor) == (503, "service-unavailable")
        assert watched.structure["away"] == "unknown"


@pytest.mark.parametrize("is_listed", [True, False])
async def test_a_control_for_home_that_can_not_be_read_is_not_replaced_by_what_was_written(
    watched: Watched, fake: Fake, *, is_listed: bool
) -> None:
    await watched.be("away")
    await until(watched.home, lambda: watched.structure["away"] == "away")
    if is_listed:
        fake.things["home-away"].properties.clear()
    else:
        del fake.things["home-away"]
    await until(watched.home, lambda: watched.structure["away"] != "away")
    assert watched.structure["away"] == "unknown"


async def test_a_hub_without_home_and_away_leaves_it_to_what_is_written(fake: Fake, store: Store) -> None:
    del fake.things["home-away"]
    async with watching(fake, store) as watched:
        await watched.shows("Hallway", is_online=True)
        await watched.be("away")
        assert watched.structure["away"] == "away"


async def test_commands_arrive_in_the_hubs_words(watched: Watched, fake: Fake) -> None:
    await watched.write(target_temperature_c=22.5, target_temperature_f=73)
    await watched.shows("Living Room", target_temperature_c=22.5, hvac_state="heating")
    await watched.write(hvac_mode="heat-cool")
    await watched.shows("Living Room", hvac_mode="heat-cool")
    await watched.write(target_temperature_low_c=19.0, target_temperature_high_c=25.0)
    await watched.write(hvac_mode="eco")
    await watched.shows("Living Room", hvac_mode="eco", previous_hvac_mode="heat-cool")
    await watched.write(hvac_mode="off")
    await watched.shows("Living Room", hvac_mode="off")
    await watched.write(fan_timer_active=True)
    await watched.shows("Living Room", fan_timer_active=True)
    assert fake.writes == [
        ("t1", {"targetTemperature": 22.5}),
        ("t1", {"hvacMode": "heatCool"}),
        ("t1", {"targetHeatingThresholdTemperature": 19.0, "targetCoolingThresholdTemperature": 25.0}),
        ("t1", {"ecoMode": True}),
        ("t1", {"hvacMode": "off", "ecoMode": False}),
        ("t1", {"fanRunning": True}),
    ]


@pytest.mark.parametrize("state", list(HomeState))
@pytest.mark.parametrize("by", ["connectedToNest", "connectedToGoogleHome"])
async def test_away_is_understood_in_all_the_ways_it_is_written(
    store: Store, state: HomeState, by: Literal["connectedToNest", "connectedToGoogleHome"]
) -> None:
    async with hub(home_state=state, connected_by=by) as fake, watching(fake, store) as watched:
        await until(watched.home, lambda: watched.structure["away"] == "home")
        await watched.be("away")
        assert fake.is_home is False
        await until(watched.home, lambda: watched.structure["away"] == "away")
        fake.set_home(is_home=True)
        await until(watched.home, lambda: watched.structure["away"] == "home")


@pytest.mark.parametrize("fields", [{"label": "x"}, {"fan_timer_duration": 30}, {"temperature_scale": "F"}])
async def test_what_it_has_no_property_for_is_refused_and_nothing_is_done(
    watched: Watched, fake: Fake, fields: dict[str, Any]
) -> None:
    with pytest.raises(WireError, match="Not writable"):
        await watched.write(hvac_mode="off", **fields)
    assert fake.writes == []


async def test_what_the_hub_does_not_set_is_not_said_to_be_done(watched: Watched, fake: Fake) -> None:
    fake.set_errors.add("targetTemperature")
    with pytest.raises(WireError) as caught:
        await watched.write(target_temperature_c=22.0)
    assert (caught.value.status, caught.value.anchor) == (400, "source-refused")
    fake.permissions["write"] = False
    with pytest.raises(WireError) as caught:
        await watched.be("away")
    assert caught.value.status == 400
    assert watched.structure["away"] == "home"


async def test_a_hub_that_has_lost_nest_itself_has_nothing_new_to_tell(watched: Watched, fake: Fake) -> None:
    before = watched.thing("Hallway")
    fake.is_ready = False
    alarm = await watched.shows("Hallway", is_online=False)
    assert alarm["last_connection"] == before["last_connection"]
    assert "smoke_alarm_state" not in watched.structure
    assert watched.structure["away"] == "unknown"
    with pytest.raises(WireError) as caught:
        await watched.write(hvac_mode="off")
    assert caught.value.status == 503
    fake.is_ready = True
    await watched.shows("Hallway", is_online=True)


async def test_a_device_that_the_hub_says_is_offline_is_so(watched: Watched, fake: Fake) -> None:
    for gone in (False, None):
        fake.set("p1", isOnline=gone)
        await watched.shows("Hallway", is_online=False)
        assert watched.thing("Living Room")["is_online"] is True
        fake.set("p1", isOnline=True)
        await watched.shows("Hallway", is_online=True)


async def test_another_serial_number_is_another_device_that_comes_back_as_itself(watched: Watched, fake: Fake) -> None:
    before = watched.thing("Hallway")["device_id"]
    # The serial numbers of this fake follow from its ids.
    fake.change_id("p1", "p9")
    await until(watched.home, lambda: watched.thing("Hallway").get("device_id") not in {None, before})
    fake.change_id("p9", "p1")
    await until(watched.home, lambda: watched.thing("Hallway").get("device_id") == before)


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        (Fault.ERROR, Failure.FAULT),
        (Fault.DENIED, Failure.CREDENTIALS),
        (Fault.GARBAGE, Failure.NOT_IT),
        (Fault.PAGE, Failure.NOT_IT),
        (Fault.OTHER_SHAPE, Failure.NOT_IT),
        (Fault.REDIRECT, Failure.REDIRECT),
        (Fault.CUT, Failure.LOST),
        (Fault.BIG, Failure.TOO_LARGE),
    ],
)
async def test_answers_that_are_none_take_its_devices_offline_and_nobody_else(
    watched: Watched, fake: Fake, fault: Fault, failure: Failure
) -> None:
    fake.misbehave(fault)
    await watched.shows("Hallway", is_online=False)
    assert (watched.source.report.trouble, fake.strangers) == (failure, 0)
    assert watched.thing("Stairs")["is_online"] is True
    fake.misbehave(Fault.NONE)
    await watched.shows("Hallway", is_online=True)


async def test_a_hub_that_takes_too_long_for_all_of_its_devices_has_not_answered(
    watched: Watched, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wwn_server.homes.sources.starling._ALL_SECONDS", 0.3)
    fake.misbehave(Fault.SLOW, "/api/connect/v2/devices/")
    await watched.shows("Hallway", is_online=False)
    assert watched.source.report.trouble is Failure.TOO_SLOW
    monkeypatch.undo()
    fake.misbehave(Fault.NONE)
    await watched.shows("Hallway", is_online=True)


async def test_devices_are_not_asked_one_after_another(fake: Fake, store: Store) -> None:
    fake.slow_seconds = 60.0
    fake.misbehave(Fault.SLOW, "/api/connect/v2/devices/")
    async with watching(fake, store):
        each = {f"/api/connect/v2/devices/{name}" for name in fake.things}
        async with asyncio.timeout(4):
            while not each <= {path for _, path in fake.asked}:
                await asyncio.sleep(0.01)


async def test_what_stands_in_the_place_of_two_serial_numbers_makes_no_two_devices_one(
    watched: Watched, fake: Fake
) -> None:
    fake.things["p1"].serial = "UNKNOWN"
    fake.things["p2"] = protect("p2", "Wall", "Cellar")
    fake.things["p2"].serial = "UNKNOWN"
    await watched.shows("Cellar", is_online=True)
    await watched.shows("Hallway", is_online=True)
    assert len(watched.home.document.group(ALARMS)) == 2


async def test_one_odd_answer_does_not_make_it_an_older_hub_for_good(fake: Fake, store: Store) -> None:
    fake.misbehave(Fault.PAGE, "/api/connect/v2/")
    async with watching(fake, store) as watched:
        await watched.shows("Hallway", is_online=True)
        assert watched.source._base == "/api/connect/v1"
        fake.misbehave(Fault.NONE)
        await until(watched.home, lambda: ("GET", "/api/connect/v2/devices/p1") in fake.asked)
        assert watched.source._base == "/api/connect/v2"


async def test_the_key_is_in_no_log_and_no_repr(fake: Fake, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with watching(fake, store, "wrong-secret") as watched:
        await until(watched.home, lambda: watched.source.report.trouble)
        assert watched.source.report.trouble is Failure.CREDENTIALS
        own = [each.getMessage() for each in caplog.records if each.name.startswith("wwn_server")]
        assert "wrong-secret" not in "".join(own) + repr(StarlingSettings(address(fake.base, WEB), "wrong-secret"))


JSON = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.lists(st.integers(), max_size=2)
)
NAMES = sorted({*thermostat("t", "n", "r").properties, *protect("p", "n", "r").properties})


@hypothesis_settings(max_examples=80)
@given(st.dictionaries(st.sampled_from(NAMES), JSON))
def test_whatever_is_said_no_field_is_made_up(said: dict[str, Any]) -> None:
    fields = thermostat_fields(said)
    assert None not in fields.values()
    assert fields.get("hvac_mode") in {None, "off", "heat", "cool", "heat-cool", "eco"}
    for kind, level in protect_levels(said, "x").items():
        if level is OK:
            assert said.get(f"{kind}Detected") is not True
            assert said.get(f"{kind}Detected") is False or str(said[f"{kind}StateDetail"]).strip().lower() == "ok"
