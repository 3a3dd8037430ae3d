import asyncio
from dataclasses import replace
from datetime import timedelta
import re
from typing import Any

from hypothesis import given, settings as hypothesis_settings, strategies as st
import pytest

from wwn_server.homes.base import (
    AlarmKind,
    AlarmLevel,
    BatteryHealth,
    PlayableHome,
    Presence,
    UnknownDeviceError,
    Write,
)
from wwn_server.homes.simulated import SimulatedHome
from wwn_server.homes.thermostat import settle, step, time_to_target
from wwn_server.homes.world import World, next_moment

from .conftest import Clock

TARGETS = st.integers(18, 64).map(lambda each: each / 2)


def thing(home: SimulatedHome, group: str, room: str) -> dict[str, Any]:
    return dict(next(each for each in home.document.group(group).values() if each["where_name"] == room))


def thermostat(home: SimulatedHome, room: str = "Living Room") -> dict[str, Any]:
    return thing(home, "thermostats", room)


def alarm(home: SimulatedHome, room: str = "Kitchen") -> dict[str, Any]:
    return thing(home, "smoke_co_alarms", room)


def structure(home: SimulatedHome) -> dict[str, Any]:
    return dict(next(iter(home.document.group("structures").values())))


def go(home: SimulatedHome, presence: Presence) -> None:
    home.set_presence(structure(home)["structure_id"], presence)


def test_it_is_furnished_as_promised(home: SimulatedHome) -> None:
    assert {each["where_name"] for each in home.document.group("thermostats").values()} == {"Living Room", "Bedroom"}
    assert [each["where_name"] for each in home.document.group("smoke_co_alarms").values()] == [
        "Hallway",
        "Kitchen",
        "Bedroom",
    ]
    living, bedroom = thermostat(home), thermostat(home, "Bedroom")
    assert (living["hvac_mode"], living["can_cool"], living["has_fan"]) == ("heat-cool", True, True)
    assert (bedroom["hvac_mode"], bedroom["can_cool"], bedroom["has_fan"]) == ("heat", False, False)
    assert isinstance(home, PlayableHome)


def test_a_thermostat_has_every_field_of_the_protocol(home: SimulatedHome) -> None:
    pairs = [
        "ambient_temperature",
        "target_temperature",
        "target_temperature_high",
        "target_temperature_low",
        "eco_temperature_high",
        "eco_temperature_low",
        "away_temperature_high",
        "away_temperature_low",
        "locked_temp_min",
        "locked_temp_max",
    ]
    others = [
        "device_id",
        "locale",
        "software_version",
        "structure_id",
        "name",
        "name_long",
        "label",
        "where_id",
        "where_name",
        "last_connection",
        "is_online",
        "can_cool",
        "can_heat",
        "is_using_emergency_heat",
        "has_fan",
        "fan_timer_active",
        "fan_timer_timeout",
        "fan_timer_duration",
        "has_leaf",
        "temperature_scale",
        "hvac_mode",
        "previous_hvac_mode",
        "hvac_state",
        "humidity",
        "is_locked",
        "sunlight_correction_enabled",
        "sunlight_correction_active",
        "time_to_target",
        "time_to_target_training",
    ]
    assert set(thermostat(home)) == {*others, *(f"{pair}_{unit}" for pair in pairs for unit in "cf")}


def test_an_alarm_has_every_field_of_the_protocol(home: SimulatedHome) -> None:
    expected = [
        "device_id",
        "locale",
        "software_version",
        "structure_id",
        "where_id",
        "name",
        "name_long",
        "where_name",
        "last_connection",
        "is_online",
        "battery_health",
        "co_alarm_state",
        "smoke_alarm_state",
        "is_manual_test_active",
        "last_manual_test_time",
        "ui_color_state",
    ]
    assert set(alarm(home)) == set(expected)
    assert set(alarm(home, "Bedroom")) == set(expected) - {"last_manual_test_time"}


def test_names_follow_rooms(home: SimulatedHome) -> None:
    assert thermostat(home)["name_long"] == "Living Room Thermostat"
    assert alarm(home)["name_long"] == "Kitchen Nest Protect"
    wheres = structure(home)["wheres"]
    for device in (thermostat(home), alarm(home)):
        assert wheres[device["where_id"]] == {"where_id": device["where_id"], "name": device["where_name"]}


