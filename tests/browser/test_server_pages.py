"""The server's own pages in a real browser, without Home Assistant."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import re
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, expect
import pytest
import pytest_asyncio
import pytest_socket

from tools.nest_home import NestHomeServer
from tools.nest_pages import PlainHub, choose_password, open_window, set_up, sign_in
from tools.ports import LOOPBACK

OWNER = ("anna", "correct horse battery")
MEMBER = ("ben", "staple donkey lantern")

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(autouse=True)
def _loopback_sockets(socket_enabled: None) -> None:
    """Let tests use sockets where Home Assistant's test plugin forbids them."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NestHomeServer]:
    """A server that nobody has claimed."""
    pytest_socket.enable_socket()
    folder: Path = tmp_path_factory.mktemp("server")
    server = NestHomeServer(folder / "data", folder / "log", "--speed", "0")
    async with server.process:
        await server.start()
        yield server
        await server.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def page(server: NestHomeServer, browser: Browser) -> AsyncGenerator[Page]:
    """A window that nobody is signed in at."""
    page = await open_window(browser, server.base)
    yield page
    await page.context.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def back() -> AsyncGenerator[str]:
    """The page of a hub that browsers are sent back to."""
    pytest_socket.enable_socket()
    app = web.Application()
    app.router.add_get("/callback", _welcome)
    async with TestServer(app, host=LOOPBACK) as hub:
        yield str(hub.make_url("/callback"))


async def _welcome(_: web.Request) -> web.Response:
    return web.Response(text="Welcome back")


@pytest_asyncio.fixture(loop_scope="session")
async def hub(server: NestHomeServer, back: str) -> AsyncGenerator[PlainHub]:
    """A hub that browsers are sent back to."""
    async with ClientSession() as session:
        hub = PlainHub(server.base, session)
        await hub.register(back)
        yield hub


async def sent_back(page: Page, button: str) -> str:
    """Press a button of the consent page and return what the browser brought back to the hub."""
    await page.get_by_role("button", name=button, exact=True).click()
    await expect(page.get_by_text("Welcome back")).to_be_visible()
    return urlsplit(page.url).query


async def link(page: Page, hub: PlainHub, person: tuple[str, str]) -> None:
    """Let somebody accept a hub, and end at the list of connections."""
    await page.goto(hub.consent_path)
    await sign_in(page, *person)
    await hub.take_token(re.findall(r"code=(\w+)", await sent_back(page, "Accept"))[0])
    await page.goto("/connections")


@asynccontextmanager
async def streaming(hub: PlainHub) -> AsyncGenerator[ClientResponse]:
    """Keep a stream of a hub, after its first event."""
    async with hub.request("GET", "/", headers={"Accept": "text/event-stream"}) as response:
        assert (await event(response))[0] == "put"
        yield response


async def event(response: ClientResponse, seconds: float = 10) -> tuple[str, Any]:
    """Return name and data of the next event of a stream."""
    async with asyncio.timeout(seconds):
        name, data, _ = [await response.content.readline() for _ in range(3)]
    return name.decode().removeprefix("event: ").strip(), json.loads(data.removeprefix(b"data: "))


# In this order: the first one claims the server for all that follow.


async def test_a_consent_on_a_new_server_leads_through_first_run_and_back(
    server: NestHomeServer, page: Page, hub: PlainHub
) -> None:
    await page.goto(hub.consent_path)
    await expect(page.get_by_role("heading", name="Set up your server")).to_be_visible()
    await set_up(page, "WRONG", "Villa", *OWNER)
    await expect(page.get_by_label("Set-up code")).to_be_focused()
    await expect(page.get_by_text("This is not the set-up code.")).to_be_visible()
    await set_up(page, await server.set_up_code(), "Villa", *OWNER)
    await expect(page.get_by_role("heading", name="Wall display would like to work with your home")).to_be_visible()
    await expect(page.get_by_role("list", name="Homes you share").get_by_text("Villa")).to_be_visible()
    assert (await sent_back(page, "Back")).endswith("error=access_denied")


