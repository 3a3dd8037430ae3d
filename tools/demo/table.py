"""The entities of the link as a table: printed as they arrive, and each change after that."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, Self

from tools.home_assistant import HomeAssistantSocket, LiveStates, State
from tools.linking import DOMAIN

from .voice import say

HEADER: Final = ("Entity", "Name", "State")
# Entities of a link come within a moment of each other; they are shown together.
QUIET: Final = 0.2

type Row = tuple[str, str, str]


def row(state: State) -> Row:
    """Return an entity as a row."""
    unit = state.attributes.get("unit_of_measurement")
    return state.entity_id, state.name, f"{state.state} {unit}" if unit else state.state


def widths(rows: Iterable[Row]) -> tuple[int, int]:
    """Return how wide the first two columns have to be."""
    entities, names, _ = zip(HEADER, *rows, strict=True)
    return max(map(len, entities)), max(map(len, names))


def lines(rows: Sequence[Row], *, with_header: bool = True) -> list[str]:
    """Return a table, line by line."""
    wide, less_wide = widths(rows)
    shown = [HEADER, ("-" * wide, "-" * less_wide, "-----"), *rows] if with_header else rows
    return [f"{entity:{wide}}  {name:{less_wide}}  {state}" for entity, name, state in shown]


class EntityTable:
    """Prints the entities of the link as they come, and their changes."""

    def __init__(self, socket: HomeAssistantSocket, states: LiveStates, *, tell_changes: bool = True) -> None:
        """Show what is announced on a connection."""
        self.shown: set[str] = set()
        self._socket = socket
        self._states = states
        self._tell_changes = tell_changes
        self._news = asyncio.Event()
        self._printed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start printing."""
        self._states.listen(self._hear)
        self._news.set()
        self._task = asyncio.create_task(self._run(), name="entity table")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop printing."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def wait_for_rows(self, seconds: float) -> bool:
        """Wait until something is printed; return whether it was in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._printed.wait()
        except TimeoutError:
            return False
        return True

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            await asyncio.sleep(QUIET)
            self._news.clear()
            await self._print_new()

    async def _print_new(self) -> None:
        ids = {entity["entity_id"] for entity in await self._socket.entities(DOMAIN)}
        new = [row(self._states.states[each]) for each in sorted(ids - self.shown) if each in self._states.states]
        if not new:
            return
        say()
        for line in lines(new):
            say(line)
        say()
        self.shown.update(entity_id for entity_id, _, _ in new)
        self._printed.set()

    def _hear(self, before: State | None, after: State | None) -> None:
        if after and after.entity_id not in self.shown:
            self._news.set()
        elif before and after and before.state != after.state and self._tell_changes:
            was, now = row(before)[2], row(after)[2]
            say(f"{_time()}  {after.entity_id}: {was} -> {now}")
        elif before and not after and before.entity_id in self.shown:
            self.shown.discard(before.entity_id)
            say(f"{_time()}  {before.entity_id} is gone")


def _time() -> str:
    """Return the time on the person's own clock."""
    return f"{datetime.now(UTC).astimezone():%H:%M:%S}"
