"""Everything that is shown of a home, as a picture for each kind of home. Made anew with --snapshot-update."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import Entity
import pytest
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from custom_components.works_with_nest import PLATFORMS

from .conftest import SERVER_ID, FixtureService, SetUp
from .test_climate import HALLWAY, UPSTAIRS
from .test_home_and_alarms import BEDROOM, HOME
from .test_push import KITCHEN, alarm

type Document = dict[str, Any]
type Change = Callable[[Document], object]

EVERYTHING = [
    "thermostat read/write",
    "away read/write",
    "smoke+co read",
    "eta write",
    "energy read",
    "postal code read",
    "structure read/write",
]
RUSH_HOUR = {
    "eta_begin": "2019-01-14T19:00:00.000Z",
    "peak_period_start_time": "2019-01-15T16:00:00.000Z",
    "peak_period_end_time": "2019-01-15T18:00:00.000Z",
    "rhr_enrollment": True,
}
# What each grant alone shows (protocol 2.2): groups of devices, and fields of a home beside those of any grant.
BASICS = frozenset({"structure_id", "name", "country_code", "time_zone"})
LISTS = frozenset({"thermostats", "smoke_co_alarms"})
LEVELS = frozenset({"smoke_alarm_state", "co_alarm_state"})
SHOWN_BY: Mapping[str, tuple[set[str], frozenset[str]]] = {
    "thermostat read": ({"thermostats"}, LISTS | {"away", "wheres"}),
    "thermostat read/write": ({"thermostats"}, LISTS | {"away", "wheres"}),
    "smoke+co read": ({"smoke_co_alarms"}, LISTS | LEVELS | {"away", "wheres"}),
    "away read": (set(), LISTS | {"away"}),
    "away read/write": (set(), LISTS | {"away"}),
    "eta write": (set(), LISTS | {"eta_begin"}),
    "energy read": (set(), frozenset(RUSH_HOUR) - {"eta_begin"}),
    "postal code read": (set(), frozenset({"postal_code"})),
    "structure read/write": (set(), frozenset()),
}


def thermostat(**fields: Any) -> Change:
    return lambda document: document["devices"]["thermostats"][HALLWAY].update(fields)


def bedroom(**fields: Any) -> Change:
    return lambda document: alarm(document, BEDROOM).update(fields)


def two_homes(document: Document) -> None:
    """Move the upstairs thermostat and the kitchen's alarm to a second home of the same name."""
    other = deepcopy(document["structures"][HOME]) | {"structure_id": "other", "away": "away"}
    other |= {"thermostats": [UPSTAIRS], "smoke_co_alarms": [KITCHEN]}
    document["structures"]["other"] = other
    home = {"thermostats": [HALLWAY], "smoke_co_alarms": [BEDROOM], "smoke_alarm_state": "ok"}
    document["structures"][HOME].update(home)
    document["devices"]["thermostats"][UPSTAIRS]["structure_id"] = "other"
    alarm(document, KITCHEN)["structure_id"] = "other"


def all_offline(document: Document) -> None:
    for group in document["devices"].values():
        for device in group.values():
            device["is_online"] = False


