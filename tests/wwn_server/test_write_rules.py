"""Every row of the write rules (protocol 5.3 to 5.5), asked over a real socket and held by value."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
import json
from typing import Any

from hypothesis import given, settings as hypothesis_settings, strategies as st
import pytest

from wwn_server.document import STRUCTURES, THERMOSTATS
from wwn_server.errors import WireError
from wwn_server.eta import parse_trip
from wwn_server.homes.base import AlarmKind, AlarmLevel, Presence, Write
from wwn_server.homes.simulated import SimulatedHome
from wwn_server.rules import CHOICES, FAN_MINUTES, RULES, TYPES, Subject, check, prepared

from .conftest import Running
from .hub import Hub
from .test_writes import BEDROOM, LIVING_ROOM, structure_path, thermostat_path

EPOCH = "1970-01-01T00:00:00.000Z"
ETA = {
    "trip_id": "way home",
    "estimated_arrival_window_begin": "2026-11-24T18:30:00.000Z",
    "estimated_arrival_window_end": "2026-11-24T18:45:00.000Z",
}


def device(home: SimulatedHome, room: str) -> dict[str, Any]:
    return dict(next(each for each in home.document.group(THERMOSTATS).values() if each["where_name"] == room))


def structure(home: SimulatedHome) -> dict[str, Any]:
    return dict(next(iter(home.document.group(STRUCTURES).values())))


def nothing(_: SimulatedHome) -> None:
    """Leave the home as it is: the living room in heat-cool with a fan, the bedroom heating only."""


def offline(home: SimulatedHome) -> None:
    home.set_online(device(home, LIVING_ROOM)["device_id"], online=False)


def locked(home: SimulatedHome) -> None:
    home.set_lock(device(home, BEDROOM)["device_id"], locked=True)


def emergency_heat(home: SimulatedHome) -> None:
    home.set_emergency_heat(device(home, LIVING_ROOM)["device_id"], active=True)


def emergency_heat_in_cool(home: SimulatedHome) -> None:
    device_id = device(home, LIVING_ROOM)["device_id"]
    world = home.world
    cooled = {**world.thermostats, device_id: world.thermostats[device_id].in_mode("cool")}
    home._become(replace(world, thermostats=cooled))
    emergency_heat(home)


def carbon_monoxide(home: SimulatedHome) -> None:
    home.set_alarm_level(next(iter(home.document.group("smoke_co_alarms"))), AlarmKind.CO, AlarmLevel.EMERGENCY)


def smoke(home: SimulatedHome) -> None:
    home.set_alarm_level(next(iter(home.document.group("smoke_co_alarms"))), AlarmKind.SMOKE, AlarmLevel.EMERGENCY)


def away(home: SimulatedHome) -> None:
    home.set_presence(structure(home)["structure_id"], Presence.AWAY)


def away_without_thermostats(home: SimulatedHome) -> None:
    away(home)
    for device_id in tuple(home.document.group(THERMOSTATS)):
        home.remove_device(device_id)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A write, the home it meets, and how it is refused."""

    rule: str
    where: str = LIVING_ROOM
    body: dict[str, Any]
    anchor: str
    message: str
    details: dict[str, str] = field(default_factory=dict)
    home: Callable[[SimulatedHome], None] = nothing

    def __str__(self) -> str:
        shown = json.dumps(self.body)[:50]
        return f"{self.rule.strip('_')}: {shown} {self.home.__name__}"


INVALID = {"anchor": "invalid-content-sent", "message": "Invalid content sent"}
SHUT_OFF_FAN = "Cannot activate fan during smoke/co safety shutoff"
EMERGENCY_HEAT = {
    "anchor": "emergency-heat",
    "message": "Mode and cooling can't be changed while emergency heat is on.",
    "home": emergency_heat,
}
DURATION = "Cannot set fan_timer_duration to the selected value. See API reference for allowed values."

