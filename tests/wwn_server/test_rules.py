from typing import Any

from hypothesis import assume, given, strategies as st
import pytest

from wwn_server.document import STRUCTURES, THERMOSTATS
from wwn_server.errors import WireError
from wwn_server.homes.base import Write
from wwn_server.homes.simulated import SimulatedHome
from wwn_server.rules import (
    HIGH,
    LIMITS,
    LOW,
    MODES_OF_TARGET,
    NEEDS_OF_MODE,
    SETPOINTS,
    TARGET,
    Subject,
    check,
    prepared,
)


def thermostat(**changes: Any) -> dict[str, Any]:
    home = SimulatedHome("rules")
    return dict(next(iter(home.document.group(THERMOSTATS).values()))) | changes


def anchor(device: dict[str, Any], group: str = THERMOSTATS, **fields: Any) -> str | None:
    """Return the anchor of a refusal, nothing if the write may be done."""
    try:
        check(group, Subject(device, device if group == STRUCTURES else STRUCTURE), fields)
    except WireError as error:
        return str(error.anchor) if error.status == 400 else pytest.fail(str(error.status))
    return None


STRUCTURE: dict[str, Any] = {"away": "home"}
HEAT = thermostat(hvac_mode="heat")
RANGE = thermostat(hvac_mode="heat-cool")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"target_temperature_c": 9}, None),
        ({"target_temperature_c": 32}, None),
        ({"target_temperature_c": 20.5}, None),
        ({"target_temperature_c": 8.5}, "low-c-value"),
        ({"target_temperature_c": 32.5}, "high-c-value"),
        ({"target_temperature_c": -1000}, "low-c-value"),
        ({"target_temperature_c": 1e29}, "high-c-value"),
        ({"target_temperature_c": 20.4}, "format-error"),
        ({"target_temperature_c": 20.25}, "format-error"),
        ({"target_temperature_f": 50}, None),
        ({"target_temperature_f": 90}, None),
        ({"target_temperature_f": 70.0}, None),
        ({"target_temperature_f": 49}, "low-f-value"),
        ({"target_temperature_f": 91}, "high-f-value"),
        ({"target_temperature_f": 70.5}, "format-error"),
    ],
)
def test_range_and_step_of_a_target(fields: dict[str, Any], expected: str | None) -> None:
    assert anchor(HEAT, **fields) == expected


@pytest.mark.parametrize("mode", NEEDS_OF_MODE)
@pytest.mark.parametrize("bound", [TARGET, LOW, HIGH])
@pytest.mark.parametrize("unit", ["c", "f"])
def test_a_target_fits_the_present_mode(mode: str, bound: str, unit: str) -> None:
    device = thermostat(hvac_mode=mode)
    allowed = {"heat": {TARGET}, "cool": {TARGET}, "heat-cool": {LOW, HIGH}}.get(mode, set())
    value = device[f"{bound}_{unit}"]
    assert anchor(device, **{f"{bound}_{unit}": value}) == (None if bound in allowed else "mode-error")


def test_a_temperature_is_held_against_the_mode_before_the_write() -> None:
    assert anchor(RANGE, hvac_mode="heat", target_temperature_c=20) == "mode-error"
    assert anchor(RANGE, hvac_mode="heat", target_temperature_low_c=19) is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"low": 20, "high": 21.5}, None),
        ({"low": 20, "high": 21}, "range-error"),
        ({"low": 20, "high": 20}, "low-high-error"),
        ({"low": 21, "high": 20}, "low-high-error"),
        ({"low": 23}, None),
        ({"low": 23.5}, "range-error"),
        ({"low": 24.5}, "low-high-error"),
        ({"high": 21.5}, None),
        ({"high": 21}, "range-error"),
        ({"high": 19}, "low-high-error"),
    ],
)
def test_the_low_target_stays_below_the_high_one(fields: dict[str, Any], expected: str | None) -> None:
    written = {f"target_temperature_{bound}_c": value for bound, value in fields.items()}
    assert anchor(RANGE, **written) == expected


@pytest.mark.parametrize(("high", "expected"), [(71, None), (70, "range-error"), (68, "low-high-error")])
def test_three_degrees_fahrenheit_lie_between(high: int, expected: str | None) -> None:
    assert anchor(RANGE, target_temperature_low_f=68, target_temperature_high_f=high) == expected


@pytest.mark.parametrize("mode", NEEDS_OF_MODE)
@pytest.mark.parametrize("can_heat", [True, False])
@pytest.mark.parametrize("can_cool", [True, False])
def test_a_mode_needs_its_equipment(mode: str, *, can_heat: bool, can_cool: bool) -> None:
    possible = {"heat": can_heat, "cool": can_cool, "heat-cool": can_heat and can_cool}.get(mode, True)
    device = thermostat(can_heat=can_heat, can_cool=can_cool)
    assert anchor(device, hvac_mode=mode) == (None if possible else "invalid-hvac-mode")


