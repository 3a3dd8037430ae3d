"""Looking once whether a source can be reached, and which devices it has, before it is part of a home."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from wwn_server.homes.source import Failure, Reach

from .reach import ReachError

if TYPE_CHECKING:
    from wwn_server.homes.source import Device, Report, Source

# A person waits for it: as long as two requests may take.
SECONDS: Final = 10.0


async def probed(source: Source, seconds: float = SECONDS) -> tuple[Device, ...]:
    """Return the devices of a source, which runs only for that long. Raises ``ReachError``."""
    news = asyncio.Event()
    unsubscribe = source.subscribe(news.set)
    await source.start()
    try:
        async with asyncio.timeout(seconds):
            while True:
                news.clear()
                if (devices := _found(source.report)) is not None:
                    return devices
                await news.wait()
    except TimeoutError:
        # It took the connection, and says nothing of what is looked for.
        raise ReachError(Failure.NOT_IT) from None
    finally:
        unsubscribe()
        await source.stop()


def _found(report: Report) -> tuple[Device, ...] | None:
    """Return the devices, nothing where there is still something to wait for. Raises ``ReachError``."""
    broker = report.broker or Reach(reachable=True)
    if report.trouble is not None:
        raise ReachError(report.trouble)
    if broker.trouble is not None:
        raise ReachError(broker.trouble, "broker")
    return report.devices if report.reachable and broker.reachable else None
