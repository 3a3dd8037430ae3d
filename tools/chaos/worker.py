"""One process of the campaign: a stage, and one run after another as seeds come in."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
import logging
from multiprocessing.queues import Queue
import os
from pathlib import Path
import signal
import tempfile
from typing import Any

from .run import Stage
from .tale import tale
from .verdict import Verdict, is_held_up, judge

type Verdicts = Queue[dict[str, Any] | None]


def work(seeds: Queue[int | None], verdicts: Verdicts) -> None:
    """Play the runs of the seeds that come in, until none does; the last thing said is that it is the last."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What the runs log is looked through, not shown; and lines for nobody cost time.
    logging.raiseExceptions = False
    asyncio.run(_work(seeds, verdicts))
    verdicts.put(None)
    verdicts.close()
    verdicts.join_thread()
    # What crashed on purpose is kept until here, and must not be cleaned up even now.
    os._exit(0)


async def _work(seeds: Queue[int | None], verdicts: Verdicts) -> None:
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        async with Stage.set_up(Path(folder)) as stage:
            while (seed := await asyncio.to_thread(seeds.get)) is not None:
                verdicts.put(asdict(await verdict_of(stage, seed)))


async def verdict_of(stage: Stage, seed: int, tell: Callable[[str], object] | None = None) -> Verdict:
    """Play the run of one seed and judge it; what it did is told where somebody wants to know.

    One that the machine held up for long says nothing, and is played once more; then it counts, whatever it was.
    """
    stage.secrets.clear()
    run = await stage.run(seed)
    if is_repeated := is_held_up(run):
        stage.secrets.clear()
        run = await stage.run(seed)
    verdict = judge(run, stage.nest.truth, stage.wall, [at for at, _ in stage.proxy.asked], stage.proxy.ear)
    verdict.repeats = int(is_repeated)
    verdict.leaks.extend(f"a secret in a line of {each}" for each in stage.secrets.found)
    if stage.secrets.holds(stage.nest.said()):
        verdict.leaks.append("a secret in the server's log")
    verdict.wrong.extend(stage.secrets.unexpected)
    if tell:
        for line in tale(stage, run):
            tell(line)
    return verdict