async def test_signing_in_says_what_is_wrong_and_leads_on(page: Page) -> None:
    await page.goto("/connections")
    await sign_in(page, OWNER[0], "wrong")
    await expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    await expect(page.get_by_label("Name")).to_have_value(OWNER[0])
    await expect(page.get_by_label("Password")).to_be_focused()
    await sign_in(page, *OWNER)
    await expect(page.get_by_role("heading", name="Connections")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_going_back_sends_the_browser_back_and_links_nothing(page: Page, hub: PlainHub) -> None:
    await page.goto(hub.consent_path)
    await sign_in(page, *OWNER)
    assert await sent_back(page, "Back") == "state=a-state&error=access_denied"
    await page.goto("/connections")
    await expect(page.get_by_text("Nothing is connected to your home.")).to_be_visible()


async def test_a_connection_is_accepted_seen_and_removed_while_its_stream_is_open(page: Page, hub: PlainHub) -> None:
    await link(page, hub, OWNER)
    async with streaming(hub) as stream:
        await page.reload()
        await expect(page.get_by_role("region", name="Wall display")).to_contain_text("In use now")
        await page.get_by_role("button", name="Take back: See whether somebody is home").click()
        await expect(page.get_by_text("It was taken back.")).to_be_visible()
        name, data = await event(stream)
        assert (name, "away read" in data["data"]["metadata"]["permissions"]) == ("put", False)
        await page.get_by_role("link", name="Remove Wall display").click()
        await page.get_by_role("button", name="Remove").click()
        assert await event(stream, seconds=1) == ("auth_revoked", hub.token)
    await expect(page.get_by_text("The connection was removed.")).to_be_visible()


async def test_a_hub_without_an_address_is_linked_by_pin(server: NestHomeServer, page: Page) -> None:
    async with ClientSession() as session:
        hub = PlainHub(server.base, session, "Old clock")
        await hub.register()
        await page.goto(hub.consent_path)
        await sign_in(page, *OWNER)
        await page.get_by_role("button", name="Accept", exact=True).click()
        await hub.take_token(await page.locator("main code").inner_text())
        async with hub.request("GET", "/") as answer:
            assert answer.status == 200
        await page.goto("/connections")
        await page.get_by_role("link", name="Remove Old clock").click()
        await page.get_by_role("button", name="Remove").click()
        await expect(page.get_by_text("The connection was removed.")).to_be_visible()


async def test_a_member_is_invited_links_and_is_removed_with_the_link(
    browser: Browser, server: NestHomeServer, page: Page, hub: PlainHub
) -> None:
    await page.goto("/members")
    await sign_in(page, *OWNER)
    await page.get_by_role("button", name="Make an invitation").click()
    address = await page.get_by_role("region", name="Your invitation").get_by_role("link").inner_text()
    theirs = await open_window(browser, server.base, width=390)
    await theirs.goto(address)
    await theirs.get_by_label("Name", exact=True).fill(MEMBER[0])
    await choose_password(theirs, MEMBER[1])
    await theirs.get_by_role("button", name="Join").click()
    await theirs.get_by_role("button", name="Sign out").click()
    await link(theirs, hub, MEMBER)

    await page.goto("/connections")
    await expect(page.get_by_role("region", name="Wall display")).to_contain_text("ben")
    async with streaming(hub) as stream:
        await page.goto("/members")
        await page.get_by_role("link", name="Remove ben").click()
        await expect(page.get_by_role("radio", name="Remove this connection")).to_be_checked()
        await page.get_by_role("button", name="Remove", exact=True).click()
        assert await event(stream, seconds=1) == ("auth_revoked", hub.token)
    await expect(page.get_by_text("The person was removed")).to_be_visible()
    await theirs.goto("/connections")
    await expect(theirs.get_by_role("heading", name="Sign in")).to_be_visible()
    await theirs.context.close()


async def test_the_catalogue_opens_home_assistants_own_dialogue(page: Page) -> None:
    await page.goto("/catalogue")
    await sign_in(page, *OWNER)
    await page.get_by_label("Address of your Home Assistant").fill("homeassistant.local:8123")
    await page.get_by_role("button", name="Keep this address").click()
    connect = page.get_by_role("link", name=re.compile(r"Connect \("))
    await expect(connect).to_have_attribute("href", re.compile("8123/config/integrations/dashboard/add"))


PAGES = (
    "/console",
    "/connections",
    "/catalogue",
    "/sources",
    "/sources/add/mqtt",
    "/members",
    "/health",
    "/account",
    "/learn/thermostat",
)
EVERY_FIELD_HAS_A_LABEL = (
    "[...document.querySelectorAll('input:not([type=hidden], [hidden])')].every(each => each.labels.length)"
)
EVERY_ID_IS_THERE_ONCE = (
    "new Set([...document.querySelectorAll('[id]')].map(each => each.id)).size"
    " === document.querySelectorAll('[id]').length"
)


async def test_every_page_fits_a_phone_and_breaks_no_rule_of_a_browser(
    browser: Browser, server: NestHomeServer
) -> None:
    page = await open_window(browser, server.base, width=390)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{page.url}: {message.text}"))
    await page.goto("/account")
    await sign_in(page, *OWNER)
    for path in PAGES:
        await page.goto(path)
        await expect(page.get_by_role("main")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert await page.evaluate(EVERY_FIELD_HAS_A_LABEL), path
        assert await page.evaluate(EVERY_ID_IS_THERE_ONCE), path
    assert complaints == []
    await page.context.close()
