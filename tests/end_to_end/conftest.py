"""A stage for the whole link: the real server as a process, a person at its pages, and a Home Assistant."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
import shutil
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
import pytest_asyncio
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from pytest_socket import socket_allow_hosts
from yarl import URL

from custom_components.works_with_nest.const import DOMAIN
from tests.certificates import Authority
from tools.nest_home import NestHomeServer, NestPerson
from tools.ports import LOOPBACK

EVERYTHING: dict[str, Any] = {"thermostat": "change", "away": "change", "smoke_co": True}
PASSWORD = "a long enough password"

type Decide = Callable[[str], Awaitable[str]]


@pytest.fixture(autouse=True)
def _stage(
    enable_custom_integrations: None,
    socket_enabled: None,
    current_request_with_host: None,
    hass_storage: dict[str, Any],
) -> None:
    """Every test here loads our integration, talks over real sockets, and has a browser (at https://example.com)."""


@pytest.fixture
def more_options() -> tuple[str, ...]:
    """Return what a test module may replace to run the server otherwise."""
    return ()


@pytest.fixture
def elsewhere(socket_enabled: None) -> str:
    """Return another address of this machine, which is not the one that everything here is on."""
    socket_allow_hosts([LOOPBACK, "127.0.0.2"])
    return "127.0.0.2"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def with_accounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a server with an owner and a member, made once; each server begins with a copy of it."""
    folder = tmp_path_factory.mktemp("accounts")
    server = NestHomeServer(folder / "nest", folder / "log")
    for name in ("ada", "ben"):
        await server.add_account(name, PASSWORD)
    return folder / "nest"


@pytest.fixture
async def nest_home(
    with_accounts: Path, tmp_path: Path, more_options: tuple[str, ...]
) -> AsyncGenerator[NestHomeServer]:
    """Return a running server with an owner, ada, and a member, ben."""
    data = shutil.copytree(with_accounts, tmp_path / "nest")
    server = NestHomeServer(data, tmp_path / "nest.log", "--seed", "7", *more_options)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def secure_home(with_accounts: Path, tmp_path: Path) -> AsyncGenerator[NestHomeServer]:
    """Return the same with a certificate that is signed by itself."""
    data = shutil.copytree(with_accounts, tmp_path / "secure")
    pair = Authority("nest").pair(tmp_path / "pairs")
    server = NestHomeServer(data, tmp_path / "secure.log", "--seed", "7", *pair.options)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def person(nest_home: NestHomeServer) -> AsyncGenerator[NestPerson]:
    """Return the owner of the home, signed in."""
    async with NestPerson(nest_home.base, "ada", PASSWORD) as person:
        await person.sign_in()
        yield person


class Browser:
    """A person's way through a flow of the Home Assistant under test."""

    def __init__(self, hass: HomeAssistant, client: Any) -> None:
        self.hass = hass
        self._client = client

    async def start(self) -> ConfigFlowResult:
        return await self.hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})

    async def submit(self, result: ConfigFlowResult, fields: dict[str, Any] | None) -> ConfigFlowResult:
        return await self.hass.config_entries.flow.async_configure(result["flow_id"], fields or {})

    async def consent_step(self, address: str, share: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Go on to where the server's page opens."""
        result = await self.submit(await self.start(), {"address": address})
        assert (result["type"], result["step_id"]) == ("form", "share"), result
        result = await self.submit(result, share or EVERYTHING)
        assert result["type"] == "external", result
        return result

    async def come_back(self, result: ConfigFlowResult, decide: Decide) -> ConfigFlowResult:
        """Decide on the server's page, follow where it leads, and return how the flow went on."""
        assert await self.arrive(URL(await decide(result["url"]))) == 200
        return await self.submit(result, None)

    async def arrive(self, back: URL) -> int:
        """Follow where the server's page leads, and return how Home Assistant answers."""
        return (await self._client.get(str(back.relative()))).status

    async def link(self, address: str, decide: Decide, share: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Walk the whole way."""
        result = await self.come_back(await self.consent_step(address, share), decide)
        await self.hass.async_block_till_done()
        return result


@pytest.fixture
async def browser(hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator) -> Browser:
    """Return a browser at Home Assistant."""
    # What our dependencies register has to be there before the first request.
    for component in ("application_credentials", "auth", DOMAIN):
        assert await async_setup_component(hass, component, {})
    return Browser(hass, await hass_client_no_auth())


@pytest.fixture
async def secure_link(
    hass: HomeAssistant, secure_home: NestHomeServer, browser: Browser, tmp_path: Path
) -> AsyncGenerator[ConfigEntry[Any]]:
    """Return a link to a server whose certificate was compared."""
    form = await browser.submit(await browser.start(), {"address": secure_home.base})
    step = await browser.submit(await browser.submit(form, {"same": True}), EVERYTHING)
    async with NestPerson(secure_home.base, "ada", PASSWORD, tmp_path / "pairs" / "nest.pem") as person:
        result = await browser.come_back(step, person.accept)
    assert result["type"] == "create_entry", result
    await hass.async_block_till_done()
    entry: ConfigEntry[Any] = result["result"]
    await until(lambda: entry.runtime_data.live)
    yield entry
    await hass.config_entries.async_unload(entry.entry_id)


async def until(holds: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until something holds; fail if it never does."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)
