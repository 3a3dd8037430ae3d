"""What a person and their browser can do with Home Assistant, by program."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
import time
from typing import Any, Final, Self

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from tools.errors import ToolError

from .socket import HomeAssistantSocket

FLOWS: Final = "/api/config/config_entries/flow"
ENTRIES: Final = "/api/config/config_entries/entry"
LANGUAGE: Final = "en"

type Json = dict[str, Any]


class HomeAssistantApi:
    """A signed-in person at Home Assistant's REST interface. Whatever is refused raises ToolError."""

    def __init__(self, base: str) -> None:
        """Go to this Home Assistant; sign in before anything else."""
        self.base = base
        self.client_id = f"{base}/"
        self.tokens: Json = {}
        # The address of a browser's page; the way back from account linking is built from it.
        headers = {"HA-Frontend-Base": base}
        self._session = ClientSession(headers=headers, timeout=ClientTimeout(total=30))

    async def __aenter__(self) -> Self:
        """Use it in a with block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the browser."""
        await self._session.close()

    async def is_new(self) -> bool:
        """Whether nobody has an account yet."""
        status, steps = await self._answer("GET", "/api/onboarding")
        return status != HTTPStatus.NOT_FOUND and any(step["step"] == "user" and not step["done"] for step in steps)

    async def create_owner(self, name: str, username: str, password: str) -> None:
        """Make the first account, and sign in with it."""
        person = {"name": name, "username": username, "password": password}
        body = {"client_id": self.client_id, "language": LANGUAGE, **person}
        await self._redeem(await self.call("POST", "/api/onboarding/users", body))

    async def sign_in(self, username: str, password: str) -> None:
        """Sign in."""
        handler = {"handler": ["homeassistant", None], "redirect_uri": self.client_id}
        flow = await self.call("POST", "/auth/login_flow", {"client_id": self.client_id, **handler})
        credentials = {"client_id": self.client_id, "username": username, "password": password}
        answer = await self.call("POST", f"/auth/login_flow/{flow['flow_id']}", credentials)
        if answer["type"] != "create_entry":
            msg = f"Home Assistant does not let {username} sign in: {answer.get('errors')}"
            raise ToolError(msg)
        await self._redeem({"auth_code": answer["result"]})

    def browser_tokens(self) -> Json:
        """Return what a browser's local storage holds, as ``hassTokens``, where this person is signed in."""
        expires = int((time.time() + self.tokens["expires_in"]) * 1000)
        return {**self.tokens, "hassUrl": self.base, "clientId": self.client_id, "expires": expires}

    async def wait_until_running(self, seconds: float) -> None:
        """Wait until all is set up, not only the frontend."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    if (await self.config())["state"] == "RUNNING":
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            msg = f"Home Assistant has not finished starting within {seconds:.0f} seconds."
            raise ToolError(msg) from None

    async def config(self) -> Json:
        """Return its version, state, units and the like."""
        return await self._object("GET", "/api/config")

    async def set_country(self, country: str) -> None:
        """Say where the house is, which the first steps would ask for; else every page says that nobody did."""
        async with self.socket() as socket:
            await socket.command("config/core/update", country=country)

    async def forget_credentials(self) -> None:
        """Take away every client of one's own."""
        async with self.socket() as socket:
            for each in await socket.command("application_credentials/list"):
                await socket.command("application_credentials/delete", application_credentials_id=each["id"])

    async def start_flow(self, handler: str) -> Json:
        """Add an integration: return the first step."""
        return await self._object("POST", FLOWS, {"handler": handler})

    async def submit_step(self, flow_id: str, fields: Mapping[str, object]) -> Json:
        """Submit a step's form: return the next step."""
        return await self._object("POST", f"{FLOWS}/{flow_id}", fields)

    async def read_flow(self, flow_id: str) -> Json:
        """Return where a flow stands, as the frontend asks after the external step."""
        return await self._object("GET", f"{FLOWS}/{flow_id}")

    async def abandon_flow(self, flow_id: str) -> None:
        """Close the dialogue."""
        await self.call("DELETE", f"{FLOWS}/{flow_id}")

    async def open_callback(self, url: str) -> None:
        """Open, as the browser does, the address that the consent page leads back to."""
        if not url.startswith(f"{self.base}/"):
            msg = f"The Nest server leads back to somewhere else than {self.base}."
            raise ToolError(msg)
        async with self._request("GET", url.removeprefix(self.base)) as response:
            if not response.ok:
                msg = f"Home Assistant answered {response.status} on the way back from the Nest server."
                raise ToolError(msg)

    async def entries(self, domain: str) -> list[Json]:
        """Return the links of an integration, with their states."""
        entries: list[Json] = await self.call("GET", f"{ENTRIES}?domain={domain}")
        return entries

    async def reload_entry(self, entry_id: str) -> None:
        """Unload a link and set it up again."""
        await self.call("POST", f"{ENTRIES}/{entry_id}/reload")

    async def remove_entry(self, entry_id: str) -> None:
        """Remove a link."""
        await self.call("DELETE", f"{ENTRIES}/{entry_id}")

    async def call_service(self, domain: str, service: str, data: Mapping[str, object]) -> None:
        """Call an action and wait until it is done."""
        await self.call("POST", f"/api/services/{domain}/{service}", data)

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[HomeAssistantSocket]:
        """Open the websocket interface."""
        url = f"{self.base}/api/websocket"
        async with (
            self._session.ws_connect(url, max_msg_size=0) as connection,
            HomeAssistantSocket(connection) as socket,
        ):
            await socket.sign_in(self.tokens["access_token"])
            yield socket

    async def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Call the REST interface and return its answer. Raises ToolError with the reason it gives."""
        status, answer = await self._answer(method, path, body)
        if status >= HTTPStatus.BAD_REQUEST:
            reason = answer.get("message") or answer if isinstance(answer, dict) else answer
            msg = f"Home Assistant refused {method} {path.partition('?')[0]} ({status}): {reason}"
            raise ToolError(msg)
        return answer

    async def _object(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Json:
        answer: Json = await self.call(method, path, body)
        return answer

    async def _redeem(self, code: Mapping[str, str]) -> None:
        """Trade the code of a sign-in for the tokens of a session."""
        form = {"client_id": self.client_id, "grant_type": "authorization_code", "code": code["auth_code"]}
        async with self._request("POST", "/auth/token", data=form) as response:
            if not response.ok:
                msg = f"Home Assistant answered {response.status} to the code of its own sign-in."
                raise ToolError(msg)
            self.tokens = await response.json()
        self._session.headers["Authorization"] = f"Bearer {self.tokens['access_token']}"

    async def _answer(self, method: str, path: str, body: Mapping[str, object] | None = None) -> tuple[int, Any]:
        async with self._request(method, path, json=body) as response:
            is_json = response.content_type == "application/json"
            return response.status, await (response.json() if is_json else response.text())

    @asynccontextmanager
    async def _request(self, method: str, path: str, **options: Any) -> AsyncIterator[ClientResponse]:
        try:
            async with self._session.request(method, self.base + path, **options) as response:
                yield response
        except (ClientError, TimeoutError) as err:
            msg = f"Home Assistant does not answer at {self.base}: {err or type(err).__name__}"
            raise ToolError(msg) from err
