"""How long the integration takes to import, each time in a new Python."""

import os
import pkgutil
import subprocess
import sys
from typing import Final

import custom_components.works_with_nest as integration
from tools.paths import CHECKOUT

from .timing import Pair

TIMED: Final = """
import importlib, sys, time
before, names = (each.split() for each in sys.stdin.read().split("|"))
for name in before: importlib.import_module(name)
begun = time.perf_counter()
for name in names: importlib.import_module(name)
print(time.perf_counter() - begun)
"""
LISTED: Final = """
import importlib, sys
for name in sys.stdin.read().split(): importlib.import_module(name)
print(*(name for name in sys.modules if name.startswith("homeassistant")))
"""


def import_times(rounds: int) -> Pair:
    """Return the seconds for every module of ours, with all of Home Assistant that they use there, and for aiohttp."""
    ours = _modules()
    home_assistant = _python(LISTED, " ".join(ours))
    pair = Pair()
    for turn in range(rounds + 1):
        took = float(_python(TIMED, f"{home_assistant}|{' '.join(ours)}"))
        baseline = float(_python(TIMED, "|aiohttp"))
        # The first time may have to compile.
        if turn:
            pair.add(took, baseline)
    return pair


def _modules() -> list[str]:
    found = pkgutil.walk_packages(integration.__path__, f"{integration.__name__}.")
    return [integration.__name__, *(each.name for each in found)]


def _python(code: str, said: str) -> str:
    command = (sys.executable, "-P", "-c", code)
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(command, input=said, env=environment, capture_output=True, check=True, text=True)  # noqa: S603
    return done.stdout
