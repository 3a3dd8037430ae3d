"""Being told when the wall clock jumps: it was set, or the machine slept, and all timers stood still meanwhile."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
import os
import time
from typing import Final

# Whether the system tells, also after a sleep: Linux does.
IS_TOLD: Final = hasattr(os, "timerfd_create")
# How often to look where it does not.
LOOK_EVERY: Final = 5.0
# In the year 2242, in seconds since 1970: the timer is there to be told of the clock, and never to end.
NEVER: Final = 2.0**33
COUNT_BYTES: Final = 8


@contextmanager
def watched_clock(look: Callable[[], object]) -> Iterator[None]:
    """Call whenever the wall clock may have jumped.

    To be told and not to look takes ten of twelve wake-ups from the half minute between two signs of life.
    """
    timer = _timer() if IS_TOLD else None
    with _looking(look) if timer is None else _told(timer, look):
        yield


def _timer() -> int | None:
    """Return what the system makes readable when the clock jumps; None where it can not, whatever it promises."""
    try:
        timer = os.timerfd_create(time.CLOCK_REALTIME, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC)
    except OSError:
        return None
    try:
        os.timerfd_settime(timer, flags=os.TFD_TIMER_ABSTIME | os.TFD_TIMER_CANCEL_ON_SET, initial=NEVER)
    except OSError:
        os.close(timer)
        return None
    return timer


@contextmanager
def _told(timer: int, look: Callable[[], object]) -> Iterator[None]:
    def jumped() -> None:
        # That the clock jumped is told as an error of this; from then on it is told of the next time.
        with suppress(OSError):
            os.read(timer, COUNT_BYTES)
        look()

    loop = asyncio.get_running_loop()
    loop.add_reader(timer, jumped)
    try:
        yield
    finally:
        loop.remove_reader(timer)
        os.close(timer)


@contextmanager
def _looking(look: Callable[[], object]) -> Iterator[None]:
    timer: asyncio.TimerHandle

    def look_again() -> None:
        nonlocal timer
        timer = loop.call_later(LOOK_EVERY, look_again)
        look()

    loop = asyncio.get_running_loop()
    timer = loop.call_later(LOOK_EVERY, look_again)
    try:
        yield
    finally:
        timer.cancel()
