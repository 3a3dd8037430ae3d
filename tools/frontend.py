"""A person at Home Assistant's frontend, in a real browser; used by the browser tests and for the pictures."""

import json
import re
from typing import Final, Self

from playwright.async_api import Browser, BrowserContext, Locator, Page

from .hand import Hand
from .home_assistant import HomeAssistantApi

# A frontend that was never opened before has megabytes to read.
PATIENCE_MS: Final = 30_000
DESKTOP: Final = (1280, 900)
PHONE: Final = (390, 844)
# Of a screen on which small letters are sharp, for pictures.
SHARP: Final = 2

INTEGRATIONS: Final = "/config/integrations/dashboard"
INTEGRATION: Final = "/config/integrations/integration/works_with_nest"


class Frontend:
    """One browser window at Home Assistant, signed in."""

    def __init__(self, context: BrowserContext, page: Page, base: str) -> None:
        """Use a page of a context that is signed in; open makes one."""
        self.context = context
        self.page = page
        self.hand = Hand()
        self.base = base

    @classmethod
    async def open(
        cls,
        browser: Browser,
        api: HomeAssistantApi,
        size: tuple[int, int] = DESKTOP,
        *,
        dark: bool = False,
        scale: int = 1,
    ) -> Self:
        """Open a window and sign in without typing, as the person of the api. scale: pixels of the screen for each."""
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            device_scale_factor=scale,
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
        await self.page.goto(self.base + path)

    async def choose_integration(self) -> None:
        """Go to the integrations, and choose Works with Nest among those to add."""
        await self.go(INTEGRATIONS)
        await self.choose_from_integrations()

    async def choose_from_integrations(self) -> None:
        """Choose Works with Nest among those to add, where the integrations are open."""
        await self.hand.click(self.page.get_by_text("Add integration").first)
        await self.hand.write(self.page.get_by_placeholder("Search for a brand name"), "Works with Nest")
        await self.hand.click(self.page.get_by_text("Works with Nest").last)

    async def add_credential(self, name: str, client_id: str, client_secret: str) -> None:
        """Add a client of one's own under application credentials, and come back to the integrations."""
        await self.go(INTEGRATIONS)
        await self.hand.click(self.page.locator("hass-tabs-subpage").get_by_role("button", name="Menu").first)
        await self.hand.click(self.page.get_by_text("Application Credentials", exact=True))
        await self.hand.click(self.page.get_by_role("button", name="Add application credential"))
        dialogue: Locator = self.page.locator("dialog-add-application-credential")
        await self.hand.click(dialogue.locator("ha-generic-picker"))
        await self.hand.write(dialogue.get_by_placeholder("Search"), "Works with Nest")
        # Home Assistant knows the name of an integration only once it is loaded.
        await self.hand.click(dialogue.get_by_text(re.compile("works.with.nest", re.IGNORECASE)).last)
        for field, text in (("name", name), ("clientId", client_id), ("clientSecret", client_secret)):
            await self.hand.write(dialogue.locator(f"ha-input[name={field}] input"), text)
        await self.hand.click(dialogue.get_by_role("button", name="Add", exact=True))
        await self.page.get_by_text(name, exact=True).wait_for()
        await self.hand.click(self.page.get_by_text("Integrations", exact=True).first)

    async def choose_card(self, name: str, button: str) -> None:
        """Press the button of something that waits for an answer among the integrations, which have to be open."""
        await self.hand.click(self.waiting(name).get_by_role("button", name=button))

    def waiting(self, name: str) -> Locator:
        """Return the card of what waits for an answer among the integrations: found, or to be linked again."""
        return self.page.locator("ha-config-flow-card").filter(has_text=name)

    async def choose_from_menu(self, item: str) -> None:
        """Go to the page of the integration, and choose something from the menu of its only link."""
        await self.go(INTEGRATION)
        await self.hand.click(self.page.locator("ha-config-entry-row").get_by_role("button", name="Menu").first)
        await self.hand.click(self.page.get_by_text(item, exact=True))

    async def type_address(self, address: str) -> None:
        """Type the server's address, and submit."""
        await self.hand.write(self.page.locator("step-flow-form input").first, address)
        await self.submit()

    def question(self, label: str) -> Locator:
        """Return the part of the dialogue's form with this label."""
        return self.page.locator("step-flow-form ha-selector").filter(has_text=label)

    async def submit(self) -> None:
        """Submit the step of the dialogue."""
        await self.hand.click(self.page.get_by_role("button", name="Submit"))

    async def submit_to_page(self) -> Page:
        """Submit the step of the dialogue, and return the server's page that opens by itself."""
        async with self.context.expect_page() as opened:
            await self.submit()
        return await opened.value

    async def finish(self) -> None:
        """Close the dialogue that names devices and rooms."""
        await self.wait_for_text("Name and assign")
        await self.hand.click(self.page.get_by_role("button", name=re.compile("Finish|Skip")).first)

    async def wait_for_text(self, text: str | re.Pattern[str]) -> None:
        """Wait until something is read on the page."""
        await self.page.get_by_text(text).first.wait_for()
