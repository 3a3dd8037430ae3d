"""All states, as Home Assistant announces them, with the moment each arrived here."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from .socket import HomeAssistantSocket


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """An entity's state."""

    entity_id: str
    state: str
    attributes: Mapping[str, Any]

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """Take it from the wire."""
        return cls(entity_id=state["entity_id"], state=state["state"], attributes=state["attributes"])

    @property
    def name(self) -> str:
        """What people call it."""
        return str(self.attributes.get("friendly_name", self.entity_id))


type States = Mapping[str, State]
type Listener = Callable[[State | None, State | None], None]


class LiveStates:
    """The states of all entities, kept up to date by Home Assistant's own announcements, never by asking again."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self.states: dict[str, State] = {}
        self._listeners: set[Listener] = set()
        self._removed: set[str] = set()

    async def follow(self, socket: HomeAssistantSocket) -> None:
        """Follow what is announced on a connection, from now on."""
        await socket.subscribe_to("state_changed", self._take)
        for state in map(State.from_dict, await socket.command("get_states")):
            # What was announced in the meantime is as new or newer.
            if state.entity_id not in self._removed:
                self.states.setdefault(state.entity_id, state)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call a listener with the old and the new state at each change; return what ends that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def wait_until(self, fits: Callable[[States], bool], seconds: float) -> float | None:
        """Return the loop's time at which the announcement arrived that made all fit; None if none came in time."""
        loop = asyncio.get_running_loop()
        if fits(self.states):
            return loop.time()
        moment: asyncio.Future[float] = loop.create_future()

        def look(_: State | None, __: State | None) -> None:
            if not moment.done() and fits(self.states):
                moment.set_result(loop.time())

        stop = self.listen(look)
        try:
            async with asyncio.timeout(seconds):
                return await moment
        except TimeoutError:
            return None
        finally:
            stop()

    def _take(self, change: Mapping[str, Any]) -> None:
        entity_id = change["entity_id"]
        before = self.states.pop(entity_id, None)
        after = State.from_dict(change["new_state"]) if change["new_state"] else None
        if after:
            self.states[entity_id] = after
            self._removed.discard(entity_id)
        else:
            self._removed.add(entity_id)
        for listener in tuple(self._listeners):
            listener(before, after)
