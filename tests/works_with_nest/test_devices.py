"""Homes and devices in the registry: what they are called, and what comes and goes."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.works_with_nest import async_remove_config_entry_device
from custom_components.works_with_nest.const import DOMAIN

from .conftest import SERVER_ID, FixtureService, SetUp, until
from .test_climate import HALLWAY
from .test_home_and_alarms import BEDROOM, HOME
from .test_push import alarm

BEDROOM_SMOKE = "binary_sensor.bedroom_nest_protect_smoke"

type StateOf = Callable[[str], str | None]
type DeviceOf = Callable[[str], dr.DeviceEntry | None]


@pytest.fixture
def device_of(hass: HomeAssistant) -> DeviceOf:
    """Return a function that finds the device for an id of the wire."""

    def device_of(wire_id: str) -> dr.DeviceEntry | None:
        entry, *_ = hass.config_entries.async_entries(DOMAIN)
        return dr.async_get(hass).async_get_device_by_identifier((DOMAIN, f"{SERVER_ID}_{wire_id}"), entry.entry_id)

    return device_of


def thermostat(document: dict[str, Any]) -> dict[str, Any]:
    return document["devices"]["thermostats"][HALLWAY]


async def test_names_and_firmware_follow_the_home_and_ids_stay(
    hass: HomeAssistant, service: FixtureService, link: SetUp, device_of: DeviceOf, entity_registry: er.EntityRegistry
) -> None:
    await link()
    await until(lambda: service.streams)
    before = device_of(HALLWAY)
    assert before is not None
    entities = {each.entity_id: each.unique_id for each in entity_registry.entities.values()}

    def change(document: dict[str, Any]) -> None:
        thermostat(document).update(label="By the stairs", software_version="6.0-1", where_name="Attic")
        document["structures"][HOME]["name"] = "Castle"

    service.push(change)
    await until(lambda: device_of(HALLWAY).sw_version == "6.0-1")
    after, home = device_of(HALLWAY), device_of(HOME)
    assert after is not None
    assert home is not None
    assert (after.id, after.name, after.area_id) == (before.id, "Nest Thermostat (By the stairs)", "hallway")
    assert home.name == "Castle"
    assert {each.entity_id: each.unique_id for each in entity_registry.entities.values()} == entities
    service.push(lambda document: thermostat(document).update(label=""))
    await until(lambda: device_of(HALLWAY).name == "Nest Thermostat")


async def test_a_name_that_people_gave_stays(
    hass: HomeAssistant, service: FixtureService, link: SetUp, device_of: DeviceOf, device_registry: dr.DeviceRegistry
) -> None:
    await link()
    await until(lambda: service.streams)
    device = device_of(HALLWAY)
    assert device is not None
    device_registry.async_update_device(device.id, name_by_user="Mine", area_id=None)
    service.push(lambda document: thermostat(document).update(label="By the stairs", software_version="6.0-1"))
    await until(lambda: device_of(HALLWAY).sw_version == "6.0-1")
    device = device_of(HALLWAY)
    assert device is not None
    assert (device.name_by_user, device.area_id) == ("Mine", None)


async def test_a_room_is_found_by_its_id_where_its_name_is_not_told(
    service: FixtureService, link: SetUp, device_of: DeviceOf
) -> None:
    del thermostat(service.document)["where_name"]
    await link()
    device = device_of(HALLWAY)
    assert device is not None
    assert device.area_id == "hallway"


async def test_two_homes_of_the_same_name_stay_apart(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf, device_of: DeviceOf
) -> None:
    service.document["structures"]["other"] = {"structure_id": "other", "name": "Home", "away": "away"}
    alarm(service.document, BEDROOM)["structure_id"] = "other"
    await link()
    first, second = device_of(HOME), device_of("other")
    assert first is not None
    assert second is not None
    assert first.id != second.id
    assert (state_of("binary_sensor.home_presence"), state_of("binary_sensor.home_presence_2")) == ("on", "off")
    bedroom, hallway = device_of(BEDROOM), device_of(HALLWAY)
    assert bedroom is not None
    assert hallway is not None
    assert (bedroom.via_device_id, hallway.via_device_id) == (second.id, first.id)


async def test_a_device_that_names_no_home_is_there_without_one(
    service: FixtureService, link: SetUp, state_of: StateOf, device_of: DeviceOf
) -> None:
    del alarm(service.document, BEDROOM)["structure_id"]
    await link()
    device = device_of(BEDROOM)
    assert device is not None
    assert device.via_device_id is None
    assert state_of(BEDROOM_SMOKE) == "off"


async def removable(hass: HomeAssistant, entry: MockConfigEntry, device: dr.DeviceEntry | None) -> bool:
    assert device is not None
    return await async_remove_config_entry_device(hass, entry, device)


async def test_only_what_is_gone_can_be_removed_by_hand_and_it_may_come_back(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    state_of: StateOf,
    device_of: DeviceOf,
    device_registry: dr.DeviceRegistry,
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    assert [await removable(hass, entry, device_of(each)) for each in (HOME, HALLWAY, BEDROOM)] == [False] * 3
    removed = deepcopy(alarm(service.document, BEDROOM))
    service.push(lambda document: document["devices"]["smoke_co_alarms"].pop(BEDROOM))
    await until(lambda: state_of(BEDROOM_SMOKE) == "unavailable")
    device = device_of(BEDROOM)
    assert device is not None
    assert await removable(hass, entry, device)
    device_registry.async_remove_device(device.id)
    await until(lambda: state_of(BEDROOM_SMOKE) is None)
    service.push(lambda document: document["devices"]["smoke_co_alarms"].update({BEDROOM: removed}))
    await until(lambda: state_of(BEDROOM_SMOKE) == "off")


async def test_nothing_can_be_removed_by_hand_while_nobody_knows_what_is_there(
    hass: HomeAssistant, link: SetUp, device_of: DeviceOf
) -> None:
    entry = await link()
    device = device_of(BEDROOM)
    await hass.config_entries.async_unload(entry.entry_id)
    assert not await removable(hass, entry, device)


async def test_several_links_of_one_home_assistant_stay_apart(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    entry = await link()
    data = deepcopy(dict(entry.data))
    data["server"]["server_id"] = "another-server"
    other = MockConfigEntry(domain=DOMAIN, title="Cabin", unique_id="another", data=data)
    other.add_to_hass(hass)
    await hass.config_entries.async_setup(other.entry_id)
    await hass.async_block_till_done()
    assert (state_of("binary_sensor.home_presence"), state_of("binary_sensor.home_presence_2")) == ("on", "on")
