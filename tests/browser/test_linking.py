"""Linking in Home Assistant's own frontend and on the server's own page."""

from playwright.async_api import Browser, expect

from tools.demo.servers import Servers
from tools.frontend import Frontend
from tools.home_assistant import HomeAssistantApi
from tools.linked_home import link_in_browser, open_consent_page, open_device
from tools.linking import DOMAIN


async def test_a_person_links_and_sees_the_devices(browser: Browser, servers: Servers, api: HomeAssistantApi) -> None:
    frontend = await link_in_browser(browser, servers, api)
    page = frontend.page
    for name, count in (("Nest Protect", 3), ("Nest Thermostat", 2)):
        await expect(page.get_by_text(name, exact=True)).to_have_count(count)
    await expect(page.get_by_text("Protect • Kitchen")).to_be_visible()
    await expect(page.get_by_text("73 entities").first).to_be_visible()
    await open_device(frontend, api, "Protect", "Kitchen")
    for text in ("Smoke level", "Carbon monoxide level", "Connectivity", "Battery"):
        await expect(page.get_by_text(text, exact=True).first).to_be_visible()
    await expect(page.get_by_text("Clear").first).to_be_visible()


async def test_what_happens_in_the_home_is_seen_on_the_open_page(
    browser: Browser, servers: Servers, api: HomeAssistantApi
) -> None:
    frontend = await link_in_browser(browser, servers, api)
    await open_device(frontend, api, "Protect", "Kitchen")
    await frontend.wait_for_text("Clear")
    async with servers.person() as person:
        await person.sign_in()
        alarms = (await person.document())["devices"]["smoke_co_alarms"]
        kitchen = next(key for key, alarm in alarms.items() if alarm["where_name"] == "Kitchen")
        await person.set_alarm(kitchen, smoke="emergency")
    await frontend.wait_for_text("Emergency")
    await frontend.wait_for_text("Detected")


async def test_going_back_is_said_and_creates_nothing(
    browser: Browser, servers: Servers, api: HomeAssistantApi
) -> None:
    frontend = await Frontend.open(browser, api)
    consent = await open_consent_page(frontend, servers)
    await consent.get_by_role("button", name="Back").click()
    await frontend.wait_for_text(
        "You went back instead of accepting, so My Nest home shares nothing with Home Assistant."
    )
    assert await api.entries(DOMAIN) == []


async def test_a_wrong_address_is_said_on_the_form_which_keeps_it(
    browser: Browser, servers: Servers, api: HomeAssistantApi
) -> None:
    frontend = await Frontend.open(browser, api)
    await frontend.choose_integration()
    # Home Assistant itself answers there, which is no Works with Nest server.
    await frontend.type_address(api.base)
    await frontend.wait_for_text("A server answers at this address, but it is not a Works with Nest server.")
    await expect(frontend.page.locator("step-flow-form input").first).to_have_value(api.base)
