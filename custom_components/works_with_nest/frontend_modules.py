"""The modules of the frontend: served under an address that changes with them, and loaded by every page."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from homeassistant.components.frontend import DOMAIN as FRONTEND, add_extra_js_url, remove_extra_js_url
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN

FOLDER: Final = Path(__file__).parent / "frontend"
LOADER: Final = "loader.js"
# For those who keep the loader as a resource of their dashboards: an address that stays, and is asked for each time.
LASTING_ADDRESS: Final = f"/{DOMAIN}/{LOADER}"


async def async_serve_modules(hass: HomeAssistant) -> None:
    """Serve the modules for as long as Home Assistant runs. The version is in the path, so that all share it."""
    version = await hass.async_add_executor_job(content_version)
    await hass.http.async_register_static_paths(
        [
            StaticPathConfig(f"/{DOMAIN}/{version}", str(FOLDER), cache_headers=True),
            StaticPathConfig(f"/{DOMAIN}", str(FOLDER), cache_headers=False),
        ]
    )


@callback
def async_offer_modules(hass: HomeAssistant) -> None:
    """Let every page load the loader. Where there is no frontend a link works all the same."""
    if FRONTEND in hass.config.components:
        add_extra_js_url(hass, loader_address())


@callback
def async_withdraw_modules(hass: HomeAssistant) -> None:
    """Let no page load the loader any more where no link is left but those that are turned off."""
    is_needed = hass.config_entries.async_entries(DOMAIN, include_ignore=False, include_disabled=False)
    if FRONTEND in hass.config.components and not is_needed:
        remove_extra_js_url(hass, loader_address())


def loader_address() -> str:
    """Return where the loader is served in its present version."""
    return f"/{DOMAIN}/{content_version()}/{LOADER}"


@cache
def content_version() -> str:
    """Return a short word that is another one whenever a module is; read once, as modules change with a restart."""
    digest = sha256()
    for file in sorted(FOLDER.glob("*.js")):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:12]
