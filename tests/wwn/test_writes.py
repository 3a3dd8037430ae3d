"""Writes in order, merged when they come too quickly, each with its own outcome."""

import asyncio
from typing import Any

import pytest

from custom_components.works_with_nest.wwn.errors import WwnRefusedError
from custom_components.works_with_nest.wwn.writes import MergedWrites

PAUSE = 0.2


class Wire:
    """What was sent; a value of "bad" is refused, one of "as it is" needs no write."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.delay = 0.0

    async def send(self, path: str, fields: Any) -> bool:
        if "as it is" in fields.values():
            return False
        self.sent.append((path, dict(fields)))
        await asyncio.sleep(self.delay)
        if "bad" in fields.values():
            raise WwnRefusedError(400, "range-error", "too much")
        return True


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def writes(wire: Wire) -> MergedWrites:
    return MergedWrites(wire.send, PAUSE)


async def test_the_first_change_goes_at_once(wire: Wire, writes: MergedWrites) -> None:
    async with asyncio.timeout(PAUSE / 2):
        await writes.write("/t", {"target": 20})
    assert wire.sent == [("/t", {"target": 20})]


async def test_changes_at_the_same_moment_are_one_write_of_the_newest(wire: Wire, writes: MergedWrites) -> None:
    await asyncio.gather(*(writes.write("/t", {"target": 20 + each}) for each in range(10)))
    assert wire.sent == [("/t", {"target": 29})]


async def test_a_slider_that_is_dragged_is_two_writes_a_pause_apart(wire: Wire, writes: MergedWrites) -> None:
    clock = asyncio.get_running_loop().time
    await writes.write("/t", {"target": 20})
    first = clock()
    await asyncio.gather(*(writes.write("/t", {"target": 21 + each}) for each in range(5)))
    assert wire.sent == [("/t", {"target": 20}), ("/t", {"target": 25})]
    assert clock() - first >= PAUSE * 0.9


async def test_a_change_after_the_pause_goes_at_once(wire: Wire, writes: MergedWrites) -> None:
    await writes.write("/t", {"target": 20})
    await asyncio.sleep(PAUSE)
    async with asyncio.timeout(PAUSE / 2):
        await writes.write("/t", {"target": 21})
    assert len(wire.sent) == 2


async def test_other_fields_and_other_things_do_not_wait_for_each_other(wire: Wire, writes: MergedWrites) -> None:
    async with asyncio.timeout(PAUSE / 2):
        await writes.write("/t", {"target": 20})
        await writes.write("/t", {"mode": "heat"})
        await writes.write("/u", {"target": 20})
    assert len(wire.sent) == 3


async def test_a_temperature_does_not_overtake_the_mode_set_before_it(wire: Wire, writes: MergedWrites) -> None:
    await writes.write("/t", {"mode": "heat"})
    mode = asyncio.ensure_future(writes.write("/t", {"mode": "cool"}))
    await asyncio.sleep(0)
    await writes.write("/t", {"target": 25})
    await mode
    assert wire.sent == [("/t", {"mode": "heat"}), ("/t", {"mode": "cool"}), ("/t", {"target": 25})]


async def test_a_temperature_does_not_join_one_that_was_set_before_the_mode(wire: Wire, writes: MergedWrites) -> None:
    await writes.write("/t", {"target": 20})
    outcomes = []
    for fields in ({"target": 21}, {"mode": "cool"}, {"target": 25}):
        outcomes.append(asyncio.ensure_future(writes.write("/t", fields)))
        await asyncio.sleep(0.01)
    await asyncio.gather(*outcomes)
    assert [fields for _, fields in wire.sent] == [{"target": 20}, {"target": 21}, {"mode": "cool"}, {"target": 25}]


async def test_a_change_while_one_is_under_way_is_a_write_of_its_own(wire: Wire, writes: MergedWrites) -> None:
    wire.delay = 0.05
    first = asyncio.ensure_future(writes.write("/t", {"target": 20}))
    await asyncio.sleep(0.02)
    await writes.write("/t", {"target": 21})
    await first
    assert wire.sent == [("/t", {"target": 20}), ("/t", {"target": 21})]


async def test_a_refusal_reaches_everybody_whose_change_was_in_it_and_nobody_else(
    wire: Wire, writes: MergedWrites
) -> None:
    await writes.write("/t", {"target": 20})
    outcomes = await asyncio.gather(
        writes.write("/t", {"target": 21}), writes.write("/t", {"target": "bad"}), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [WwnRefusedError, WwnRefusedError]
    await writes.write("/t", {"target": 22})
    assert wire.sent[-1] == ("/t", {"target": 22})


async def test_one_who_gives_up_does_not_end_it_for_the_others(wire: Wire, writes: MergedWrites) -> None:
    await writes.write("/t", {"target": 20})
    waiting = [asyncio.ensure_future(writes.write("/t", {"target": 21 + each})) for each in range(3)]
    await asyncio.sleep(0.01)
    waiting[1].cancel()
    waiting[0].cancel()
    await waiting[2]
    assert wire.sent == [("/t", {"target": 20}), ("/t", {"target": 23})]
    assert waiting[0].cancelled()
    assert waiting[1].cancelled()


async def test_when_all_give_up_nothing_is_sent_and_nothing_stays(wire: Wire, writes: MergedWrites) -> None:
    await writes.write("/t", {"target": 20})
    waiting = [asyncio.ensure_future(writes.write("/t", {"target": 21 + each})) for each in range(3)]
    await asyncio.sleep(0.01)
    for each in reversed(waiting):
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert wire.sent == [("/t", {"target": 20})]
    await writes.write("/t", {"target": 30})
    assert wire.sent[-1] == ("/t", {"target": 30})


async def test_after_a_change_that_was_none_the_next_one_goes_at_once(wire: Wire, writes: MergedWrites) -> None:
    async with asyncio.timeout(PAUSE / 2):
        await writes.write("/t", {"target": "as it is"})
        await writes.write("/t", {"target": 20})
    assert wire.sent == [("/t", {"target": 20})]
