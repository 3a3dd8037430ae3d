"""The alarm card in Home Assistant's own dashboards: added, drawn, announced, and true when nothing comes any more."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import re
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, Page, expect
import pytest
import pytest_asyncio
import pytest_socket

from tools.dashboard_screenshots import choose_card
from tools.dashboards import CARD_PATH, alarm_in, card_dashboard, open_card, save_dashboard
from tools.demo.servers import Servers
from tools.frontend import Frontend
from tools.home_assistant import HomeAssistantApi
from tools.linking import DOMAIN
from tools.nest_home import NestPerson

from .conftest import CARD_SAMPLE

CARD = "works-with-nest-alarms"
# Of Home Assistant's own dark theme.
DARK_CARD, DARK_TEXT = "rgb(28, 28, 28)", "rgb(225, 225, 225)"


pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("socket_enabled", "linked")]


@pytest_asyncio.fixture(loop_scope="session")
async def person(linked: str, servers: Servers) -> AsyncGenerator[NestPerson]:
    """Return the person of the home, in which all is well before and after."""
    pytest_socket.enable_socket()
    async with servers.person() as person:
        await person.sign_in()
        yield person
        for alarm in (await person.document())["devices"]["smoke_co_alarms"]:
            await person.set_alarm(alarm, is_online=True, is_manual_test_active=False)
            await person.set_alarm(alarm, smoke="ok", carbon_monoxide="ok", battery="ok")


@pytest_asyncio.fixture(loop_scope="session")
async def frontend(browser: Browser, api: HomeAssistantApi) -> AsyncGenerator[Frontend]:
    """Return a window at Home Assistant."""
    pytest_socket.enable_socket()
    frontend = await Frontend.open(browser, api)
    yield frontend
    await frontend.close()


def title(page: Page) -> Any:
    return page.locator(f"{CARD} .title")


def detail(page: Page) -> Any:
    return page.locator(f"{CARD} .detail")


async def violations(page: Page) -> list[str]:
    """Return what an automated check for accessibility finds wrong with the card."""
    await page.evaluate(AXE_SCRIPT)
    found = await page.locator(CARD).evaluate("card => axe.run(card)")
    assert {"button-name", "color-contrast", "listitem"} <= {rule["id"] for rule in found["passes"]}
    return [f"{rule['id']}: {node['html']}" for rule in found["violations"] for node in rule["nodes"]]


async def test_a_person_adds_the_card_by_the_visual_editor(frontend: Frontend, api: HomeAssistantApi) -> None:
    page = frontend.page
    await save_dashboard(api, CARD_PATH, "Alarms", {"views": [{"title": "Alarms", "path": "alarms", "cards": []}]})
    await frontend.go(f"/{CARD_PATH}/alarms?edit=1")
    await choose_card(page)
    form = page.locator("hui-dialog-edit-card ha-form").first
    for label in ("Homes", "Alarms", "Only rooms and states, for a small card."):
        await expect(form.get_by_text(label).first).to_be_visible()
    await page.locator("hui-dialog-edit-card ha-switch").first.click()
    await page.locator(f"hui-dialog-edit-card {CARD} ha-card.compact").wait_for()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(f"hui-view {CARD} .title")).to_have_text("All clear")
    async with api.socket() as socket:
        saved = await socket.command("lovelace/config", url_path=CARD_PATH)
    assert saved["views"][0]["cards"] == [{"type": f"custom:{CARD}", "compact": True}]


async def test_what_happens_is_drawn_at_once_announced_and_reached_by_keyboard(
    frontend: Frontend, api: HomeAssistantApi, person: NestPerson
) -> None:
    page = frontend.page
    await open_card(frontend, api)
    await expect(title(page)).to_have_text("All clear")
    await expect(detail(page)).to_have_text(re.compile(r"^3 alarms, checked "))
    await expect(page.locator(CARD).get_by_role("alert")).to_have_text("")
    assert await violations(page) == []
    kitchen = await alarm_in(person, "Kitchen")
    await person.set_alarm(kitchen, smoke="warning")
    await expect(title(page)).to_have_text("Smoke warning in the Kitchen")
    assert await violations(page) == []
    await person.set_alarm(kitchen, smoke="emergency")
    await expect(title(page)).to_have_text("Smoke in the Kitchen")
    await expect(page.locator(CARD).get_by_role("alert")).to_have_text("Emergency. Smoke in the Kitchen")
    tree = await page.locator(CARD).aria_snapshot()
    assert "- alert: Emergency. Smoke in the Kitchen" in tree
    assert re.search(r'^  - listitem:\n    - button "Kitchen Emergency · Checked now Smoke', tree, re.MULTILINE)
    assert await violations(page) == []
    await page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert await page.locator(f"{CARD} .whole").evaluate("whole => getComputedStyle(whole).animationName") == "none"
    # Home Assistant takes a moment to turn dark, text first.
    await expect(page.locator(f"{CARD} ha-card")).to_have_css("background-color", DARK_CARD)
    await expect(page.locator(f"{CARD} .name").first).to_have_css("color", DARK_TEXT)
    assert await violations(page) == []
    await page.locator(f"{CARD} .alarm").nth(1).focus()
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("ha-more-info-dialog").get_by_text("Smoke level").first).to_be_visible()


async def test_an_emergency_that_falls_silent_stays_first_and_an_offline_alarm_is_no_all_clear(
    frontend: Frontend, api: HomeAssistantApi, person: NestPerson
) -> None:
    page = frontend.page
    await open_card(frontend, api)
    kitchen, bedroom = await alarm_in(person, "Kitchen"), await alarm_in(person, "Bedroom")
    await person.set_alarm(bedroom, is_online=False)
    await expect(title(page)).to_have_text(re.compile(r"^1 alarm has not been heard from since \d\d:\d\d$"))
    await expect(detail(page)).to_have_text("Bedroom")
    assert await violations(page) == []
    await person.set_alarm(kitchen, smoke="emergency")
    await person.set_alarm(kitchen, is_online=False)
    await expect(detail(page)).to_have_text(re.compile(r"^Emergency, not heard from since \d\d:\d\d$"))
    await expect(title(page)).to_have_text("Smoke in the Kitchen")
    first = page.locator(f"{CARD} .alarm").first
    await expect(first).to_have_class("alarm emergency unheard")
    await expect(first.locator(".name")).to_have_text("Kitchen")
    assert await violations(page) == []
    await person.set_alarm(kitchen, is_online=True, smoke="ok")
    await person.set_alarm(bedroom, is_online=True)
    await person.set_alarm(kitchen, is_manual_test_active=True)
    await expect(title(page)).to_have_text("Test under way in the Kitchen")
    assert await violations(page) == []


async def test_old_news_is_never_shown_as_fresh_whatever_the_pages_clock_does(
    frontend: Frontend, api: HomeAssistantApi
) -> None:
    page = frontend.page
    await page.clock.install()
    await open_card(frontend, api)
    await expect(title(page)).to_have_text("All clear")
    # The machine slept: its clock has moved, and nothing has come since.
    await page.clock.fast_forward(90_000)
    await expect(title(page)).to_have_text(re.compile("^3 alarms have not been heard from since"))
    await frontend.go(f"/{CARD_PATH}/alarms")
    await expect(title(page)).to_have_text("All clear")
    stopped = page.locator(f"{CARD} .stopped")
    await expect(stopped).to_be_hidden()
    # The page's clock stands still. Only the browser's own animations go on, here at a hundred times their speed.
    await page.clock.pause_at(await page.evaluate("Date.now() + 1000"))
    browser_itself = await page.context.new_cdp_session(page)
    await browser_itself.send("Animation.enable")
    await browser_itself.send("Animation.setPlaybackRate", {"playbackRate": 100})
    # What began before goes on at its own speed. Put where it is, the card begins anew.
    await page.locator(CARD).evaluate("card => card.parentNode.append(card)")
    await expect(stopped).to_be_visible()
    await expect(stopped).to_have_text("This picture is out of date")


async def test_the_card_is_fetched_on_first_use_and_once_even_where_it_is_a_resource_too(
    frontend: Frontend, api: HomeAssistantApi
) -> None:
    page, asked, wrong = frontend.page, [], []
    page.on("request", lambda request: "/works_with_nest/" in request.url and asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    async with api.socket() as socket:
        resource = {"res_type": "module", "url": "/works_with_nest/loader.js"}
        created = await socket.command("lovelace/resources/create", **resource)
    await frontend.go("/history")
    await frontend.wait_for_text("History")
    await page.wait_for_function("() => window.customCards?.length")
    assert [url.rpartition("/")[2] for url in asked] == ["loader.js"]
    await save_dashboard(api, CARD_PATH, "Alarms", card_dashboard())
    await frontend.go(f"/{CARD_PATH}/alarms")
    await expect(title(page)).to_have_text("All clear")
    fetched = [url.rpartition("/")[2] for url in asked]
    assert fetched.count("card.js") == fetched.count("judge.js") == 1
    assert await page.evaluate("window.customCards.length") == 1
    assert wrong == []
    async with api.socket() as socket:
        await socket.command("lovelace/resources/delete", resource_id=created["id"])


@pytest.mark.parametrize(("language", "said"), [("de", "Alles in Ordnung"), ("ja", "異常なし"), ("he", "All clear")])
async def test_the_card_speaks_the_persons_language_and_is_read_from_its_side(
    frontend: Frontend, api: HomeAssistantApi, language: str, said: str
) -> None:
    await frontend.context.add_init_script(f"localStorage.setItem('selectedLanguage', JSON.stringify('{language}'))")
    await open_card(frontend, api, **CARD_SAMPLE)
    await expect(title(frontend.page)).to_have_text(said)
    await expect(frontend.page.locator(f"{CARD} ha-card.compact")).to_contain_text(CARD_SAMPLE["title"])
    row = frontend.page.locator(f"{CARD} .alarm").first
    ring, name = await row.locator(".ring").bounding_box(), await row.locator(".name").bounding_box()
    assert ring is not None
    assert name is not None
    assert (ring["x"] > name["x"]) is (language == "he")


def leave_only(folder: Path, user_id: str, entity_ids: list[str]) -> None:
    """Let a user read so much and nothing else; only what Home Assistant stores can say that, while it does not run."""
    file = folder / ".storage" / "auth"
    stored = json.loads(file.read_text())
    policy = {"entities": {"entity_ids": {each: {"read": True} for each in entity_ids}}}
    stored["data"]["groups"].append({"id": "guests", "name": "Guests", "policy": policy})
    next(user for user in stored["data"]["users"] if user["id"] == user_id)["group_ids"] = ["guests"]
    file.write_text(json.dumps(stored))


@asynccontextmanager
async def guest(api: HomeAssistantApi) -> AsyncIterator[tuple[HomeAssistantApi, str]]:
    """Let somebody else sign in; yield them with the id of the user that they are."""
    name = {"username": "guest", "password": "lantern donkey staple"}
    async with api.socket() as socket:
        user = (await socket.command("config/auth/create", name="Guest", group_ids=["system-users"]))["user"]
        await socket.command("config/auth_provider/homeassistant/create", user_id=user["id"], **name)
    async with HomeAssistantApi(api.base) as signed_in:
        await signed_in.sign_in(**name)
        yield signed_in, user["id"]
    async with api.socket() as socket:
        await socket.command("config/auth/delete", user_id=user["id"])


async def test_nothing_is_clear_without_home_assistant_or_without_the_home_and_nobody_is_told_what_they_may_not_read(
    frontend: Frontend, api: HomeAssistantApi, servers: Servers, linked: str, browser: Browser
) -> None:
    page, nest, home_assistant = frontend.page, servers.nest, servers.home_assistant
    await open_card(frontend, api)
    await expect(title(page)).to_have_text("All clear")
    async with api.socket() as socket:
        entities = [each["entity_id"] for each in await socket.entities(DOMAIN)]
    async with guest(api) as (visitor, user_id):
        await home_assistant.stop()
        await expect(title(page)).to_have_text(re.compile(r"^3 alarms have not been heard from since \d\d:\d\d$"))
        await expect(detail(page)).to_have_text("No connection to Home Assistant")
        await expect(page.locator(f"{CARD} .alarm.clear")).to_have_count(0)
        leave_only(
            servers.state.home_assistant, user_id, [each for each in entities if ".bedroom_nest_protect" in each]
        )
        await nest.stop()
        await servers.restart_home_assistant()
        await expect(detail(page)).to_have_text("The link to Home is down", timeout=90_000)
        await expect(title(page)).to_have_text(re.compile(r"^3 alarms have not been heard from since \d\d:\d\d$"))
        assert await violations(page) == []
        await nest.start(servers.state.kept.nest_port)
        await api.reload_entry(linked)
        await expect(title(page)).to_have_text("All clear")
        window = await Frontend.open(browser, visitor)
        await window.go(f"/{CARD_PATH}/alarms")
        await expect(title(window.page)).to_have_text("Clear as far as you may see")
        await expect(detail(window.page)).to_have_text(
            re.compile(r"^1 alarm, checked .+\. There is more that you may not see$")
        )
        await expect(window.page.locator(f"{CARD} .name")).to_have_text(["Bedroom"])
        assert await violations(window.page) == []
        await window.close()
