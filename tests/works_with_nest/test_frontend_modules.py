"""What every page loads: there while a link is, gone with the last, under an address that may be kept for ever."""

from http import HTTPStatus
from pathlib import Path

from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.works_with_nest import frontend_modules

from .conftest import SetUp

FOLDER = Path(frontend_modules.__file__).parent / "frontend"
LOADER_LIMIT = 2_000
ALL_LIMIT = 40_000


def loaders(hass: HomeAssistant) -> set[str]:
    return {url for url in hass.data[DATA_EXTRA_MODULE_URL].urls if "works_with_nest" in url}


@pytest.fixture(autouse=True)
async def frontend(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "frontend", {})


async def test_every_page_loads_the_loader_while_there_is_a_link(hass: HomeAssistant, link: SetUp) -> None:
    entry = await link()
    assert len(loaders(hass)) == 1
    await hass.config_entries.async_reload(entry.entry_id)
    assert len(loaders(hass)) == 1
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert loaders(hass) == set()
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    assert len(loaders(hass)) == 1
    await hass.config_entries.async_remove(entry.entry_id)
    assert loaders(hass) == set()


async def test_modules_may_be_kept_under_their_version_and_not_under_the_lasting_address(
    hass: HomeAssistant, link: SetUp, hass_client_no_auth: ClientSessionGenerator
) -> None:
    await link()
    client = await hass_client_no_auth()
    (loader,) = loaders(hass)
    for file in FOLDER.glob("*.js"):
        kept = await client.get(f"{loader.rpartition('/')[0]}/{file.name}")
        assert (kept.status, await kept.read()) == (HTTPStatus.OK, file.read_bytes())
        assert "max-age" in kept.headers["Cache-Control"]
        assert kept.content_type in {"text/javascript", "application/javascript"}
    lasting = await client.get(frontend_modules.LASTING_ADDRESS)
    assert (lasting.status, await lasting.read()) == (HTTPStatus.OK, (FOLDER / "loader.js").read_bytes())
    assert "max-age" not in lasting.headers.get("Cache-Control", "")


def test_the_version_changes_with_any_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontend_modules, "FOLDER", tmp_path)
    seen = set()
    for name, text in (("a.js", "1"), ("a.js", "2"), ("b.js", "1")):
        (tmp_path / name).write_text(text)
        seen.add(frontend_modules.content_version.__wrapped__())
    assert len(seen) == 3


def test_what_every_page_loads_is_small_and_the_rest_not_large() -> None:
    sizes = {file.name: file.stat().st_size for file in FOLDER.glob("*.js")}
    assert sizes.pop("loader.js") < LOADER_LIMIT
    assert sum(sizes.values()) < ALL_LIMIT
