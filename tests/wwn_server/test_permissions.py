"""What each permission shows and lets a hub write, held against protocol 2.2."""

import pytest

from wwn_server.document import ALARMS, STRUCTURES, THERMOSTATS
from wwn_server.homes.simulated import SimulatedHome
from wwn_server.permissions import KNOWN_FIELDS, PERMISSIONS, rights_of
from wwn_server.views import Scope, visible

THERMOSTAT = {"thermostat read", "thermostat read/write"}
AWAY = {"away read", "away read/write"}
SMOKE = {"smoke+co read"}

SHOWN_WITH = {
    "structure_id": set(PERMISSIONS),
    "name": set(PERMISSIONS),
    "country_code": set(PERMISSIONS),
    "time_zone": set(PERMISSIONS),
    "thermostats": THERMOSTAT | SMOKE | AWAY | {"eta write"},
    "smoke_co_alarms": THERMOSTAT | SMOKE | AWAY | {"eta write"},
    "away": THERMOSTAT | SMOKE | AWAY,
    "eta_begin": {"eta write"},
    "postal_code": {"postal code read"},
    "peak_period_start_time": {"energy read"},
    "peak_period_end_time": {"energy read"},
    "rhr_enrollment": {"energy read"},
    "smoke_alarm_state": SMOKE,
    "co_alarm_state": SMOKE,
    "wheres": THERMOSTAT | SMOKE,
    # Written only: nobody reads it.
    "eta": set(),
}


def test_the_names_are_those_of_the_design() -> None:
    assert set(PERMISSIONS) == THERMOSTAT | AWAY | SMOKE | {
        "eta write",
        "energy read",
        "postal code read",
        "structure read/write",
    }


@pytest.mark.parametrize("field", sorted(SHOWN_WITH))
def test_a_field_of_a_structure_is_shown_with_these_permissions(field: str) -> None:
    shown_with = {
        name for name in PERMISSIONS if field in rights_of(frozenset({name})).read.get(STRUCTURES, frozenset())
    }
    assert shown_with == SHOWN_WITH[field]


def test_every_field_of_a_structure_has_a_row() -> None:
    assert KNOWN_FIELDS[STRUCTURES] == set(SHOWN_WITH)


@pytest.mark.parametrize("name", sorted(PERMISSIONS))
def test_devices_are_shown_with_their_own_permission_only(name: str) -> None:
    read = rights_of(frozenset({name})).read
    assert (THERMOSTATS in read) == (name in THERMOSTAT)
    assert (ALARMS in read) == (name in SMOKE)


@pytest.mark.parametrize("name", sorted(PERMISSIONS))
def test_what_can_be_written_is_said_by_name(name: str) -> None:
    written = {group: set(fields) for group, fields in rights_of(frozenset({name})).write.items()}
    targets = {f"target_temperature{bound}_{unit}" for bound in ("", "_low", "_high") for unit in "cf"}
    assert written == {
        "thermostat read/write": {
            THERMOSTATS: targets | {"hvac_mode", "fan_timer_active", "fan_timer_duration", "label", "temperature_scale"}
        },
        "away read/write": {STRUCTURES: {"away"}},
        "eta write": {STRUCTURES: {"eta"}},
        "structure read/write": {STRUCTURES: {"name"}},
    }.get(name, {})


@pytest.mark.parametrize("name", sorted(PERMISSIONS))
def test_what_can_be_written_can_be_read_but_for_arrivals(name: str) -> None:
    rights = rights_of(frozenset({name}))
    assert all(fields - {"eta"} <= rights.read[group] for group, fields in rights.write.items())
    assert "eta" not in rights.read.get(STRUCTURES, ())


def test_permissions_add_up() -> None:
    both = rights_of(frozenset({"thermostat read", "away read/write"}))
    assert set(both.read) == {THERMOSTATS, STRUCTURES}
    assert both.write == {STRUCTURES: {"away"}}


def test_the_simulated_home_has_no_field_that_no_permission_shows() -> None:
    document = SimulatedHome("fields").document
    for group in (THERMOSTATS, ALARMS, STRUCTURES):
        for thing in document.group(group).values():
            assert set(thing) <= KNOWN_FIELDS[group]


def test_without_permission_or_home_nothing_is_shown() -> None:
    document = SimulatedHome("nothing").document
    homes = frozenset(document.group(STRUCTURES))
    assert visible(document, Scope(homes, frozenset())) == {}
    assert visible(document, Scope(frozenset(), frozenset(PERMISSIONS))) == {}
    assert visible(document, Scope(homes, frozenset({"of a later version"}))) == {}


def test_with_everything_the_whole_document_is_shown() -> None:
    document = SimulatedHome("everything").document
    assert visible(document, Scope(frozenset(document.group(STRUCTURES)), frozenset(PERMISSIONS))) == document.tree()
