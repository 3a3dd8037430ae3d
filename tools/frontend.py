"""A person at Home Assistant's frontend, in a real browser; used by the browser tests and for the pictures."""

import json
import re
from typing import Final, Self

from playwright.async_api import Browser, BrowserContext, Page

from .home_assistant import HomeAssistantApi

# A frontend that was never opened before has megabytes to read.
PATIENCE_MS: Final = 30_000
DESKTOP: Final = (1280, 900)
PHONE: Final = (390, 844)


class Frontend:
    """One browser window at Home Assistant, signed in."""

    def __init__(self, context: BrowserContext, page: Page, base: str) -> None:
        """Use a page of a context that is signed in; open makes one."""
        self.context = context
        self.page = page
        self._base = base

    @classmethod
    async def open(
        cls, browser: Browser, api: HomeAssistantApi, size: tuple[int, int] = DESKTOP, *, dark: bool = False
    ) -> Self:
        """Open a window and sign in without typing, as the person of the api."""
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            device_scale_factor=2,
            locale="en-GB",
        )
        context.set_default_timeout(PATIENCE_MS)
        await context.add_init_script(
            f"if (location.origin === {json.dumps(api.base)})"
            f" localStorage.setItem('hassTokens', {json.dumps(json.dumps(api.browser_tokens()))});"
        )
        return cls(context, await context.new_page(), api.base)

    async def close(self) -> None:
        """Close the window."""
        await self.context.close()

    async def go(self, path: str) -> None:
        """Open a page of the frontend."""
        await self.page.goto(self._base + path)

    async def choose_integration(self) -> None:
        """Go to the integrations, and choose Works with Nest among those to add."""
        await self.go("/config/integrations/dashboard")
        await self.page.get_by_text("Add integration").first.click()
        await self.page.get_by_placeholder("Search for a brand name").fill("Works with Nest")
        await self.page.get_by_text("Works with Nest").last.click()

    async def type_address(self, address: str) -> None:
        """Type the server's address, and submit."""
        field = self.page.locator("step-flow-form input").first
        await field.wait_for()
        await field.fill(address)
        await self.submit()

    async def submit(self) -> None:
        """Submit the step of the dialogue."""
        await self.page.get_by_role("button", name="Submit").click()

    async def share_all(self) -> Page:
        """Submit the choice of data as it stands, and return the server's page that opens by itself."""
        await self.wait_for_text("Choose what")
        async with self.context.expect_page() as opened:
            await self.submit()
        return await opened.value

    async def finish(self) -> None:
        """Close the dialogue that names devices and rooms."""
        await self.page.get_by_role("button", name=re.compile("Finish|Skip")).first.click()

    async def wait_for_text(self, text: str | re.Pattern[str]) -> None:
        """Wait until something is read on the page."""
        await self.page.get_by_text(text).first.wait_for()


async def sign_in_to_nest(page: Page, username: str, password: str) -> None:
    """Sign in on the server's page, and wait for what comes after."""
    await page.get_by_label("Name").fill(username)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
