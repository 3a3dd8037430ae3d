"""Reading a document: every field, tolerantly, and only what changed."""

from copy import deepcopy
from datetime import UTC, datetime
import json
import logging
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.works_with_nest.wwn.models import (
    AlarmLevel,
    Battery,
    Bound,
    DocumentReader,
    HvacMode,
    HvacState,
    Permission,
    Presence,
    RingColour,
    TemperatureScale,
    TimeToTarget,
    UnknownWord,
)
from tests.conftest import FIXTURES

SAMPLE = (FIXTURES / "everything_granted.json").read_text(encoding="utf-8")

HALLWAY = "5Kjp1vRt-1fjORS_6ilI8ihN5KXSc7Tv"
UPSTAIRS = "o_hBKqFYY_kv5ZJr3J1TWDtkwtDDb-xH"
BEDROOM = "Kas1VOqg6YYZYn9ZhyiA4uoRgnatmUdj"
KITCHEN = "AWtGSU8po-799NksnRH9ucAUsdMlHUvT"
HOME = "PtYgjmUhBel31iEl2hpChYgCfrL1spNxnyVmihA_2O76UMFxFkM_Rw"


def values(model: Any) -> dict[str, Any]:
    return {name: getattr(model, name) for name in type(model).__dataclass_fields__ if name != "raw"}


def test_a_thermostat_is_read_whole_in_its_own_scale(everything_granted: dict[str, Any]) -> None:
    assert values(DocumentReader().read(everything_granted).thermostats[HALLWAY]) == {
        "device_id": HALLWAY,
        "structure_id": HOME,
        "name": "Hallway (Downstairs)",
        "name_long": "Hallway Thermostat (Downstairs)",
        "label": "Downstairs",
        "where_id": "CQCyEZDz_TddJ8HyS5SUkCnD8zRA9a9SkpXz9w3QlY7Zkuvqdt7s8S",
        "where_name": "Hallway",
        "software_version": "5.9.3-6",
        "is_online": True,
        "last_connection": datetime(2019, 1, 14, 18, 22, 41, 512000, UTC),
        "scale": TemperatureScale.FAHRENHEIT,
        "can_heat": True,
        "can_cool": True,
        "has_fan": True,
        "fan_timer_active": False,
        "fan_timer_timeout": None,
        "fan_timer_duration": 15,
        "has_leaf": True,
        "is_using_emergency_heat": False,
        "target": 70.0,
        "target_high": 76.0,
        "target_low": 68.0,
        "eco_high": 80.0,
        "eco_low": 60.0,
        "hvac_mode": HvacMode.HEAT_COOL,
        "previous_hvac_mode": None,
        "hvac_state": HvacState.HEATING,
        "ambient": 67.0,
        "humidity": 40,
        "is_locked": False,
        "locked_min": 65.0,
        "locked_max": 75.0,
        "sunlight_correction_enabled": True,
        "sunlight_correction_active": False,
        "time_to_target": TimeToTarget(bound=Bound.ABOUT, minutes=15),
        "time_to_target_training": "ready",
    }


def test_an_alarm_is_read_whole(everything_granted: dict[str, Any]) -> None:
    assert values(DocumentReader().read(everything_granted).alarms[KITCHEN]) == {
        "device_id": KITCHEN,
        "structure_id": HOME,
        "name": "Kitchen (Pantry)",
        "name_long": "Kitchen Nest Protect (Pantry)",
        "label": None,
        "where_id": "Iq2HZt_PlJhx2jIclHkCiHp6bR1IqfEouHgxzNNAL5wIScGebcy8F5",
        "where_name": "Kitchen",
        "software_version": "3.1.4rc3",
        "is_online": True,
        "last_connection": datetime(2019, 1, 14, 18, 22, 55, 120000, UTC),
        "battery": Battery.REPLACE,
        "smoke": AlarmLevel.WARNING,
        "carbon_monoxide": AlarmLevel.OK,
        "is_manual_test_active": False,
        "last_manual_test": None,
        "ring_colour": RingColour.YELLOW,
    }


