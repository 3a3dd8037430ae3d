"""Whether a run was as it has to be: nothing lost, nothing wrong, nothing late, nothing left behind."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Final

from custom_components.works_with_nest.transitions import Kind, Transition

from .clocks import hub_figures, in_life, scaled
from .ear import FOR_EVER, NEVER, Ear, lies_in
from .faults import Drill
from .record import (
    BINARY_OF_KEY,
    CO_LEVEL,
    FITS,
    MONITORING,
    NOT_SAID,
    PRESENCE,
    SMOKE_LEVEL,
    YES_OR_NO,
    Change,
    Key,
    Shown,
    Span,
    Truth,
    fits_home,
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
# What the machine may have held a run up for; one that it held up longer is played once more.
MOST_LAG: Final = 10.0
# Seconds here, not of life: what is told is written at once, and a disk takes its time.
STORED_WITHIN: Final = 1.0
# Faults in which Home Assistant lets go of the stream by itself, while the wire goes on for a moment.
GOES_IN_ORDER: Final = frozenset({Drill.HUB_RESTART, Drill.HUB_RELOAD})

type Told = list[tuple[float, Transition]]

KIND_OF_KEY: Final = {SMOKE_LEVEL: "smoke", CO_LEVEL: "carbon_monoxide", PRESENCE: "presence"}
HOME_OR_AWAY: Final = {"home": "on", "away": "off"}
FITS_ITSELF: Final[Mapping[str, frozenset[str]]] = {}


@dataclass(frozen=True, slots=True)
class Said:
    """Something that was shown or told, at a moment."""

    value: str
    at: float
    told: Transition | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the wire and the link said of when somebody listened, and what time may have been added to that.

    gaps: what the link said, each as the spans it can mean. excuses: when nobody could hear everything, as both say.
    sure: when somebody heard everything. calm: the same, less the fault; nothing is under way at its edges.
    silent: when nobody heard anything. tolerance: for what lies at an edge.
    """

    gaps: Sequence[Sequence[Span]]
    excuses: Sequence[Span]
    sure: Sequence[Span]
    calm: Sequence[Span]
    silent: Sequence[Span]
    tolerance: float
    spans_of: Callable[[Transition], Sequence[Span]]


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
    repeats: int = 0

    @property
    def is_fine(self) -> bool:
        """Whether nothing was lost, wrong, late, or left behind."""
        return not (self.lost or self.wrong or self.late or self.leaks)


def is_held_up(run: Run) -> bool:
    """Whether the machine held a run up for longer than is allowed for."""
    return run.lag > scaled(MOST_LAG)


def judge(run: Run, truth: Truth, wall: WallClock, asked: Sequence[float], ear: Ear) -> Verdict:
    """Return what is to be said about a run."""
    verdict = Verdict(run.seed, run.fault.name, recovery=run.recovery, lag=in_life(run.lag))
    known = what_is_known(run, wall, ear)
    for key in truth.heard.things():
        _judge_thing(verdict, run, key, truth, known)
    _judge_homes(verdict, run, truth, ear)
    verdict.wrong.extend(too_wide(known.gaps, _sure_of_gaps(run, ear), known.tolerance + scaled(run.fault.delay)))
    _judge_times(verdict, run)
    _judge_end(verdict, run)
    _judge_requests(verdict, asked, run.fault.hops)
    return verdict


def _lag(run: Run) -> float:
    return min(run.lag, scaled(MOST_LAG))


def _allowed(run: Run) -> float:
    """Return what the watchdog allows, and what the fault and this machine added to it."""
    return scaled(hub_figures()["LIVE_FOR"] + PROMPT + run.fault.delay) + _lag(run)


