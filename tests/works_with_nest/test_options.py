"""What can be set on a link."""

from copy import deepcopy
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.works_with_nest.const import DOMAIN

from .conftest import SERVER_ID, FixtureService, SetUp, entry_data
from .test_init import HALLWAY, HOME

CABIN = "cabin-id"
STOVE = "stove-id"


@pytest.fixture
def two_homes(service: FixtureService) -> FixtureService:
    """Return a service with a second home that has one thermostat."""
    document = service.document
    document["structures"][CABIN] = {"structure_id": CABIN, "name": "The cabin", "thermostats": [STOVE]}
    stove = deepcopy(document["devices"]["thermostats"][HALLWAY])
    stove |= {"device_id": STOVE, "structure_id": CABIN, "where_name": "Hut"}
    document["devices"]["thermostats"][STOVE] = stove
    return service


def choices(form: Any) -> dict[str, str]:
    (homes,) = (selector for key, selector in form["data_schema"].schema.items() if key == "homes")
    return {option["value"]: option["label"] for option in homes.config["options"]}


def has_device(hass: HomeAssistant, entry: MockConfigEntry, wire_id: str) -> bool:
    found = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, f"{SERVER_ID}_{wire_id}"), entry.entry_id)
    return found is not None


async def test_a_home_can_be_left_out_and_comes_back(
    hass: HomeAssistant, two_homes: FixtureService, link: SetUp
) -> None:
    entry = await link()
    assert len(hass.states.async_entity_ids("climate")) == 3
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert choices(form) == {HOME: "Home", CABIN: "The cabin"}
    suggested = {str(key): (key.description or {}).get("suggested_value") for key in form["data_schema"].schema}
    assert suggested["homes"] == sorted([HOME, CABIN])
    await hass.config_entries.options.async_configure(form["flow_id"], {"homes": [HOME], "test_months": 0})
    await hass.async_block_till_done()
    assert len(hass.states.async_entity_ids("climate")) == 2
    assert not has_device(hass, entry, STOVE)
    assert not has_device(hass, entry, CABIN)
    assert has_device(hass, entry, HALLWAY)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert choices(form) == {HOME: "Home", CABIN: "The cabin"}
    await hass.config_entries.options.async_configure(form["flow_id"], {"homes": [HOME, CABIN], "test_months": 0})
    await hass.async_block_till_done()
    assert len(hass.states.async_entity_ids("climate")) == 3


async def test_at_least_one_home_stays(hass: HomeAssistant, two_homes: FixtureService, link: SetUp) -> None:
    entry = await link()
    form = await hass.config_entries.options.async_init(entry.entry_id)
    form = await hass.config_entries.options.async_configure(form["flow_id"], {"homes": [], "test_months": 0})
    assert (form["step_id"], form["errors"]) == ("init", {"homes": "no_home_chosen"})
    assert dict(entry.options) == {}


async def test_a_home_of_another_link_is_not_offered(
    hass: HomeAssistant, two_homes: FixtureService, link: SetUp
) -> None:
    entry = await link()
    data = {**entry.data, "homes": [HOME]}
    hass.config_entries.async_update_entry(entry, data=data)
    other = MockConfigEntry(domain=DOMAIN, unique_id="other", data=entry_data(two_homes.base, [CABIN], []))
    other.add_to_hass(hass)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert choices(form) == {HOME: "Home"}


async def test_months_between_tests_make_an_alarm_untested(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    entry = await link()
    (monitoring,) = [key for key in hass.states.async_entity_ids("binary_sensor") if "monitoring" in key]
    assert hass.states.get(monitoring).attributes["untested"] == []
    form = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(form["flow_id"], {"homes": [HOME], "test_months": 6})
    await hass.async_block_till_done()
    assert entry.options == {"homes": [HOME], "test_months": 6}
    assert hass.states.get(monitoring).attributes["untested"] == [
        "Bedroom Nest Protect",
        "Kitchen Nest Protect (Pantry)",
    ]


async def test_without_the_link_nobody_knows_the_homes(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    service.status = 503
    entry = await link()
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert (result["type"], result["reason"]) == ("abort", "link_not_loaded")
