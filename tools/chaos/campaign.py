"""Many runs, spread over processes: each seed is one run, and any that fails can be played again alone."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
import json
import multiprocessing
from multiprocessing.process import BaseProcess
import os
from pathlib import Path
import queue
import tempfile
import time
from typing import Final

from .clocks import FACTOR, hub_figures
from .report import complaints, for_programs, table
from .run import Stage
from .verdict import MOST_LAG, MOST_REQUESTS, PROMPT, Verdict
from .worker import verdict_of, work

# Runs wait more than they work.
WORKERS_PER_CORE: Final = 3
# A run takes ten seconds at the most; whoever says nothing for longer has died.
SILENCE: Final = 180.0
TELLS_EVERY: Final = 20.0

type Say = Callable[[str], object]


def campaign(seeds: Iterable[int], say: Say, file: Path | None = None, workers: int | None = None) -> int:
    """Play the runs of some seeds, print the table, and return the exit code."""
    seeds, begun = list(seeds), time.monotonic()
    workers = min(workers or WORKERS_PER_CORE * (os.cpu_count() or 1), len(seeds))
    say(f"{len(seeds)} runs in {workers} processes; every clock runs {FACTOR:.0f} times as fast, times are in life.")
    verdicts = list(_told(_played(seeds, workers), len(seeds), say, begun))
    seconds = time.monotonic() - begun
    for line in complaints(verdicts):
        say(line)
    say("")
    for line in table(verdicts):
        say(line)
    say("")
    for line in _bounds(verdicts, seconds):
        say(line)
    if file:
        file.write_text(json.dumps(for_programs(verdicts, seconds), indent=2) + "\n", encoding="utf-8")
    return 0 if len(verdicts) == len(seeds) and all(each.is_fine for each in verdicts) else 1


def one(seed: int, say: Say, *, is_verbose: bool) -> int:
    """Play the run of one seed here, and return the exit code."""
    verdict = asyncio.run(_one(seed, say if is_verbose else None))
    recovery = "never" if verdict.recovery is None else f"{verdict.recovery:.1f} s"
    say(f"seed {seed}: {verdict.fault}; the truth was shown after: {recovery}")
    for line in complaints([verdict]):
        say(line)
    return 0 if verdict.is_fine else 1


async def _one(seed: int, tell: Say | None) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        async with Stage.set_up(Path(folder)) as stage:
            return await verdict_of(stage, seed, tell)


def _played(seeds: list[int], workers: int) -> Iterator[Verdict]:
    """Yield the verdict of each run as it comes. A process that dies takes its run with it, and no other."""
    # Home Assistant is loaded once, here.
    context = multiprocessing.get_context("fork")
    todo, done = context.Queue(), context.Queue()
    for seed in [*seeds, *[None] * workers]:
        todo.put(seed)
    processes: list[BaseProcess] = [context.Process(target=work, args=(todo, done)) for _ in range(workers)]
    for process in processes:
        process.start()
    try:
        finished = 0
        while finished < workers:
            said = done.get(timeout=SILENCE)
            finished += said is None
            if said is not None:
                yield Verdict(**said)
    except queue.Empty:
        return
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _told(verdicts: Iterable[Verdict], count: int, say: Say, begun: float) -> Iterator[Verdict]:
    """Say now and then how far it is."""
    told = begun
    for number, verdict in enumerate(verdicts, 1):
        yield verdict
        if time.monotonic() - told > TELLS_EVERY:
            told = time.monotonic()
            say(f"  ... {number} of {count} runs, {told - begun:.0f} s")


def _bounds(verdicts: list[Verdict], seconds: float) -> Iterator[str]:
    figures = hub_figures()
    yield (
        f"Late: later than {PROMPT:.0f} s, and after a fault later than the longest delay between two tries"
        f" ({figures['LONGEST_DELAY']:.0f} s; {figures['SHORTEST_BLOCK']:.0f} s where the server blocked) and those."
    )
    most = max((each.most_requests for each in verdicts), default=0)
    yield f"Requests in any minute: {most} at the most; the bound is {MOST_REQUESTS}."
    slowest, repeats = max((each.lag for each in verdicts), default=0), sum(each.repeats for each in verdicts)
    yield (
        f"This took {seconds:.0f} s. The machine itself held a run up for {slowest:.1f} s at the most;"
        f" {MOST_LAG:.0f} s are allowed for, and {repeats} runs were held up longer and played once more."
    )