def test_a_home_is_read_whole(everything_granted: dict[str, Any]) -> None:
    assert values(DocumentReader().read(everything_granted).structures[HOME]) == {
        "structure_id": HOME,
        "name": "Home",
        "time_zone": "America/Los_Angeles",
        "country_code": "US",
        "presence": Presence.HOME,
        "thermostat_ids": (HALLWAY, UPSTAIRS),
        "alarm_ids": (BEDROOM, KITCHEN),
        "smoke": AlarmLevel.WARNING,
        "carbon_monoxide": AlarmLevel.OK,
        "eta_begin": None,
        "peak_period_start": None,
        "peak_period_end": None,
        "rush_hour_enrolled": None,
        "rooms": {
            "CQCyEZDz_TddJ8HyS5SUkCnD8zRA9a9SkpXz9w3QlY7Zkuvqdt7s8S": "Hallway",
            "tqcbnr3yBdGBLEPH1qhT61qtc4xatws8phP9nhFyJfm5di4PzJ59FH": "Upstairs",
            "z5r1pY4OjE2jBMptUsGr7CmY-uCu3ZR1zTOlUcR64cXQLioDnkHIfx": "Bedroom",
            "Iq2HZt_PlJhx2jIclHkCiHp6bR1IqfEouHgxzNNAL5wIScGebcy8F5": "Kitchen",
        },
    }


def test_the_token_in_the_document_does_not_stay_in_it(everything_granted: dict[str, Any]) -> None:
    document = DocumentReader().read(everything_granted)
    assert "c.EXAMPLE" not in repr(document)
    assert document.client_version == 3


@pytest.mark.parametrize(
    ("field", "wire", "name", "expected"),
    [
        ("locked_temp_min_f", "65", "locked_min", 65.0),
        ("ambient_temperature_f", "warm", "ambient", None),
        ("ambient_temperature_f", float("nan"), "ambient", None),
        ("ambient_temperature_f", True, "ambient", None),
        ("ambient_temperature_f", 1e308, "ambient", None),
        ("ambient_temperature_f", 10**400, "ambient", None),
        ("humidity", "40", "humidity", 40),
        ("hvac_mode", "turbo", "hvac_mode", UnknownWord("turbo")),
        ("hvac_mode", 3, "hvac_mode", None),
        ("hvac_state", "", "hvac_state", None),
        ("is_online", "yes", "is_online", None),
        ("fan_timer_timeout", "1970-01-01T00:00:00.000Z", "fan_timer_timeout", None),
        ("fan_timer_timeout", "soon", "fan_timer_timeout", None),
        ("last_connection", "2026-01-02T03:04:05.678Z", "last_connection", datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)),
        ("time_to_target", ">120", "time_to_target", TimeToTarget(bound=Bound.OVER, minutes=120)),
        ("time_to_target", "<5", "time_to_target", TimeToTarget(bound=Bound.UNDER, minutes=5)),
        ("time_to_target", "15", "time_to_target", None),
        ("time_to_target", "~soon", "time_to_target", None),
        ("where_name", None, "where_name", None),
        ("label", "", "label", None),
        ("label", ["a"], "label", None),
    ],
)
def test_an_odd_field_hides_no_other(
    everything_granted: dict[str, Any], field: str, wire: object, name: str, expected: object
) -> None:
    everything_granted["devices"]["thermostats"][HALLWAY][field] = wire
    thermostat = DocumentReader().read(everything_granted).thermostats[HALLWAY]
    assert getattr(thermostat, name) == expected
    assert type(getattr(thermostat, name)) is type(expected)
    assert thermostat.target == 70.0


@pytest.mark.parametrize(
    ("word", "presence"),
    [
        ("home", Presence.HOME),
        ("away", Presence.AWAY),
        ("auto-away", Presence.AWAY),
        ("unknown", Presence.UNKNOWN),
        ("vacation", UnknownWord("vacation")),
        (None, None),
    ],
)
def test_away_is_read_as_presence(everything_granted: dict[str, Any], word: str | None, presence: object) -> None:
    everything_granted["structures"][HOME]["away"] = word
    assert DocumentReader().read(everything_granted).structures[HOME].presence == presence


def test_a_level_that_is_not_known_is_not_ok(everything_granted: dict[str, Any]) -> None:
    everything_granted["devices"]["smoke_co_alarms"][KITCHEN]["smoke_alarm_state"] = "OK"
    smoke = DocumentReader().read(everything_granted).alarms[KITCHEN].smoke
    assert isinstance(smoke, UnknownWord)
    assert not isinstance(smoke, AlarmLevel)


