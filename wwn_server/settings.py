"""What holds for one run of the server, with the defaults a person would choose."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .homes.sources.kinds import SourceSettings

type Network = IPv4Network | IPv6Network

DEFAULT_NAME: Final = "My Nest home"

# Streams say that they live after this much silence (protocol 4.3).
KEEP_ALIVE_SECONDS: Final = 30.0
# A reader that takes nothing for this long is let go; it reconnects to a fresh put.
STALL_SECONDS: Final = 120.0
# What a stream that has to end may still take to hand over its last event.
FAREWELL_SECONDS: Final = 2.0

# A connection that has not brought a whole head of a request for this long is closed; proxies keep theirs for a minute.
IDLE_SECONDS: Final = 75.0
# What a request may take to bring its body, which is small.
BODY_SECONDS: Final = 20.0

MAX_BODY_BYTES: Final = 64 * 1024
REGISTRATIONS_PER_MINUTE: Final = 10
PENDING_REGISTRATIONS: Final = 100
PROOFS_PER_MINUTE: Final = 20


def default_data_folder() -> Path:
    """Where this user's programs keep their data."""
    return _own_folder("XDG_DATA_HOME", ".local", "share")


def default_config_file() -> Path:
    """Where this user's programs keep what was set for them."""
    return _own_folder("XDG_CONFIG_HOME", ".config") / "config.toml"


def _own_folder(variable: str, *usual: str) -> Path:
    return Path(os.environ.get(variable) or Path.home().joinpath(*usual)) / "wwn-server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one server runs. People set the fields that have a row in ``options``; tests shorten the times."""

    data: Path = field(default_factory=default_data_folder)
    host: str = "127.0.0.1"
    port: int = 9553
    name: str | None = None
    base_url: str | None = None
    announce: bool = True
    log_format: str = "text"
    log_level: str = "info"
    shard: int | None = None
    allow_host: tuple[str, ...] = ()
    trusted_proxy: tuple[Network, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    connections_per_address: int = 200
    seed: int = 1
    speed: float = 1.0
    scale: str = "C"
    sources: tuple[SourceSettings, ...] = ()
    limits: bool = True
    limit_reads: int = 300
    limit_streams: int = 120
    limit_writes: int = 300
    limit_changes: int = 120
    keep_alive_seconds: float = KEEP_ALIVE_SECONDS
    stall_seconds: float = STALL_SECONDS
    farewell_seconds: float = FAREWELL_SECONDS
    idle_seconds: float = IDLE_SECONDS
    body_seconds: float = BODY_SECONDS
    registrations_per_minute: int = REGISTRATIONS_PER_MINUTE
    pending_registrations: int = PENDING_REGISTRATIONS
    proofs_per_minute: int = PROOFS_PER_MINUTE
