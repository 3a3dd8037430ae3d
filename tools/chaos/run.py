"""One run: a home, a fault and a story, all drawn from one seed; and what came of it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
import random
import shutil
import time
from typing import Final, Literal

from .clocks import in_life, scaled, shorten_the_hub
from .faults import FAULTS, Fault
from .hub import LOOKS_EVERY, Hub, Left, prepare
from .linked import link
from .log import Secrets
from .nest import Granted, Nest
from .proxy import Proxy
from .record import Span, fits_home
from .story import Phase, Step, plot
from .wall import WallClock

# How long the calm before and after a fault lasts, in seconds of life.
CALM_SECONDS: Final = 10.0
# Nobody waits for longer than this for the truth to be shown, in seconds of life.
GIVES_UP_AFTER: Final = 300.0
# A device counts as gone when two documents a minute apart say so.
TIDIES_WITHIN: Final = 180.0
JUMPS: Final = (timedelta(hours=2), timedelta(hours=-2), timedelta(days=40), timedelta(seconds=-40))


@dataclass(slots=True)
class Run:
    """What was seen in one run. Times are of the monotonic clock."""

    seed: int
    fault: Fault
    steps: list[Step]
    hub: Hub
    begun: float = field(default_factory=time.monotonic)
    fault_span: Span = field(default_factory=lambda: Span(0, 0))
    # When somebody listened again, as the hub says; from then on each step is waited for.
    calm_from: float = 0.0
    linked: float = 0.0
    crashed_at: float | None = None
    recovery: float | None = None
    calm_delays: list[float] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    lag: float = 0.0
    stolen: int = 0
    entities_before: int = 0
    entities_after: int = 0
    connections_after: int = 0
    problems: list[str] = field(default_factory=list)


class Stage:
    """What one process keeps for all its runs: a server with a link, a proxy, and a folder where the link is stored."""

    def __init__(self, nest: Nest, proxy: Proxy, folder: Path, granted: Granted) -> None:
        """Use these."""
        self.nest = nest
        self.proxy = proxy
        self.secrets = Secrets((granted.access_token, granted.client_secret, nest.password))
        self.wall = WallClock()
        self._template = folder / "linked"
        self._folder = folder
        self._granted = granted
        self._linked = time.monotonic()

    @classmethod
    @asynccontextmanager
    async def set_up(cls, folder: Path) -> AsyncIterator[Stage]:
        """Start everything and link, once."""
        shorten_the_hub()
        async with Nest.running(folder) as nest:
            proxy = Proxy()
            await proxy.start(nest.port)
            try:
                stage = cls(nest, proxy, folder, await nest.link())
                stage.wall.install()
                with stage.secrets.watched():
                    await stage._link()
                    yield stage
            finally:
                await proxy.stop()

    async def _link(self) -> None:
        """Let a first Home Assistant store the link; each run begins with a copy of its folder."""
        await self.nest.reset()
        prepare(self._template)
        hub = Hub(self._template)
        await hub.start()
        await link(hub, self.proxy.base, self.nest.homes, self._granted)
        await hub.stop()

    async def run(self, seed: int) -> Run:
        """Play one run."""
        chance = random.Random(seed)  # noqa: S311 - no secret, and the same each time
        fault = FAULTS[seed % len(FAULTS)]
        run = Run(seed, fault, plot(chance, len(self.nest.alarms)), Hub(self.fresh_folder(seed)))
        run.linked = self._linked
        await self.nest.reset()
        self.wall.reset()
        self.proxy.forget()
        stolen = self.proxy.stolen
        async with _lag_measured(run):
            await run.hub.start()
            try:
                await _Play(self, run, chance).go()
            finally:
                run.left.append(await run.hub.stop())
        run.stolen = self.proxy.stolen - stolen
        shutil.rmtree(run.hub.folder)
        return run

    def fresh_folder(self, seed: int) -> Path:
        """Return a new copy of the folder in which the link is stored."""
        folder = self._folder / f"hub-{seed}"
        shutil.copytree(self._template, folder, symlinks=True)
        return folder


class _Play:
    """A run while it is played."""

    def __init__(self, stage: Stage, run: Run, chance: random.Random) -> None:
        self._stage = stage
        self._run = run
        self._chance = chance
        self._hub = run.hub
        self._recovered: asyncio.Task[float | None] | None = None

    async def go(self) -> None:
        """Play it: calm, fault, calm."""
        await self._shown("the start")
        await self._listening()
        self._run.entities_before = self._hub.entities
        await self._phase(Phase.BEFORE, scaled(CALM_SECONDS))
        await self._shown("the calm before")
        await self._fault()
        await self._recover()
        await self._phase(Phase.AFTER, scaled(CALM_SECONDS))
        await self._shown("the calm after")
        await self._tidied()
        self._run.entities_after = self._hub.entities
        self._run.connections_after = self._stage.proxy.open_connections

    async def _fault(self) -> None:
        fault, proxy = self._run.fault, self._stage.proxy
        lasts = scaled(self._chance.uniform(*fault.lasts))
        begun = time.monotonic()
        proxy.begin(fault, random.Random(self._chance.random()))  # noqa: S311 - no secret
        if fault.drill is None:
            await self._phase(Phase.DURING, lasts)
        else:
            await getattr(self, f"_{fault.drill.name.lower()}")(lasts)
        proxy.end()
        self._run.fault_span = Span(begun, time.monotonic())

    async def _recover(self) -> None:
        """Wait until the truth is shown, and note how long it took since the server could be reached."""
        if self._run.fault.ends_link and self._hub.asks_to_link_again:
            await self._hub.relink()
        self._run.recovery = await (self._recovered or self._recovery(self._run.fault_span.done))
        # A poll may have shown it; what comes next is prompt only once somebody listens again.
        await self._listening()
        self._run.calm_from = time.monotonic()

    async def _recovery(self, since: float) -> float | None:
        """Return how long the truth took to be shown since a moment, in seconds of life."""
        return in_life(time.monotonic() - since) if await self._shown("the fault") else None

    async def _phase(self, phase: Phase, lasts: float) -> None:
        """Take the steps of a phase, each at its time."""
        begun = time.monotonic()
        for step in self._run.steps:
            if step.phase is phase:
                await asyncio.sleep(begun + step.at * lasts - time.monotonic())
                await self._stage.nest.take(step)
                await self._in_calm(phase)
        await asyncio.sleep(begun + lasts - time.monotonic())

    async def _in_calm(self, phase: Phase) -> None:
        """While nothing is wrong, note how long a step took to be shown."""
        begun = time.monotonic()
        if phase is not Phase.DURING and await self._shown("a step in the calm"):
            self._run.calm_delays.append(in_life(time.monotonic() - begun))

    async def _shown(self, after: str) -> bool:
        """Wait until what is shown is the truth; return whether it came to that."""
        deadline = time.monotonic() + scaled(GIVES_UP_AFTER)
        while different := self._different():
            if time.monotonic() > deadline:
                self._run.problems.append(f"after {after} never shown: {'; '.join(different)}")
                return False
            await asyncio.sleep(LOOKS_EVERY)
        return True

    async def _tidied(self) -> None:
        """Wait until a device is gone that only ever stood in a damaged document."""
        deadline = time.monotonic() + scaled(TIDIES_WITHIN)
        while self._hub.entities > self._run.entities_before and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(LOOKS_EVERY)

    async def _listening(self) -> None:
        """Wait until the link is pushed to."""
        if not await self._hub.listens_within(scaled(GIVES_UP_AFTER)):
            self._run.problems.append("nobody listened again after the fault")

    def _different(self) -> list[str]:
        """Return what is shown that is not the truth, in words."""
        found = []
        for (wire_id, key), value in self._stage.nest.truth.now().items():
            last = self._hub.shown.last((wire_id, key))
            shown = last.value if last else None
            if shown != value:
                found.append(f"{key} of {wire_id[:6]} is {value}, shown {shown}")
        return [*found, *self._different_at_home()]

    def _different_at_home(self) -> Iterator[str]:
        """Yield what a home shows of all its alarms that is not so, in words."""
        for home, key in self._stage.nest.truth.homes.things():
            last, truth = self._hub.shown.last((home, key)), self._stage.nest.truth.homes.last((home, key))
            shown = last.value if last else None
            if truth is not None and not fits_home(shown or "", truth.value):
                yield f"{key} of the home is {truth.value}, shown {shown}"

    async def _no_name(self, lasts: float) -> None:
        self._hub.forget_names()
        await self._phase(Phase.DURING, lasts)
        self._hub.names.are_known = True

    async def _clock_jump(self, lasts: float) -> None:
        self._stage.wall.jump(self._chance.choice(JUMPS))
        await self._phase(Phase.DURING, lasts)

    async def _server_restart(self, lasts: float) -> None:
        await self._restart_server("stop", lasts)

    async def _server_kill(self, lasts: float) -> None:
        await self._restart_server("kill", lasts)

    async def _restart_server(self, how: Literal["stop", "kill"], lasts: float) -> None:
        await self._stage.nest.restart(how)
        self._recovered = asyncio.create_task(self._recovery(time.monotonic()))
        await self._phase(Phase.DURING, lasts)

    async def _hub_restart(self, lasts: float) -> None:
        self._run.left.append(await self._hub.stop())
        await self._phase(Phase.DURING, lasts)
        await self._hub.start()

    async def _hub_crash(self, lasts: float) -> None:
        self._run.crashed_at = time.monotonic()
        await self._hub.crash()
        await self._phase(Phase.DURING, lasts)
        await self._hub.start()

    async def _hub_reload(self, lasts: float) -> None:
        reload = asyncio.create_task(self._hub.reload())
        await self._phase(Phase.DURING, lasts)
        await reload


@asynccontextmanager
async def _lag_measured(run: Run) -> AsyncIterator[None]:
    """Note the longest time for which this process did not get to run."""

    async def tick() -> None:
        while True:
            begun = time.monotonic()
            await asyncio.sleep(LOOKS_EVERY)
            run.lag = max(run.lag, time.monotonic() - begun - LOOKS_EVERY)

    ticking = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticking.cancel()
