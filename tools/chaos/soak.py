"""A link at the speed of life, to a home in which everything changes each second: memory, warnings, and how fast."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
import json
import logging
from pathlib import Path
import re
import tempfile
import time
from typing import Any, Final, override

from homeassistant.core import Event, EventStateChangedData, callback

from custom_components.works_with_nest.transitions import Transition

from .busy_service import HOME, TOKEN, BusyService
from .collector import FullCollections
from .hub import Hub, Left, prepare
from .linked import link
from .log import OURS, Secrets
from .memory import growth_mb, held_mb
from .nest import Granted
from .report import percentile

SAMPLES: Final = 60
A_MINUTE: Final = 60.0
MOST_GROWTH: Final = 8.0
COMES_UP_WITHIN: Final = 30.0
SECRET: Final = "busy-secret"  # noqa: S105 - of a service that lives as long as this process

# From how many seconds on Home Assistant warns of a state that takes its time, and how it says so.
SLOW_FROM: Final = 0.4
_SLOW: Final = re.compile(r"^Updating state for .* took (\d+\.\d+) seconds")

type Say = Callable[[str], object]


class BusyHub(Hub):
    """A Home Assistant whose changes are counted, not kept. delays: from sending to the last state of a document."""

    def __init__(self, folder: Path, service: BusyService) -> None:
        """Follow a service."""
        super().__init__(folder)
        self.states = 0
        self.transitions = 0
        self.delays: deque[float] = deque(maxlen=100_000)
        self._service = service
        self._number = 0
        self._last = 0.0

    @callback
    @override
    def _take(self, event: Event[EventStateChangedData]) -> None:
        self.states += 1
        for number, sent in self._service.sent.items():
            if number != self._number and self._last > 0:
                self.delays.append(self._last)
            self._number, self._last = number, time.monotonic() - sent

    @callback
    @override
    def _hear(self, _entry_id: str, _transition: Transition) -> None:
        self.transitions += 1


class Warnings(logging.Handler):
    """Counts what is logged as a warning or worse.

    collected: of those, the ones that say that a state took too long and that would not be there without a collection
    that fell into it. Home Assistant itself makes what is collected, a circle of event and context with each state that
    is written, and holds most of what has to be looked through.
    """

    def __init__(self, collections: FullCollections) -> None:
        """Start with none."""
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self.collected: list[str] = []
        self._collections = collections

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Note one. That a custom integration is in use is what Home Assistant says to everybody who has one."""
        message = record.getMessage()
        if "not been tested by Home Assistant" in message:
            return
        took = _SLOW.search(message)
        is_collected = took and float(took[1]) - self._collections.spent_within(float(took[1])) <= SLOW_FROM
        (self.collected if is_collected else self.lines).append(f"{record.levelname} {record.name}: {message}")


@dataclass(slots=True)
class Soaked:
    """What came of it."""

    minutes: float = 0.0
    devices: int = 0
    documents: int = 0
    states: int = 0
    transitions: int = 0
    entities: int = 0
    gaps: int = 0
    cpu_percent: float = 0.0
    delays: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    collected: list[str] = field(default_factory=list)
    collections: FullCollections = field(default_factory=FullCollections)
    secrets: int = 0
    left: Left = field(default_factory=Left)

    @property
    def is_fine(self) -> bool:
        """Whether nothing grew, nobody was warned, and the link was never down."""
        is_quiet = not (self.warnings or self.secrets or self.gaps)
        return is_quiet and self.left.is_clean and growth_mb(self.megabytes) < MOST_GROWTH

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "minutes": round(self.minutes, 1),
            "devices": self.devices,
            "documents": self.documents,
            "states": self.states,
            "transitions": self.transitions,
            "entities": self.entities,
            "gaps": self.gaps,
            "cpu_percent": round(self.cpu_percent, 1),
            "delay_p50_ms": _ms(percentile(self.delays, 50)),
            "delay_p99_ms": _ms(percentile(self.delays, 99)),
            "megabytes": [round(each, 1) for each in self.megabytes],
            "growth": round(growth_mb(self.megabytes), 1),
            "warnings": len(self.warnings),
            "warnings_while_collecting": len(self.collected),
            "full_collections": len(self.collections),
            "longest_full_collection_ms": _ms(self.collections.longest),
            "leaks": self.secrets + (not self.left.is_clean),
        }