def test_ids_say_nothing_and_stay(home: SimulatedHome) -> None:
    again, other = SimulatedHome("a", seed=7), SimulatedHome("b")
    first = SimulatedHome("a")
    assert set(first.document.group("thermostats")) == set(again.document.group("thermostats"))
    assert not set(first.document.group("thermostats")) & set(other.document.group("thermostats"))
    for device_id in home.document.group("smoke_co_alarms"):
        assert re.fullmatch(r"[\w-]{32}", device_id)
    assert re.fullmatch(r"[\w-]{54}", structure(home)["structure_id"])
    assert re.fullmatch(r"[\w-]{54}", thermostat(home)["where_id"])


def test_it_speaks_fahrenheit_where_that_is_spoken() -> None:
    home = SimulatedHome("f", scale="F")
    assert thermostat(home)["temperature_scale"] == "F"
    assert thermostat(home)["target_temperature_high_f"] == 76
    assert (structure(home)["country_code"], structure(home)["time_zone"]) == ("US", "America/Los_Angeles")


@hypothesis_settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(0, 300))
def test_the_same_seed_and_steps_make_the_same_home(seed: int, steps: int) -> None:
    one, other = (SimulatedHome("x", seed=seed, speed=0, clock=Clock().now) for _ in range(2))
    one.advance(steps)
    for _ in range(steps):
        other.advance(1)
    assert one.world == other.world
    assert one.document.tree() == other.document.tree()


def test_another_seed_makes_another_home() -> None:
    assert SimulatedHome("x", seed=1).world != SimulatedHome("x", seed=2).world


@hypothesis_settings(max_examples=20)
@given(st.integers(0, 50), st.integers(0, 1000))
def test_steps_are_a_function_of_the_state(seed: int, steps: int) -> None:
    def later(world: World, count: int) -> World:
        for _ in range(count):
            world = next_moment(world)
        return world

    start = SimulatedHome("x", seed=seed).world
    half = steps // 2
    assert later(later(start, half), steps - half) == later(start, steps)


@hypothesis_settings(max_examples=20)
@given(st.integers(0, 20), TARGETS)
def test_a_heated_room_reaches_its_target_and_stays_near(seed: int, target: float) -> None:
    home = SimulatedHome("x", seed=seed, speed=0)
    key = thermostat(home, "Bedroom")["device_id"]
    fields = {"target_temperature_c": target, "target_temperature_f": 0}
    state = replace(home.world.thermostats[key].written(fields), ambient=target - 2)
    for _ in range(2160):
        state = step(state, 5)
    for _ in range(720):
        state = step(state, 5)
        assert abs(state.ambient - target) < 0.5


def test_an_unheated_room_goes_the_way_of_the_weather(home: SimulatedHome) -> None:
    key = thermostat(home)["device_id"]
    off = home.world.thermostats[key].in_mode("off")
    cold, warm = off, off
    for _ in range(8640):
        cold, warm = step(cold, 0), step(warm, 30)
    assert cold.ambient < 6
    assert warm.ambient > 26
    assert (cold.state, warm.state) == ("off", "off")


@pytest.mark.parametrize(
    ("mode", "ambient", "state"),
    [
        ("heat", 15, "heating"),
        ("heat", 30, "off"),
        ("cool", 15, "off"),
        ("cool", 30, "cooling"),
        ("heat-cool", 15, "heating"),
        ("heat-cool", 22, "off"),
        ("heat-cool", 30, "cooling"),
        ("eco", 22, "off"),
        ("eco", 10, "heating"),
        ("eco", 30, "cooling"),
        ("off", 5, "off"),
        ("off", 35, "off"),
    ],
)
def test_the_equipment_does_what_mode_and_room_ask(home: SimulatedHome, mode: str, ambient: float, state: str) -> None:
    living = home.world.thermostats[thermostat(home)["device_id"]]
    assert settle(replace(living, ambient=ambient).in_mode(mode)).state == state


