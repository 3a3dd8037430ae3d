"""A hub that links and reads, as plainly as the protocol allows."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import ClientResponse, ClientSession

from .person import Person

REDIRECT = "http://127.0.0.1:8123/auth/external/callback"
EVERYTHING = (
    "thermostat read/write",
    "smoke+co read",
    "away read/write",
    "eta write",
    "energy read",
    "postal code read",
    "structure read/write",
)


def metadata(*permissions: str, **changes: Any) -> dict[str, Any]:
    """Return what a hub says about itself when it registers."""
    return {
        "client_name": "Home Assistant",
        "redirect_uris": [REDIRECT],
        "policy_uri": "https://hub.example/privacy",
        "permissions": [{"name": each, "reason": f"We need {each}"} for each in permissions or EVERYTHING],
    } | changes


def basic(user: str, password: str) -> dict[str, str]:
    """Return the header of HTTP Basic."""
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


class Events:
    """The events of one stream, one at a time."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response

    async def next(self, seconds: float = 5) -> tuple[str, Any]:
        """Return name and data of the next event. Raises ``EOFError`` at the end."""
        async with asyncio.timeout(seconds):
            name = await self.response.content.readline()
            data = await self.response.content.readline()
            blank = await self.response.content.readline()
        if not name:
            raise EOFError
        assert name.startswith(b"event: ")
        assert data.startswith(b"data: ")
        assert blank == b"\n"
        return name[7:-1].decode(), json.loads(data[6:])

    async def put(self) -> Any:
        """Return the value of the next event, which has to be a put."""
        name, data = await self.next()
        assert name == "put"
        return data["data"]


class Hub:
    """A registered client and, once linked, its token."""

    def __init__(self, base: str, session: ClientSession) -> None:
        self.base = base
        self.session = session
        self.client_id = ""
        self.secret = ""
        self.token = ""

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def register(self, body: Any = None) -> ClientResponse:
        answer = await self.session.post(f"{self.base}/oauth2/register", json=body or metadata())
        if answer.status == 201:
            said = await answer.json()
            self.client_id, self.secret = said["client_id"], said["client_secret"]
        return answer

    async def change(self, body: Any, method: str = "PUT") -> ClientResponse:
        url = f"{self.base}/oauth2/register/{self.client_id}"
        return await self.session.request(method, url, json=body, headers=basic(self.client_id, self.secret))

    def consent_path(self, **changes: str | None) -> str:
        """Return the path of the consent page; a parameter that is None is left out."""
        query = {"client_id": self.client_id, "state": "some-state", "redirect_uri": REDIRECT} | changes
        return "/login/oauth2?" + urlencode({name: value for name, value in query.items() if value is not None})

    async def redeem(self, code: str, /, **changes: str | None) -> ClientResponse:
        form = {
            "code": code,
            "client_id": self.client_id,
            "client_secret": self.secret,
            "grant_type": "authorization_code",
        } | changes
        data = {name: value for name, value in form.items() if value is not None}
        return await self.session.post(f"{self.base}/oauth2/access_token", data=data)

    async def link(self, person: Person, *permissions: str) -> None:
        """Walk the whole way: register, have it accepted, exchange the code."""
        await self.register(metadata(*permissions))
        self.token = await self.accepted(person)

    async def accepted(self, person: Person, **form: str) -> str:
        """Return the token of a consent that a person gives; the form may hold more than the page's own fields."""
        code = await self.code(person, form)
        return str((await (await self.redeem(code)).json())["access_token"])

    async def code(self, person: Person, form: Mapping[str, str] | None = None, **changes: str | None) -> str:
        person.be_signed_in()
        answer = await person.decide(self.consent_path(**changes), "accept", **(form or {}))
        assert answer.status == 303, await answer.text()
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    async def get(self, path: str = "/", **options: Any) -> ClientResponse:
        return await self.session.get(self.base + path, headers=self.bearer, **options)

    async def read(self, path: str = "/") -> Any:
        answer = await self.get(path)
        assert answer.status == 200, await answer.text()
        return await answer.json()

    async def put(self, path: str, value: Any) -> ClientResponse:
        return await self.session.put(self.base + path, headers=self.bearer, data=json.dumps(value))

    async def revoke(self, token: str | None = None) -> ClientResponse:
        return await self.session.delete(f"{self.base}/oauth2/access_tokens/{token or self.token}")

    @asynccontextmanager
    async def stream(self, path: str = "/") -> AsyncIterator[Events]:
        headers = self.bearer | {"Accept": "text/event-stream"}
        async with self.session.get(self.base + path, headers=headers) as response:
            assert response.status == 200, await response.text()
            yield Events(response)


async def refusal(answer: ClientResponse) -> tuple[int, str]:
    """Return status and anchor of an error of the data API, which has its documented shape."""
    body = await answer.json()
    assert answer.content_type == "application/json"
    assert set(body) - {"details"} == {"error", "type", "message", "instance"}
    assert body["error"] == body["message"]
    assert len(body["instance"]) == 36
    return answer.status, body["type"].partition("#")[2]
