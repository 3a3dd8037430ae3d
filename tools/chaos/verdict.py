"""Whether a run was as it has to be: nothing lost, nothing wrong, nothing late, nothing left behind."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from custom_components.works_with_nest.transitions import Transition

from .clocks import hub_figures, in_life, scaled
from .record import (
    BINARY_OF_KEY,
    CO_LEVEL,
    NOT_SAID,
    PRESENCE,
    SMOKE_LEVEL,
    YES_OR_NO,
    Change,
    Key,
    Shown,
    Span,
    Truth,
)
from .run import Run
from .wall import WallClock

# In seconds of life: what the truth may take where nothing is wrong.
PROMPT: Final = 5.0
# Requests in any minute of life, streams and polls together. A new try comes 1, 2, 4 ... 30 s after the last at the
# most, and at a random moment before that; each loss brings a poll at once, and each minute without a stream one more.
# One that is sent on from address to address counts once.
MOST_REQUESTS: Final = 40
A_MINUTE: Final = 60.0
# The stream, and one connection kept from the last poll.
MOST_CONNECTIONS: Final = 2
# Seconds here, not of life: what is told is written at once, and a disk takes its time.
STORED_WITHIN: Final = 1.0

type Told = list[tuple[float, Transition]]

KIND_OF_KEY: Final = {SMOKE_LEVEL: "smoke", CO_LEVEL: "carbon_monoxide", PRESENCE: "presence"}
HOME_OR_AWAY: Final = {"home": "on", "away": "off"}


@dataclass(frozen=True, slots=True)
class Said:
    """Something that was shown or told, at a moment."""

    value: str
    at: float


@dataclass(slots=True)
class Verdict:
    """What is to be said about one run, in sentences. recovery and slowest: seconds of life."""

    seed: int
    fault: str
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    recovery: float | None = None
    lag: float = 0.0
    most_requests: int = 0

    @property
    def is_fine(self) -> bool:
        """Whether nothing was lost, wrong, or left behind."""
        return not (self.lost or self.wrong or self.leaks)


def judge(run: Run, truth: Truth, wall: WallClock, asked: Sequence[float]) -> Verdict:
    """Return what is to be said about a run."""
    verdict = Verdict(run.seed, run.fault.name, recovery=run.recovery, lag=in_life(run.lag))
    waited = scaled(run.fault.delay)
    spans = (span for start, end in run.hub.gaps for span in wall.spans(start, end))
    gaps = [Span(span.begun - waited, span.done) for span in spans]
    for key in truth.heard.things():
        _judge_thing(verdict, run, key, truth, gaps)
    _judge_times(verdict, run)
    _judge_end(verdict, run)
    _judge_requests(verdict, asked, run.fault.hops)
    return verdict


def _judge_thing(verdict: Verdict, run: Run, key: Key, truth: Truth, gaps: Sequence[Span]) -> None:
    """Say whether what became of one thing was shown and told."""
    heard, name = truth.heard.of(key), f"{key[1]} of {key[0][:6]}"
    # What the watchdog allows, and what the fault and this machine added to it.
    allowed = scaled(hub_figures()["LIVE_FOR"] + PROMPT + run.fault.delay) + run.lag
    for what, entity, words in _entities_of(key):
        shown = run.hub.shown.of((key[0], entity))
        changes = _in_words(heard, words)
        _explain(verdict, f"{what}: {name}", changes, _said(shown), gaps)
        for sentence in lies(_in_words(truth.fit.of(key), words), shown, allowed):
            verdict.wrong.append(f"{what}: {name}: {sentence}")
    candidates = [_judge_told(run.seed, name, truth.news.of(key)[1:], told, gaps, key) for told in _tellings(run, key)]
    best = min(candidates, key=lambda each: len(each.lost) + len(each.wrong))
    verdict.lost.extend(best.lost)
    verdict.wrong.extend(best.wrong)


def _tellings(run: Run, key: Key) -> Iterator[Told]:
    """Yield what was told of a thing, as it may be read.

    What was told just before a crash may not have been stored by then. It is told once more, rather than not at all,
    and may be passed over.
    """
    told = _told(run, key)
    yield told
    if run.crashed_at is None:
        return
    before = [at for at, _ in told if at <= run.crashed_at]
    unsure = [at for at in before if at > run.crashed_at - STORED_WITHIN - run.lag]
    for count in range(1, len(unsure) + 1):
        yield [*told[: len(before) - count], *told[len(before) :]]


def _judge_told(seed: int, name: str, news: Sequence[Change], told: Told, gaps: Sequence[Span], key: Key) -> Verdict:
    """Return what is to be said about what was told of a thing."""
    verdict = Verdict(seed, "")
    _explain(verdict, f"told: {name}", news, [Said(_word(key, each.after), at) for at, each in told], gaps)
    for (_, before), (_, after) in pairwise(told):
        if before.after != after.before:
            verdict.wrong.append(f"told: {name}: from {after.before} after it became {before.after}")
    return verdict


def _entities_of(key: Key) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Yield each entity that shows a thing, and its words for what the home says."""
    yield "shown", key[1], {}
    if key[1] in BINARY_OF_KEY:
        yield "shown as yes or no", BINARY_OF_KEY[key[1]], YES_OR_NO


def _told(run: Run, key: Key) -> Told:
    kind = KIND_OF_KEY[key[1]]
    return [(at, each) for at, each in run.hub.told if each.thing_id == key[0] and each.kind == kind]