def soak(minutes: float, devices: int, say: Say, file: Path | None = None) -> int:
    """Soak for so long, print the figures, and return the exit code."""
    soaked = asyncio.run(_soak(minutes, devices, say))
    figures = soaked.as_dict()
    say(f"{figures['minutes']} minutes, {devices} devices, {soaked.entities} entities.")
    say(f"{soaked.documents} documents, {soaked.states} states written, {soaked.transitions} transitions told.")
    say(f"From sending to the last state: p50 {figures['delay_p50_ms']} ms, p99 {figures['delay_p99_ms']} ms.")
    say(f"Memory: {' '.join(f'{each:.0f}' for each in soaked.megabytes[::6])} MB, {figures['growth']:+} MB.")
    say(f"Processor: {figures['cpu_percent']} % of one, the service and this measuring included.")
    longest = figures["longest_full_collection_ms"]
    say(f"Python looked through all it holds {len(soaked.collections)} times, for at most {longest} ms.")
    say(f"Warnings: {len(soaked.warnings)}. Gaps: {soaked.gaps}. Left behind: {figures['leaks']}.")
    for line in soaked.warnings[:20]:
        say(f"  {line}")
    say(f"Warnings of a state that took long only because Python looked through all it holds: {len(soaked.collected)}.")
    for line in soaked.collected[:20]:
        say(f"  {line}")
    if file:
        file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if soaked.is_fine else 1


async def _soak(minutes: float, devices: int, say: Say) -> Soaked:
    soaked = Soaked(devices=devices)
    warnings, secrets = Warnings(soaked.collections), Secrets((TOKEN, SECRET))
    soaked.warnings, soaked.collected = warnings.lines, warnings.collected
    logging.getLogger().addHandler(warnings)
    logging.getLogger(OURS).setLevel(logging.DEBUG)
    logging.getLogger(OURS).addHandler(secrets)
    try:
        with soaked.collections.watched(), tempfile.TemporaryDirectory(prefix="soak-") as folder:
            prepare(Path(folder) / "hub")
            async with BusyService(devices) as service:
                hub = BusyHub(Path(folder) / "hub", service)
                await hub.start()
                await link(hub, service.base, [HOME], Granted("busy", SECRET, TOKEN))
                await _watch(hub, service, soaked, minutes, say)
                soaked.left = await hub.stop()
    finally:
        logging.getLogger().removeHandler(warnings)
        logging.getLogger(OURS).removeHandler(secrets)
    soaked.secrets = len(secrets.found)
    return soaked


async def _watch(hub: BusyHub, service: BusyService, soaked: Soaked, minutes: float, say: Say) -> None:
    """Take samples until the time is over."""
    if not await hub.listens_within(COMES_UP_WITHIN):
        soaked.warnings.append("the link never came up")
    begun, worked, first = time.monotonic(), time.process_time(), service.number
    gaps = len(hub.link.gaps) if hub.link else 0
    for number in range(1, SAMPLES + 1):
        await asyncio.sleep(begun + minutes * A_MINUTE * number / SAMPLES - time.monotonic())
        soaked.megabytes.append(held_mb(is_quick=True))
        if number % (SAMPLES // 10) == 0:
            say(f"  ... {(time.monotonic() - begun) / A_MINUTE:.1f} minutes, {soaked.megabytes[-1]:.0f} MB")
    lasted = time.monotonic() - begun
    soaked.minutes, soaked.cpu_percent = lasted / A_MINUTE, 100 * (time.process_time() - worked) / lasted
    soaked.documents = service.number - first
    soaked.states, soaked.transitions, soaked.entities = hub.states, hub.transitions, hub.entities
    soaked.delays = sorted(hub.delays)
    soaked.gaps = len(hub.link.gaps) - gaps if hub.link else 1


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
