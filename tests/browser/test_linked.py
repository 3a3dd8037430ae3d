"""The life of a link and its end, in Home Assistant's own frontend and on the server's own pages."""

from typing import Any

from playwright.async_api import Browser, expect
import pytest

from tools.demo.servers import Servers
from tools.frontend import INTEGRATIONS, Frontend
from tools.home_assistant import HomeAssistantApi
from tools.linking import DOMAIN
from tools.walks import (
    Walker,
    change_data,
    link_again,
    open_connections,
    open_device,
    remove_here,
    remove_there,
)

STRANGER = ("ben", "staple donkey lantern")

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("socket_enabled")]


async def asked_to_link_again(api: HomeAssistantApi) -> list[str]:
    """Return which links Home Assistant asks to link again, one word for each time."""
    async with api.socket() as socket:
        flows: list[dict[str, Any]] = await socket.command("config_entries/flow/progress")
    return [flow["context"]["entry_id"] for flow in flows if flow["context"]["source"] == "reauth"]


async def registered(api: HomeAssistantApi) -> dict[str, str]:
    """Return every entity of ours with what makes it this one, by its id."""
    async with api.socket() as socket:
        return {entity["entity_id"]: entity["unique_id"] for entity in await socket.entities(DOMAIN)}


async def test_less_data_takes_devices_away_and_more_brings_them_back_on_the_open_page(
    linked: str, walker: Walker, api: HomeAssistantApi
) -> None:
    page = walker.page
    before = await registered(api)
    await change_data(walker, {"Thermostats": "Nothing"})
    await expect(page.get_by_text("Nest Thermostat", exact=True)).to_have_count(0)
    await expect(page.get_by_text("Nest Protect", exact=True)).to_have_count(3)
    assert not any(entity.startswith("climate.") for entity in await registered(api))
    await change_data(walker, {"Thermostats": "See and change"})
    await expect(page.get_by_text("Nest Thermostat", exact=True)).to_have_count(2)
    await expect(page.get_by_text("Nest Protect", exact=True)).to_have_count(3)
    assert await registered(api) == before
    assert (await api.entries(DOMAIN))[0]["entry_id"] == linked


async def test_ended_on_the_server_a_link_is_asked_for_again_once_and_is_the_same_after_that(
    linked: str, walker: Walker, servers: Servers, api: HomeAssistantApi, browser: Browser
) -> None:
    before = await registered(api)
    await walker.frontend.go(INTEGRATIONS)
    page = await remove_there(walker)
    await expect(page.get_by_text("Nothing is connected to your home.")).to_be_visible()
    # It comes up on the page that is open.
    await expect(walker.page.locator("ha-config-flow-card")).to_have_count(1)
    await api.reload_entry(linked)
    await expect(walker.page.locator("ha-config-flow-card")).to_have_count(1)
    assert await asked_to_link_again(api) == [linked]
    await wrong_account(walker, servers, api, browser)
    # It goes on being asked for.
    assert await asked_to_link_again(api) == [linked]
    await link_again(walker, "Re-authentication was successful", "linked-again")
    await open_device(walker.frontend, api, "Protect", "Kitchen")
    await walker.frontend.wait_for_text("Clear")
    assert await registered(api) == before
    assert await asked_to_link_again(api) == []


async def wrong_account(walker: Walker, servers: Servers, api: HomeAssistantApi, browser: Browser) -> None:
    """Accept with an account that does not hold the home, in a window of its own, and read the refusal."""
    await servers.nest.add_stranger(*STRANGER)
    stranger = Walker(
        frontend=await Frontend.open(browser, api), nest=walker.nest, name=STRANGER[0], password=STRANGER[1]
    )
    await link_again(stranger, "The account that accepted does not hold Home, so nothing was changed.", "wrong-account")
    await expect(stranger.page.locator("ha-config-flow-card")).to_have_count(1)
    await stranger.frontend.close()


async def test_removed_in_home_assistant_the_connection_is_gone_on_the_server(
    linked: str, walker: Walker, api: HomeAssistantApi
) -> None:
    page = await open_connections(walker)
    await expect(page.get_by_role("heading", name="Home Assistant")).to_be_visible()
    await walker.page.bring_to_front()
    await remove_here(walker)
    await expect(walker.page.get_by_text("Nest Protect", exact=True)).to_have_count(0)
    await page.reload()
    await expect(page.get_by_text("Nothing is connected to your home.")).to_be_visible()
    assert await api.entries(DOMAIN) == []
    assert await registered(api) == {}
