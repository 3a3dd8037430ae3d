"""One link set up, unloaded and removed."""

from pathlib import Path

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util.async_ import get_scheduled_timer_handles
import pytest

from custom_components.works_with_nest.const import DOMAIN
from custom_components.works_with_nest.wwn import jumps

from .conftest import SECRET, SERVER_ID, TOKEN, FixtureService, SetUp, until

HOME = "PtYgjmUhBel31iEl2hpChYgCfrL1spNxnyVmihA_2O76UMFxFkM_Rw"
HALLWAY = "5Kjp1vRt-1fjORS_6ilI8ihN5KXSc7Tv"
KITCHEN = "AWtGSU8po-799NksnRH9ucAUsdMlHUvT"


async def test_a_link_is_loaded_and_listens(hass: HomeAssistant, service: FixtureService, link: SetUp) -> None:
    entry = await link()
    assert entry.state is ConfigEntryState.LOADED
    await until(lambda: service.streams)


async def test_unloading_ends_the_stream_and_nothing_on_the_server(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    assert await hass.config_entries.async_unload(entry.entry_id)
    service.push()
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert {method for method, *_ in service.requests} == {"GET", "STREAM"}


async def test_reloading_brings_everything_back(hass: HomeAssistant, service: FixtureService, link: SetUp) -> None:
    entry = await link()
    before = {state.entity_id for state in hass.states.async_all()}
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert {state.entity_id for state in hass.states.async_all() if state.state != "unavailable"} == before


async def test_a_stop_of_home_assistant_leaves_no_timer_of_ours(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    await link()
    await until(lambda: service.streams)
    await hass.async_stop(force=True)
    timers = [repr(handle) for handle in get_scheduled_timer_handles(hass.loop) if not handle.cancelled()]
    assert [timer for timer in timers if "WwnCoordinator" in timer or "_TrackTimeInterval" in timer] == []


async def test_unloading_closes_what_tells_of_the_clock(hass: HomeAssistant, link: SetUp) -> None:
    def timers() -> int:
        return sum("timerfd" in str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink())

    before = timers()
    entry = await link()
    assert timers() == before + jumps.IS_TOLD
    await hass.config_entries.async_unload(entry.entry_id)
    assert timers() == before


async def test_removing_ends_token_and_registration_on_the_server(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    entry = await link()
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    deleted = [path for method, path, _ in service.requests if method == "DELETE"]
    assert deleted == [f"/oauth2/access_tokens/{TOKEN}", "/oauth2/register/client-1"]


async def test_removing_goes_on_when_the_server_does_not_answer(
    hass: HomeAssistant, service: FixtureService, link: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await link()
    service.status = 503
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.config_entries.async_entries(DOMAIN) == []
    assert "Could not end the link on the server" in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("status", [404, 429, 500, 503])
async def test_a_server_that_fails_at_start_is_tried_again(
    hass: HomeAssistant, service: FixtureService, link: SetUp, status: int
) -> None:
    service.status = status
    entry = await link()
    assert entry.state is ConfigEntryState.SETUP_RETRY


async def test_a_token_that_is_not_accepted_asks_for_linking_again(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    service.status = 401
    entry = await link()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    flows = hass.config_entries.flow.async_progress()
    assert [(flow["context"]["source"], flow["step_id"]) for flow in flows] == [(SOURCE_REAUTH, "reauth_confirm")]


async def test_devices_hang_below_their_home_and_in_their_room(
    hass: HomeAssistant, link: SetUp, device_registry: dr.DeviceRegistry
) -> None:
    entry = await link()

    def device(wire_id: str) -> dr.DeviceEntry:
        found = device_registry.async_get_device_by_identifier((DOMAIN, f"{SERVER_ID}_{wire_id}"), entry.entry_id)
        assert isinstance(found, dr.DeviceEntry)
        return found

    home, thermostat, alarm = device(HOME), device(HALLWAY), device(KITCHEN)
    assert (home.name, home.manufacturer, home.model, home.entry_type) == (
        "Home",
        "Nest",
        "Home",
        dr.DeviceEntryType.SERVICE,
    )
    assert thermostat.via_device_id == alarm.via_device_id == home.id
    assert (thermostat.name, thermostat.model, thermostat.sw_version, thermostat.area_id) == (
        "Nest Thermostat (Downstairs)",
        "Thermostat",
        "5.9.3-6",
        "hallway",
    )
    assert (alarm.name, alarm.model, alarm.sw_version, alarm.area_id) == (
        "Nest Protect",
        "Protect",
        "3.1.4rc3",
        "kitchen",
    )
    assert thermostat.serial_number is None


async def test_no_secret_reaches_the_log(
    hass: HomeAssistant, service: FixtureService, link: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    for status in (500, 429, 401):
        service.status = status
        await entry.runtime_data.async_refresh()
    service.send(f'event: auth_revoked\ndata: "{TOKEN}"\n\n'.encode())
    await hass.async_block_till_done()
    assert "custom_components.works_with_nest" in caplog.text
    assert TOKEN not in caplog.text
    assert SECRET not in caplog.text