@pytest.mark.parametrize("mode", ["", "HEAT", "heat_cool", "range", "emergency", "x" * 1000])
def test_an_unknown_mode_is_refused(mode: str) -> None:
    assert anchor(HEAT, hvac_mode=mode) == "invalid-hvac-mode"


@pytest.mark.parametrize("fields", [{"hvac_mode": "off"}, {"target_temperature_c": 20}])
@pytest.mark.parametrize("is_online", [False, None])
def test_a_thermostat_that_is_not_online_takes_nothing(fields: dict[str, Any], *, is_online: bool | None) -> None:
    assert anchor(HEAT | {"is_online": is_online}, **fields) == "device-offline"


@pytest.mark.parametrize(
    "fields",
    [
        {"target_temperature_c": 20, "target_temperature_f": 68},
        {"target_temperature_low_c": 20, "target_temperature_high_f": 75},
    ],
)
def test_one_write_speaks_one_unit(fields: dict[str, Any]) -> None:
    device = HEAT if "target_temperature_c" in fields else RANGE
    assert anchor(device, **fields) == "invalid-content-sent"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"hvac_mode": "off"}, "emergency-heat"),
        ({"hvac_mode": "heat-cool"}, "emergency-heat"),
        ({"target_temperature_high_c": 25}, "emergency-heat"),
        ({"target_temperature_high_f": 77}, "emergency-heat"),
        ({"target_temperature_low_c": 19}, None),
    ],
)
def test_emergency_heat_bars_modes_and_cooling(fields: dict[str, Any], expected: str | None) -> None:
    assert anchor(RANGE | {"is_using_emergency_heat": True}, **fields) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"target_temperature_c": 18.5}, None),
        ({"target_temperature_c": 24}, None),
        ({"target_temperature_c": 18}, "range-error"),
        ({"target_temperature_c": 24.5}, "range-error"),
        ({"target_temperature_f": 65}, None),
        ({"target_temperature_f": 76}, "range-error"),
        ({"hvac_mode": "off"}, None),
    ],
)
def test_a_lock_holds_targets_within_its_range(fields: dict[str, Any], expected: str | None) -> None:
    assert anchor(HEAT | {"is_locked": True}, **fields) == expected


@pytest.mark.parametrize("name", ["target_temperature_c", "hvac_mode"])
@pytest.mark.parametrize("value", [None, [], {}, True])
def test_a_value_has_its_type(name: str, value: Any) -> None:
    assert anchor(HEAT, **{name: value}) == "invalid-content-sent"


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        ("home", None),
        ("away", None),
        ("auto-away", "invalid-away"),
        ("unknown", "invalid-away"),
        ("", "invalid-away"),
        (1, "invalid-content-sent"),
    ],
)
def test_away_is_home_or_away(away: Any, expected: str | None) -> None:
    assert anchor({}, STRUCTURES, away=away) == expected


VALUES = st.one_of(
    st.integers(-5, 120),
    st.integers(10, 190).map(lambda each: each / 2),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([*NEEDS_OF_MODE, "boil", ""]),
    st.none(),
    st.booleans(),
)
WRITES = st.dictionaries(st.sampled_from([*SETPOINTS, "hvac_mode"]), VALUES, min_size=1, max_size=3)


@given(mode=st.sampled_from([*NEEDS_OF_MODE]), fields=WRITES)
def test_a_rule_judges_and_changes_nothing(mode: str, fields: dict[str, Any]) -> None:
    device, asked = thermostat(hvac_mode=mode), dict(fields)
    before = dict(device)
    anchor(device, **fields)
    assert (device, fields) == (before, asked)


@st.composite
def targets(draw: st.DrawFn) -> tuple[str, str, float]:
    """Return a mode, a field that fits it and a value on its step, mostly in its range."""
    mode = draw(st.sampled_from(["heat", "cool", "heat-cool"]))
    name = draw(st.sampled_from([name for name, each in SETPOINTS.items() if mode in MODES_OF_TARGET[each.bound]]))
    limits = LIMITS[SETPOINTS[name].unit]
    steps = int((limits.high - limits.low) / limits.step)
    return mode, name, limits.low + draw(st.integers(-1, steps + 1)) * limits.step


@given(targets())
async def test_an_accepted_target_is_kept_in_both_units_in_step(target: tuple[str, str, float]) -> None:
    mode, name, value = target
    home = SimulatedHome("rules", speed=0)
    device_id = next(iter(home.document.group(THERMOSTATS)))
    await home.write(Write(THERMOSTATS, device_id, {"hvac_mode": mode}))
    written: dict[str, Any] = {name: value}
    assume(anchor(dict(home.document.group(THERMOSTATS)[device_id]), **written) is None)
    await home.write(Write(THERMOSTATS, device_id, prepared(written)))
    after, bound = home.document.group(THERMOSTATS)[device_id], SETPOINTS[name].bound
    celsius, fahrenheit = after[f"{bound}_c"], after[f"{bound}_f"]
    assert after[name] == value
    assert isinstance(fahrenheit, int)
    assert celsius * 2 == int(celsius * 2)
    assert abs(celsius * 9 / 5 + 32 - fahrenheit) <= 0.5
