"""What the demo says while it works, so that nobody stares at nothing."""

import asyncio
from collections.abc import Callable, Coroutine
import os
import signal
import sys
import time
from typing import Any, Final

PATIENCE: Final = 2.0
WIDTH: Final = 100


def say(text: str = "") -> None:
    """Print a line at once. Where nobody reads any more, the demo ends in order, as if its terminal was closed."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        signal.raise_signal(signal.SIGHUP)


async def keep_saying[T](what: str, work: Coroutine[Any, Any, T], detail: Callable[[], str] = str) -> T:
    """Do something, and say every few seconds that it goes on, with a detail of how far it is."""
    started = time.monotonic()
    teller = asyncio.create_task(_tell(what, started, detail))
    try:
        return await work
    finally:
        teller.cancel()


async def _tell(what: str, started: float, detail: Callable[[], str]) -> None:
    while True:
        await asyncio.sleep(PATIENCE)
        told = detail()
        line = f"  ... still {what}, {time.monotonic() - started:.0f} s{f': {told}' if told else ''}"
        say(line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…")
