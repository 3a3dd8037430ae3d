"""The simulated home over restarts: it goes on where it was, and no alarm forgets what it sensed."""

from collections.abc import Callable
import json
from pathlib import Path
import signal
from typing import Any

from aiohttp import ClientSession, CookieJar
from hypothesis import given, settings as hypothesis_settings, strategies as st
import pytest

from wwn_server.document import ALARMS, DEVICE_GROUPS, STRUCTURES, THERMOSTATS
from wwn_server.eta import parse_trip
from wwn_server.homes.base import AlarmKind, AlarmLevel, BatteryHealth, Presence, Sunlight, Write
from wwn_server.homes.memory import recalled, told
from wwn_server.homes.simulated import SimulatedHome
from wwn_server.homes.world import House
from wwn_server.store import Store

from .conftest import Clock
from .person import Person
from .test_command import PASSWORD, run, serving
from .test_simulated_home import alarm, go, structure, thermostat


def started(store: Store, clock: Clock, **options: Any) -> SimulatedHome:
    return SimulatedHome(store.server_id, speed=0, clock=clock.now, memory=store.memory("simulated_home"), **options)


def first(home: SimulatedHome, group: str) -> str:
    return next(iter(home.document.group(group)))


HAPPENINGS: dict[str, Callable[[SimulatedHome], None]] = {
    "smoke": lambda home: home.set_alarm_level(first(home, ALARMS), AlarmKind.SMOKE, AlarmLevel.EMERGENCY),
    "co": lambda home: home.set_alarm_level(first(home, ALARMS), AlarmKind.CO, AlarmLevel.WARNING),
    "battery": lambda home: home.set_battery(first(home, ALARMS), BatteryHealth.REPLACE),
    "test": lambda home: home.set_manual_test(first(home, ALARMS), active=True),
    "offline alarm": lambda home: home.set_online(first(home, ALARMS), online=False),
    "offline thermostat": lambda home: home.set_online(first(home, THERMOSTATS), online=False),
    "lock": lambda home: home.set_lock(first(home, THERMOSTATS), locked=True),
    "emergency heat": lambda home: home.set_emergency_heat(first(home, THERMOSTATS), active=True),
    "sun": lambda home: home.set_sunlight(first(home, THERMOSTATS), Sunlight.CORRECTING),
    "away": lambda home: home.set_presence(first(home, STRUCTURES), Presence.AWAY),
    "home": lambda home: home.set_presence(first(home, STRUCTURES), Presence.HOME),
    "rush hour": lambda home: home.set_rush_hour(active=True),
    "outside": lambda home: home.set_outside(-3.5),
    "alarm more": lambda home: str(home.add_device(ALARMS, "Office")) and None,
    "thermostat more": lambda home: str(home.add_device(THERMOSTATS, "Office")) and None,
    "alarm less": lambda home: home.remove_device(list(home.document.group(ALARMS))[-1]),
    "time": lambda home: home.advance(3),
}


@hypothesis_settings(max_examples=100)
@given(st.lists(st.sampled_from(sorted(set(HAPPENINGS) - {"alarm less"})), max_size=12))
def test_whatever_happened_is_told_and_recalled_whole(happened: list[str]) -> None:
    home = SimulatedHome("x", speed=0, clock=Clock().now)
    for each in happened:
        HAPPENINGS[each](home)
    again = recalled(told(home.world, "C", {"device": "then"}), House("x", "C"), 1)
    assert again.world == home.world
    assert again.heard == {"device": "then"}


@pytest.mark.parametrize("happened", sorted(HAPPENINGS))
async def test_a_home_goes_on_where_it_was(store: Store, clock: Clock, happened: str) -> None:
    before = started(store, clock)
    before.set_alarm_level(alarm(before)["device_id"], AlarmKind.CO, AlarmLevel.WARNING)
    HAPPENINGS[happened](before)
    await before.stop()
    after = started(store, clock)
    assert after.document.tree() == before.document.tree()
    assert after.surroundings == before.surroundings


