"""Serving, which is what the command does when nothing else is said."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING

from wwn_server.homes.assembled import assembled
from wwn_server.serving import serve
from wwn_server.store import Store

from .speech import OK, remark

if TYPE_CHECKING:
    import argparse

    from wwn_server.settings import Settings


def serve_home(settings: Settings, _: argparse.Namespace) -> int:
    """Serve a home until told to stop."""
    with closing(Store(settings.data)) as store:
        if settings.name is not None:
            store.rename(settings.name)
        if not store.accounts.any():
            remark("Nobody can sign in yet. Make the owner's account in a browser, or with:")
            remark(f"  wwn-server --data {settings.data} account add NAME")
        home = assembled(settings, store)
        asyncio.run(serve(settings, store, home))
    return OK
