"""How often an idle link wakes the event loop, counted."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from .stage import BenchHub, linked_hub

# What the server really waits; shortened, the timers of the link would seem fewer than they are.
KEEP_ALIVE: Final = 30.0
SETTLES: Final = 3.0
# What is left over from setting up, and done once within a minute of it: what was set up is written down, the thread
# that did so says it, the first poll may be followed by another, and a connection that nobody uses is let go.
LEFT_OVER: Final = frozenset(
    {
        "Store._async_schedule_callback_delayed_write",
        "_StoreManager._async_cleanup",
        "BaseSelectorEventLoop._read_from_self",
        "Debouncer._on_debounce",
        "_weakref_handle",
    }
)


async def wake_ups(devices: int, keep_alives: int) -> tuple[int, int]:
    """Return how often the loop woke up in the time of so many keep-alives, and how many came."""
    async with linked_hub(devices) as (hub, _):
        await asyncio.sleep(SETTLES)
        return await hub.call(_count(hub, KEEP_ALIVE * keep_alives))


async def _count(hub: BenchHub, seconds: float) -> tuple[int, int]:
    woken, heard = [0], hub.coordinator.statistics.keep_alives
    loop: Any = asyncio.get_running_loop()
    selector = loop._selector  # noqa: SLF001 - nothing else knows
    select: Callable[[float | None], Any] = selector.select

    def counted(timeout: float | None = None) -> Any:
        ready = select(timeout)
        # With nothing to wait for it does not sleep, so there is nothing to wake up from.
        woken[0] += (timeout is None or timeout > 0) and not _is_left_over(loop, ready)
        return ready

    selector.select = counted
    await asyncio.sleep(seconds)
    selector.select = select
    # The last one is the end of this very sleep.
    return woken[0] - 1, hub.coordinator.statistics.keep_alives - heard


def _is_left_over(loop: Any, ready: list[Any]) -> bool:
    """Whether the loop woke up for nothing but what was left over from setting up. What is not known is the link's."""
    now = loop.time() + loop._clock_resolution  # noqa: SLF001
    handles = [handle for key, _ in ready for handle in key.data if handle]
    handles += [timer for timer in loop._scheduled if timer.when() <= now and not timer.cancelled()]  # noqa: SLF001
    names = {getattr(handle._callback, "__qualname__", "") for handle in handles}  # noqa: SLF001
    return bool(names) and names <= LEFT_OVER
