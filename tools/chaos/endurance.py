"""One Home Assistant, one link, and one fault after another, to see whether anything piles up."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
import json
from pathlib import Path
import random
import tempfile
import time
from typing import Any, Final

from .clocks import scaled
from .faults import FAULTS, Fault
from .hub import Hub, Left
from .memory import growth_mb, held_mb
from .run import Stage

# In seconds of life: how long each lasts, and how long the link may take to be up again.
LASTS: Final = (1.0, 10.0)
COMES_BACK_WITHIN: Final = 300.0
SAMPLES: Final = 50
# What an allocator may keep, in megabytes.
MOST_GROWTH: Final = 8.0
# Those of the wire that end with it; the others make a new Home Assistant, or a new link.
FAULTS_OF_THE_WIRE: Final = [fault for fault in FAULTS if fault.drill is None and not fault.ends_link]

type Say = Callable[[str], object]


@dataclass(slots=True)
class Endured:
    """What came of it. Samples are taken while nothing is wrong."""

    faults: int = 0
    never_back: int = 0
    megabytes: list[float] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    at_the_end: Left = field(default_factory=Left)

    @property
    def growth(self) -> float:
        """Megabytes by which what is held grew."""
        return growth_mb(self.megabytes)

    @property
    def most_left(self) -> dict[str, int]:
        """The most tasks, timers and sockets there were while nothing was wrong."""
        return {
            "tasks": max(len(each.tasks) for each in self.left),
            "timers": max(len(each.timers) for each in self.left),
            "sockets": max(each.sockets for each in self.left),
        }

    @property
    def piled_up(self) -> list[str]:
        """What there was more of at the end than at the beginning, by name."""
        first, last = self.left[0], self.left[-1]
        pairs = (
            ("tasks", len(first.tasks), len(last.tasks)),
            ("timers", len(first.timers), len(last.timers)),
            ("sockets", first.sockets, last.sockets),
        )
        # One more or less of each is the poll that happens to be due.
        return [f"{name}: {before}, then {after}" for name, before, after in pairs if after > before + 1]

    @property
    def is_fine(self) -> bool:
        """Whether nothing piled up."""
        return not self.never_back and self.at_the_end.is_clean and not self.piled_up and self.growth < MOST_GROWTH

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "faults": self.faults,
            "never_back": self.never_back,
            "megabytes": [round(each, 1) for each in self.megabytes],
            "growth": round(self.growth, 1),
            "most": self.most_left,
            "leaks": len(self.piled_up) + (not self.at_the_end.is_clean),
        }


def endurance(faults: int, say: Say, file: Path | None = None) -> int:
    """Endure so many faults, print what piled up, and return the exit code."""
    begun = time.monotonic()
    endured = asyncio.run(_endure(faults, say))
    most = endured.most_left
    say(f"{endured.faults} faults on one link in {time.monotonic() - begun:.0f} s.")
    say(f"The link did not come back {endured.never_back} times.")
    say(f"Memory: {' '.join(f'{each:.0f}' for each in endured.megabytes[::5])} MB, {endured.growth:+.1f} MB.")
    say(f"At once, at the most: {most['tasks']} tasks, {most['timers']} timers, {most['sockets']} sockets.")
    for sentence in [*endured.piled_up, *([] if endured.at_the_end.is_clean else [f"left: {endured.at_the_end}"])]:
        say(f"Piled up: {sentence}")
    if file:
        file.write_text(json.dumps(endured.as_dict(), indent=2) + "\n", encoding="utf-8")
    return 0 if endured.is_fine else 1


async def _endure(faults: int, say: Say) -> Endured:
    chance = random.Random(faults)  # noqa: S311 - no secret, and the same each time
    endured = Endured()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        async with Stage.set_up(Path(folder)) as stage:
            hub = Hub(stage.fresh_folder(0))
            await hub.start()
            try:
                await _go_on(stage, hub, chance, endured, faults, say)
            finally:
                endured.at_the_end = await hub.stop()
    return endured


async def _go_on(stage: Stage, hub: Hub, chance: random.Random, endured: Endured, faults: int, say: Say) -> None:
    for number in range(faults):
        if number % max(1, faults // SAMPLES) == 0:
            endured.megabytes.append(held_mb())
            endured.left.append(await hub.left())
        if number and number % max(1, faults // 10) == 0:
            say(f"  ... {number} of {faults} faults, {endured.megabytes[-1]:.0f} MB")
        endured.never_back += not await _one(stage, hub, chance.choice(FAULTS_OF_THE_WIRE), chance)
        endured.faults += 1
        hub.forget()
        stage.proxy.forget()


async def _one(stage: Stage, hub: Hub, fault: Fault, chance: random.Random) -> bool:
    """Let a fault come and go, with an alarm in between; return whether the link came back."""
    alarm = chance.choice(stage.nest.alarms)
    stage.proxy.begin(fault, random.Random(chance.random()))  # noqa: S311 - no secret
    await stage.nest.person.set_alarm(alarm, smoke=chance.choice(("ok", "warning", "emergency")))
    await asyncio.sleep(scaled(chance.uniform(*LASTS)))
    stage.proxy.end()
    return await hub.listens_within(scaled(COMES_BACK_WITHIN))
