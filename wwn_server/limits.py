"""How often somebody may do something."""

from __future__ import annotations

from collections import deque
import math
import time
from typing import TYPE_CHECKING, Final

from .errors import blocked

if TYPE_CHECKING:
    from collections.abc import Callable

    from .settings import Settings

TEN_MINUTES: Final = 600
HOUR: Final = 3600
# Beyond this many keys the ones that have gone quiet are dropped.
_CROWD: Final = 1000


class SlidingWindow:
    """At most ``limit`` times in any ``seconds``, for each key on its own."""

    def __init__(
        self,
        limit: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with nobody known."""
        self._limit = limit
        self._seconds = seconds
        self._clock = clock
        self._times: dict[str, deque[float]] = {}
        self._crowd = _CROWD

    def wait(self, key: str) -> float:
        """Count one more, and return 0; or return the seconds until there is room."""
        now = self._clock()
        if len(self._times) > self._crowd:
            self._forget_quiet(now)
        times = self._times.setdefault(key, deque())
        while times and times[0] <= now - self._seconds:
            times.popleft()
        if len(times) >= self._limit:
            return times[0] + self._seconds - now
        times.append(now)
        return 0.0

    def forget(self, key: str) -> None:
        """Start anew with a key."""
        self._times.pop(key, None)

    def _forget_quiet(self, now: float) -> None:
        self._times = {key: times for key, times in self._times.items() if times and times[-1] > now - self._seconds}
        # Where few went quiet the next look is a while away: looking at all costs more the more there are.
        self._crowd = max(_CROWD, 2 * len(self._times))


class DataLimits:
    """How often the data of a home may be used (protocol 6).

    Reads, streams and writes are counted for each link, whichever port or machine they come from; writes to a device
    or structure for all links together, because each one wakes the device.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing counted; without limits nothing ever is."""
        self._on = settings.limits
        self._reads = SlidingWindow(settings.limit_reads, TEN_MINUTES, clock)
        self._streams = SlidingWindow(settings.limit_streams, TEN_MINUTES, clock)
        self._writes = SlidingWindow(settings.limit_writes, HOUR, clock)
        self._changes = SlidingWindow(settings.limit_changes, HOUR, clock)

    def count_read(self, link_id: int) -> None:
        """Count a read of a link. Raises ``WireError`` when it is one too many, as do the others."""
        self._count(self._reads, str(link_id))

    def count_stream(self, link_id: int) -> None:
        """Count a stream that a link opens; what happens in it is free."""
        self._count(self._streams, str(link_id))

    def count_write(self, link_id: int) -> None:
        """Count a write of a link, whatever comes of it."""
        self._count(self._writes, str(link_id))

    def count_change(self, thing_id: str) -> None:
        """Count a write that a device or structure is about to be told of."""
        self._count(self._changes, thing_id)

    def _count(self, window: SlidingWindow, key: str) -> None:
        wait = window.wait(key) if self._on else 0
        if wait:
            raise blocked(math.ceil(wait))
