"""Home Assistant's wall clock, which can jump; and which moments a time on it can have been."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
import time
from typing import Final

from homeassistant.util import dt as dt_util

from custom_components.works_with_nest.wwn import clock, jumps

from .record import Span

_ZERO: Final = timedelta()


class WallClock:
    """Shows the time plus what it was moved by. Only what the integration reads of it is replaced, in this process."""

    def __init__(self) -> None:
        """Start unmoved."""
        now = time.monotonic()
        self._start = datetime.now(UTC) - timedelta(seconds=now)
        # From when on it was moved by how much.
        self._moves = [(now, _ZERO)]

    def install(self) -> None:
        """Let Home Assistant read this clock."""
        dt_util.utcnow = self.utcnow  # type: ignore[assignment]
        clock.time = self  # type: ignore[assignment, attr-defined]
        # Nobody is told of a jump that the machine's own clock does not make.
        jumps.IS_TOLD = False  # type: ignore[misc]

    def time(self) -> float:
        """Return the time it shows, as seconds."""
        return self.utcnow().timestamp()

    def utcnow(self, _zone: object = None) -> datetime:
        """Return the time it shows."""
        return self._start + timedelta(seconds=time.monotonic()) + self._moves[-1][1]

    def reset(self) -> None:
        """Start unmoved again."""
        self._moves = [(time.monotonic(), _ZERO)]

    def jump(self, by: timedelta) -> None:
        """Move it."""
        self._moves.append((time.monotonic(), self._moves[-1][1] + by))

    def spans(self, start: datetime, end: datetime) -> Iterator[Span]:
        """Yield the spans that two times on it can mean.

        Both may be told by the clock as it was moved to by then; and after a jump back there are two moments for one
        time.
        """
        for _, moved in self._moves:
            yield Span(*((shown - moved - self._start).total_seconds() for shown in (start, end)))
        for begun in self._moments(start):
            for done in self._moments(end):
                if begun <= done:
                    yield Span(begun, done)

    def _moments(self, shown: datetime) -> Iterator[float]:
        ends = [begun for begun, _ in self._moves[1:]] + [float("inf")]
        for number, ((begun, moved), end) in enumerate(zip(self._moves, ends, strict=True)):
            moment = (shown - moved - self._start).total_seconds()
            # What was stored before the first move was noted lies before it.
            if (begun <= moment or number == 0) and moment <= end:
                yield moment
