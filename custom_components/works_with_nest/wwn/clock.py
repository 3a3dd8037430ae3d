"""How long ago something was, on a machine that may sleep and whose clock may be set."""

import asyncio
from dataclasses import dataclass
import time
from typing import Final, Self

# A machine that wakes up goes on with its timers where they stood, so the clocks are looked at now and then.
LOOK_EVERY: Final = 5.0


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment by two clocks: the steady one stands still while the machine sleeps, the other may be set."""

    steady: float
    wall: float

    @classmethod
    def now(cls) -> Self:
        """Return this very moment."""
        return cls(asyncio.get_running_loop().time(), time.time())

    def age(self) -> float:
        """Return the seconds since then, by the clock that says more: doubt makes old, never fresh."""
        now = Instant.now()
        return max(now.steady - self.steady, now.wall - self.wall)