def what_is_known(run: Run, wall: WallClock, ear: Ear) -> Known:
    """Return when somebody listened, as the wire and the link say."""
    waited = scaled(run.fault.delay)

    def spans(start: datetime, end: datetime) -> list[Span]:
        return [Span(span.begun - waited, span.done) for span in wall.spans(start, end)]

    sure = _until_it_went([Span(each.begun, each.until) for each in ear.heard], run, STORED_WITHIN + _lag(run))
    gaps = [spans(start, end) for start, end in run.hub.gaps]
    in_fault = [Span(run.fault_span.begun - waited, run.calm_from)]
    deaf = [Span(span.begun - waited, span.done) for span in ear.deaf()]
    return Known(
        gaps=gaps,
        excuses=both(both(deaf, in_fault), [span for each in gaps for span in each]),
        sure=sure,
        calm=both(sure, [Span(NEVER, run.fault_span.begun), Span(run.calm_from, FOR_EVER)]),
        silent=ear.silent(),
        tolerance=scaled(PROMPT) + _lag(run),
        spans_of=lambda told: spans(told.gap.start, told.gap.end) if told.gap else [],
    )


def both(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """Return what is in one of some spans and one of others."""
    spans = [Span(max(a.begun, b.begun), min(a.done, b.done)) for a in some for b in others]
    return [span for span in spans if span.begun <= span.done]


def _until_it_went(heard: Sequence[Span], run: Run, unsure: float) -> list[Span]:
    """Return spans, less what came for one that was going, and what a crash may have let be forgotten."""
    if run.crashed_at is not None:
        end = run.crashed_at - unsure
    elif run.fault.drill in GOES_IN_ORDER:
        end = run.fault_span.begun
    else:
        return list(heard)
    return [Span(each.begun, min(each.done, end)) if each.begun < run.fault_span.begun else each for each in heard]


def _sure_of_gaps(run: Run, ear: Ear) -> list[Span]:
    """Return when there was no gap: while events came, and before the link was made."""
    heard = [Span(each.begun, each.heard) for each in ear.heard]
    # When it was last heard of the hub writes down now and then; a crash forgets what came since.
    return [Span(NEVER, run.linked), *_until_it_went(heard, run, scaled(hub_figures()["CONTACT_WRITTEN_WITHIN"]))]


def too_wide(gaps: Sequence[Sequence[Span]], heard: Sequence[Span], allowed: float) -> Iterator[str]:
    """Yield each gap that was said of a time in which somebody listened. gaps: each as the spans it can mean."""
    for readings in gaps:
        least = min(max((span.done - span.begun for span in both([each], heard)), default=0.0) for each in readings)
        if least > allowed:
            yield f"a gap was said of {in_life(least):.0f} s in which somebody listened"


def _judge_homes(verdict: Verdict, run: Run, truth: Truth, ear: Ear) -> None:
    """Say whether the home showed what its alarms make it, and that alarms may not be heard."""
    for key in truth.homes.things():
        shown, fit, name = run.hub.shown.of(key), truth.homes.of(key), f"{key[1]} of the home"
        verdict.wrong.extend(f"shown: {name}: {sentence}" for sentence in lies(fit, shown, _allowed(run), FITS))
        said = [each.value for each in shown if each.value is not None]
        if not said or not fits_home(said[-1], fit[-1].value):
            verdict.lost.append(f"shown: {name}: {said[-1:]} in the end, while it was {fit[-1].value}")
        if key[1] == MONITORING:
            for span in ear.silences(_allowed(run)):
                silence = [Change("something wrong", span.begun, span.begun), Change("all well", span.done, span.done)]
                verdict.wrong.extend(f"shown: {name}: {each}" for each in lies(silence, shown, _allowed(run), FITS))


def _judge_thing(verdict: Verdict, run: Run, key: Key, truth: Truth, known: Known) -> None:
    """Say whether what became of one thing was shown and told."""
    heard, name = truth.heard.of(key), f"{key[1]} of {key[0][:6]}"
    for what, entity, words in _entities_of(key):
        shown = run.hub.shown.of((key[0], entity))
        changes = _in_words(heard, words)
        _explain(verdict, f"{what}: {name}", changes, _said(shown), known)
        for sentence in lies(_in_words(truth.fit.of(key), words), shown, _allowed(run)):
            verdict.wrong.append(f"{what}: {name}: {sentence}")
    news = truth.news.of(key)
    candidates = [_judge_told(run.seed, name, news, told, known, key) for told in _tellings(run, key)]
    if (rest := forgotten(run, key, news)) is not None:
        candidates.append(_judge_told(run.seed, name, *rest, known, key))
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
    unsure = [at for at in before if at > run.crashed_at - STORED_WITHIN - _lag(run)]
    if before and _was_stored(run, told[len(before) - 1][1]):
        return
    for count in range(1, len(unsure) + 1):
        yield [*told[: len(before) - count], *told[len(before) :]]


def forgotten(run: Run, key: Key, news: Sequence[Change]) -> tuple[Sequence[Change], Told] | None:
    """Return news and what was told, less what was told just before a crash and undone before the next start.

    Where it was not stored by then, nobody can know after it that there is something to undo.
    """
    told = _told(run, key)
    before = [each for each in told if run.crashed_at is not None and each[0] <= run.crashed_at]
    if run.crashed_at is None or not before or before[-1][0] <= run.crashed_at - STORED_WITHIN - _lag(run):
        return None
    at, last = before[-1]
    if _was_stored(run, last):
        return None
    same = [i for i, each in enumerate(news) if i and each.begun <= at and each.value == _word(key, last.after)]
    if not same or same[-1] + 1 >= len(news):
        return None
    undone = news[same[-1] + 1]
    is_undone = undone.value == news[same[-1] - 1].value and run.crashed_at <= undone.done <= run.fault_span.done
    rest = [*news[: same[-1]], *news[same[-1] + 2 :]]
    return (rest, [*told[: len(before) - 1], *told[len(before) :]]) if is_undone else None


def _was_stored(run: Run, last: Transition) -> bool:
    """Whether the last word that was told of a thing was on the disk when it crashed."""
    known = run.hub.stored
    if last.kind is Kind.PRESENCE:
        return bool(known["homes"].get(last.thing_id) == last.after)
    return bool(known["alarms"].get(last.thing_id, {}).get(last.kind) == last.after)


def _judge_told(seed: int, name: str, news: Sequence[Change], told: Told, known: Known, key: Key) -> Verdict:
    """Return what is to be said about what was told of a thing."""
    verdict = Verdict(seed, "")
    said = [Said(_word(key, each.after), at, each) for at, each in told]
    # What the first document of all brought is no news.
    _explain(verdict, f"told: {name}", news[1:], said, known, news[0].value)
    last = said[-1].value if said else news[0].value
    if last != news[-1].value:
        verdict.lost.append(f"told: {name}: {last} is the last that was told, and it was {news[-1].value}")
    if told and _word(key, told[0][1].before) != news[0].value:
        verdict.wrong.append(f"told: {name}: from {told[0][1].before} at first, and it was {news[0].value}")
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


def _word(key: Key, word: str | None) -> str:
    return HOME_OR_AWAY.get(word or "", "") if key[1] == PRESENCE else word or ""


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
    verdict: Verdict,
    what: str,
    changes: Sequence[Change],
    said: Sequence[Said],
    known: Known,
    before: str | None = None,
) -> None:
    """Say what cannot be explained: a change that was not said and has no excuse, and a word that was no change.

    before: what was so before the first of them.
    """
    excused = may_be_missed(changes, known.excuses, before)
    lost, wrong, flaws = best_explanation(
        changes, said, lambda change: change in excused, lambda change, each: flaws_of(change, each, known)
    )
    verdict.wrong.extend(f"{what}: {flaw}" for flaw in flaws)
    verdict.lost.extend(f"{what}: {change.value} was never said, though somebody could see it" for change in lost)
    verdict.wrong.extend(f"{what}: {each.value} was said, and was not so, or not any more" for each in wrong)


