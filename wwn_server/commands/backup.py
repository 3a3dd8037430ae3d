"""Copying all that is kept, also while the server runs."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from wwn_server.store import Store
from wwn_server.store.database import version_of

from .speech import OK, CommandError, remark

if TYPE_CHECKING:
    import argparse

    from wwn_server.settings import Settings


def back_up(settings: Settings, options: argparse.Namespace) -> int:
    """Copy accounts and links into a new file."""
    if version_of(settings.data) is None:
        msg = f"There is nothing in {settings.data} to copy. Name the server's folder with --data."
        raise CommandError(msg)
    with closing(Store(settings.data)) as store:
        store.back_up(options.file)
    remark(f"Copied to {options.file}. It holds hashes of passwords and tokens, not the secrets themselves.")
    return OK
