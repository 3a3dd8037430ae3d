"""Writes in order, and quick ones after another merged: each wakes a device, and limits are tight (protocol 6)."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

type Fields = Mapping[str, Any]
type Send = Callable[[str, Fields], Awaitable[bool]]
type Key = tuple[str, frozenset[str]]


@dataclass(slots=True)
class Waiting:
    """A write whose turn has not come. done: its outcome; False where whoever had to send it was cancelled."""

    fields: Fields
    done: asyncio.Future[bool]


class MergedWrites:
    """Sends the first change to some fields at once, and merges those that follow too soon into one, the newest.

    Everybody waits for the outcome of the write that carried theirs. Writes to one thing go one after another in the
    order they came, so that a mode is there before the temperature that was set after it.
    """

    def __init__(self, send: Send, pause: float) -> None:
        """Send with this function, which says whether there was anything to send.

        pause: seconds between two writes to the same fields of one thing.
        """
        self._send = send
        self._pause = pause
        self._waiting: dict[Key, Waiting] = {}
        self._sent_at: dict[Key, float] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def write(self, path: str, fields: Fields) -> None:
        """Write fields of one thing, now or with the next write to the same fields. Raises what sending raises."""
        key = (path, frozenset(fields))
        while (waiting := self._waiting.get(key)) is not None:
            waiting.fields = fields
            # Shielded: one who gives up must not end it for the others.
            if await asyncio.shield(waiting.done):
                return
        await self._carry(key, fields)

    async def _carry(self, key: Key, fields: Fields) -> None:
        """Wait for this write's turn, then send what it has become meanwhile."""
        self._close_others(key)
        waiting = self._waiting[key] = Waiting(fields, asyncio.get_running_loop().create_future())
        try:
            await self._send_in_turn(key, waiting)
        except Exception as err:
            waiting.done.set_exception(err)
            # Often nobody else waits, and then this is no news to anybody.
            waiting.done.exception()
            raise
        except BaseException:
            waiting.done.set_result(False)
            raise
        else:
            waiting.done.set_result(True)
        finally:
            self._forget(key, waiting)

    async def _send_in_turn(self, key: Key, waiting: Waiting) -> None:
        clock = asyncio.get_running_loop().time
        async with self._turns[key[0]]:
            await asyncio.sleep(self._sent_at.get(key, -self._pause) + self._pause - clock())
            # From here on a new change is a new write.
            self._forget(key, waiting)
            self._sent_at[key] = clock()
            if not await self._send(key[0], waiting.fields):
                del self._sent_at[key]

    def _close_others(self, key: Key) -> None:
        """Let nothing more join what waits for the same thing: it would overtake what is written now."""
        for other in [other for other in self._waiting if other[0] == key[0]]:
            del self._waiting[other]

    def _forget(self, key: Key, waiting: Waiting) -> None:
        if self._waiting.get(key) is waiting:
            del self._waiting[key]
