"""One factor for every clock, so that an hour of a link's life passes in two minutes."""

from datetime import timedelta
from functools import cache
import importlib
import pkgutil
from types import ModuleType
from typing import Any, Final

from tools.errors import ToolError

# How many times faster the hub's and the server's clocks run. A figure in seconds below, and in what is printed, is
# what it would be at the speed of life.
FACTOR: Final = 30.0

PACKAGE: Final = "custom_components.works_with_nest"
# The hub's figures that are times, wherever a module holds them under this name.
HUB_TIMES: Final = (
    "LIVE_FOR",
    "POLL_BEHIND_STREAM",
    "POLL_WITHOUT_STREAM",
    "REQUEST_TIMEOUT",
    "STREAM_SILENCE",
    "FIRST_DELAY",
    "LONGEST_DELAY",
    "PROVEN_AFTER",
    "SHORTEST_BLOCK",
    "LONGEST_BLOCK",
    "CONTACT_WRITTEN_WITHIN",
    "CONFIRMED_AFTER",
    "LOOK_EVERY",
)


def scaled(seconds: float) -> float:
    """Return how long something takes here that takes these seconds in life."""
    return seconds / FACTOR


def in_life(seconds: float) -> float:
    """Return how long something would take in life that took these seconds here."""
    return seconds * FACTOR


@cache
def hub_figures() -> dict[str, float]:
    """Return the hub's times in seconds as they are written, before any was shortened."""
    found: dict[str, float] = {}
    for module in _modules():
        for name in HUB_TIMES:
            if hasattr(module, name):
                found.setdefault(name, _seconds(getattr(module, name)))
    if missing := set(HUB_TIMES) - set(found):
        msg = f"The integration no longer has these times: {', '.join(sorted(missing))}."
        raise ToolError(msg)
    return found


def shorten_the_hub() -> None:
    """Let the integration's clocks run faster by the factor, in this process; a second call changes nothing."""
    figures = hub_figures()
    for module in _modules():
        for name, seconds in figures.items():
            if hasattr(module, name):
                is_span = isinstance(getattr(module, name), timedelta)
                setattr(module, name, timedelta(seconds=scaled(seconds)) if is_span else scaled(seconds))


def _seconds(value: Any) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


def _modules() -> list[ModuleType]:
    package = importlib.import_module(PACKAGE)
    names = [each.name for each in pkgutil.walk_packages(package.__path__, f"{PACKAGE}.")]
    return [package, *map(importlib.import_module, names)]