def may_be_missed(changes: Sequence[Change], excuses: Sequence[Span], before: str | None) -> set[Change]:
    """Return the changes that nobody could see: they were over, or undone, before somebody listened again."""
    found: set[Change] = set()
    for excuse in excuses:
        inside = [number for number, change in enumerate(changes) if excuse.touches(change)]
        if not inside:
            continue
        found.update(changes[number] for number in inside[:-1])
        first, last = inside[0], inside[-1]
        was = changes[first - 1].value if first else before
        is_over = last + 1 < len(changes) and changes[last + 1].begun <= excuse.done
        if is_over or changes[last].value == was:
            found.add(changes[last])
    return found


def flaws_of(change: Change, said: Said, known: Known) -> list[str]:
    """Return what is not so of what was told of a change: that it was seen as it happened, or when it was not."""
    if (told := said.told) is None:
        return []
    if not told.late:
        is_early = lies_in(change, known.silent, known.tolerance)
        return [f"{change.value} was told as if somebody had seen it happen, and nobody listened"] if is_early else []
    if lies_in(change, known.sure, known.tolerance) or lies_in(change, known.calm, 0.0):
        return [f"{change.value} was told late, and somebody listened as it happened"]
    wide = [Span(span.begun - known.tolerance, span.done) for span in known.spans_of(told)]
    return [] if any(span.touches(change) for span in wide) else [f"{change.value} did not happen in the gap it has"]


