"""Whether the server could start: each thing it needs, looked at without changing anything."""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
import socket
from typing import TYPE_CHECKING, Final
from zoneinfo import available_timezones

from wwn_server.configuration import config_file
from wwn_server.serving import explain_listening
from wwn_server.settings import Settings
from wwn_server.store.database import FILE_NAME, StoreError, version_of
from wwn_server.store.migrations import MIGRATIONS
from wwn_server.tls import CertificateError, describe

from .speech import OK, REFUSED, CommandError, tell

if TYPE_CHECKING:
    import argparse


def check(settings: Settings, options: argparse.Namespace) -> int:
    """Say of each thing whether it is fine, and what to do where it is not."""
    tell(f"fine     configuration: {config_file(vars(options), os.environ) or 'no file'}")
    passed = [_passes(name, look, settings) for name, look in _CHECKS.items()]
    return OK if all(passed) else REFUSED


def _passes(name: str, look: Callable[[Settings], str], settings: Settings) -> bool:
    try:
        tell(f"fine     {name}: {look(settings)}")
    except (CertificateError, CommandError, StoreError) as error:
        tell(f"PROBLEM  {name}: {error}")
        return False
    return True


def _data(settings: Settings) -> str:
    existing = _nearest(settings.data)
    if not existing.is_dir():
        msg = f"{existing} is a file, not a folder. Choose another folder with --data."
        raise CommandError(msg)
    if not os.access(existing, os.W_OK | os.X_OK):
        msg = f"{existing} can't be written to. Give this user the right to, or choose another folder with --data."
        raise CommandError(msg)
    return f"{settings.data}, {_state(settings.data)}"


def _nearest(folder: Path) -> Path:
    """Return the folder, or what there is of the way to it."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())


def _state(folder: Path) -> str:
    version = version_of(folder)
    if version is None:
        return "which is new"
    if version > len(MIGRATIONS):
        msg = f"{folder / FILE_NAME} was written by a newer version of this program. Install that version again."
        raise CommandError(msg)
    return "up to date" if version == len(MIGRATIONS) else "which the next start brings up to date"


def _address(settings: Settings) -> str:
    return _can_listen(settings, settings.port)


def _shard(settings: Settings) -> str:
    if settings.shard is None:
        return "none"
    if settings.shard and settings.shard == settings.port:
        msg = f"Port {settings.shard} is the server's own. Choose another with --shard."
        raise CommandError(msg)
    return _can_listen(settings, settings.shard)


def _can_listen(settings: Settings, port: int) -> str:
    try:
        found = socket.getaddrinfo(settings.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as probe:
                # As the server itself does: a port whose last connections are still ending counts as free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                probe.listen(1)
    except OSError as error:
        raise CommandError(explain_listening(error, settings, port)) from None
    return f"{settings.host}, port {port or 'any that is free'}"


def _time_zones(_: Settings) -> str:
    known = len(available_timezones())
    if not known:
        msg = "This machine knows none, so times would be in UTC. Install its time zone data (tzdata)."
        raise CommandError(msg)
    return f"{known} known"


_CHECKS: Final[dict[str, Callable[[Settings], str]]] = {
    "data": _data,
    "address": _address,
    "shard": _shard,
    "certificate": describe,
    "time zones": _time_zones,
}
