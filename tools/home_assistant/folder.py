"""Home Assistant's configuration folder: everything that has to be there before a start."""

import json
from pathlib import Path
import re
from typing import Any, Final

from tools.paths import CUSTOM_COMPONENTS
from tools.ports import LOOPBACK

# What is set up beside Home Assistant's own defaults; tools.home_assistant_requirements installs for these too.
DOMAINS: Final = (
    "application_credentials",
    "frontend",
    "config",
    "history",
    "logbook",
    "logger",
    "automation",
    "script",
    "scene",
)

# No "http:", which Home Assistant would only try for five minutes; port and address are in its storage, see below.
CONFIGURATION: Final = """\
application_credentials:
frontend:
config:
history:
logbook:
automation: !include automations.yaml
script: !include scripts.yaml
scene: !include scenes.yaml
logger:
  default: info
  logs:
    custom_components.works_with_nest: debug
"""
INCLUDED: Final = {"automations.yaml": "[]\n", "scripts.yaml": "{}\n", "scenes.yaml": "[]\n"}

# All of the first steps but the user's: the others set up integrations that need the internet.
ONBOARDING: Final = {
    "version": 4,
    "minor_version": 1,
    "key": "onboarding",
    "data": {"done": ["core_config", "analytics", "integration"]},
}


def prepare(folder: Path, port: int) -> None:
    """Make a configuration folder, or bring an existing one to this port. Home Assistant must not be running in it.

    Files that are there already stay as they are, so whoever wants another configuration writes it before.
    """
    storage = folder / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    _write_missing(folder / "configuration.yaml", CONFIGURATION)
    for name, content in INCLUDED.items():
        _write_missing(folder / name, content)
    _write_missing(storage / "onboarding", json.dumps(ONBOARDING))
    _set_port(storage / "http", port)
    link = folder / "custom_components"
    if not link.is_symlink():
        link.symlink_to(CUSTOM_COMPONENTS, target_is_directory=True)


def replace_address(folder: Path, before: str, after: str) -> None:
    """Let existing links follow a server that moved to another port. Home Assistant must not be running."""
    entries = folder / ".storage" / "core.config_entries"
    if entries.exists():
        # Whole addresses only: one port may begin like another.
        entries.write_text(re.sub(rf"{re.escape(before)}(?!\d)", after, entries.read_text()))


def stored_entries(folder: Path, domain: str) -> list[dict[str, Any]]:
    """Return the config entries of a domain with all their data, as stored on disk."""
    entries = folder / ".storage" / "core.config_entries"
    if not entries.exists():
        return []
    return [entry for entry in json.loads(entries.read_text())["data"]["entries"] if entry["domain"] == domain]


def _write_missing(file: Path, content: str) -> None:
    if not file.exists():
        file.write_text(content)


def _set_port(file: Path, port: int) -> None:
    """Make Home Assistant listen on this port of loopback only, without its trial period for a new address."""
    stored = json.loads(file.read_text()) if file.exists() else http_storage()
    stored["data"]["stable"] |= {"server_port": port, "server_host": [LOOPBACK]}
    file.write_text(json.dumps(stored, indent=2))


def http_storage() -> dict[str, Any]:
    """Return what Home Assistant stores of where it listens, which the port has to be added to."""
    stable = {
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": True,
        "ssl_profile": "modern",
        "use_x_frame_options": True,
        "created_at": "2026-01-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    }
    data = {"stable": stable, "pending": None, "yaml_migration_done": True}
    return {"version": 2, "minor_version": 2, "key": "http", "data": data}
