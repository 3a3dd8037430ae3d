"""How much memory this process holds, and whether that stays flat."""

import ctypes
import gc
from pathlib import Path
import sys
from typing import Final

_STATUS: Final = Path("/proc/self/status")
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


def held_mb(*, is_quick: bool = False) -> float:
    """Return the megabytes this process holds, after everything was let go that nobody needs.

    is_quick: let only that go which costs no time; everything in this process stands still for the rest.
    """
    if not is_quick:
        gc.collect()
    if _LIBC is not None and hasattr(_LIBC, "malloc_trim"):
        _LIBC.malloc_trim(0)
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def growth_mb(samples: list[float]) -> float:
    """Return how much more the last fifth holds than the second, by their lowest; before that caches fill."""
    fifth = max(1, len(samples) // 5)
    return min(samples[-fifth:]) - min(samples[fifth : 2 * fifth] or samples)
