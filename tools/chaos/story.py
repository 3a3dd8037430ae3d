"""What happens in the home meanwhile: for each alarm a story, drawn from the seed, and people who come and go."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
import random
from typing import Any, Final


class Phase(IntEnum):
    """When a step is taken, seen from the fault."""

    BEFORE = 0
    DURING = 1
    AFTER = 2


PHASES: Final = tuple(Phase)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens. at: from 0 to 1 of its phase. alarm: which one, None for the people."""

    phase: Phase
    at: float
    alarm: int | None
    change: tuple[tuple[str, Any], ...]


type Line = tuple[Phase, Mapping[str, Any]]
type Story = Callable[[random.Random], list[Line]]

SMOKE: Final = "smoke"
CO: Final = "carbon_monoxide"
TEST: Final = "is_manual_test_active"


def a_plain_alarm(chance: random.Random) -> list[Line]:
    """Let it warn, sound, and be over: at any time."""
    kind = chance.choice((SMOKE, CO))
    times = sorted(chance.choices(PHASES, k=3))
    return [(time, {kind: level}) for time, level in zip(times, ("warning", "emergency", "ok"), strict=True)]


def an_emergency_at_once(chance: random.Random) -> list[Line]:
    """Let it sound without a warning, while something is wrong with the link, and sometimes go on until the end."""
    kind = chance.choice((SMOKE, CO))
    lines: list[Line] = [(Phase.DURING, {kind: "emergency"})]
    return [*lines, (Phase.AFTER, {kind: "ok"})] if chance.random() < 0.7 else lines  # noqa: PLR2004


def a_short_alarm(chance: random.Random) -> list[Line]:
    """Let it sound for a moment and be over before anybody is back."""
    kind = chance.choice((SMOKE, CO))
    return [(Phase.DURING, {kind: "emergency"}), (Phase.DURING, {kind: "ok"})]


def an_emergency_that_falls_silent(_chance: random.Random) -> list[Line]:
    """Let it sound and go offline, the link go down, and the smoke too: cleared once, at the last step."""
    return [
        (Phase.BEFORE, {SMOKE: "emergency"}),
        (Phase.BEFORE, {"is_online": False}),
        (Phase.DURING, {SMOKE: "ok"}),
        (Phase.DURING, {"is_online": True}),
    ]


def a_silence_that_outlasts_the_fault(_chance: random.Random) -> list[Line]:
    """Let it sound and go offline, and the link come back to an alarm that still says nothing; then it is over."""
    return [
        (Phase.BEFORE, {SMOKE: "emergency"}),
        (Phase.DURING, {"is_online": False}),
        (Phase.AFTER, {SMOKE: "ok"}),
        (Phase.AFTER, {"is_online": True}),
    ]


def both_at_once(chance: random.Random) -> list[Line]:
    """Let smoke and carbon monoxide of one alarm go each its way."""
    return sorted([*a_plain_alarm(chance), *a_plain_alarm(chance)], key=lambda line: line[0])


def an_empty_battery(chance: random.Random) -> list[Line]:
    """Let something else change that is no alarm."""
    return [(chance.choice(PHASES), {"battery": "replace"})]


def a_test(chance: random.Random) -> list[Line]:
    """Let it be tested: a warning meanwhile shows and is no news, unless it stands when the test is over."""
    phase = chance.choice(PHASES)
    level, is_over_first = chance.choice(("warning", "emergency")), chance.random() < 0.5  # noqa: PLR2004
    over: Line = (phase, {TEST: False})
    end: Line = (phase, {SMOKE: "ok"})
    return [(phase, {TEST: True}), (phase, {SMOKE: level}), *((over, end) if is_over_first else (end, over))]


def nothing(_chance: random.Random) -> list[Line]:
    """Let it be quiet."""
    return []


STORIES: Final[tuple[Story, ...]] = (
    a_plain_alarm,
    an_emergency_at_once,
    a_short_alarm,
    an_emergency_that_falls_silent,
    a_silence_that_outlasts_the_fault,
    both_at_once,
    a_test,
    an_empty_battery,
    nothing,
)


def people(chance: random.Random) -> list[Line]:
    """Let them leave, and come home."""
    words = ("away", "home", "away")[: chance.randrange(4)]
    times = sorted(chance.choices(PHASES, k=len(words)))
    return [(time, {"away": word}) for time, word in zip(times, words, strict=True)]


def plot(chance: random.Random, alarms: int) -> list[Step]:
    """Return all that happens in one run, in order. One alarm at least has something to tell."""
    stories = [chance.choice(STORIES[:5]), *chance.choices(STORIES, k=alarms - 1)]
    chance.shuffle(stories)
    steps = [step for number, story in enumerate(stories) for step in _timed(story(chance), number, chance)]
    return sorted([*steps, *_timed(people(chance), None, chance)], key=lambda step: (step.phase, step.at))


def _timed(lines: list[Line], alarm: int | None, chance: random.Random) -> list[Step]:
    """Return the steps of a story at times of their phase that keep its order."""
    times = sorted(chance.random() for _ in lines)
    return [Step(phase, at, alarm, tuple(change.items())) for (phase, change), at in zip(lines, times, strict=True)]
