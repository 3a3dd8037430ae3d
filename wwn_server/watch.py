"""What another process changed in the store while the server runs: the command line, for one.

Everything but streams and open pages asks the store anew with each request. SQLite tells at next to no cost whether
anybody else has written since; so half a second after a link or a session was ended there, what it had open ends here.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
import logging
import sqlite3
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .context import Context

SECONDS: Final = 0.5

_LOGGER: Final = logging.getLogger(__name__)


@asynccontextmanager
async def watched(context: Context) -> AsyncIterator[None]:
    """Keep streams true to what others write into the store."""
    watching = asyncio.create_task(_watch(context), name="watch")
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _watch(context: Context) -> None:
    while True:
        await asyncio.sleep(SECONDS)
        try:
            if context.store.changed_elsewhere():
                await _follow(context)
        except sqlite3.Error:
            _LOGGER.exception("The store could not be read; it is tried again")


async def _follow(context: Context) -> None:
    links = {link_id: context.store.links.get(link_id) for link_id in context.streams.link_ids()}
    for link in links.values():
        if link is not None:
            context.streams.follow(link)
    # Open pages look at their session, and end.
    context.streams.wake()
    await context.streams.revoke(link_id for link_id, link in links.items() if link is None)
