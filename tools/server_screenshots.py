"""Pictures of the server's own pages, desktop and phone, from a running server."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
import re
from typing import Final

from aiohttp import ClientSession
from playwright.async_api import Browser, Page

from .browser import chromium
from .demo.devices import HALLWAY, KITCHEN, Devices
from .nest_home import NestHomeServer
from .nest_pages import PATIENCE_MS, PlainHub, choose_password, open_window, set_up, sign_in
from .pictures import keep

WIDTHS: Final = {"desktop": 1280, "phone": 390}
OWNER: Final = ("anna", "correct horse battery")
MEMBER: Final = ("ben", "staple donkey lantern")
SOURCES: Final = "/sources"
KINDS: Final = ("nolongerevil", "mqtt")
# Nothing listens there; the pictures end before a browser is sent back.
BACK: Final = "http://homeassistant.local:8123/auth/external/callback"


class Camera:
    """Takes each page in both widths, into a folder."""

    def __init__(self, folder: Path) -> None:
        """Keep the pictures there."""
        self._folder = folder

    async def take(self, name: str, page: Page) -> None:
        """Take a page as it is now, whole where it scrolls."""
        height = 800
        for kind, width in WIDTHS.items():
            await page.set_viewport_size({"width": width, "height": height})
            # A pointer over something would draw it highlighted.
            await page.mouse.move(0, 0)
            content = await page.screenshot(full_page=True, animations="disabled")
            keep(content, self._folder / f"server-{name}-{kind}.png")
        await page.set_viewport_size({"width": WIDTHS["desktop"], "height": height})


async def take_server_pictures(data: Path, folder: Path, *, dark: bool = False) -> None:
    """Walk through a new server's life with a camera."""
    server = NestHomeServer(data, data / "log", "--speed", "0")
    camera = Camera(folder)
    async with server.process, chromium() as browser, ClientSession() as session:
        await server.start()
        hub = PlainHub(server.base, session, "Home Assistant")
        await hub.register(BACK)
        page = await open_window(browser, server.base, dark=dark)
        await _first_run_to_consent(server, hub, page, camera)
        async with _linked_by_pin(server, session, page, camera) as clock:
            await _set_something(clock)
            await _pages(page, camera)
        await _family(browser, server, session, page, camera, dark=dark)
        await _real_devices(data / "devices", page, camera)


async def _first_run_to_consent(server: NestHomeServer, hub: PlainHub, page: Page, camera: Camera) -> None:
    await page.goto(hub.consent_path)
    await camera.take("first-run", page)
    await set_up(page, await server.set_up_code(), "Home", *OWNER)
    await page.get_by_role("button", name="Accept").wait_for()
    await camera.take("consent", page)
    await page.get_by_role("button", name="Not you? Sign out").click()
    await page.get_by_role("heading", name="Sign in").wait_for()
    await camera.take("sign-in", page)
    await sign_in(page, *OWNER)
    await page.get_by_role("button", name="Accept").wait_for()


@asynccontextmanager
async def _linked_by_pin(
    server: NestHomeServer, session: ClientSession, page: Page, camera: Camera
) -> AsyncGenerator[PlainHub]:
    """Link a hub by PIN, and keep its stream open."""
    hub = PlainHub(server.base, session, "Wall display")
    await hub.register()
    await page.goto(hub.consent_path)
    await page.get_by_role("button", name="Accept").click()
    pin = page.locator("main code")
    await pin.wait_for()
    await camera.take("pin", page)
    await hub.take_token(await pin.inner_text())
    async with hub.request("GET", "/", headers={"Accept": "text/event-stream"}) as stream:
        await stream.content.readline()
        yield hub


async def _set_something(hub: PlainHub) -> None:
    async with hub.request("GET", "/devices/thermostats") as answer:
        thermostat = next(iter(await answer.json()))
    for mode in ("heat", "no such mode"):
        async with hub.request("PUT", f"/devices/thermostats/{thermostat}", json={"hvac_mode": mode}) as answer:
            await answer.read()


async def _pages(page: Page, camera: Camera) -> None:
    for path in ("console", "connections", "health", "account"):
        await page.goto(f"/{path}")
        await camera.take(path, page)
    await page.goto("/learn/thermostat")
    await camera.take("learn", page)
    await page.goto("/connections")
    await page.get_by_role("link", name="Remove Wall display").click()
    await page.get_by_role("heading", name=re.compile("Remove Wall")).wait_for()
    await camera.take("connection-remove", page)
    await page.goto("/catalogue")
    await page.get_by_label("Address of your Home Assistant").fill("homeassistant.local:8123")
    await page.get_by_role("button", name="Keep this address").click()
    await page.get_by_role("link", name=re.compile("opens in a new tab")).wait_for()
    await page.goto("/catalogue")
    await camera.take("catalogue", page)


async def _family(
    browser: Browser, server: NestHomeServer, session: ClientSession, page: Page, camera: Camera, *, dark: bool
) -> None:
    """Invite somebody who links a hub, up to the question whether to remove them."""
    await page.goto("/members")
    await page.get_by_role("button", name="Make an invitation").click()
    invitation = page.get_by_role("region", name="Your invitation").get_by_role("link")
    theirs = await open_window(browser, server.base, dark=dark)
    await theirs.goto(await invitation.inner_text())
    await camera.take("join", theirs)
    await theirs.get_by_label("Name", exact=True).fill(MEMBER[0])
    await choose_password(theirs, MEMBER[1])
    await theirs.get_by_role("button", name="Join").click()
    await theirs.get_by_role("button", name="Sign out").wait_for()
    clock = PlainHub(server.base, session, "Bedside clock")
    await clock.register()
    await theirs.goto(clock.consent_path)
    await theirs.get_by_role("button", name="Accept").click()
    await clock.take_token(await theirs.locator("main code").inner_text())
    await page.goto("/members")
    await page.get_by_role("button", name="Make an invitation").click()
    await invitation.wait_for()
    await camera.take("members", page)
    await page.get_by_role("link", name="Remove ben").click()
    await page.get_by_role("heading", name="Remove ben?").wait_for()
    await camera.take("member-remove", page)


async def _real_devices(folder: Path, page: Page, camera: Camera) -> None:
    """Put thermostats and detectors in the place of the simulated home. Raises ToolError without Mosquitto."""
    devices = Devices(folder)
    async with devices.running():
        broker = devices.broker.address
        thermostats, detectors = KINDS
        await _look_for(page, thermostats, {"Address": devices.thermostats.base, "Address of its MQTT broker": broker})
        await page.get_by_role("button", name="Add to the home").click()
        await _look_for(page, detectors, {"Address": broker})
        for room in (KITCHEN, HALLWAY):
            await page.get_by_role("group", name=re.compile(room)).get_by_label("Room").fill(room)
        await camera.take("source-found", page)
        await page.get_by_role("button", name="Add to the home").click()
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while await page.get_by_text("Offline").count() or await page.get_by_text("It answers.").count() < len(
                KINDS
            ):
                await page.goto(SOURCES)
        await camera.take("sources", page)


async def _look_for(page: Page, kind: str, said: Mapping[str, str]) -> None:
    await page.goto(f"{SOURCES}/add/{kind}")
    for label, text in said.items():
        await page.get_by_label(re.compile(f"^{label}(,.*)?$")).fill(text)
    await page.get_by_role("button", name="Look for devices").click()
    await page.get_by_role("heading", name="Devices that were found").wait_for()
