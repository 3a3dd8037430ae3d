"""What is shown is what is so: whatever changes in a home, no state is left as it was before."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
import json
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import async_get_platforms
from hypothesis import HealthCheck, example, given, settings, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.works_with_nest.const import CONF_TEST_MONTHS, DOMAIN
from custom_components.works_with_nest.coordinator import WwnCoordinator
from custom_components.works_with_nest.listener import WwnListener
from tests.conftest import FIXTURES

from .conftest import FixtureService, SetUp
from .test_bad_input import ODD
from .test_climate import HALLWAY, UPSTAIRS
from .test_home_and_alarms import BEDROOM, HOME
from .test_link_entities import LAST_CONTACT
from .test_push import KITCHEN
from .test_snapshots import EVERYTHING, RUSH_HOUR

type Path = tuple[str, ...]
type Document = dict[str, Any]
type Change = tuple[Path, Any]
type Pair = tuple[list[Change], list[Change]]
type States = dict[str, tuple[str, Mapping[str, Any]]]

GONE: Final = "not there"
THINGS: Final[tuple[Path, ...]] = (
    ("devices", "thermostats", HALLWAY),
    ("devices", "thermostats", UPSTAIRS),
    ("devices", "smoke_co_alarms", BEDROOM),
    ("devices", "smoke_co_alarms", KITCHEN),
    ("structures", HOME),
)
MODES: Final = ("heat", "cool", "heat-cool", "eco", "off")
LEVELS: Final = ("ok", "warning", "emergency")
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "hvac_mode": MODES,
    "previous_hvac_mode": MODES,
    "hvac_state": ("heating", "cooling", "off"),
    "temperature_scale": ("C", "F"),
    "time_to_target": ("~15", "<5", ">120"),
    "time_to_target_training": ("training", "ready"),
    "smoke_alarm_state": LEVELS,
    "co_alarm_state": LEVELS,
    "battery_health": ("ok", "replace"),
    "ui_color_state": ("gray", "green", "yellow", "red"),
    "away": ("home", "away", "unknown"),
}
TIMES: Final = ("1970-01-01T00:00:00.000Z", "2019-01-14T18:30:00.000Z", "2026-11-25T12:00:00.000Z")


def meant(field: str, value: Any) -> tuple[Any, ...]:
    """Return what a field can well hold."""
    if field in WORDS:
        return WORDS[field]
    if isinstance(value, bool):
        return True, False
    if isinstance(value, int | float):
        return 9, 20, 20.5, 70
    if str(value).endswith("Z"):
        return TIMES
    return (value, "another")


def thing(document: Document, path: Iterable[str]) -> Document:
    for key in path:
        document = document[key]
    return document


def changed(document: Document, changes: Iterable[Change]) -> Document:
    """Return a document after some changes; what is in a thing that is not there any more cannot change."""
    document = deepcopy(document)
    for (*path, field), value in changes:
        try:
            holder = thing(document, path)
        except KeyError, TypeError, IndexError:
            continue
        if not isinstance(holder, dict):
            continue
        if value == GONE:
            holder.pop(field, None)
        else:
            holder[field] = deepcopy(value)
    return document


def everything() -> Document:
    """Return a home in which every entity there can be is there."""
    document: Document = json.loads((FIXTURES / "everything_granted.json").read_text(encoding="utf-8"))
    document["structures"][HOME].update(RUSH_HOUR)
    document["devices"]["smoke_co_alarms"][KITCHEN]["last_manual_test_time"] = TIMES[1]
    for device in document["devices"]["thermostats"].values():
        device.update(has_fan=True, can_cool=True)
    return document


FULL: Final = everything()
FIELDS: Final = [(*path, field) for path in THINGS for field in thing(FULL, path)]


@st.composite
def sensible(draw: st.DrawFn) -> Change:
    path = draw(st.sampled_from(FIELDS))
    return path, draw(st.sampled_from(meant(path[-1], thing(FULL, path[:-1])[path[-1]])))


ANYTHING_ODD: Final = st.sampled_from([GONE, *ODD])
PERMISSIONS: Final = st.lists(st.sampled_from(EVERYTHING), unique=True)
CHANGES: Final = st.lists(
    sensible()
    | sensible()
    | st.tuples(st.sampled_from(FIELDS), ANYTHING_ODD)
    | st.tuples(st.sampled_from(THINGS), ANYTHING_ODD)
    | st.tuples(st.just(("metadata", "permissions")), PERMISSIONS),
    max_size=5,
)
# Of a whole home, and of one that had changed already.
PAIRS: Final = st.tuples(st.just([]) | CHANGES, CHANGES)
SHARED: Final = [HealthCheck.function_scoped_fixture]


def shown(hass: HomeAssistant) -> States:
    """Return all that is shown but when the link was heard of last, which is written now and then."""
    return {
        state.entity_id: (state.state, state.attributes)
        for state in hass.states.async_all()
        if state.entity_id != LAST_CONTACT
    }


def shown_anew(hass: HomeAssistant) -> States:
    """Return what is shown when every entity was made to write its state."""
    for platform in async_get_platforms(hass, DOMAIN):
        for entity in platform.entities.values():
            entity.async_write_ha_state()
    return shown(hass)


@pytest.fixture
async def whole(service: FixtureService, link: SetUp, monkeypatch: pytest.MonkeyPatch) -> MockConfigEntry:
    """Return a link to a home of which everything is shown, and whose tests are watched; a test pushes by itself."""

    async def nobody_pushes(_listener: WwnListener) -> None:
        pass

    monkeypatch.setattr(WwnListener, "run", nobody_pushes)
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
    service.document = FULL
    return await link(EVERYTHING, {CONF_TEST_MONTHS: 12}, listens=False)


async def become(hass: HomeAssistant, service: FixtureService, entry: MockConfigEntry, pair: Pair) -> None:
    """Let a home change, and once more."""
    before, after = pair
    for changes in (before, [*before, *after]):
        service.document = changed(FULL, changes)
        coordinator: WwnCoordinator = entry.runtime_data
        coordinator.async_put(coordinator.client.document(json.loads(json.dumps(service.document))))
        await hass.async_block_till_done()


async def test_of_every_field_no_value_is_left_as_it_was(
    hass: HomeAssistant, service: FixtureService, whole: MockConfigEntry
) -> None:
    for path in FIELDS:
        for value in meant(path[-1], thing(FULL, path[:-1])[path[-1]]):
            await become(hass, service, whole, ([], [(path, value)]))
            left = shown(hass)
            assert left == shown_anew(hass), (path, value)


HALLWAYS: Final = ("devices", "thermostats", HALLWAY)
SAME_IN_BOTH_SCALES: Final[list[Change]] = [((*HALLWAYS, f"ambient_temperature_{each}"), 20) for each in "cf"]


@settings(max_examples=40, suppress_health_check=SHARED)
@given(pair=PAIRS, is_lost=st.booleans())
@example(pair=(SAME_IN_BOTH_SCALES, [((*HALLWAYS, "temperature_scale"), "C")]), is_lost=False)
async def test_whatever_changes_no_state_is_left_as_it_was(
    hass: HomeAssistant,
    service: FixtureService,
    whole: MockConfigEntry,
    pair: Pair,
    is_lost: bool,  # noqa: FBT001 - drawn
) -> None:
    await become(hass, service, whole, pair)
    if is_lost:
        whole.runtime_data.async_lost()
    left = shown(hass)
    assert left == shown_anew(hass)


@settings(max_examples=8, suppress_health_check=SHARED)
@given(pair=PAIRS)
async def test_a_home_that_changed_is_shown_as_it_is_after_a_start(
    hass: HomeAssistant, service: FixtureService, whole: MockConfigEntry, pair: Pair
) -> None:
    await become(hass, service, whole, pair)
    left = shown(hass)
    await hass.config_entries.async_reload(whole.entry_id)
    await hass.async_block_till_done()
    # What is not there any more is not made again; before, it was only not available, or not known.
    anew = {entity_id: state for entity_id, state in shown(hass).items() if state[0] != "unavailable"}
    assert {entity_id: left.get(entity_id) for entity_id in anew} == anew
