"""The dashboard of all homes: finished when it is added, and complete when devices come."""

from playwright.async_api import Browser, expect
import pytest

from tools.dashboards import HOMES_PATH, STRATEGY, save_dashboard
from tools.demo.servers import Servers
from tools.frontend import Frontend
from tools.home_assistant import HomeAssistantApi

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("socket_enabled", "linked")]


async def test_a_home_is_shown_whole_and_new_devices_appear(
    shared_browser: Browser, servers: Servers, api: HomeAssistantApi
) -> None:
    frontend = await Frontend.open(shared_browser, api)
    page = frontend.page
    await save_dashboard(api, HOMES_PATH, "Nest", STRATEGY)
    await frontend.go(f"/{HOMES_PATH}")
    for heading in ("Home and away", "Alarms", "Thermostats", "Batteries and tests", "Link"):
        await expect(page.locator("hui-heading-card").get_by_text(heading, exact=True)).to_be_visible()
    rows = page.locator("works-with-nest-alarms .alarm")
    await expect(rows).to_have_count(3)
    await expect(page.locator("hui-thermostat-card")).to_have_count(2)
    await expect(page.locator("hui-history-graph-card")).to_have_count(2)
    await expect(page.locator("hui-error-card")).to_have_count(0)
    async with servers.person() as person:
        await person.sign_in()
        before = (await person.document())["devices"]
        await person.add_device("smoke_co_alarms", "Basement")
        await person.add_device("thermostats", "Basement")
        await expect(rows).to_have_count(4)
        await expect(page.locator("hui-thermostat-card")).to_have_count(3)
        for group, devices in (await person.document())["devices"].items():
            for device in devices.keys() - before[group].keys():
                await person.remove_device(device)
    await frontend.close()