async def test_what_hubs_wrote_goes_on_too(store: Store, clock: Clock) -> None:
    before = started(store, clock)
    fields = {"label": "x", "temperature_scale": "F", "fan_timer_duration": 30, "fan_timer_active": True}
    await before.write(Write(THERMOSTATS, thermostat(before)["device_id"], fields))
    go(before, Presence.AWAY)
    begin = "2026-11-24T18:00:00Z"
    eta = {"trip_id": "t", "estimated_arrival_window_begin": begin, "estimated_arrival_window_end": begin}
    await before.write(Write(STRUCTURES, structure(before)["structure_id"], {"eta": parse_trip(eta)}))
    clock.seconds += 600
    after = started(store, clock)
    told_of = thermostat(after)
    assert (told_of["name"], told_of["temperature_scale"]) == ("Living Room (x)", "F")
    # The fan stood still with the server, as all of the home did.
    assert (told_of["fan_timer_active"], told_of["fan_timer_timeout"]) == (True, "2026-11-24T12:40:00.000Z")
    assert structure(after)["eta_begin"] == "2026-11-24T18:00:00.000Z"


def test_an_offline_device_was_not_heard_of_by_a_restart(store: Store, clock: Clock) -> None:
    before = started(store, clock)
    before.set_online(alarm(before)["device_id"], online=False)
    clock.seconds += 86400
    after = started(store, clock)
    assert alarm(after)["last_connection"] == "2026-11-24T12:00:00.000Z"
    assert alarm(after, "Hallway")["last_connection"] == "2026-11-25T12:00:00.000Z"
    assert "smoke_alarm_state" not in structure(after)


@pytest.mark.parametrize("options", [{"seed": 2}, {"scale": "F"}])
def test_another_home_begins_anew(store: Store, clock: Clock, options: dict[str, Any]) -> None:
    started(store, clock).set_outside(-3.5)
    assert started(store, clock, **options).surroundings.weather


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "5", "{}", '{"world":{},"scale":"C","heard":{}}'])
def test_what_can_not_be_read_is_said_and_the_home_begins_anew(
    store: Store, clock: Clock, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    store.memory("simulated_home").write(text)
    home = started(store, clock)
    assert len(home.document.group(ALARMS)) == 3
    assert "can't be read" in caplog.text


def test_any_change_of_what_is_kept_is_read_or_begins_anew(store: Store, clock: Clock) -> None:
    before = started(store, clock)
    before.set_rush_hour(active=True)
    kept = json.loads(store.memory("simulated_home").read() or "")
    for key in tuple(kept["world"]):
        store.memory("simulated_home").write(json.dumps(kept | {"world": kept["world"] | {key: "?"}}))
        assert set(started(store, clock).document.groups) == {*DEVICE_GROUPS, STRUCTURES}


def test_what_can_not_be_kept_does_not_happen(store: Store, clock: Clock) -> None:
    home = started(store, clock)
    before = home.document
    store.close()
    with pytest.raises(Exception, match="closed"):
        go(home, Presence.AWAY)
    assert home.document is before


async def test_an_emergency_outlives_a_server_that_is_killed(tmp_path: Path) -> None:
    run("--data", tmp_path, "account", "add", "anna", stdin=PASSWORD)
    options = ("--data", tmp_path, "--port", "0", "--no-announce")
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser:
        with serving(*options) as (process, line):
            person = Person(line.strip().removeprefix("Listening on "), browser, None)
            await person.sign_in()
            console = await person.console()
            key = next(iter(console["document"]["devices"][ALARMS]))
            form = {"csrf": console["csrf"], "smoke_alarm_state": "emergency"}
            assert (await person.post(f"/console/alarms/{key}", form)).status == 303
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        with serving(*options) as (_, line):
            person.base = line.strip().removeprefix("Listening on ")
            document = (await person.console())["document"]
            assert document["devices"][ALARMS][key]["smoke_alarm_state"] == "emergency"
            assert next(iter(document["structures"].values()))["smoke_alarm_state"] == "emergency"