def _word(key: Key, after: str) -> str:
    return HOME_OR_AWAY[after] if key[1] == PRESENCE else after


def _in_words(changes: Sequence[Change], words: Mapping[str, str]) -> list[Change]:
    """Return changes in other words, without those that are none in them."""
    found: list[Change] = []
    for change in changes:
        value = words.get(change.value, change.value)
        if not found or found[-1].value != value:
            found.append(Change(value, change.begun, change.done))
    return found


def _said(shown: Sequence[Shown]) -> list[Said]:
    """Return what an entity said, without its silences, and each value once however often it came back to it."""
    found: list[Said] = []
    for each in shown:
        if each.value is not None and each.value not in NOT_SAID and (not found or found[-1].value != each.value):
            found.append(Said(each.value, each.at))
    return found


def _explain(
    verdict: Verdict, what: str, changes: Sequence[Change], said: Sequence[Said], gaps: Sequence[Span]
) -> None:
    """Say what cannot be explained: a change that was not said outside of any gap, and a word that was no change."""
    lost, wrong = best_explanation(changes, said, lambda change: any(gap.touches(change) for gap in gaps))
    verdict.lost.extend(f"{what}: {change.value} was never said, and nobody said there was a gap" for change in lost)
    verdict.wrong.extend(f"{what}: {each.value} was said, and was not so, or not any more" for each in wrong)


def best_explanation(
    changes: Sequence[Change], said: Sequence[Said], may_be_missed: Callable[[Change], bool]
) -> tuple[list[Change], list[Said]]:
    """Return the fewest changes and words that are left over when words are laid beside changes, in order.

    A word stands for a change of the same value that had begun. A change without a word is left over unless it may be
    missed.
    """
    best: dict[tuple[int, int], tuple[int, int | None]] = {}
    for i in range(len(changes), -1, -1):
        for j in range(len(said), -1, -1):
            best[i, j] = min(_ways(best, changes, said, may_be_missed, (i, j)), default=(0, None))
    lost, wrong, i, j = [], [], 0, 0
    while (way := best[i, j][1]) is not None:
        if way == _MISSED and not may_be_missed(changes[i]):
            lost.append(changes[i])
        if way == _EXTRA:
            wrong.append(said[j])
        i, j = i + (way != _EXTRA), j + (way != _MISSED)
    return lost, wrong


_MATCHED: Final = 0
_MISSED: Final = 1
_EXTRA: Final = 2


def _ways(
    best: Mapping[tuple[int, int], tuple[int, int | None]],
    changes: Sequence[Change],
    said: Sequence[Said],
    may_be_missed: Callable[[Change], bool],
    at: tuple[int, int],
) -> Iterator[tuple[int, int]]:
    """Yield what each way on from here costs."""
    i, j = at
    if i < len(changes) and j < len(said) and changes[i].value == said[j].value and changes[i].begun <= said[j].at:
        yield best[i + 1, j + 1][0], _MATCHED
    if i < len(changes):
        yield best[i + 1, j][0] + (not may_be_missed(changes[i])), _MISSED
    if j < len(said):
        yield best[i, j + 1][0] + 1, _EXTRA


def lies(fit: Sequence[Change], shown: Sequence[Shown], allowed: float) -> Iterator[str]:
    """Yield each time that something was shown which had not been so for longer than is allowed."""
    ends = [each.at for each in shown[1:]] + [float("inf")]
    fit_ends = [change.begun for change in fit[1:]] + [float("inf")]
    for each, end in zip(shown, ends, strict=True):
        if each.value is None or each.value in NOT_SAID:
            continue
        for change, fit_end in zip(fit, fit_ends, strict=True):
            lasted = min(end, fit_end) - max(each.at, change.done)
            if change.value != each.value and allowed < lasted < float("inf"):
                yield f"{each.value} for {in_life(lasted):.0f} s while it was {change.value}"


def _judge_times(verdict: Verdict, run: Run) -> None:
    patience = run.fault.patience + verdict.lag
    if run.recovery is None:
        verdict.lost.append("the truth was not shown after the fault")
    elif run.recovery > patience:
        verdict.late.append(f"shown {run.recovery:.1f} s after the fault ended")
    slow = [delay for delay in run.calm_delays if delay > PROMPT + verdict.lag]
    verdict.late.extend(f"shown {delay:.1f} s after it happened, in the calm" for delay in slow)
    verdict.lost.extend(run.problems)


def _judge_end(verdict: Verdict, run: Run) -> None:
    """Say what was left behind, or given away."""
    verdict.leaks.extend(f"a stop left {left}" for left in run.left if not left.is_clean)
    if run.stolen:
        verdict.leaks.append(f"a foreign host got the token {run.stolen} times")
    if run.connections_after > MOST_CONNECTIONS:
        verdict.leaks.append(f"{run.connections_after} connections are open")
    if run.entities_after != run.entities_before:
        verdict.lost.append(f"{run.entities_before} entities became {run.entities_after}")


def _judge_requests(verdict: Verdict, asked: Sequence[float], hops: int) -> None:
    window = scaled(A_MINUTE)
    verdict.most_requests = max((sum(at <= each < at + window for each in asked) for at in asked), default=0) // hops
    if verdict.most_requests > MOST_REQUESTS:
        verdict.wrong.append(f"{verdict.most_requests} requests in a minute")
