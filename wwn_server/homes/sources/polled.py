"""What sources share that have to be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
import logging
from typing import Final

from wwn_server.homes.base import Listener, Unsubscribe
from wwn_server.homes.source import Failure, Listeners, Report

from .reach import ReachError

_LOGGER: Final = logging.getLogger(__name__)

type Clock = Callable[[], datetime]


def now_in_utc() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class Polled:
    """A source that is asked now and then, and at once when somebody knows of news."""

    playable = None
    # Seconds between two questions.
    interval = 15.0

    def __init__(self, named: str, clock: Clock) -> None:
        """Prepare to ask what is ``named`` like this in the log."""
        self.report = Report()
        self._named = named
        self._clock = clock
        self._listeners = Listeners()
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Call a listener whenever ``report`` has changed."""
        return self._listeners.add(listener)

    async def start(self) -> None:
        """Begin to ask."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._run(), name=f"source {self._named}")]

    async def stop(self) -> None:
        """Ask no more."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def rename(self, name: str) -> None:
        """Devices do not care what the home is called."""

    async def look(self) -> None:
        """Ask now, and tell what came of it."""
        try:
            report = await self._asked()
        except ReachError as error:
            report = self._failed(error.failure)
        except Exception:
            # Whatever was answered, it is asked again.
            _LOGGER.exception("What %s answered could not be read", self._named)
            report = self._failed(Failure.NOT_IT)
        self._become(report)

    async def _asked(self) -> Report:
        """Return what the source knows now. Raises ``ReachError``."""
        raise NotImplementedError

    def _failed(self, failure: Failure) -> Report:
        return replace(self.report, reachable=False, trouble=failure)

    def _become(self, report: Report) -> None:
        if report.trouble is not self.report.trouble:
            _LOGGER.warning(
                "%s: %s", self._named, "it answers again" if report.trouble is None else report.trouble.value
            )
        if report != self.report:
            self.report = report
            self._listeners.call()

    async def _run(self) -> None:
        while True:
            self._news.clear()
            await self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.interval):
                    await self._news.wait()
