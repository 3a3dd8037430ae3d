"""A stage for browser tests: both servers as processes, and a browser."""

from collections.abc import AsyncGenerator
from pathlib import Path

from playwright.async_api import Browser
import pytest

from tools.browser import chromium
from tools.demo.servers import Servers, started
from tools.demo.state import held
from tools.home_assistant import HomeAssistantApi
from tools.ports import free_port

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test in this folder as one that needs a browser, and let them run one after the other."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(180))
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture
async def servers(tmp_path: Path, socket_enabled: None) -> AsyncGenerator[Servers]:
    """Return a running Nest server and a running Home Assistant, not linked."""
    async with held(tmp_path / "state") as state:
        state.keep(nest_port=free_port(), home_assistant_port=free_port())
        async with started(state) as servers:
            yield servers


@pytest.fixture
async def api(servers: Servers) -> AsyncGenerator[HomeAssistantApi]:
    """Return the person at Home Assistant."""
    async with servers.signed_in() as api:
        yield api


@pytest.fixture
async def browser() -> AsyncGenerator[Browser]:
    """Return a browser."""
    async with chromium() as browser:
        yield browser
