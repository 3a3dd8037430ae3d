"""What happens in the simulated home besides the weather: tests, shut-offs, fans, arrivals, devices."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wwn_server.document import ALARMS, THERMOSTATS
from wwn_server.eta import Trip, Window
from wwn_server.homes.base import (
    AlarmKind,
    AlarmLevel,
    FullHomeError,
    Presence,
    Sunlight,
    Surroundings,
    UnknownDeviceError,
    Write,
)
from wwn_server.homes.simulated import SimulatedHome

from .conftest import Clock
from .test_simulated_home import alarm, go, structure, thermostat

EPOCH = "1970-01-01T00:00:00.000Z"


async def write(home: SimulatedHome, room: str = "Living Room", **fields: Any) -> None:
    await home.write(Write(THERMOSTATS, thermostat(home, room)["device_id"], fields))


def emergency(home: SimulatedHome, kind: AlarmKind = AlarmKind.CO, room: str = "Kitchen") -> None:
    home.set_alarm_level(alarm(home, room)["device_id"], kind, AlarmLevel.EMERGENCY)


def over(home: SimulatedHome, kind: AlarmKind = AlarmKind.CO, room: str = "Kitchen") -> None:
    home.set_alarm_level(alarm(home, room)["device_id"], kind, AlarmLevel.OK)


class TestAManualTest:
    def test_lasts_a_minute_moves_no_level_and_is_noted_when_it_ends(self, home: SimulatedHome, clock: Clock) -> None:
        key = alarm(home)["device_id"]
        before = alarm(home)
        home.set_manual_test(key, active=True)
        home.advance(5)
        during = alarm(home)
        assert {name for name in before if before[name] != during[name]} == {"is_manual_test_active"}
        assert structure(home)["smoke_alarm_state"] == "ok"
        clock.seconds += 60
        home.advance(1)
        after = alarm(home)
        assert after["is_manual_test_active"] is False
        assert after["last_manual_test_time"] == "2026-11-24T12:01:00.000Z"

    @pytest.mark.parametrize("level", list(AlarmLevel))
    def test_leaves_a_level_that_is_really_there(self, home: SimulatedHome, level: AlarmLevel) -> None:
        key = alarm(home)["device_id"]
        home.set_alarm_level(key, AlarmKind.SMOKE, level)
        home.set_manual_test(key, active=True)
        home.advance(3)
        assert alarm(home)["smoke_alarm_state"] == level
        home.advance(3)
        assert alarm(home)["smoke_alarm_state"] == level

    def test_of_an_offline_alarm_is_told_when_it_is_back(self, home: SimulatedHome) -> None:
        key = alarm(home, "Bedroom")["device_id"]
        home.set_online(key, online=False)
        home.set_manual_test(key, active=True)
        assert alarm(home, "Bedroom")["is_manual_test_active"] is False
        home.advance(6)
        assert "last_manual_test_time" not in alarm(home, "Bedroom")
        home.set_online(key, online=True)
        assert alarm(home, "Bedroom")["last_manual_test_time"] == "2026-11-24T12:00:00.000Z"

    def test_that_is_not_running_can_not_be_ended(self, home: SimulatedHome) -> None:
        before = home.document
        home.set_manual_test(alarm(home, "Bedroom")["device_id"], active=False)
        assert home.document is before


class TestAShutOff:
    @pytest.mark.parametrize("kind", list(AlarmKind))
    async def test_stops_heating_and_fan_and_only_heating_comes_back(
        self, home: SimulatedHome, kind: AlarmKind
    ) -> None:
        await write(home, target_temperature_low_c=22.0, target_temperature_low_f=72, fan_timer_active=True)
        assert (thermostat(home)["hvac_state"], thermostat(home)["fan_timer_active"]) == ("heating", True)
        emergency(home, kind)
        assert thermostat(home)["hvac_state"] == "off"
        assert (thermostat(home)["fan_timer_active"], thermostat(home)["fan_timer_timeout"]) == (False, EPOCH)
        home.advance(100)
        assert thermostat(home)["hvac_state"] == "off"
        assert thermostat(home)["hvac_mode"] == "heat-cool"
        over(home, kind)
        assert (thermostat(home)["hvac_state"], thermostat(home)["fan_timer_active"]) == ("heating", False)

    async def test_is_not_brought_about_by_a_warning(self, home: SimulatedHome) -> None:
        await write(home, target_temperature_low_c=22.0, target_temperature_low_f=72)
        home.set_alarm_level(alarm(home)["device_id"], AlarmKind.CO, AlarmLevel.WARNING)
        assert thermostat(home)["hvac_state"] == "heating"

    async def test_lasts_until_no_alarm_reports_an_emergency(self, home: SimulatedHome) -> None:
        await write(home, target_temperature_low_c=22.0, target_temperature_low_f=72)
        emergency(home)
        emergency(home, AlarmKind.SMOKE, "Hallway")
        over(home)
        assert thermostat(home)["hvac_state"] == "off"
        over(home, AlarmKind.SMOKE, "Hallway")
        assert thermostat(home)["hvac_state"] == "heating"

    async def test_goes_on_when_the_alarm_falls_silent(self, home: SimulatedHome) -> None:
        await write(home, target_temperature_low_c=22.0, target_temperature_low_f=72)
        emergency(home)
        home.set_online(alarm(home)["device_id"], online=False)
        over(home)
        assert thermostat(home)["hvac_state"] == "off"
        home.set_online(alarm(home)["device_id"], online=True)
        assert thermostat(home)["hvac_state"] == "heating"

    async def test_holds_a_thermostat_that_comes_back_and_one_that_is_new(self, home: SimulatedHome) -> None:
        await write(home, target_temperature_low_c=22.0, target_temperature_low_f=72)
        key = thermostat(home)["device_id"]
        home.set_online(key, online=False)
        emergency(home)
        assert thermostat(home)["hvac_state"] == "heating"
        home.set_online(key, online=True)
        assert thermostat(home)["hvac_state"] == "off"
        home.add_device(THERMOSTATS, "Office")
        await write(home, "Office", target_temperature_c=30.0, target_temperature_f=86)
        assert thermostat(home, "Office")["hvac_state"] == "off"

    async def test_ends_when_the_alarm_is_taken_down(self, home: SimulatedHome) -> None:
        await write(home, target_temperature_low_c=22.0, target_temperature_low_f=72)
        emergency(home)
        home.remove_device(alarm(home)["device_id"])
        assert thermostat(home)["hvac_state"] == "heating"


def test_emergency_heat_never_cools(home: SimulatedHome) -> None:
    home.set_outside(45)
    home.advance(3000)
    assert thermostat(home)["hvac_state"] == "cooling" or thermostat(home)["ambient_temperature_c"] >= 24
    home.set_emergency_heat(thermostat(home)["device_id"], active=True)
    home.advance(300)
    assert thermostat(home)["hvac_state"] == "off"
    assert thermostat(home)["ambient_temperature_c"] > 25


async def test_a_fan_runs_in_the_homes_time_and_its_end_is_told_in_ours(clock: Clock) -> None:
    home = SimulatedHome("x", speed=60, clock=clock.now)
    await write(home, fan_timer_active=True)
    assert thermostat(home)["fan_timer_timeout"] == "2026-11-24T12:00:15.000Z"
    home.advance(45)
    clock.seconds += 7.5
    home.set_speed(1)
    assert thermostat(home)["fan_timer_timeout"] == "2026-11-24T12:07:37.500Z"
    home.set_speed(0)
    assert thermostat(home)["fan_timer_timeout"] == "2026-11-24T12:07:37.500Z"
    home.advance(45)
    assert thermostat(home)["fan_timer_timeout"] == EPOCH


async def test_a_fan_waits_for_a_thermostat_that_is_offline(home: SimulatedHome, clock: Clock) -> None:
    key = thermostat(home)["device_id"]
    await write(home, fan_timer_active=True)
    home.set_online(key, online=False)
    home.advance(200)
    clock.seconds += 2000
    home.set_online(key, online=True)
    assert thermostat(home)["fan_timer_timeout"] == "2026-11-24T12:48:20.000Z"


@pytest.mark.parametrize("sunlight", list(Sunlight))
def test_the_sun_is_told(home: SimulatedHome, sunlight: Sunlight) -> None:
    home.set_sunlight(thermostat(home)["device_id"], sunlight)
    told = (thermostat(home)["sunlight_correction_enabled"], thermostat(home)["sunlight_correction_active"])
    assert told == {"off": (False, False), "on": (True, False), "correcting": (True, True)}[sunlight]


class TestDevices:
    @pytest.mark.parametrize(("group", "find"), [(ALARMS, alarm), (THERMOSTATS, thermostat)])
    def test_one_that_is_hung_up_again_is_the_same(self, home: SimulatedHome, group: str, find: Any) -> None:
        before = find(home, "Bedroom")["device_id"]
        home.remove_device(before)
        assert before not in home.document.group(group)
        assert before not in structure(home)[group]
        assert home.add_device(group, "Bedroom") == before
        assert before in structure(home)[group]

    def test_two_in_a_room_are_told_apart_in_every_start(self, clock: Clock) -> None:
        added = []
        for _ in range(2):
            home = SimulatedHome("x", speed=0, clock=clock.now)
            added.append([home.add_device(ALARMS, "Office") for _ in range(3)])
        assert added[0] == added[1]
        names = [home.document.group(ALARMS)[key]["name"] for key in added[1]]
        assert names == ["Office", "Office (2)", "Office (3)"]
        home.remove_device(added[1][1])
        assert home.add_device(ALARMS, "Office") == added[1][1]

    def test_a_home_without_devices_has_no_lists_no_levels_and_no_presence(self, home: SimulatedHome) -> None:
        for group in (ALARMS, THERMOSTATS):
            for key in tuple(home.document.group(group)):
                home.remove_device(key)
        assert set(structure(home)) == {
            "structure_id",
            "name",
            "country_code",
            "postal_code",
            "time_zone",
            "away",
            "rhr_enrollment",
            "wheres",
        }
        assert structure(home)["away"] == "unknown"
        assert set(home.document.tree()) == {"structures"}
        home.add_device(ALARMS, "Hallway")
        assert (structure(home)["away"], structure(home)["smoke_alarm_state"]) == ("home", "ok")

    def test_a_new_thermostat_follows_its_home(self, home: SimulatedHome) -> None:
        go(home, Presence.AWAY)
        home.add_device(THERMOSTATS, "Office")
        assert thermostat(home, "Office")["hvac_mode"] == "eco"
        go(home, Presence.HOME)
        assert thermostat(home, "Office")["hvac_mode"] == "heat"

    def test_there_is_room_for_twenty_of_a_kind(self, home: SimulatedHome) -> None:
        for _ in range(17):
            home.add_device(ALARMS, "Office")
        with pytest.raises(FullHomeError):
            home.add_device(ALARMS, "Office")
        home.add_device(THERMOSTATS, "Office")

    def test_what_is_not_there_can_not_be_taken_down_or_hung_up(self, home: SimulatedHome) -> None:
        with pytest.raises(UnknownDeviceError):
            home.remove_device("unknown")
        with pytest.raises(UnknownDeviceError):
            home.add_device(ALARMS, "Dungeon")
        for change in (
            lambda: home.set_lock(alarm(home)["device_id"], locked=True),
            lambda: home.set_manual_test(thermostat(home)["device_id"], active=True),
            lambda: home.set_sunlight("unknown", Sunlight.ON),
            lambda: home.set_emergency_heat("unknown", active=True),
        ):
            with pytest.raises(UnknownDeviceError):
                change()


class TestSurroundings:
    def test_who_listens_is_told_of_them(self, home: SimulatedHome) -> None:
        told: list[Surroundings] = []
        home.subscribe(lambda: told.append(home.surroundings))
        home.set_outside(-12.5)
        home.set_outside(-12.5)
        home.set_speed(60)
        home.set_outside(None)
        assert [(each.outside, each.weather, each.speed) for each in told[:2]] == [
            (-12.5, False, 0),
            (-12.5, False, 60),
        ]
        assert told[-1].weather
        assert len(told) == 3

    def test_a_cold_day_cools_a_room(self, home: SimulatedHome) -> None:
        key = thermostat(home)["device_id"]
        home.set_outside(-30)
        home.advance(1)
        cold = home.world.thermostats[key].ambient
        other = SimulatedHome("x", speed=0)
        other.set_outside(30)
        other.advance(1)
        assert cold < next(iter(other.world.thermostats.values())).ambient

    def test_a_rush_hour_ends_by_itself(self, home: SimulatedHome, clock: Clock) -> None:
        home.set_rush_hour(active=True)
        clock.seconds += 3599
        home.advance(0)
        assert structure(home)["rhr_enrollment"] is True
        clock.seconds += 1
        home.advance(0)
        assert structure(home)["rhr_enrollment"] is False
        assert "peak_period_end_time" not in structure(home)


class TestTimeThatPasses:
    async def test_can_be_started_stopped_and_hurried_while_it_runs(self) -> None:
        home = SimulatedHome("x", speed=0)
        await home.start()
        await asyncio.sleep(0.25)
        assert home.world.seconds == 0
        home.set_speed(3600)
        async with asyncio.timeout(10):
            while home.world.seconds < 1000:
                await asyncio.sleep(0.02)
        home.set_speed(0)
        await asyncio.sleep(0.05)
        stopped = home.world.seconds
        await asyncio.sleep(0.3)
        assert home.world.seconds == stopped
        await home.stop()

    async def test_an_arrival_comes_true_while_it_passes(self) -> None:
        home = SimulatedHome("x", speed=3600)
        go(home, Presence.AWAY)
        begin = datetime.now(UTC) + timedelta(seconds=0.3)
        key = structure(home)["structure_id"]
        await home.write(Write("structures", key, {"eta": Trip("t", Window(begin, begin))}))
        assert structure(home)["away"] == "away"
        await home.start()
        async with asyncio.timeout(10):
            while structure(home)["away"] != "home":
                await asyncio.sleep(0.02)
        assert datetime.now(UTC) >= begin
        await home.stop()
