"""A stage for browser tests: both servers as processes, and a browser."""

from collections.abc import AsyncGenerator
from pathlib import Path
import re

from playwright.async_api import Browser, expect
import pytest
import pytest_asyncio
import pytest_socket
import yaml

from tools.browser import chromium
from tools.demo.servers import Servers, started
from tools.demo.state import USERNAME, held
from tools.frontend import PATIENCE_MS, Frontend
from tools.home_assistant import HomeAssistantApi
from tools.linking import DOMAIN, link_all
from tools.paths import CHECKOUT
from tools.ports import free_port
from tools.walks import Walker

HERE = Path(__file__).parent

DOCUMENT = (CHECKOUT / "docs" / "dashboards.md").read_text(encoding="utf-8")
# Of the card and of the dashboard, as a person would copy them.
CARD_SAMPLE, DASHBOARD_SAMPLE = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL))

# A loaded machine takes its time.
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test in this folder as one that needs a browser, and let them run one after the other."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(180))
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Servers]:
    """Return a running Nest server and a running Home Assistant, for all tests that link them."""
    pytest_socket.enable_socket()
    async with held(tmp_path_factory.mktemp("servers") / "state") as state:
        state.keep(nest_port=free_port(), home_assistant_port=free_port())
        async with started(state) as servers:
            yield servers


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def api(servers: Servers) -> AsyncGenerator[HomeAssistantApi]:
    """Return the person at Home Assistant."""
    pytest_socket.enable_socket()
    async with servers.signed_in() as api:
        yield api


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncGenerator[Browser]:
    """Return a browser for all tests, each of which opens windows of its own."""
    pytest_socket.enable_socket()
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def unlinked(servers: Servers, api: HomeAssistantApi) -> None:
    """Begin without a link on either side, and without a client of one's own."""
    pytest_socket.enable_socket()
    for entry in await api.entries(DOMAIN):
        await api.remove_entry(entry["entry_id"])
    # With a client of one's own each way in begins with another question.
    await api.forget_credentials()
    # A link through a service that is gone could not be ended from here.
    async with servers.person() as person:
        await person.remove_links()


@pytest_asyncio.fixture(loop_scope="session")
async def linked(unlinked: None, servers: Servers, api: HomeAssistantApi) -> str:
    """Begin with a new link that shares all; return the id of its entry."""
    async with servers.person() as person:
        entry = await link_all(api, servers.nest.base, person.accept)
    return str(entry["entry_id"])


@pytest_asyncio.fixture(loop_scope="session")
async def walker(browser: Browser, servers: Servers, api: HomeAssistantApi) -> AsyncGenerator[Walker]:
    """Return the person with a window of a browser that knows nobody on the server yet."""
    pytest_socket.enable_socket()
    frontend = await Frontend.open(browser, api)
    yield Walker(frontend=frontend, nest=servers.nest.base, name=USERNAME, password=servers.state.kept.nest_password)
    await frontend.close()
