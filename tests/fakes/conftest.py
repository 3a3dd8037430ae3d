"""A session to ask with, and a real broker."""

from collections.abc import AsyncGenerator
from pathlib import Path

from aiohttp import ClientSession, ClientTimeout
import pytest

from tools.fakes import Broker, find_mosquitto


@pytest.fixture(autouse=True)
def _real_sockets(socket_enabled: None) -> None:
    """Every test here talks over real sockets."""


@pytest.fixture
async def session() -> AsyncGenerator[ClientSession]:
    async with ClientSession(timeout=ClientTimeout(total=5)) as session:
        yield session


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncGenerator[Broker]:
    """Return a broker that runs."""
    if find_mosquitto() is None:
        pytest.skip("no Mosquitto is installed")
    async with Broker(tmp_path / "broker") as broker:
        yield broker
