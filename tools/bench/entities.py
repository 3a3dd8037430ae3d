"""What it takes to set a link up, in time and in memory, beside as many bare entities."""

from pathlib import Path
import tempfile
import time
from typing import Final

from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import async_get_platforms

from custom_components.works_with_nest.const import DOMAIN
from tools.chaos.memory import held_mb

from .bare import all_entities, bare_entities
from .stage import BenchHub, NestSide, link_to, linked_hub, running_hub, up
from .timing import Pair

KILOBYTES: Final = 1024


async def setup(devices: int, rounds: int) -> tuple[Pair, int]:
    """Return the seconds to set up a link whose entities are registered already, and how many entities it has."""
    async with linked_hub(devices) as (hub, _):
        number, pair = len(await hub.call(_entities(hub))), Pair()
        for turn in range(rounds + 1):
            ours = await hub.call(_set_up(hub))
            await up(hub)
            baseline = await hub.call(_add_bare(hub, number))
            # The first time the registry grows by the bare ones.
            if turn:
                pair.add(ours, baseline)
        return pair, number


async def memory(devices: int) -> tuple[float, int]:
    """Return the kilobytes that a link to so many devices holds, and how many entities it has."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        small, nest = NestSide(Path(folder) / "small", 1), NestSide(Path(folder) / "large", devices)
        async with small, nest, running_hub() as hub:
            # What is loaded once for every link.
            await link_to(hub, small)
            await hub.call(hub.hass.config_entries.async_remove(hub.entry.entry_id))
            before = held_mb()
            await link_to(hub, nest)
            after = held_mb()
            return (after - before) * KILOBYTES, len(await hub.call(_entities(hub)))


async def bare_memory(number: int) -> float:
    """Return the kilobytes that so many bare entities hold."""
    async with running_hub() as hub:
        await hub.call(_add_bare(hub, 1))
        before = held_mb()
        await hub.call(bare_entities(hub.hass, number))
        return (held_mb() - before) * KILOBYTES


async def _entities(hub: BenchHub) -> list[Entity]:
    return all_entities(async_get_platforms(hub.hass, DOMAIN))


async def _set_up(hub: BenchHub) -> float:
    entries, entry_id = hub.hass.config_entries, hub.entry.entry_id
    await entries.async_unload(entry_id)
    await hub.hass.async_block_till_done()
    begun = time.thread_time()
    await entries.async_setup(entry_id)
    return time.thread_time() - begun


async def _add_bare(hub: BenchHub, number: int) -> float:
    begun = time.thread_time()
    platform, _ = await bare_entities(hub.hass, number)
    took = time.thread_time() - begun
    await platform.async_reset()
    await hub.hass.async_block_till_done()
    return took
