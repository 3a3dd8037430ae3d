"""Pictures of the alarm card and the dashboard in every state, light and dark, at a desk and on a phone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import product
from pathlib import Path
import re
from typing import Final

from playwright.async_api import Browser, Locator, Page, expect

from .browser import chromium
from .dashboards import CARD_PATH, HOMES_PATH, STRATEGY, alarm_in, card_dashboard, linked, save_dashboard
from .demo.servers import Servers, started
from .demo.state import held
from .frontend import DESKTOP, PHONE, SHARP, Frontend
from .home_assistant import HomeAssistantApi
from .nest_home import NestPerson
from .pictures import PICTURES, keep
from .ports import free_port

SCALE: Final = 1 / 2
SETTLES_WITHIN_MS: Final = 1500
# A link that is cut off is taken for lost after 75 s.
LOST_WITHIN_MS: Final = 120_000
SCREENS: Final = {"desktop": DESKTOP, "phone": PHONE}
THEMES: Final = {"light": False, "dark": True}

type State = Callable[[Servers, NestPerson], Awaitable[None]]


async def all_clear(_servers: Servers, _person: NestPerson) -> None:
    """Leave all as it is."""


async def warning(_servers: Servers, person: NestPerson) -> None:
    """Let some smoke into the kitchen."""
    await person.set_alarm(await alarm_in(person, "Kitchen"), smoke="warning")


async def emergency(_servers: Servers, person: NestPerson) -> None:
    """Let much smoke into the kitchen."""
    await person.set_alarm(await alarm_in(person, "Kitchen"), smoke="emergency")


async def fell_silent(_servers: Servers, person: NestPerson) -> None:
    """Let the fire reach the alarm."""
    await person.set_alarm(await alarm_in(person, "Kitchen"), is_online=False)


async def tested(_servers: Servers, person: NestPerson) -> None:
    """Let somebody press the button, all being well again."""
    kitchen = await alarm_in(person, "Kitchen")
    await person.set_alarm(kitchen, is_online=True, smoke="ok", is_manual_test_active=False)
    await person.set_alarm(kitchen, is_manual_test_active=True)


async def offline(_servers: Servers, person: NestPerson) -> None:
    """Cut one alarm off, and let a battery run low."""
    await person.set_alarm(await alarm_in(person, "Kitchen"), is_manual_test_active=False)
    await person.set_alarm(await alarm_in(person, "Bedroom"), is_online=False)
    await person.set_alarm(await alarm_in(person, "Hallway"), battery="replace")


async def link_down(servers: Servers, _person: NestPerson) -> None:
    """End the server, once."""
    await servers.nest.stop()


# In the order in which one leads to the next, each with what the card's title then says.
STATES: Final[dict[str, tuple[State, str]]] = {
    "all-clear": (all_clear, r"^All clear$"),
    "warning": (warning, r"^Smoke warning in the Kitchen$"),
    "emergency": (emergency, r"^Smoke in the Kitchen$"),
    "fell-silent": (fell_silent, r"^Smoke in the Kitchen$"),
    "test": (tested, r"^Test under way in the Kitchen$"),
    "offline": (offline, r"^1 alarm has not been heard from since"),
    "link-down": (link_down, r"^3 alarms have not been heard from since"),
}
# What the documents show; all else is only looked at.
KEPT: Final = frozenset(
    {f"card-{state}-desktop-light" for state in STATES}
    | {"card-emergency-phone-dark", "dashboard-all-clear-desktop-light", "dashboard-emergency-phone-dark"}
)


async def windows(browser: Browser, api: HomeAssistantApi) -> AsyncIterator[tuple[str, Frontend]]:
    """Yield a window of each size and theme, with its name."""
    for (screen, size), (theme, dark) in product(SCREENS.items(), THEMES.items()):
        frontend = await Frontend.open(browser, api, size, dark=dark, scale=SHARP)
        yield f"{screen}-{theme}", frontend
        await frontend.close()


async def take_state(frontend: Frontend, name: str, title: str, every: Path | None) -> None:
    """Take the card and the dashboard in one window."""
    for kind, path in (("card", f"/{CARD_PATH}/alarms"), ("dashboard", f"/{HOMES_PATH}")):
        picture = f"{kind}-{name}"
        folder = every or (PICTURES if picture in KEPT else None)
        if folder is None:
            continue
        await frontend.go(path)
        card = frontend.page.locator("works-with-nest-alarms")
        await expect(card.locator(".title")).to_have_text(re.compile(title), timeout=LOST_WITHIN_MS)
        await frontend.page.wait_for_timeout(SETTLES_WITHIN_MS)
        shot: Page | Locator = card if kind == "card" else frontend.page
        content = await (shot.screenshot() if isinstance(shot, Locator) else shot.screenshot(full_page=True))
        keep(content, folder / f"{picture}.png", SCALE)


async def take_form(frontend: Frontend, api: HomeAssistantApi) -> None:
    """Take the form by which a person sets the card up."""
    await save_dashboard(api, CARD_PATH, "Alarms", {"views": [{"title": "Alarms", "path": "alarms", "cards": []}]})
    await frontend.go(f"/{CARD_PATH}/alarms?edit=1")
    await choose_card(frontend.page)
    await frontend.page.wait_for_timeout(SETTLES_WITHIN_MS)
    keep(await frontend.page.screenshot(), PICTURES / "card-form.png", SCALE)


async def choose_card(page: Page) -> None:
    """Add the card to the dashboard that is edited, up to its form."""
    await page.get_by_text("Add card").first.click()
    await page.get_by_text("By card").first.click()
    await page.get_by_placeholder("Search cards").fill("works with nest")
    # What lies above it takes the click.
    await page.get_by_text("Works with Nest: Alarm monitoring").first.click(force=True)
    await page.locator("hui-dialog-edit-card ha-switch").first.wait_for()


async def take_dashboard_pictures(folder: Path, every: Path | None = None) -> None:
    """Link a home of its own and take the pictures of the documents. every: take all there are, to this folder."""
    async with held(folder) as state:
        state.keep(nest_port=free_port(), home_assistant_port=free_port())
        async with (
            started(state) as servers,
            servers.signed_in() as api,
            chromium() as browser,
            linked(servers, api) as person,
        ):
            frontend = await Frontend.open(browser, api, scale=SHARP)
            await take_form(frontend, api)
            await frontend.close()
            await save_dashboard(api, CARD_PATH, "Alarms", card_dashboard())
            await save_dashboard(api, HOMES_PATH, "Nest", STRATEGY)
            for name, (bring_about, title) in STATES.items():
                async for window, frontend in windows(browser, api):
                    # For each anew: a test ends by itself.
                    await bring_about(servers, person)
                    await take_state(frontend, f"{name}-{window}", title, every)
