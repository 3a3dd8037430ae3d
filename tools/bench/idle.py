"""How often an idle link wakes the event loop, counted."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from .stage import BenchHub, linked_hub

# What the server really waits; shortened, the timers of the link would seem fewer than they are.
KEEP_ALIVE: Final = 30.0
SETTLES: Final = 3.0


async def wake_ups(devices: int, keep_alives: int) -> tuple[int, int]:
    """Return how often the loop woke up in the time of so many keep-alives, and how many came."""
    async with linked_hub(devices) as (hub, _):
        await asyncio.sleep(SETTLES)
        return await hub.call(_count(hub, KEEP_ALIVE * keep_alives))


async def _count(hub: BenchHub, seconds: float) -> tuple[int, int]:
    woken, heard = [0], hub.coordinator.statistics.keep_alives
    loop = asyncio.get_running_loop()
    selector: Any = loop._selector  # type: ignore[attr-defined] # noqa: SLF001 - nothing else knows
    select: Callable[[float | None], Any] = selector.select

    def counted(timeout: float | None = None) -> Any:
        # With nothing to wait for it does not sleep, so there is nothing to wake up from.
        woken[0] += timeout is None or timeout > 0
        return select(timeout)

    selector.select = counted
    await asyncio.sleep(seconds)
    selector.select = select
    # The last one is the end of this very sleep.
    return woken[0] - 1, hub.coordinator.statistics.keep_alives - heard
