"""The ways through the life of a link, as a person walks them in a real browser; written once, for tests and pictures.

Each goes through both sides' own pages, and counts what the person does. A camera may look on.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
import re
from typing import Final

from playwright.async_api import Page

from .frontend import INTEGRATION, INTEGRATIONS, Frontend
from .hand import Hand
from .home_assistant import HomeAssistantApi
from .nest_pages import sign_in

# Called with a name and a page whenever there is something to see.
type Camera = Callable[[str, Page], Awaitable[None]]

# What a server is called that was given no name, and its simulated home.
SERVER_NAME: Final = "My Nest home"
HOME_NAME: Final = "Home"
# What a person calls a client of their own in Home Assistant.
CREDENTIAL_NAME: Final = "My client"


async def no_camera(_name: str, _page: Page) -> None:
    """Look away."""


@dataclass(slots=True, kw_only=True)
class Walker:
    """A person with a window at Home Assistant, an account on the server, and perhaps a camera.

    What they do for the link is counted by the window's hand; what they do to sign in on the server, by one of its own.
    """

    frontend: Frontend
    nest: str
    name: str
    password: str = field(repr=False)
    camera: Camera = no_camera
    signing_in: Hand = field(default_factory=Hand)

    @property
    def page(self) -> Page:
        """The window at Home Assistant."""
        return self.frontend.page

    @property
    def linking(self) -> Hand:
        """The hand that does everything but signing in."""
        return self.frontend.hand

    async def see(self, name: str, page: Page | None = None) -> None:
        """Let the camera look at a page, or at the window at Home Assistant."""
        await self.camera(name, page or self.page)

    async def enter(self, page: Page, then: str) -> Page:
        """Sign in on one of the server's pages if it asks for that, and wait for the button or link that comes then."""
        goal = page.get_by_role("button", name=then).or_(page.get_by_role("link", name=then)).first
        password = page.get_by_label("Password")
        await goal.or_(password).first.wait_for()
        if await password.is_visible():
            await sign_in(page, self.name, self.password, self.signing_in)
            await goal.wait_for()
        return page


async def link_found(walker: Walker) -> None:
    """Link a server that announced itself: nothing is typed for it."""
    await walker.frontend.go(INTEGRATIONS)
    await walker.frontend.waiting(SERVER_NAME).wait_for()
    await walker.see("found")
    await walker.frontend.choose_card(SERVER_NAME, "Add")
    await accept(walker, await choose_all(walker))
    await walker.frontend.finish()


async def link_typed(walker: Walker) -> None:
    """Link the server at an address that is typed."""
    await accept(walker, await open_consent(walker))
    await walker.frontend.finish()


async def link_by_pin(walker: Walker) -> None:
    """Link the server at an address that is typed, with a PIN in place of the way back."""
    frontend = walker.frontend
    await frontend.choose_integration()
    await frontend.type_address(walker.nest)
    await frontend.wait_for_text("Choose what")
    await walker.linking.click(frontend.question("Type a PIN").locator("ha-switch"))
    await frontend.submit()
    async with frontend.context.expect_page() as opened:
        await walker.linking.click(walker.page.get_by_role("link", name="Open the page"))
    page = await walker.enter(await opened.value, "Accept")
    await walker.linking.click(page.get_by_role("button", name="Accept"))
    pin = await page.locator("main code").inner_text()
    await walker.page.bring_to_front()
    await walker.linking.write(frontend.question("PIN").locator("input"), pin)
    await walker.see("pin")
    await frontend.submit()
    await frontend.finish()


async def link_own_client(walker: Walker, service: str, credentials: tuple[str, str]) -> None:
    """Link a service that speaks the protocol as it always was, by a client that was made there."""
    frontend = walker.frontend
    await frontend.add_credential(CREDENTIAL_NAME, *credentials)
    await frontend.choose_from_integrations()
    await walker.linking.click(walker.page.get_by_text("With a service that I have a client id"))
    await frontend.type_address(service)
    await frontend.wait_for_text("/auth/external/callback")
    await walker.see("own-client")
    await accept(walker, await walker.enter(await frontend.submit_to_page(), "Accept"))
    await frontend.finish()