HOMES: Mapping[str, Change] = {
    "heating alone": thermostat(can_cool=False, hvac_mode="heat"),
    "cooling alone": thermostat(can_heat=False, hvac_mode="cool", hvac_state="cooling"),
    "no fan": thermostat(has_fan=False),
    "fan running": thermostat(fan_timer_active=True, fan_timer_timeout="2019-01-14T19:00:00.000Z", hvac_state="off"),
    "emergency heat": thermostat(is_using_emergency_heat=True, can_cool=False, hvac_mode="heat"),
    "locked": thermostat(is_locked=True),
    "eco": thermostat(hvac_mode="eco", previous_hvac_mode="heat-cool", hvac_state="off"),
    "off": thermostat(hvac_mode="off", hvac_state="off"),
    "both in celsius": thermostat(temperature_scale="C"),
    "offline": all_offline,
    "smoke warning": bedroom(smoke_alarm_state="warning", ui_color_state="yellow"),
    "smoke emergency": bedroom(smoke_alarm_state="emergency", ui_color_state="red"),
    "carbon monoxide warning": bedroom(co_alarm_state="warning", ui_color_state="yellow"),
    "carbon monoxide emergency": bedroom(co_alarm_state="emergency", ui_color_state="red"),
    "a level that is not known": bedroom(smoke_alarm_state="smouldering", ui_color_state="purple"),
    "manual test": bedroom(is_manual_test_active=True, smoke_alarm_state="warning"),
    "an alarm that is offline": bedroom(is_online=False, ui_color_state="gray"),
    "two homes": two_homes,
}


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture(autouse=True)
def _in_january(freezer: FrozenDateTimeFactory, service: FixtureService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be when the home is as the fixture has it, with every entity enabled and a rush hour to come."""
    freezer.move_to("2019-01-14T18:30:00Z")
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
    service.document["structures"][HOME].update(RUSH_HOUR)


def shown_of(state: State) -> str:
    """Return a state on one line, with what is told beside it and may change."""
    left_out = {"friendly_name", "device_class", "state_class", "options", "event_types", "preset_modes"}
    # Whether the stream is up by now is a matter of chance.
    left_out |= {"gap_from", "gap_to"}
    told = {key: value for key, value in state.attributes.items() if key not in left_out}
    return " ".join([state.state, *(f"{key}={value}" for key, value in sorted(told.items()))])


def shown(hass: HomeAssistant, platform: str) -> dict[str, str]:
    return {state.entity_id: shown_of(state) for state in sorted(hass.states.async_all(platform), key=id_of)}


def id_of(state: State) -> str:
    return state.entity_id


async def test_everything_that_can_be_shown_is(
    hass: HomeAssistant, link: SetUp, snapshot: SnapshotAssertion, entity_registry: er.EntityRegistry
) -> None:
    entry = await link(EVERYTHING)
    entries = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    for platform in PLATFORMS:
        assert shown(hass, platform) == snapshot(name=f"{platform} states")
        assert dict(registered(entries, platform)) == snapshot(name=f"{platform} entities")


def registered(entries: list[er.RegistryEntry], platform: str) -> Iterator[tuple[str, str]]:
    for each in sorted(entries, key=lambda entry: entry.entity_id):
        if each.domain == platform:
            named = each.translation_key or each.original_device_class
            category = each.entity_category or "primary"
            yield each.entity_id, f"{each.unique_id.removeprefix(SERVER_ID)} {named} {category} {each.original_name}"


async def test_every_home_and_device_is_registered(
    hass: HomeAssistant, link: SetUp, snapshot: SnapshotAssertion, device_registry: dr.DeviceRegistry
) -> None:
    entry = await link(EVERYTHING)
    devices = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    fields = ("name", "manufacturer", "model", "sw_version", "serial_number", "entry_type", "area_id")
    pictures = {
        next(iter(device.identifiers))[1].removeprefix(SERVER_ID): [getattr(device, field) for field in fields]
        for device in devices
    }
    assert pictures == snapshot


@pytest.mark.parametrize("permission", list(SHOWN_BY))
async def test_each_grant_alone_shows_what_it_gives(
    hass: HomeAssistant, service: FixtureService, link: SetUp, snapshot: SnapshotAssertion, permission: str
) -> None:
    groups, fields = SHOWN_BY[permission]
    document = service.document
    document["metadata"]["permissions"] = [permission]
    document["devices"] = {group: devices for group, devices in document["devices"].items() if group in groups}
    home = document["structures"][HOME]
    document["structures"][HOME] = {key: value for key, value in home.items() if key in BASICS | fields}
    await link([permission])
    assert {str(platform): shown(hass, platform) for platform in PLATFORMS} == snapshot


@pytest.mark.parametrize("name", list(HOMES))
async def test_each_kind_of_home_is_shown_as_it_is(
    hass: HomeAssistant, service: FixtureService, link: SetUp, snapshot: SnapshotAssertion, name: str
) -> None:
    HOMES[name](service.document)
    await link(EVERYTHING)
    assert {str(platform): shown(hass, platform) for platform in PLATFORMS} == snapshot
