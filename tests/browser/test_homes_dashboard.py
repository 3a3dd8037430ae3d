"""The dashboard of all homes: finished when it is added, complete when devices come, and the person's own on demand."""

from playwright.async_api import Browser, expect
import pytest

from tools.dashboards import HOMES_PATH, save_dashboard
from tools.demo.servers import Servers
from tools.frontend import Frontend
from tools.home_assistant import HomeAssistantApi

from .conftest import DASHBOARD_SAMPLE

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("socket_enabled", "linked")]


async def test_a_home_is_shown_whole_new_devices_appear_and_a_person_takes_control(
    browser: Browser, servers: Servers, api: HomeAssistantApi
) -> None:
    frontend = await Frontend.open(browser, api)
    page = frontend.page
    await save_dashboard(api, HOMES_PATH, "Nest", DASHBOARD_SAMPLE)
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
    await page.get_by_role("button", name="Edit dashboard").click()
    await page.locator("hui-dashboard-strategy-element-editor").wait_for()
    taking = "ha-dropdown-item[value='take-control']"
    await page.locator(f"ha-dropdown:has({taking}) ha-icon-button").click()
    await page.locator(taking).click()
    await page.locator("hui-dialog-save-config").get_by_role("button", name="Take control").click()
    await expect(page.get_by_role("button", name="Done")).to_be_visible()
    async with api.socket() as socket:
        config = await socket.command("lovelace/config", url_path=HOMES_PATH)
        dashboards = await socket.command("lovelace/dashboards/list")
        taken = next(each["id"] for each in dashboards if each["url_path"] == HOMES_PATH)
        await socket.command("lovelace/dashboards/delete", dashboard_id=taken)
    assert "strategy" not in config
    (view,) = config["views"]
    assert [section["cards"][0]["type"] for section in view["sections"]] == ["heading"] * 5
    await frontend.close()