async def open_consent(walker: Walker) -> Page:
    """Type the server's address, share all, and return the server's page, signed in there."""
    await walker.frontend.choose_integration()
    await walker.frontend.type_address(walker.nest)
    return await choose_all(walker)


async def choose_all(walker: Walker) -> Page:
    """Submit the choice of data as it stands, and return the server's page, signed in there."""
    await walker.frontend.wait_for_text("Choose what")
    await walker.see("choose-data")
    page = await walker.enter(await walker.frontend.submit_to_page(), "Accept")
    await walker.see("consent-page", page)
    return page


async def accept(walker: Walker, consent: Page) -> None:
    """Accept on the server's page."""
    await walker.linking.click(consent.get_by_role("button", name="Accept"))


async def go_back(walker: Walker, consent: Page) -> None:
    """Go back on the server's page instead of accepting, and read what comes of it."""
    await walker.linking.click(consent.get_by_role("button", name="Back"))
    await walker.frontend.wait_for_text("You went back instead of accepting")
    await walker.see("declined")


async def link_again(walker: Walker, told: str, seen: str) -> None:
    """Link again what was ended on the server, up to what is told then, and let the camera see that under a name."""
    await walker.frontend.go(INTEGRATIONS)
    await walker.frontend.waiting(HOME_NAME).wait_for()
    await walker.see("link-again")
    await walker.frontend.choose_card(HOME_NAME, "Reconfigure")
    await walker.frontend.wait_for_text(f"Link {HOME_NAME} again")
    await walker.see("link-again-dialogue")
    await accept(walker, await walker.enter(await walker.frontend.submit_to_page(), "Accept"))
    await walker.frontend.wait_for_text(told)
    await walker.see(seen)


async def change_data(walker: Walker, choices: Mapping[str, str]) -> None:
    """Choose otherwise what is shared, by the labels of the form, and accept that on the server's page."""
    await walker.frontend.choose_from_menu("Reconfigure")
    await walker.frontend.wait_for_text("Change the link to")
    for label, choice in choices.items():
        await walker.linking.click(walker.frontend.question(label).get_by_text(choice, exact=True))
    await walker.see("reconfigure")
    page = await walker.enter(await walker.frontend.submit_to_page(), "Accept")
    await walker.see("consent-changed", page)
    await accept(walker, page)
    await walker.frontend.wait_for_text("Reconfiguration was successful")


async def remove_here(walker: Walker) -> None:
    """Remove the link in Home Assistant."""
    await walker.frontend.choose_from_menu("Delete")
    await walker.frontend.wait_for_text("will be permanently deleted")
    await walker.see("remove-here")
    await walker.linking.click(walker.page.get_by_role("button", name="Delete", exact=True))


async def remove_there(walker: Walker) -> Page:
    """Remove the link on the server, and return its page with what is connected now."""
    page = await open_connections(walker)
    await walker.linking.click(page.get_by_role("link", name="Remove Home Assistant"))
    await page.get_by_role("heading", name="Remove Home Assistant").wait_for()
    await walker.linking.click(page.get_by_role("button", name="Remove", exact=True))
    await page.get_by_text("The connection was removed.").wait_for()
    return page


async def open_connections(walker: Walker) -> Page:
    """Open the server's page with what is connected, signed in there."""
    page = await walker.frontend.context.new_page()
    await page.goto(f"{walker.nest}/connections")
    return await walker.enter(page, "Sign out")


async def open_integration(walker: Walker) -> None:
    """Open the integration's page with its devices."""
    await walker.frontend.go(INTEGRATION)
    await walker.frontend.wait_for_text(re.compile(r"\d+ devices"))


async def open_device(frontend: Frontend, api: HomeAssistantApi, model: str, room: str) -> None:
    """Open the page of the device of a model in a room."""
    async with api.socket() as socket:
        devices = await socket.command("config/device_registry/list")
        device = next(
            each for each in devices if each["model"] == model and each["area_id"] == room.lower().replace(" ", "_")
        )
    await frontend.go(f"/config/devices/device/{device['id']}")
