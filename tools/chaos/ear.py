"""What came through to the hub, and when: as the wire saw it, whatever the hub says of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
import time
from typing import Final

from .record import Change, Span

NEVER: Final = float("-inf")
FOR_EVER: Final = float("inf")


@dataclass(slots=True)
class Heard:
    """A stretch of one stream in which everything came whole.

    begun: its first event was handed on. heard: its last was. until: the stream ended, or something began to damage it.
    """

    begun: float
    heard: float
    until: float = FOR_EVER


class Line:
    """One stream, from its first bytes to its end."""

    def __init__(self, ear: Ear) -> None:
        """Stand ready; nothing was answered yet."""
        self._ear = ear
        self._now: Heard | None = None
        self._number: int | None = None

    def begin(self) -> None:
        """Note that it was answered: from now on something may come, be it byte by byte."""
        self._number = len(self._ear.streams)
        self._ear.streams.append(Span(time.monotonic(), FOR_EVER))

    def came(self, *, is_whole: bool) -> None:
        """Note that something was handed on, as it was sent or otherwise."""
        now = time.monotonic()
        if not is_whole:
            self.spoil()
        elif self._now is None:
            self._now = Heard(now, now)
            self._ear.heard.append(self._now)
        else:
            self._now.heard = now

    def spoil(self) -> None:
        """Note that from now on what comes is damaged, or does not come."""
        if self._now is not None:
            self._now.until, self._now = time.monotonic(), None

    def end(self) -> None:
        """Note that it has ended."""
        self.spoil()
        self._ear.lines.discard(self)
        if self._number is not None:
            self._ear.streams[self._number] = Span(self._ear.streams[self._number].begun, time.monotonic())


class Ear:
    """All streams of one run. heard: where everything came whole. streams: from answer to end. spoke: any bytes."""

    def __init__(self) -> None:
        """Start in silence."""
        self.heard: list[Heard] = []
        self.streams: list[Span] = []
        self.spoke: list[float] = []
        self.lines: set[Line] = set()

    def line(self) -> Line:
        """Return a new stream."""
        line = Line(self)
        self.lines.add(line)
        return line

    def spoil(self) -> None:
        """Note that from now on nothing comes whole on any stream that is open."""
        for line in self.lines:
            line.spoil()

    def deaf(self) -> list[Span]:
        """Return when nobody could hear everything."""
        return between(Span(each.begun, each.until) for each in self.heard)

    def silent(self) -> list[Span]:
        """Return when nobody could hear anything by a stream."""
        return between(self.streams)

    def silences(self, longer_than: float) -> Iterator[Span]:
        """Yield each time in which not a byte came for longer than this, between two that did."""
        spoke = sorted(self.spoke)
        for before, after in pairwise(spoke):
            if after - before > longer_than:
                yield Span(before, after)


def between(spans: Iterable[Span]) -> list[Span]:
    """Return what is in none of some spans."""
    found, end = [], NEVER
    for span in sorted(spans, key=lambda each: each.begun):
        if span.begun > end:
            found.append(Span(end, span.begun))
        end = max(end, span.done)
    return [*found, Span(end, FOR_EVER)] if end < FOR_EVER else found


def lies_in(change: Change, spans: Iterable[Span], margin: float) -> bool:
    """Whether a change lies in one of some spans, and a margin from its ends."""
    return any(span.begun + margin < change.begun and change.done < span.done - margin for span in spans)
