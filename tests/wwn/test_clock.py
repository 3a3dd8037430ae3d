"""How long ago something was, on a machine that may sleep and whose clock may be set."""

import asyncio
from datetime import timedelta

import pytest

from custom_components.works_with_nest.wwn.clock import Instant

from .conftest import NOON, Clocks


@pytest.mark.parametrize(
    ("steady", "wall", "age", "ago"),
    [
        pytest.param(10, 10, 10, 10, id="both go on"),
        pytest.param(5, 3600, 3600, 3600, id="the machine slept, or the clock was set forward"),
        pytest.param(10, -3600, 10, 10, id="the clock was set back"),
        pytest.param(10, 9.5, 10, 9.5, id="two clocks are never quite alike"),
    ],
)
def test_doubt_makes_old(clocks: Clocks, steady: float, wall: float, age: float, ago: float) -> None:
    then = Instant.now()
    clocks.pass_by(steady, wall=wall)
    assert then.age() == age
    assert Instant.now().moment() - then.moment() == timedelta(seconds=ago)


def test_a_moment_of_another_run_is_as_old_as_the_clock_says(clocks: Clocks) -> None:
    then = Instant.at(NOON - timedelta(days=1))
    clocks.pass_by(10)
    assert then.age() == timedelta(days=1).total_seconds() + 10
    assert then.moment() == NOON - timedelta(days=1)


async def test_it_is_the_clock_of_the_loop() -> None:
    assert Instant.now().steady <= asyncio.get_running_loop().time()
