"""A person at a browser, played by a program that reads forms."""

from html.parser import HTMLParser
from typing import Any

from aiohttp import ClientResponse, ClientSession
import pytest

from wwn_server.store import Store

PASSWORD = "correct horse"


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "input" and named.get("type") == "hidden":
            self.hidden[str(named["name"])] = named.get("value") or ""


def hidden_fields(html: str) -> dict[str, str]:
    """Return the hidden fields of a page's forms."""
    parser = _Fields()
    parser.feed(html)
    return parser.hidden


class Person:
    """Opens pages and sends forms; ``base`` is where the server is."""

    def __init__(self, base: str, browser: ClientSession, store: Store) -> None:
        self.base = base
        self.browser = browser
        self._store = store

    def be_signed_in(self, name: str = "anna") -> None:
        """Have a session, without the time that checking a password takes."""
        account, _ = self._store.accounts.credentials(name) or pytest.fail(f"{name} has no account")
        self.browser.cookie_jar.update_cookies({"wwn_session": self._store.accounts.open_session(account)})

    async def get(self, path: str, **options: Any) -> ClientResponse:
        headers = {"Accept": "text/html"} | options.pop("headers", {})
        return await self.browser.get(self.base + path, headers=headers, **options)

    async def post(self, path: str, form: dict[str, str], **options: Any) -> ClientResponse:
        headers = {"Origin": self.base, "Accept": "text/html"} | options.pop("headers", {})
        return await self.browser.post(self.base + path, data=form, headers=headers, allow_redirects=False, **options)

    async def sign_in(self, name: str = "anna", password: str = PASSWORD, path: str = "/sign-in") -> ClientResponse:
        """Fill in the form at a path and return the answer to it, not followed."""
        form = hidden_fields(await (await self.get(path)).text())
        return await self.post("/sign-in", form | {"username": name, "password": password})

    async def decide(self, consent_path: str, decision: str, **changes: str) -> ClientResponse:
        """Open a consent page and press a button; the answer is not followed."""
        page = await self.get(consent_path)
        form = hidden_fields(await page.text())
        return await self.post("/login/oauth2", form | {"decision": decision} | changes)

    async def console(self) -> dict[str, Any]:
        """Return what the console tells a program."""
        answer = await self.get("/console", headers={"Accept": "application/json"})
        assert answer.status == 200
        return dict(await answer.json())