def no_flaws(_change: Change, _said: Said) -> Sequence[str]:
    """Return none."""
    return ()


def best_explanation(
    changes: Sequence[Change],
    said: Sequence[Said],
    may_be_missed: Callable[[Change], bool],
    flaws: Callable[[Change, Said], Sequence[str]] = no_flaws,
) -> tuple[list[Change], list[Said], list[str]]:
    """Return the fewest changes and words that are left over when words are laid beside changes, in order, and flaws.

    A word stands for a change of the same value that had begun. A change without a word is left over unless it may be
    missed.
    """
    best: dict[tuple[int, int], tuple[int, int | None]] = {}
    for i in range(len(changes), -1, -1):
        for j in range(len(said), -1, -1):
            best[i, j] = min(_ways(best, changes, said, may_be_missed, flaws, (i, j)), default=(0, None))
    lost, wrong, i, j = [], [], 0, 0
    found: list[str] = []
    while (way := best[i, j][1]) is not None:
        if way == _MISSED and not may_be_missed(changes[i]):
            lost.append(changes[i])
        if way == _EXTRA:
            wrong.append(said[j])
        if way == _MATCHED:
            found.extend(flaws(changes[i], said[j]))
        i, j = i + (way != _EXTRA), j + (way != _MISSED)
    return lost, wrong, found


_MATCHED: Final = 0
_MISSED: Final = 1
_EXTRA: Final = 2


def _ways(
    best: Mapping[tuple[int, int], tuple[int, int | None]],
    changes: Sequence[Change],
    said: Sequence[Said],
    may_be_missed: Callable[[Change], bool],
    flaws: Callable[[Change, Said], Sequence[str]],
    at: tuple[int, int],
) -> Iterator[tuple[int, int]]:
    """Yield what each way on from here costs."""
    i, j = at
    if i < len(changes) and j < len(said) and changes[i].value == said[j].value and changes[i].begun <= said[j].at:
        yield best[i + 1, j + 1][0] + bool(flaws(changes[i], said[j])), _MATCHED
    if i < len(changes):
        yield best[i + 1, j][0] + (not may_be_missed(changes[i])), _MISSED
    if j < len(said):
        yield best[i, j + 1][0] + 1, _EXTRA


def lies(
    fit: Sequence[Change], shown: Sequence[Shown], allowed: float, fits: Mapping[str, frozenset[str]] = FITS_ITSELF
) -> Iterator[str]:
    """Yield each time that something was shown which had not been so for longer than is allowed.

    fits: what may be shown of each value; by default itself alone.
    """
    ends = [each.at for each in shown[1:]] + [float("inf")]
    fit_ends = [change.begun for change in fit[1:]] + [float("inf")]
    for each, end in zip(shown, ends, strict=True):
        if each.value is None or each.value in NOT_SAID:
            continue
        for change, fit_end in zip(fit, fit_ends, strict=True):
            lasted = min(end, fit_end) - max(each.at, change.done)
            if each.value not in fits.get(change.value, {change.value}) and allowed < lasted < float("inf"):
                yield f"{each.value} for {in_life(lasted):.0f} s while it was {change.value}"


def _judge_times(verdict: Verdict, run: Run) -> None:
    lag = in_life(_lag(run))
    patience = run.fault.patience + lag
    if run.recovery is None:
        verdict.lost.append("the truth was not shown after the fault")
    elif run.recovery > patience:
        verdict.late.append(f"shown {run.recovery:.1f} s after the fault ended")
    slow = [delay for delay in run.calm_delays if delay > PROMPT + lag]
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