ROWS = (
    *(
        Row(rule="_types", body={name: value}, **INVALID)
        for name, value in {
            "target_temperature_low_c": "20",
            "target_temperature_high_f": True,
            "hvac_mode": 1,
            "fan_timer_active": "true",
            "fan_timer_duration": "15",
            "label": None,
            "temperature_scale": False,
        }.items()
    ),
    *(
        Row(rule="_types", where=STRUCTURES, body={name: value}, **INVALID)
        for name, value in {"away": True, "name": 5, "eta": "soon"}.items()
    ),
    Row(
        rule="_online",
        body={"target_temperature_low_c": 19},
        anchor="device-offline",
        message="Thermostat is not online",
        home=offline,
    ),
    Row(rule="_online", body={"label": "x"}, anchor="device-offline", message="Thermostat is not online", home=offline),
    Row(
        rule="_choices",
        body={"hvac_mode": "boil"},
        anchor="invalid-hvac-mode",
        message="Invalid HVAC mode: boil",
        details={"field_name": "hvac_mode"},
    ),
    *(
        Row(
            rule="_choices",
            body={"fan_timer_duration": minutes},
            anchor="invalid-fan-timer-duration",
            message=DURATION,
            details={"field_name": "fan_timer_duration"},
        )
        for minutes in (0, -15, 14, 20, 75, 721, 15.5)
    ),
    *(
        Row(
            rule="_choices",
            body={"temperature_scale": scale},
            anchor="invalid-temperature-scale",
            message=f"Invalid temperature scale: {scale}. It can be C or F.",
            details={"field_name": "temperature_scale"},
        )
        for scale in ("K", "c", "")
    ),
    *(
        Row(
            rule="_choices",
            where=STRUCTURES,
            body={"away": word},
            anchor="invalid-away",
            message="Invalid value for away: it can be set to home or away.",
            details={"field_name": "away"},
        )
        for word in ("auto-away", "unknown", "")
    ),
    Row(
        rule="_label",
        body={"label": "x" * 256},
        anchor="invalid-label",
        message="Label must be less than 256 characters",
        details={"field_name": "label"},
    ),
    *(
        Row(
            rule="_name",
            where=STRUCTURES,
            body={"name": name},
            anchor="invalid-name",
            message="The name of a home is one line of 1 to 60 characters, without spaces around it.",
            details={"field_name": "name"},
        )
        for name in ("", "  ", " Cabin", "two\nlines", "x" * 61)
    ),
    Row(
        rule="_one_unit",
        body={"target_temperature_low_c": 20, "target_temperature_high_f": 75},
        anchor="invalid-content-sent",
        message="Write temperatures in Celsius or in Fahrenheit, not in both at once.",
    ),
    *(
        Row(
            rule="_possible_mode",
            where=BEDROOM,
            body={"hvac_mode": mode},
            anchor="invalid-hvac-mode",
            message=f"Invalid HVAC mode: {mode}. This thermostat's equipment can't do that.",
        )
        for mode in ("cool", "heat-cool")
    ),
    *(
        Row(
            rule="_fan",
            where=BEDROOM,
            body=body,
            anchor="no-fan",
            message="This thermostat controls no fan.",
            details={"field_name": next(iter(body))},
        )
        for body in ({"fan_timer_active": True}, {"fan_timer_active": False}, {"fan_timer_duration": 30})
    ),
    *(
        Row(
            rule="_not_shut_off",
            body={"fan_timer_active": True},
            anchor="safety-shutoff-on",
            message=SHUT_OFF_FAN,
            details={"field_name": "fan_timer_active"},
            home=home,
        )
        for home in (carbon_monoxide, smoke)
    ),
    *(
        Row(
            rule="_not_shut_off",
            body=body,
            anchor="safety-shutoff-on",
            message=f"Cannot change {next(iter(body))} during smoke/co safety shutoff",
            details={"field_name": next(iter(body))},
            home=carbon_monoxide,
        )
        for body in (
            {"target_temperature_low_c": 19},
            {"hvac_mode": "heat"},
            {"hvac_mode": "cool"},
            {"hvac_mode": "eco"},
        )
    ),
    *(
        Row(rule="_emergency_heat", body=body, **EMERGENCY_HEAT)
        for body in ({"hvac_mode": "heat"}, {"hvac_mode": "off"}, {"target_temperature_high_c": 25})
    ),
    Row(
        rule="_emergency_heat",
        body={"target_temperature_c": 20},
        **(EMERGENCY_HEAT | {"home": emergency_heat_in_cool}),
    ),
    *(
        Row(
            rule="_fits_mode",
            where=where,
            body={name: value},
            anchor="mode-error",
            message=f"Cannot change {name} while the mode is {mode}.",
            details={"field_name": name},
            home=home,
        )
        for where, name, value, mode, home in (
            (LIVING_ROOM, "target_temperature_c", 20, "heat-cool", nothing),
            (BEDROOM, "target_temperature_low_f", 68, "heat", nothing),
            (BEDROOM, "target_temperature_high_f", 68, "heat", nothing),
            (BEDROOM, "target_temperature_c", 20, "eco", away),
            (LIVING_ROOM, "target_temperature_low_c", 20, "eco", away),
        )
    ),
    *(
        Row(
            rule="_on_step",
            where=BEDROOM,
            body={name: value},
            anchor="format-error",
            message=f"Temperature '{value}' is in wrong format",
            details={"field_name": name},
        )
        for name, value in (
            ("target_temperature_c", 20.3),
            ("target_temperature_c", 20.25),
            ("target_temperature_f", 68.5),
        )
    ),
    *(
        Row(rule="_within_range", where=BEDROOM, body={name: value}, anchor=anchor, message=message)
        for name, value, anchor, message in (
            ("target_temperature_f", 91, "high-f-value", "Temperature F value is too high: 91"),
            ("target_temperature_f", 10, "low-f-value", "Temperature F value is too low: 10"),
            ("target_temperature_c", 32.5, "high-c-value", "Temperature C value is too high: 32.5"),
            ("target_temperature_c", 8.5, "low-c-value", "Temperature C value is too low: 8.5"),
        )
    ),
    *(
        Row(
            rule="_within_lock",
            where=BEDROOM,
            body={name: value},
            anchor="range-error",
            message=f"The thermostat is locked to {said}.",
            home=locked,
        )
        for name, value, said in (
            ("target_temperature_c", 18, "18.5 to 24 °C"),
            ("target_temperature_c", 24.5, "18.5 to 24 °C"),
            ("target_temperature_f", 76, "65 to 75 °F"),
        )
    ),
    Row(
        rule="_apart",
        body={"target_temperature_low_c": 22, "target_temperature_high_c": 21},
        anchor="low-high-error",
        message="The low target must be below the high target.",
    ),
    Row(
        rule="_apart",
        body={"target_temperature_low_f": 70, "target_temperature_high_f": 72},
        anchor="range-error",
        message="The low and high targets must be at least 3 °F apart.",
    ),
    Row(
        rule="_apart",
        body={"target_temperature_low_c": 23.5},
        anchor="range-error",
        message="The low and high targets must be at least 1.5 °C apart.",
    ),
    Row(rule="_eta", where=STRUCTURES, body={"eta": ETA}, anchor="not-in-away-mode", message="Not in away mode"),
    Row(
        rule="_eta",
        where=STRUCTURES,
        body={"eta": ETA},
        anchor="no-thermostat",
        message="The structure has no thermostat that could prepare for an arrival.",
        home=away_without_thermostats,
    ),
    *(
        Row(
            rule="_eta",
            where=STRUCTURES,
            body={"eta": {key: value for key, value in ETA.items() if key != missing}},
            anchor="invalid-eta",
            message=f"An arrival needs the field {missing}.",
            details={"field_name": missing},
            home=away,
        )
        for missing in ETA
    ),
    *(
        Row(
            rule="_eta",
            where=STRUCTURES,
            body={"eta": ETA | {"trip_id": trip}},
            anchor="invalid-eta",
            message="The trip_id must be a text of 1 to 256 characters.",
            details={"field_name": "trip_id"},
            home=away,
        )
        for trip in ("", 5, None, "x" * 257)
    ),
    *(
        Row(
            rule="_eta",
            where=STRUCTURES,
            body={"eta": ETA | {name: value}},
            anchor="invalid-eta",
            message=f"The {name} is not a time such as 2026-11-24T18:30:00.000Z.",
            details={"field_name": name},
            home=away,
        )
        for name, value in (
            ("estimated_arrival_window_begin", "soon"),
            ("estimated_arrival_window_begin", 5),
            ("estimated_arrival_window_begin", None),
            ("estimated_arrival_window_begin", ""),
            ("estimated_arrival_window_end", 0),
            ("estimated_arrival_window_end", "0001-01-01T00:00:00+14:00"),
            ("estimated_arrival_window_end", "9999-12-31T23:59:59-12:00"),
            ("estimated_arrival_window_end", "2026-02-30T00:00:00Z"),
        )
    ),
    Row(
        rule="_eta",
        where=STRUCTURES,
        body={"eta": ETA | {"estimated_arrival_window_end": "2026-11-24T18:29:59Z"}},
        anchor="invalid-eta",
        message="The arrival window ends before it begins: estimated_arrival_window_end.",
        details={"field_name": "estimated_arrival_window_end"},
        home=away,
    ),
    Row(
        rule="_eta",
        where=STRUCTURES,
        body={"eta": ETA | {"speed": 3}},
        anchor="unknown-field",
        message="There is no field speed here.",
        details={"field_name": "speed"},
        home=away,
    ),
)


