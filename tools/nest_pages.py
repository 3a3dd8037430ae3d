"""Steps of a person at the server's own pages in a real browser; used by the browser tests and for the pictures."""

from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import ClientSession
from playwright.async_api import Browser, Page

from .hand import Hand

PATIENCE_MS: Final = 30_000
ASKED: Final = {
    "thermostat read/write": "Shows your temperatures and sets them when you ask.",
    "smoke+co read": "Warns you on every screen when an alarm senses smoke or carbon monoxide.",
    "away read": "Switches lights off when you leave.",
}


async def open_window(browser: Browser, base: str, *, width: int = 1280, dark: bool = False) -> Page:
    """Open a window of a browser that knows nobody yet."""
    context = await browser.new_context(
        base_url=base,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if dark else "light",
        locale="en-GB",
    )
    context.set_default_timeout(PATIENCE_MS)
    return await context.new_page()


async def set_up(page: Page, code: str, home: str, name: str, password: str) -> None:
    """Fill in the form of first run, which has to be open, and send it."""
    await page.get_by_label("Set-up code").fill(code)
    await page.get_by_label("Name of your home").fill(home)
    await page.get_by_label("Name", exact=True).fill(name)
    await choose_password(page, password)
    await page.get_by_role("button", name="Set up").click()


async def choose_password(page: Page, password: str) -> None:
    """Type a new password twice."""
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_label("Password once more").fill(password)


async def sign_in(page: Page, name: str, password: str, hand: Hand | None = None) -> None:
    """Fill in the form of sign-in, which has to be open, and send it; a hand may count that."""
    hand = hand or Hand()
    await hand.write(page.get_by_label("Name"), name)
    await hand.write(page.get_by_label("Password"), password)
    await hand.click(page.get_by_role("button", name="Sign in"))


class PlainHub:
    """A hub without a face: it registers, sends people to consent, and takes its token."""

    def __init__(self, base: str, session: ClientSession, name: str = "Wall display") -> None:
        """Be nobody yet, to a server."""
        self.name = name
        self.token = ""
        self._base = base
        self._session = session
        self._client: dict[str, str] = {}

    async def register(self, *redirects: str) -> None:
        """Introduce itself; without an address it works by PIN."""
        described = {
            "client_name": self.name,
            "policy_uri": "https://hub.example/privacy",
            "redirect_uris": list(redirects),
            "permissions": [{"name": name, "reason": reason} for name, reason in ASKED.items()],
        }
        async with self._session.post(f"{self._base}/oauth2/register", json=described) as answer:
            answer.raise_for_status()
            self._client = await answer.json()

    @property
    def credentials(self) -> tuple[str, str]:
        """What it is known by: id and secret."""
        return self._client["client_id"], self._client["client_secret"]

    @property
    def consent_path(self) -> str:
        """Where it sends people."""
        return f"/login/oauth2?{urlencode({'client_id': self._client['client_id'], 'state': 'a-state'})}"

    async def take_token(self, code: str) -> None:
        """Exchange what it was given for a token."""
        form = {
            "client_id": self._client["client_id"],
            "client_secret": self._client["client_secret"],
            "code": code,
            "grant_type": "authorization_code",
        }
        async with self._session.post(f"{self._base}/oauth2/access_token", data=form) as answer:
            answer.raise_for_status()
            self.token = (await answer.json())["access_token"]

    def request(self, method: str, path: str, **options: Any) -> Any:
        """Ask for something with the token; use it in a with block."""
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        return self._session.request(method, self._base + path, headers=headers, **options)
