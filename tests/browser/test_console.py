"""The home console in a real browser, beside a hub that listens to the same home."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import shutil
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import ClientSession
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect
import pytest
import pytest_asyncio

from tools.nest_home import NestHomeServer, NestPerson
from tools.ports import free_port

NAME, PASSWORD = "anna", "correct horse battery"
REDIRECT = "http://127.0.0.1:8123/auth/external/callback"
KITCHEN = "Kitchen Nest Protect"
# A loaded machine takes its time.
PATIENCE_MS = 30_000

expect.set_options(timeout=PATIENCE_MS)


pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("socket_enabled")]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def with_account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a server that has its owner's account and never ran."""
    folder = tmp_path_factory.mktemp("with_account")
    await NestHomeServer(folder, folder.with_suffix(".log")).add_account(NAME, PASSWORD)
    return folder


@pytest_asyncio.fixture(loop_scope="session")
async def nest(tmp_path: Path, with_account: Path) -> AsyncGenerator[NestHomeServer]:
    """A server with its owner's account."""
    shutil.copytree(with_account, tmp_path / "nest")
    server = NestHomeServer(tmp_path / "nest", tmp_path / "nest.log", "--no-limits")
    await server.start(free_port())
    yield server
    await server.stop()


@asynccontextmanager
async def signed_in(browser: Browser, base: str, **options: Any) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    page = await console(context, base)
    await page.get_by_label("Name").fill(NAME)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Your home")).to_be_visible()
    await page.close()
    yield context
    await context.close()


async def console(context: BrowserContext, base: str) -> Page:
    page = await context.new_page()
    await page.goto(f"{base}/console")
    return page


def part(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def button(page: Page, device: str, group: str, name: str) -> Locator:
    return part(page, device).get_by_role("group", name=group).get_by_role("button", name=name, exact=True)


async def token_of_a_hub(base: str, session: ClientSession) -> str:
    """Register a hub that would like to see the alarms, have it accepted, and return its token."""
    asked = {
        "client_name": "Hub",
        "redirect_uris": [REDIRECT],
        "policy_uri": "https://hub.example/privacy",
        "permissions": [{"name": "smoke+co read", "reason": "Hub rings"}],
    }
    async with session.post(f"{base}/oauth2/register", json=asked) as answer:
        client = await answer.json()
    consent = {"client_id": client["client_id"], "state": "s", "redirect_uri": REDIRECT}
    async with NestPerson(base, NAME, PASSWORD) as person:
        back = await person.accept(f"{base}/login/oauth2?{urlencode(consent)}")
    form = {
        "code": parse_qs(urlsplit(back).query)["code"][0],
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
        "grant_type": "authorization_code",
    }
    async with session.post(f"{base}/oauth2/access_token", data=form) as answer:
        return str((await answer.json())["access_token"])


async def levels(line: Any) -> dict[str, str]:
    """Return the smoke levels of a stream's next put, by name."""
    async with asyncio.timeout(30):
        while not (text := await line()).startswith(b"data: {"):
            pass
    alarms = json.loads(text[6:])["data"]["devices"]["smoke_co_alarms"].values()
    return {alarm["name_long"]: alarm["smoke_alarm_state"] for alarm in alarms}


async def test_an_alarm_tripped_on_the_console_reaches_a_hubs_stream_and_every_open_console(
    nest: NestHomeServer, browser: Browser
) -> None:
    async with ClientSession() as session, signed_in(browser, nest.base) as context:
        first, second = await console(context, nest.base), await console(context, nest.base)
        said: list[str] = []
        for page in (first, second):
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
        loads: list[str] = []
        second.on("load", lambda page: loads.append(page.url))
        headers = {
            "Authorization": f"Bearer {await token_of_a_hub(nest.base, session)}",
            "Accept": "text/event-stream",
        }
        async with session.get(nest.base, headers=headers) as stream:
            assert (await levels(stream.content.readline))[KITCHEN] == "ok"
            await button(first, KITCHEN, "Smoke", "Emergency").click()
            assert (await levels(stream.content.readline))[KITCHEN] == "emergency"
        for page in (first, second):
            await expect(button(page, KITCHEN, "Smoke", "Emergency")).to_have_attribute("aria-pressed", "true")
            await expect(page.get_by_role("log")).to_have_text(f"{KITCHEN}: smoke Emergency, carbon monoxide OK.")
            await expect(part(page, "Home")).to_contain_text("heating, cooling and fans are shut off")
        assert loads == []
        assert said == []


async def test_the_console_is_worked_by_keyboard_and_keeps_its_place(nest: NestHomeServer, browser: Browser) -> None:
    async with signed_in(browser, nest.base, viewport={"width": 390, "height": 844}) as context:
        page = await console(context, nest.base)
        offline = button(page, KITCHEN, "Connection", "Offline")
        await offline.focus()
        await page.keyboard.press("Enter")
        await expect(offline).to_have_attribute("aria-pressed", "true")
        await expect(offline).to_be_focused()
        await expect(part(page, KITCHEN)).to_contain_text("This alarm is offline.")
        await part(page, KITCHEN).get_by_text("Take down…").click()
        await button(page, KITCHEN, "Battery", "Replace").click()
        take_down = part(page, KITCHEN).get_by_role("button", name=f"Take down {KITCHEN}")
        await take_down.focus()
        await page.keyboard.press("Space")
        await expect(part(page, KITCHEN)).to_have_count(0)
        await expect(page.get_by_role("heading", name="Your home")).to_be_focused()
        await page.get_by_role("combobox", name="Room").select_option("Kitchen")
        await page.get_by_role("button", name="Add").click()
        await expect(part(page, KITCHEN)).to_have_count(1)
        assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def test_what_may_be_old_is_not_shown_as_new(nest: NestHomeServer, browser: Browser) -> None:
    async with signed_in(browser, nest.base) as context:
        page = await console(context, nest.base)
        await button(page, KITCHEN, "Smoke", "Warning").click()
        await expect(button(page, KITCHEN, "Smoke", "Warning")).to_have_attribute("aria-pressed", "true")
        port = urlsplit(nest.base).port
        assert port is not None
        await nest.stop()
        await expect(page.get_by_role("alert")).to_contain_text("What you see may be old.")
        await button(page, KITCHEN, "Smoke", "OK").click()
        await expect(page.get_by_role("alert")).to_contain_text("nothing was changed")
        await nest.start(port)
        await expect(page.get_by_role("alert")).to_be_hidden()
        await button(page, KITCHEN, "Smoke", "Emergency").click()
        await expect(page.get_by_role("log")).to_contain_text("smoke Emergency")


async def test_without_a_script_the_console_is_plain_forms(nest: NestHomeServer, browser: Browser) -> None:
    async with signed_in(browser, nest.base, java_script_enabled=False) as context:
        page = await console(context, nest.base)
        await button(page, KITCHEN, "Carbon monoxide", "Warning").click()
        await expect(button(page, KITCHEN, "Carbon monoxide", "Warning")).to_have_attribute("aria-pressed", "true")
        await page.get_by_label("Outside, in °C").fill("-5")
        await page.keyboard.press("Enter")
        await expect(part(page, "Home")).to_contain_text("-5.0 °C (23 °F), as it was set")
        await expect(page.get_by_role("link", name="Refresh")).to_be_visible()
