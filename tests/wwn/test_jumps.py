"""Being told when the wall clock jumps, by the system or by looking."""

import asyncio
from collections.abc import Callable
from pathlib import Path
import time

import pytest

from custom_components.works_with_nest.wwn import jumps
from custom_components.works_with_nest.wwn.jumps import watched_clock


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def called(times: Callable[[], int], expected: int) -> None:
    async with asyncio.timeout(5):
        while times() < expected:
            await asyncio.sleep(0.001)


def set_the_clock() -> None:
    """Set the machine's clock to what it shows, which is a jump like any other."""
    try:
        time.clock_settime_ns(time.CLOCK_REALTIME, time.time_ns())
    except PermissionError:
        pytest.skip("NOT RUN, because the clock of this machine may not be set here: that the system tells of it.")


async def test_the_system_tells_of_every_jump_and_of_nothing_else() -> None:
    looks: list[float] = []
    open_before = open_files()
    with watched_clock(lambda: looks.append(time.monotonic())):
        await asyncio.sleep(0.05)
        assert looks == []
        for number in (1, 2, 3):
            set_the_clock()
            await called(lambda: len(looks), number)
        await asyncio.sleep(0.05)
    set_the_clock()
    await asyncio.sleep(0.05)
    assert len(looks) == 3
    assert open_files() == open_before


def refused(*_args: object, **_options: object) -> int:
    raise OSError


@pytest.mark.parametrize(("name", "value"), [("timerfd_create", refused), ("timerfd_settime", refused), (None, None)])
async def test_where_the_system_does_not_tell_it_is_looked(
    monkeypatch: pytest.MonkeyPatch, name: str | None, value: object
) -> None:
    if name:
        monkeypatch.setattr(jumps.os, name, value)
    else:
        monkeypatch.setattr(jumps, "IS_TOLD", False)
    monkeypatch.setattr(jumps, "LOOK_EVERY", 0.005)
    looks: list[None] = []
    open_before = open_files()
    with watched_clock(lambda: looks.append(None)):
        await called(lambda: len(looks), 3)
        assert open_files() == open_before
    ended_with = len(looks)
    await asyncio.sleep(0.05)
    assert len(looks) == ended_with
