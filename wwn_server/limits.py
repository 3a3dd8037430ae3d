"""How often somebody may do something."""

from __future__ import annotations

from collections import deque
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

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

    def wait(self, key: str) -> float:
        """Count one more, and return 0; or return the seconds until there is room."""
        now = self._clock()
        if len(self._times) > _CROWD:
            self._forget_quiet(now)
        times = self._times.setdefault(key, deque())
        while times and times[0] <= now - self._seconds:
            times.popleft()
        if len(times) >= self._limit:
            return times[0] + self._seconds - now
        times.append(now)
        return 0.0

    def _forget_quiet(self, now: float) -> None:
        self._times = {key: times for key, times in self._times.items() if times and times[-1] > now - self._seconds}
