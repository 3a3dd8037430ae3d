"""Making a change on one side, and measuring when each side shows it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from tools.errors import ToolError
from tools.home_assistant import LiveStates, State, States
from tools.nest_home import Document, NestPerson

WITHIN: Final = 10.0
LOOK_AGAIN: Final = 0.002

type Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change to make; then what the Nest home's document and Home Assistant's entities have to show.

    A field of an entity is an attribute, or its state by the name of "state". Where devices of their own stand behind
    the home, ``device_fields`` reads what has to be so there.
    """

    name: str
    action: str
    make: Callable[[], Awaitable[None]]
    nest_fields: Callable[[Document], Fields]
    nest_wanted: Fields
    entities_wanted: Mapping[str, Fields]
    device_fields: Callable[[], Fields] = dict
    device_wanted: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one side showed, and how long after the change was asked for; None where it did not in time."""

    values: Mapping[str, object]
    milliseconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A change that was made, and what became of it."""

    name: str
    action: str
    nest_home: Shown
    home_assistant: Shown
    device: Shown | None = None

    @property
    def arrived(self) -> bool:
        """Whether every side showed it in time."""
        sides = (self.nest_home, self.home_assistant, *([self.device] if self.device else []))
        return all(side.milliseconds is not None for side in sides)

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        told = {**asdict(self), "arrived": self.arrived}
        return told if self.device else {name: value for name, value in told.items() if name != "device"}


async def measure(change: Change, person: NestPerson, states: LiveStates) -> Step:
    """Make a change and watch every side: the Nest home and devices by asking, Home Assistant by what it announces."""
    if _has_all(states.states, change.entities_wanted):
        msg = f"Home Assistant showed this before it was done, so there is nothing to measure: {change.action}"
        raise ToolError(msg)
    asked = asyncio.get_running_loop().time()
    device, nest, home_assistant = await _watched(change, person, states)
    return Step(
        name=change.name,
        action=change.action,
        nest_home=Shown(values=change.nest_fields(await person.document()), milliseconds=_milliseconds(nest, asked)),
        home_assistant=Shown(
            values={each: _fields(states.states.get(each), wanted) for each, wanted in change.entities_wanted.items()},
            milliseconds=_milliseconds(home_assistant, asked),
        ),
        device=Shown(values=change.device_fields(), milliseconds=_milliseconds(device, asked))
        if change.device_wanted
        else None,
    )


async def _watched(change: Change, person: NestPerson, states: LiveStates) -> tuple[float | None, ...]:
    """Make a change and return when devices, the Nest home and Home Assistant showed it, by the loop's time."""
    try:
        async with asyncio.TaskGroup() as group:
            home_assistant = group.create_task(
                states.wait_until(lambda now: _has_all(now, change.entities_wanted), WITHIN), eager_start=True
            )
            group.create_task(_made(change), eager_start=True)
            nest = group.create_task(_nest_shows(change, person))
            device = group.create_task(_device_shows(change))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return device.result(), nest.result(), home_assistant.result()


async def _made(change: Change) -> None:
    await change.make()


async def _nest_shows(change: Change, person: NestPerson) -> float | None:
    """Return the loop's time at which the Nest home showed a change, None if it did not in time."""

    async def look() -> bool:
        return change.nest_fields(await person.document()) == change.nest_wanted

    return await _moment_of(look)


async def _device_shows(change: Change) -> float | None:
    """Return the loop's time at which the devices showed a change, None if they did not in time."""

    async def look() -> bool:
        return change.device_fields() == change.device_wanted

    return await _moment_of(look)


async def _moment_of(look: Callable[[], Awaitable[bool]]) -> float | None:
    loop = asyncio.get_running_loop()
    ends = loop.time() + WITHIN
    while not await look():
        if loop.time() > ends:
            return None
        await asyncio.sleep(LOOK_AGAIN)
    return loop.time()


def _has_all(states: States, wanted: Mapping[str, Fields]) -> bool:
    return all(_fields(states.get(entity_id), fields) == fields for entity_id, fields in wanted.items())


def _fields(state: State | None, wanted: Fields) -> Fields:
    if state is None:
        return dict.fromkeys(wanted)
    return {name: state.state if name == "state" else state.attributes.get(name) for name in wanted}


def _milliseconds(moment: float | None, asked: float) -> float | None:
    return None if moment is None else round((moment - asked) * 1000, 1)
