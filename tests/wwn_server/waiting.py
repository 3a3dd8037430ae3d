"""Waiting for what holds, and not for a time."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from wwn_server.homes.base import Listener, Unsubscribe

LONG = 20.0


class Told(Protocol):
    def subscribe(self, listener: Listener) -> Unsubscribe: ...


async def until(told: Told, holds: Callable[[], object]) -> None:
    """Wait until something holds, looking again whenever there are news, and now and then where none are told."""
    news = asyncio.Event()
    unsubscribe = told.subscribe(news.set)
    try:
        async with asyncio.timeout(LONG):
            while not holds():
                news.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), 0.05)
    finally:
        unsubscribe()