def path_of(server: Running, where: str) -> str:
    return structure_path(server) if where == STRUCTURES else thermostat_path(server, where)


def without_instance(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "instance"}


def test_every_rule_has_a_row() -> None:
    assert {row.rule for row in ROWS} == {rule.__name__ for rules in RULES.values() for rule in rules}


def test_every_choice_has_a_row() -> None:
    assert {next(iter(row.body)) for row in ROWS if row.rule == "_choices"} == set(CHOICES)


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_a_write_that_breaks_a_rule_is_refused_and_changes_nothing(
    server: Running, linked: Hub, row: Row
) -> None:
    row.home(server.home)
    before, path = server.home.document, path_of(server, row.where)
    answer = await linked.put(path, row.body)
    said = await answer.json()
    assert answer.status == 400
    assert without_instance(said) == {
        "error": row.message,
        "message": row.message,
        "type": f"https://developer.nest.com/documentation/cloud/error-messages#{row.anchor}",
    } | ({"details": row.details} if row.details else {})
    assert server.home.document is before
    (name, value), *others = row.body.items()
    if not others:
        leaf = await linked.put(f"{path}/{name}", value)
        assert (leaf.status, without_instance(await leaf.json())) == (400, without_instance(said))
        assert server.home.document is before


@pytest.mark.parametrize("minutes", FAN_MINUTES)
async def test_the_fan_runs_as_long_as_it_was_told(server: Running, linked: Hub, minutes: int) -> None:
    path = thermostat_path(server)
    answer = await linked.put(path, {"fan_timer_duration": minutes, "fan_timer_active": True})
    assert answer.status == 200
    ends = (server.clock.now() + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    fan = await linked.read(path)
    assert fan["fan_timer_duration"] == minutes
    assert (fan["fan_timer_active"], fan["fan_timer_timeout"]) == (True, ends)
    server.home.advance(minutes * 6 - 1)
    assert await linked.read(f"{path}/fan_timer_active") is True
    server.home.advance(1)
    fan = await linked.read(path)
    assert (fan["fan_timer_active"], fan["fan_timer_timeout"]) == (False, EPOCH)


async def test_a_fan_is_stopped_by_hand_and_its_length_stays(server: Running, linked: Hub) -> None:
    path = thermostat_path(server)
    await linked.put(f"{path}/fan_timer_duration", 120)
    assert await linked.read(f"{path}/fan_timer_active") is False
    await linked.put(path, {"fan_timer_active": True})
    await linked.put(path, {"fan_timer_active": False})
    fan = await linked.read(path)
    assert (fan["fan_timer_active"], fan["fan_timer_timeout"], fan["fan_timer_duration"]) == (False, EPOCH, 120)


async def test_a_fan_that_is_told_again_runs_from_now(server: Running, linked: Hub) -> None:
    path = thermostat_path(server)
    await linked.put(path, {"fan_timer_active": True})
    server.home.advance(60)
    server.clock.seconds += 600
    await linked.put(path, {"fan_timer_active": True})
    assert await linked.read(f"{path}/fan_timer_timeout") == "2026-11-24T12:25:00.000Z"


async def test_a_label_is_part_of_both_names(server: Running, linked: Hub) -> None:
    path = thermostat_path(server)
    assert (await linked.put(f"{path}/label", "x" * 255)).status == 200
    await linked.put(path, {"label": "Büro"})
    names = await linked.read(path)
    assert (names["label"], names["name"]) == ("Büro", "Living Room (Büro)")
    assert names["name_long"] == "Living Room Thermostat (Büro)"
    await linked.put(path, {"label": ""})
    names = await linked.read(path)
    assert (names["name"], names["name_long"]) == ("Living Room", "Living Room Thermostat")


async def test_the_scale_is_one_thermostats_own(server: Running, linked: Hub) -> None:
    await linked.put(thermostat_path(server), {"temperature_scale": "F"})
    assert await linked.read(f"{thermostat_path(server)}/temperature_scale") == "F"
    assert await linked.read(f"{thermostat_path(server, BEDROOM)}/temperature_scale") == "C"


async def test_a_structure_is_renamed(server: Running, linked: Hub) -> None:
    assert (await linked.put(f"{structure_path(server)}/name", "Cabin")).status == 200
    assert await linked.read(f"{structure_path(server)}/name") == "Cabin"
    assert list(server.store.accounts.home_names().values()) == ["Cabin"]


@pytest.mark.parametrize("body", [{"fan_timer_active": False}, {"hvac_mode": "off"}, {"label": "x"}])
async def test_switching_off_is_possible_during_a_shut_off(server: Running, linked: Hub, body: dict[str, Any]) -> None:
    carbon_monoxide(server.home)
    assert (await linked.put(thermostat_path(server), body)).status == 200


async def test_targets_may_be_set_while_away(server: Running, linked: Hub) -> None:
    away(server.home)
    path = thermostat_path(server, BEDROOM)
    await linked.put(f"{path}/hvac_mode", "heat")
    assert (await linked.put(f"{path}/target_temperature_c", 17)).status == 200
    assert (await linked.put(thermostat_path(server), {"fan_timer_active": True})).status == 200


class TestAnArrival:
    @pytest.mark.parametrize("nested", [True, False])
    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    async def test_is_told_and_shown_by_its_begin_only(
        self, server: Running, linked: Hub, method: str, *, nested: bool
    ) -> None:
        away(server.home)
        path = structure_path(server)
        url, body = (path, {"eta": ETA}) if nested else (f"{path}/eta", ETA)
        answer = await linked.session.request(method, linked.base + url, headers=linked.bearer, data=json.dumps(body))
        assert (answer.status, await answer.json()) == (200, body)
        assert await linked.read(f"{path}/eta_begin") == "2026-11-24T18:30:00.000Z"
        assert (await linked.get(f"{path}/eta")).status == 404
        assert "eta" not in await linked.read(path)

    async def test_a_trip_that_is_told_again_is_updated(self, server: Running, linked: Hub) -> None:
        away(server.home)
        path = structure_path(server)
        for begin in ("2026-11-24T17:00:00Z", "2026-11-24T18:00:00Z"):
            await linked.put(f"{path}/eta", ETA | {"estimated_arrival_window_begin": begin})
        assert await linked.read(f"{path}/eta_begin") == "2026-11-24T18:00:00.000Z"

    async def test_of_two_trips_the_first_counts(self, server: Running, linked: Hub) -> None:
        away(server.home)
        path = structure_path(server)
        await linked.put(f"{path}/eta", ETA)
        sooner = {"trip_id": "other", "estimated_arrival_window_begin": "2026-11-24T17:00:00Z"}
        await linked.put(f"{path}/eta", ETA | sooner)
        assert await linked.read(f"{path}/eta_begin") == "2026-11-24T17:00:00.000Z"
        await linked.put(f"{path}/eta", sooner | {"estimated_arrival_window_begin": 0})
        assert await linked.read(f"{path}/eta_begin") == "2026-11-24T18:30:00.000Z"

    @pytest.mark.parametrize("begin", [0, "0"])
    @pytest.mark.parametrize("end", [None, 0, "2026-11-24T12:00:00"])
    async def test_is_taken_back(self, server: Running, linked: Hub, begin: Any, end: Any) -> None:
        away(server.home)
        path = structure_path(server)
        await linked.put(f"{path}/eta", ETA)
        cancel = {"trip_id": ETA["trip_id"], "estimated_arrival_window_begin": begin}
        cancel |= {} if end is None else {"estimated_arrival_window_end": end}
        assert (await linked.put(f"{path}/eta", cancel)).status == 200
        assert (await linked.get(f"{path}/eta_begin")).status == 404
        assert (await linked.put(f"{path}/eta", cancel)).status == 200

    async def test_a_time_without_a_zone_is_utc_and_any_other_is_understood(self, server: Running, linked: Hub) -> None:
        away(server.home)
        path = structure_path(server)
        for begin in ("2026-11-24T18:00:00.123456", "2026-11-24T19:00:00.123+01:00"):
            await linked.put(f"{path}/eta", ETA | {"estimated_arrival_window_begin": begin})
            assert await linked.read(f"{path}/eta_begin") == "2026-11-24T18:00:00.123Z"

    async def test_comes_true_when_its_window_opens(self, server: Running, linked: Hub) -> None:
        away(server.home)
        path = structure_path(server)
        await linked.put(f"{path}/eta", ETA)
        server.clock.seconds += 6.5 * 3600 - 1
        server.home.advance(0)
        assert await linked.read(f"{path}/away") == "away"
        server.clock.seconds += 1
        server.home.advance(0)
        assert await linked.read(f"{path}/away") == "home"
        assert await linked.read(f"{thermostat_path(server)}/hvac_mode") == "heat-cool"
        assert (await linked.get(f"{path}/eta_begin")).status == 404

    async def test_is_forgotten_when_somebody_comes_home_by_another_way(self, server: Running, linked: Hub) -> None:
        away(server.home)
        path = structure_path(server)
        await linked.put(f"{path}/eta", ETA)
        await linked.put(f"{path}/away", "home")
        await linked.put(f"{path}/away", "away")
        assert (await linked.get(f"{path}/eta_begin")).status == 404

    async def test_hubs_can_not_fill_the_home_with_trips(self, server: Running, linked: Hub) -> None:
        away(server.home)
        for number in range(50):
            begin = f"2026-11-25T10:{number:02d}:00Z"
            eta = {
                "trip_id": str(number),
                "estimated_arrival_window_begin": begin,
                "estimated_arrival_window_end": begin,
            }
            assert (await linked.put(f"{structure_path(server)}/eta", eta)).status == 200
        assert len(server.home.world.trips) == 20
        assert await linked.read(f"{structure_path(server)}/eta_begin") == "2026-11-25T10:00:00.000Z"

    async def test_nothing_below_it_can_be_written(self, server: Running, linked: Hub) -> None:
        away(server.home)
        answer = await linked.put(f"{structure_path(server)}/eta/trip_id", "x")
        assert (answer.status, (await answer.json())["message"]) == (400, "Not writable")


def refusal_of(group: str, subject: Subject, fields: dict[str, Any]) -> WireError | None:
    try:
        check(group, subject, fields)
    except WireError as error:
        return error
    return None


HOMES = (nothing, offline, locked, emergency_heat, carbon_monoxide, away)
VALUES = st.one_of(
    st.integers(-5, 120),
    st.integers(10, 190).map(lambda each: each / 2),
    st.sampled_from(["heat", "cool", "heat-cool", "eco", "off", "boil", "home", "away", "C", "F", "", "x" * 300]),
    st.none(),
    st.booleans(),
    st.dictionaries(
        st.sampled_from([*ETA, "other"]),
        st.sampled_from(
            ["2026-11-24T18:00:00Z", "2026-11-24T19:00:00", 0, "0", "", "soon", None, "9999-12-31T23:59:59-12:00"]
        ),
    ),
)


@hypothesis_settings(max_examples=300)
@given(
    meets=st.sampled_from(HOMES),
    where=st.sampled_from([LIVING_ROOM, BEDROOM, STRUCTURES]),
    fields=st.dictionaries(st.sampled_from(sorted(TYPES)), VALUES, min_size=1, max_size=3),
)
async def test_a_write_is_done_whole_or_refused_and_not_done_at_all(
    meets: Callable[[SimulatedHome], None], where: str, fields: dict[str, Any]
) -> None:
    home = SimulatedHome("rules", speed=0)
    meets(home)
    group = STRUCTURES if where == STRUCTURES else THERMOSTATS
    thing = structure(home) if where == STRUCTURES else device(home, where)
    key = thing["structure_id" if where == STRUCTURES else "device_id"]
    fields = {
        name: value for name, value in fields.items() if (name in {"away", "name", "eta"}) == (where == STRUCTURES)
    }
    before, asked = home.document, json.dumps(fields)
    refused = refusal_of(group, Subject(thing, structure(home)), fields)
    assert json.dumps(fields) == asked
    if refused:
        assert refused.status == 400
        assert home.document is before
        return
    await home.write(Write(group, key, prepared(fields)))
    after = home.document.group(group)[key]
    for name, value in fields.items():
        if name == "eta":
            window = parse_trip(value).window
            assert window is None or "eta_begin" in after or fields.get("away") == "home"
        else:
            assert after[name] == value