def test_the_equipment_does_not_flicker(home: SimulatedHome) -> None:
    bedroom = home.world.thermostats[thermostat(home, "Bedroom")["device_id"]]
    changes, state = 0, bedroom
    for _ in range(2160):
        after = step(state, 5)
        changes += after.state != state.state
        state = after
    assert changes < 40


async def test_a_new_target_acts_at_once(home: SimulatedHome) -> None:
    key = thermostat(home, "Bedroom")["device_id"]
    await home.write(Write("thermostats", key, {"target_temperature_c": 25.0, "target_temperature_f": 77}))
    after = thermostat(home, "Bedroom")
    assert after["hvac_state"] == "heating"
    assert after["time_to_target"] != "~0"
    assert after["has_leaf"] is False
    await home.write(Write("thermostats", key, {"target_temperature_c": 15.0, "target_temperature_f": 59}))
    after = thermostat(home, "Bedroom")
    assert (after["hvac_state"], after["time_to_target"], after["has_leaf"]) == ("off", "~0", True)


@pytest.mark.parametrize(
    ("below", "words"),
    [(0.2, "<5"), (0.5, "<10"), (1, "~15"), (2, "~30"), (3.6, "~60"), (7.9, "~120"), (8.1, ">120"), (15, ">120")],
)
def test_the_time_to_the_target_is_told_in_the_words_of_the_protocol(
    home: SimulatedHome, below: float, words: str
) -> None:
    bedroom = home.world.thermostats[thermostat(home, "Bedroom")["device_id"]]
    assert time_to_target(replace(bedroom, ambient=21 - below, state="heating")) == words


def test_time_changes_what_is_told(home: SimulatedHome) -> None:
    before = home.document
    told: list[int] = []
    unsubscribe = home.subscribe(lambda: told.append(home.document.version))
    home.advance(360)
    assert told == [before.version + 1]
    unsubscribe()
    home.advance(360)
    assert len(told) == 1


def test_a_document_that_somebody_holds_does_not_change(home: SimulatedHome) -> None:
    held = home.document
    copy = str(held.tree())
    home.advance(100)
    go(home, Presence.AWAY)
    home.set_alarm_level(alarm(home)["device_id"], AlarmKind.SMOKE, AlarmLevel.WARNING)
    assert home.document is not held
    assert str(held.tree()) == copy


def test_leaving_and_coming_home_tells_each_once(home: SimulatedHome) -> None:
    told: list[str] = []
    home.subscribe(lambda: told.append(f"{structure(home)['away']} {thermostat(home)['hvac_mode']}"))
    go(home, Presence.AWAY)
    go(home, Presence.AWAY)
    go(home, Presence.HOME)
    assert told == ["away eco", "home heat-cool"]


def test_a_thermostat_that_was_offline_catches_up(home: SimulatedHome) -> None:
    key = thermostat(home)["device_id"]
    home.set_online(key, online=False)
    go(home, Presence.AWAY)
    assert thermostat(home)["hvac_mode"] == "heat-cool"
    home.set_online(key, online=True)
    assert thermostat(home)["hvac_mode"] == "eco"
    home.set_online(key, online=False)
    go(home, Presence.HOME)
    assert thermostat(home)["hvac_mode"] == "eco"
    home.set_online(key, online=True)
    assert thermostat(home)["hvac_mode"] == "heat-cool"


@pytest.mark.parametrize("kind", list(AlarmKind))
def test_levels_change_only_when_asked_and_apart_from_each_other(home: SimulatedHome, kind: AlarmKind) -> None:
    field, other = f"{kind}_alarm_state", {"smoke": "co", "co": "smoke"}[kind] + "_alarm_state"
    key = alarm(home)["device_id"]
    for level in ("emergency", "warning", "ok"):
        home.set_alarm_level(key, kind, AlarmLevel(level))
        home.advance(1000)
        assert (alarm(home)[field], alarm(home)[other], alarm(home, "Hallway")[field]) == (level, "ok", "ok")


