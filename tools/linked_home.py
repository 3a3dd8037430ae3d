"""The way from nothing to a linked home in a real browser, step by step; a camera may look on."""

from collections.abc import Awaitable, Callable
import re
from typing import Final

from playwright.async_api import Browser, Page

from .demo.servers import Servers
from .demo.state import USERNAME
from .frontend import Frontend, sign_in_to_nest
from .home_assistant import HomeAssistantApi

# Called with a name and a page whenever there is something to see.
type Camera = Callable[[str, Page], Awaitable[None]]

INTEGRATION_PAGE: Final = "/config/integrations/integration/works_with_nest"


async def no_camera(_name: str, _page: Page) -> None:
    """Look away."""


async def open_consent_page(frontend: Frontend, servers: Servers, camera: Camera = no_camera) -> Page:
    """Add the integration up to the server's page, signed in there."""
    await frontend.choose_integration()
    await frontend.type_address(servers.nest.base)
    await frontend.wait_for_text("Choose what")
    await camera("choose-data", frontend.page)
    page = await frontend.share_all()
    await sign_in_to_nest(page, USERNAME, servers.state.kept.nest_password)
    await page.get_by_role("button", name="Accept").wait_for()
    await camera("consent-page", page)
    return page


async def link_in_browser(
    browser: Browser, servers: Servers, api: HomeAssistantApi, camera: Camera = no_camera
) -> Frontend:
    """Link as a person does, and end on the integration's page with its devices."""
    frontend = await Frontend.open(browser, api)
    page = await open_consent_page(frontend, servers, camera)
    await page.get_by_role("button", name="Accept").click()
    await frontend.wait_for_text("Name and assign")
    await frontend.finish()
    await frontend.go(INTEGRATION_PAGE)
    await frontend.wait_for_text(re.compile(r"\d+ devices"))
    return frontend


async def open_device(frontend: Frontend, api: HomeAssistantApi, model: str, room: str) -> None:
    """Open the page of the device of a model in a room."""
    async with api.socket() as socket:
        devices = await socket.command("config/device_registry/list")
        device = next(
            each for each in devices if each["model"] == model and each["area_id"] == room.lower().replace(" ", "_")
        )
    await frontend.go(f"/config/devices/device/{device['id']}")
