"""When Python looked through everything this process holds for what nobody needs: all else stands still meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
import gc
import time

_OLDEST = 2


@dataclass(slots=True)
class FullCollections:
    """The collections of the oldest generation, each as when it ended and how many seconds it took."""

    ended: list[tuple[float, float]] = field(default_factory=list)
    _begun: float = 0.0

    def __len__(self) -> int:
        """Return how many there were."""
        return len(self.ended)

    @property
    def longest(self) -> float:
        """The seconds of the longest; 0 if there was none."""
        return max((lasted for _, lasted in self.ended), default=0.0)

    def spent_within(self, seconds: float) -> float:
        """Return how many of the last so many seconds were theirs."""
        begin = time.perf_counter() - seconds
        return sum(min(lasted, ended - begin) for ended, lasted in self.ended if ended > begin)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note each that happens meanwhile."""
        gc.callbacks.append(self._note)
        try:
            yield
        finally:
            gc.callbacks.remove(self._note)

    def _note(self, phase: str, about: dict[str, int]) -> None:
        if about["generation"] == _OLDEST:
            now = time.perf_counter()
            if phase == "start":
                self._begun = now
            else:
                self.ended.append((now, now - self._begun))
