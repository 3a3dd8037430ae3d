"""Timing two things beside each other, so that a busy machine is as unkind to the one as to the other."""

from dataclasses import dataclass, field
from statistics import median
from typing import Final

PERCENT: Final = 100


@dataclass(slots=True)
class Pair:
    """Samples of ours and of the baseline, taken in turns: ours, baseline, ours, baseline."""

    ours: list[float] = field(default_factory=list)
    baseline: list[float] = field(default_factory=list)

    def add(self, ours: float, baseline: float) -> None:
        """Add one of each, measured right after each other."""
        self.ours.append(ours)
        self.baseline.append(baseline)

    def medians(self) -> tuple[float, float]:
        """Return the median of each: what a typical one takes, whatever disturbed a few."""
        return median(self.ours), median(self.baseline)

    def least(self) -> tuple[float, float]:
        """Return the least of each: what the work itself takes, where nothing can make it take less."""
        return min(self.ours), min(self.baseline)

    def high(self, percent: float) -> tuple[float, float]:
        """Return a percentile of each."""
        return percentile(self.ours, percent), percentile(self.baseline, percent)


def percentile(samples: list[float], percent: float) -> float:
    """Return the sample that so many percent do not exceed."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / PERCENT))]