def test_an_odd_device_hides_no_other_and_says_so_without_its_values(
    everything_granted: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    everything_granted["devices"]["smoke_co_alarms"][KITCHEN] = "burnt-secret-value"
    everything_granted["devices"]["smoke_co_alarms"][BEDROOM]["is_online"] = "secret-value"
    document = DocumentReader().read(everything_granted)
    assert set(document.alarms) == {BEDROOM}
    assert document.alarms[BEDROOM].is_online is None
    assert f"Left out {KITCHEN}: it is no object" in caplog.text
    assert f"Cannot read is_online of {BEDROOM}" in caplog.text
    assert "secret-value" not in caplog.text


@pytest.mark.parametrize(
    "raw", [None, [], "", 3, {}, {"devices": []}, {"structures": None, "devices": {"thermostats": 1}}]
)
def test_a_document_without_groups_is_an_empty_one(raw: object) -> None:
    document = DocumentReader().read(raw)
    assert (document.structures, document.thermostats, document.alarms) == ({}, {}, {})
    assert document.permissions is None


def test_permissions_are_those_the_server_tells(everything_granted: dict[str, Any]) -> None:
    everything_granted["metadata"]["permissions"] = ["thermostat read", "smoke+co read", "camera read", 7]
    document = DocumentReader().read(everything_granted)
    assert document.permissions == {Permission.THERMOSTAT_READ, Permission.SMOKE_CO_READ}


def test_the_same_document_again_is_the_same_object(everything_granted: dict[str, Any]) -> None:
    reader = DocumentReader()
    first = reader.read(everything_granted)
    everything_granted["metadata"]["access_token"] = "another"
    assert reader.read(deepcopy(everything_granted)) is first


def test_only_what_changed_is_new(everything_granted: dict[str, Any]) -> None:
    reader = DocumentReader()
    first = reader.read(everything_granted)
    changed = deepcopy(everything_granted)
    changed["devices"]["smoke_co_alarms"][BEDROOM]["smoke_alarm_state"] = "emergency"
    second = reader.read(changed)
    assert second.changed_since(first) == {BEDROOM}
    assert second.alarms[BEDROOM].smoke is AlarmLevel.EMERGENCY
    assert second.alarms[KITCHEN] is first.alarms[KITCHEN]
    assert second.thermostats is first.thermostats
    assert second.structures is first.structures


@pytest.mark.parametrize(("before", "after"), [(True, 1), (1, True), (False, 0), (0, False)])
def test_a_flag_and_a_number_that_are_equal_in_python_are_not_the_same(
    everything_granted: dict[str, Any], before: object, after: object
) -> None:
    reader, changed = DocumentReader(), deepcopy(everything_granted)
    everything_granted["devices"]["smoke_co_alarms"][BEDROOM]["is_online"] = before
    changed["devices"]["smoke_co_alarms"][BEDROOM]["is_online"] = after
    seen = [reader.read(document).alarms[BEDROOM].is_online for document in (everything_granted, changed)]
    assert seen == [value if isinstance(value, bool) else None for value in (before, after)]


def test_what_came_and_went_has_changed(everything_granted: dict[str, Any]) -> None:
    reader = DocumentReader()
    first = reader.read(everything_granted)
    changed = deepcopy(everything_granted)
    alarms = changed["devices"]["smoke_co_alarms"]
    alarms["new"] = alarms.pop(BEDROOM)
    assert reader.read(changed).changed_since(first) == {BEDROOM, "new"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(data=st.data(), junk=JSON)
def test_no_field_of_any_type_raises_or_hides_a_device(data: st.DataObject, junk: object) -> None:
    raw = json.loads(SAMPLE)
    devices = [*raw["devices"]["thermostats"].values(), *raw["devices"]["smoke_co_alarms"].values()]
    odd = data.draw(st.sampled_from([*devices, *raw["structures"].values()]))
    odd[data.draw(st.sampled_from(sorted(odd)))] = junk
    document = DocumentReader().read(raw)
    assert (len(document.thermostats), len(document.alarms), len(document.structures)) == (2, 2, 1)


@given(junk=JSON)
def test_any_json_is_a_document(junk: object) -> None:
    DocumentReader().read(junk)
    DocumentReader().read({"devices": junk, "structures": junk, "metadata": junk})
    DocumentReader().read({"devices": {"thermostats": {"a": junk}, "smoke_co_alarms": {"b": junk}}})