@pytest.mark.parametrize(
    ("smoke", "co", "battery", "online", "color"),
    [
        ("ok", "ok", "ok", True, "green"),
        ("ok", "ok", "replace", True, "yellow"),
        ("warning", "ok", "ok", True, "yellow"),
        ("ok", "warning", "replace", True, "yellow"),
        ("emergency", "ok", "ok", True, "red"),
        ("warning", "emergency", "replace", True, "red"),
        ("emergency", "ok", "ok", False, "gray"),
        ("ok", "ok", "ok", False, "gray"),
    ],
)
def test_the_color_sums_up_an_alarm(
    home: SimulatedHome, smoke: str, co: str, battery: str, color: str, *, online: bool
) -> None:
    key = alarm(home)["device_id"]
    home.set_alarm_level(key, AlarmKind.SMOKE, AlarmLevel(smoke))
    home.set_alarm_level(key, AlarmKind.CO, AlarmLevel(co))
    home.set_battery(key, BatteryHealth(battery))
    home.set_online(key, online=online)
    assert alarm(home)["ui_color_state"] == color


@pytest.mark.parametrize(
    ("levels", "offline", "summary"),
    [
        ({}, [], "ok"),
        ({"Kitchen": "warning"}, [], "warning"),
        ({"Kitchen": "warning", "Hallway": "emergency"}, [], "emergency"),
        ({}, ["Bedroom"], None),
        ({}, ["Bedroom", "Hallway", "Kitchen"], None),
        ({"Kitchen": "warning"}, ["Bedroom"], "warning"),
        ({"Kitchen": "emergency"}, ["Kitchen"], "emergency"),
    ],
)
def test_a_structure_is_as_bad_as_its_worst_alarm_and_ok_only_when_all_are_heard(
    home: SimulatedHome, levels: dict[str, str], offline: list[str], summary: str | None
) -> None:
    for room, level in levels.items():
        home.set_alarm_level(alarm(home, room)["device_id"], AlarmKind.SMOKE, AlarmLevel(level))
    for room in offline:
        home.set_online(alarm(home, room)["device_id"], online=False)
    assert structure(home).get("smoke_alarm_state") == summary
    assert structure(home).get("co_alarm_state") == (None if offline else "ok")


def test_an_offline_device_was_last_heard_when_it_was(home: SimulatedHome, clock: Clock) -> None:
    before = alarm(home)["last_connection"]
    clock.seconds += 5
    home.set_online(alarm(home)["device_id"], online=False)
    clock.seconds += 86400
    home.set_battery(alarm(home)["device_id"], BatteryHealth.REPLACE)
    home.advance(1)
    assert alarm(home)["last_connection"] == before
    assert alarm(home)["battery_health"] == "ok"
    home.set_online(alarm(home)["device_id"], online=True)
    assert alarm(home)["last_connection"] == "2026-11-25T12:00:05.000Z"
    assert alarm(home)["battery_health"] == "replace"


def test_an_online_device_is_heard_of_now_and_then(home: SimulatedHome, clock: Clock) -> None:
    before = thermostat(home, "Bedroom")["last_connection"]
    assert before == "2026-11-24T12:00:00.000Z"
    clock.seconds += timedelta(minutes=9, seconds=59).total_seconds()
    home.advance(0)
    assert thermostat(home, "Bedroom")["last_connection"] == before
    clock.seconds += 1
    home.advance(0)
    assert thermostat(home, "Bedroom")["last_connection"] == "2026-11-24T12:10:00.000Z"
    assert alarm(home)["last_connection"] == before


def test_what_is_not_in_the_home_is_not_found(home: SimulatedHome) -> None:
    with pytest.raises(UnknownDeviceError):
        home.set_battery("unknown", BatteryHealth.OK)
    with pytest.raises(UnknownDeviceError):
        home.set_online("unknown", online=True)
    with pytest.raises(UnknownDeviceError):
        home.set_alarm_level(thermostat(home)["device_id"], AlarmKind.CO, AlarmLevel.OK)
    with pytest.raises(UnknownDeviceError):
        home.set_presence("unknown", Presence.AWAY)


async def test_time_passes_as_fast_as_it_is_told_and_stops() -> None:
    home = SimulatedHome("x", speed=3600)
    await home.start()
    await home.start()
    async with asyncio.timeout(5):
        while home.world.seconds < 1000:
            await asyncio.sleep(0.02)
    await home.stop()
    stopped = home.world.seconds
    await asyncio.sleep(0.3)
    assert home.world.seconds == stopped
    await home.stop()
