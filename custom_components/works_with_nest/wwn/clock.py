"""How long ago something was, on a machine that may sleep and whose clock may be set."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
import time
from typing import Final, Self

# What two good clocks may differ by, in seconds.
DRIFT: Final = 1.0


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment by two clocks: the steady one stands still while the machine sleeps, the other may be set."""

    steady: float
    wall: float

    @classmethod
    def now(cls) -> Self:
        """Return this very moment."""
        return cls(asyncio.get_running_loop().time(), time.time())

    @classmethod
    def at(cls, moment: datetime) -> Self:
        """Return a moment of another run, of which only the wall clock is known."""
        return cls(asyncio.get_running_loop().time(), moment.timestamp())

    def moment(self) -> datetime:
        """Return when it was, by the clock as it is now: one that was set back since would put it too late."""
        now = Instant.now()
        set_back = (now.steady - self.steady) - (now.wall - self.wall)
        return datetime.fromtimestamp(self.wall - (set_back if set_back > DRIFT else 0), UTC)

    def age(self) -> float:
        """Return the seconds since then, by the clock that says more: doubt makes old, never fresh."""
        now = Instant.now()
        return max(now.steady - self.steady, now.wall - self.wall)
