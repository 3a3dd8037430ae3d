"""The way back from the server's page: to the address that the person's own browser uses for Home Assistant."""

from collections.abc import AsyncGenerator
from pathlib import Path
import ssl
from typing import Any

from aiohttp import ClientSession, TCPConnector, web
from aiohttp.test_utils import TestServer
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.works_with_nest.const import DOMAIN
from tests.certificates import Authority
from tools.home_assistant.folder import http_storage
from tools.nest_home import NestHomeServer, NestPerson
from tools.ports import LOOPBACK

from .conftest import EVERYTHING, until

FLOWS = "/api/config/config_entries/flow"
# As a person sets it where a proxy stands in front; nothing listens on this port in tests.
BEHIND_A_PROXY = {"server_port": 8123, "use_x_forwarded_for": True, "trusted_proxies": [f"{LOOPBACK}/32"]}


class Window:
    """A person's browser at one of the addresses of Home Assistant, whose frontend says which one that is."""

    def __init__(self, base: str, token: str, authority: Path | None = None) -> None:
        self.base = base
        trusted = ssl.create_default_context(cafile=authority) if authority else True
        self._connector = TCPConnector(ssl=trusted)
        headers = {"Authorization": f"Bearer {token}", "HA-Frontend-Base": base}
        self._session = ClientSession(connector=self._connector, headers=headers)

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> ConfigFlowResult:
        async with self._session.request(method, f"{self.base}{path}", json=body) as response:
            assert response.status == 200, await response.text()
            answer: ConfigFlowResult = await response.json()
            return answer

    async def come_back(self, step: ConfigFlowResult, person: NestPerson) -> ConfigFlowResult:
        """Accept on the server's page, and follow where it leads in a browser that nobody has signed in with."""
        assert step["type"] == "external", step
        back = await person.accept(step["url"])
        assert back.startswith(f"{self.base}/auth/external/callback?")
        async with ClientSession(connector=self._connector, connector_owner=False) as anybody:
            assert (await anybody.get(back)).status == 200
        return await self.ask("GET", f"{FLOWS}/{step['flow_id']}")

    async def close(self) -> None:
        await self._session.close()


@pytest.fixture
def current_request_with_host() -> None:
    """Let Home Assistant see the requests of the browsers here, in place of one that is made up."""


@pytest.fixture
async def at_home(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    hass_client_no_auth: ClientSessionGenerator,
    hass_access_token: str,
) -> AsyncGenerator[Window]:
    """Return a browser at the address that Home Assistant itself listens on, as the companion app is in the house."""
    hass_storage["http"] = http_storage()
    hass_storage["http"]["data"]["stable"] |= BEHIND_A_PROXY
    for component in ("application_credentials", "auth", "config", DOMAIN):
        assert await async_setup_component(hass, component, {})
    window = Window(str((await hass_client_no_auth()).make_url("").origin()), hass_access_token)
    yield window
    await window.close()


@pytest.fixture
async def outside(at_home: Window, hass_access_token: str, elsewhere: str, tmp_path: Path) -> AsyncGenerator[Window]:
    """Return a browser at a reverse proxy in front of Home Assistant, which has https and a name of its own."""

    async def hand_on(request: web.Request) -> web.Response:
        said = {"X-Forwarded-For": str(request.remote), "X-Forwarded-Proto": request.scheme}
        async with session.request(
            request.method,
            f"{at_home.base}{request.path_qs}",
            headers={**request.headers, **said},
            data=await request.read(),
        ) as answer:
            return web.Response(body=await answer.read(), status=answer.status, content_type=answer.content_type)

    authority = Authority("authority")
    trusted, pair = authority.pair(tmp_path / "pairs"), authority.sign(tmp_path / "pairs", "proxy", address=elsewhere)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hand_on)
    proxy = TestServer(app, host=elsewhere)
    await proxy.start_server(ssl=pair.for_server())
    async with ClientSession() as session:
        window = Window(str(proxy.make_url("").origin()), hass_access_token, trusted.certificate)
        yield window
        await window.close()
        await proxy.close()


async def test_a_link_comes_back_through_a_proxy_and_is_linked_again_at_another_address(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, at_home: Window, outside: Window
) -> None:
    assert outside.base.startswith("https://127.0.0.2:")
    form = await outside.ask("POST", FLOWS, {"handler": DOMAIN})
    form = await outside.ask("POST", f"{FLOWS}/{form['flow_id']}", {"address": nest_home.base})
    step = await outside.ask("POST", f"{FLOWS}/{form['flow_id']}", EVERYTHING)
    assert (await outside.come_back(step, person))["type"] == "create_entry"
    await hass.async_block_till_done()
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert entry.state is ConfigEntryState.LOADED
    # The server knows the first address only, and is told of the second before its page opens.
    assert at_home.base.startswith("http://127.0.0.1:")
    entry.async_start_reauth(hass)
    await until(hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    step = await at_home.ask("POST", f"{FLOWS}/{flow['flow_id']}", {"by_pin": False})
    result = await at_home.come_back(step, person)
    assert (result["type"], result["reason"]) == ("abort", "reauth_successful")
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
