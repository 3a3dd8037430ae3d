"""The campaign finds what is lost and what is wrong, and nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from custom_components.works_with_nest.gaps import Gap
from custom_components.works_with_nest.transitions import Kind, Transition
from tools.chaos.clocks import scaled
from tools.chaos.ear import Ear, Heard
from tools.chaos.faults import fault_named
from tools.chaos.hub import Hub
from tools.chaos.log import Secrets
from tools.chaos.record import Change, Shown, Span, Truth
from tools.chaos.report import percentile
from tools.chaos.run import Run, Stage
from tools.chaos.verdict import (
    Known,
    Said,
    Verdict,
    best_explanation,
    both,
    flaws_of,
    forgotten,
    is_held_up,
    judge,
    lies,
    may_be_missed,
    too_wide,
)
from tools.chaos.wall import WallClock
from tools.chaos.worker import verdict_of


def changes(*values: str) -> list[Change]:
    """Return what something became, one value a second."""
    return [Change(value, float(at), at + 0.1) for at, value in enumerate(values)]


def said(**values: float) -> list[Said]:
    return [Said(value.rstrip("_"), at) for value, at in values.items()]


def explained(truth: list[Change], words: list[Said], *gaps: Span) -> tuple[list[str], list[str]]:
    lost, wrong, _ = best_explanation(truth, words, lambda change: any(gap.touches(change) for gap in gaps))
    return [each.value for each in lost], [each.value for each in wrong]


def test_what_was_said_as_it_happened_is_fine() -> None:
    assert explained(changes("ok", "emergency", "ok"), said(ok=0.2, emergency=1.2, ok_=2.2)) == ([], [])


def test_what_was_never_said_is_lost() -> None:
    assert explained(changes("ok", "emergency", "ok"), said(ok=0.2)) == (["emergency", "ok"], [])


def test_what_lies_in_a_gap_is_not_lost() -> None:
    assert explained(changes("ok", "emergency", "ok"), said(ok=0.2), Span(0.9, 2.5)) == ([], [])


def test_what_lies_beside_a_gap_is_lost() -> None:
    assert explained(changes("ok", "emergency", "ok"), said(ok=0.2), Span(1.5, 2.5)) == (["emergency"], [])


def test_what_is_said_before_it_happens_is_wrong() -> None:
    assert explained(changes("ok", "emergency"), said(ok=0.2, emergency=0.5)) == (["emergency"], ["emergency"])


def test_what_is_said_twice_is_wrong() -> None:
    assert explained(changes("ok", "emergency"), said(ok=0.2, emergency=1.2, emergency_=1.4)) == ([], ["emergency"])


def test_what_is_said_in_another_order_is_wrong() -> None:
    lost, wrong = explained(changes("ok", "warning", "emergency"), said(ok=0.2, emergency=2.3, warning=2.5))
    assert len(lost) == len(wrong) == 1


def test_ok_that_is_shown_for_longer_than_the_watchdog_allows_is_a_lie() -> None:
    truth = changes("ok", "emergency")
    shown = [Shown("ok", 0.2), Shown("unavailable", 3.5), Shown("emergency", 4.0)]
    assert list(lies(truth, shown, allowed=2.0)) == ["ok for 72 s while it was emergency"]
    assert list(lies(truth, shown, allowed=2.5)) == []


def test_what_is_unavailable_lies_about_nothing() -> None:
    assert list(lies(changes("ok", "emergency"), [Shown("unavailable", 0.2), Shown("emergency", 9.0)], 2.0)) == []


@pytest.mark.parametrize("by", [timedelta(hours=2), timedelta(hours=-2), timedelta(days=40)])
def test_a_time_before_and_after_a_jump_of_the_clock_is_found_again(by: timedelta) -> None:
    wall = WallClock()
    before, start = wall.utcnow(), time.monotonic()
    wall.jump(by)
    after, end = wall.utcnow(), time.monotonic()
    spans = [(span.begun - start, span.done - end) for span in wall.spans(before, after)]
    assert [pair for pair in spans if max(map(abs, pair)) < 0.5]
    # No other reading of the two comes near, so that it could hide what was lost.
    assert all(max(map(abs, pair)) > 1000 for pair in spans if max(map(abs, pair)) >= 0.5)


def test_a_clock_that_was_never_moved_shows_the_time() -> None:
    assert abs(WallClock().utcnow() - datetime.now(UTC)) < timedelta(seconds=1)


def test_percentiles_are_times_that_were_measured() -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], 50) == 2.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 99) == 4.0
    assert percentile([7.0], 50) == 7.0
    assert percentile([], 99) is None


@pytest.mark.parametrize(("name", "is_fine"), [("lost", False), ("wrong", False), ("leaks", False), ("late", False)])
def test_a_run_is_fine_unless_something_was_lost_wrong_late_or_left_behind(name: str, *, is_fine: bool) -> None:
    verdict = Verdict(1, "stall")
    getattr(verdict, name).append("something")
    assert verdict.is_fine is is_fine


def heard(begun: float, until: float) -> Heard:
    """Return a stretch of a stream in which events came until half a second before its end."""
    return Heard(begun, until - 0.5, until)


def test_a_change_is_excused_only_where_it_was_over_before_somebody_listened_again() -> None:
    truth = changes("ok", "emergency", "ok", "warning")
    # Over within the span; then what is left is what was before, and there is nothing to tell.
    assert {each.value for each in may_be_missed(truth[:3], [Span(0.5, 2.5)], None)} == {"emergency", "ok"}
    # Not over at the end of the span: then somebody listened and could see it.
    assert may_be_missed(truth[:2], [Span(0.5, 9.0)], None) == set()
    assert may_be_missed(truth, [Span(0.5, 1.5)], None) == set()
    assert {each.value for each in may_be_missed(truth, [Span(0.5, 9.0)], None)} == {"emergency", "ok"}


def test_no_change_is_excused_without_a_span() -> None:
    assert may_be_missed(changes("ok", "emergency", "ok"), [], None) == set()


def test_only_what_both_the_wire_and_the_link_say_is_an_excuse() -> None:
    wire, link = [Span(1.0, 2.0), Span(5.0, 6.0)], [Span(-1e9, 5.5)]
    assert both(wire, link) == [Span(1.0, 2.0), Span(5.0, 5.5)]
    assert both(wire, []) == []


def test_a_gap_of_a_time_in_which_events_came_is_wrong() -> None:
    events = [Span(0.0, 10.0), Span(12.0, 20.0)]
    assert list(too_wide([[Span(9.9, 12.1)]], events, 0.2)) == []
    assert list(too_wide([[Span(9.0, 12.1)]], events, 0.2)) == ["a gap was said of 30 s in which somebody listened"]
    # After the clock was moved, one good reading is enough.
    assert list(too_wide([[Span(9.0, 12.1), Span(10.0, 12.0)]], events, 0.2)) == []


def ear_that_heard(*stretches: Heard) -> Ear:
    ear = Ear()
    ear.heard.extend(stretches)
    ear.streams.extend(Span(each.begun, each.until) for each in stretches)
    return ear


def test_nobody_hears_between_two_streams() -> None:
    ear = ear_that_heard(heard(1.0, 2.0), heard(4.0, float("inf")))
    assert ear.deaf() == ear.silent() == [Span(float("-inf"), 1.0), Span(2.0, 4.0)]


def test_a_stream_that_is_damaged_is_not_heard_until_something_whole_comes() -> None:
    ear = Ear()
    line = ear.line()
    line.begin()
    line.came(is_whole=True)
    line.came(is_whole=False)
    assert [each.until < float("inf") for each in ear.heard] == [True]
    # It may be heard all the same.
    assert len(ear.silent()) == 1
    line.came(is_whole=True)
    ear.spoil()
    assert [each.until < float("inf") for each in ear.heard] == [True, True]
    line.end()
    assert len(ear.silent()) == 2
    assert ear.lines == set()


def told(*, late: bool, gap: bool = True) -> Said:
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    transition = Transition(
        home_id=None,
        thing_id="an alarm",
        kind=Kind.SMOKE,
        before="ok",
        after="emergency",
        at=noon,
        late=late,
        gap=Gap(start=noon, end=noon) if gap else None,
    )
    return Said("emergency", 9.0, transition)


EMERGENCY = Change("emergency", 5.0, 5.1)


@pytest.mark.parametrize(
    ("said", "listened", "gap", "flaws"),
    [
        (told(late=False), [Span(0.0, 10.0)], [], 0),
        (told(late=True), [Span(0.0, 10.0)], [Span(4.0, 6.0)], 1),
        (told(late=True), [Span(0.0, 5.15)], [Span(4.0, 6.0)], 0),
        (told(late=True), [Span(0.0, 4.0)], [Span(4.0, 6.0)], 0),
        (told(late=True), [Span(0.0, 4.0)], [Span(6.0, 7.0)], 1),
        (told(late=True, gap=False), [Span(0.0, 4.0)], [], 1),
        (told(late=False), [Span(0.0, 4.0)], [], 1),
        (told(late=False), [Span(0.0, 4.9)], [], 0),
    ],
)
def test_what_is_told_is_late_where_nobody_listened_and_only_there(
    said: Said, listened: list[Span], gap: list[Span], flaws: int
) -> None:
    silent = [Span(span.done, 8.0) for span in listened if span.done < 8.0]
    known = Known(gaps=[], excuses=[], sure=listened, calm=[], silent=silent, tolerance=0.2, spans_of=lambda _: gap)
    assert len(flaws_of(EMERGENCY, said, known)) == flaws
    _, _, found = best_explanation([EMERGENCY], [said], lambda _: False, lambda *each: flaws_of(*each, known))
    assert len(found) == flaws


class Played:
    """A run of a fault between the third and the sixth second, with one alarm that nobody heard end in time."""

    def __init__(self, ear: Ear, tmp_path: Path, *, lag: float = 0.0, told: bool = True) -> None:
        self.ear = ear
        self.truth = Truth()
        self.wall = WallClock()
        self.run = Run(0, fault_named("500"), [], Hub(tmp_path), recovery=1.0, lag=lag, connections_after=1)
        self.run.fault_span, self.run.calm_from = Span(3.0, 6.0), 7.0
        for number, level in enumerate(("ok", "emergency", "ok")):
            self.truth.learn(home(level), number * 4.5, number * 4.5 + 0.1)
            at = number * 4.5 + (2.6 if number == 1 else 0.15)
            for key, value in (
                *shown(level).items(),
                (("home", "presence"), "on"),
                (("home", "alarm_monitoring"), "off"),
            ):
                self.run.hub.shown.add(key, Shown(value, at))
            if number and told:
                self.run.hub.told.append((at, self.transition(level, late=number == 1)))
        self.say_gap(2.4, 7.0)

    def say_gap(self, begun: float, done: float) -> None:
        self.run.hub.gaps.append((self.moment(begun), self.moment(done)))

    def moment(self, at: float) -> datetime:
        return self.wall.utcnow() + timedelta(seconds=at - time.monotonic())

    def transition(self, level: str, *, late: bool) -> Transition:
        gap = Gap(start=self.moment(2.4), end=self.moment(7.0)) if late else None
        before = "emergency" if level == "ok" else "ok"
        at = self.wall.utcnow()
        return Transition(
            home_id="home", thing_id="alarm", kind=Kind.SMOKE, before=before, after=level, at=at, late=late, gap=gap
        )

    def verdict(self) -> Verdict:
        return judge(self.run, self.truth, self.wall, [], self.ear)


def home(level: str, battery: str = "ok") -> dict[str, Any]:
    alarm = {
        "is_online": True,
        "smoke_alarm_state": level,
        "co_alarm_state": "ok",
        "is_manual_test_active": False,
        "battery_health": battery,
        "structure_id": "home",
    }
    return {"devices": {"smoke_co_alarms": {"alarm": alarm}}, "structures": {"home": {"away": "home"}}}


def shown(level: str) -> dict[tuple[str, str], str]:
    is_on = "off" if level == "ok" else "on"
    return {
        ("alarm", "smoke_level"): level,
        ("alarm", "smoke"): is_on,
        ("alarm", "carbon_monoxide_level"): "ok",
        ("alarm", "carbon_monoxide"): "off",
        ("home", "smoke"): is_on,
        ("home", "carbon_monoxide"): "off",
    }


@pytest.fixture
def played(tmp_path: Path) -> Played:
    return Played(ear_that_heard(heard(0.0, 3.0), heard(7.0, float("inf"))), tmp_path)


def test_a_run_in_which_all_was_shown_and_told_is_fine(played: Played) -> None:
    assert played.verdict().is_fine


def test_a_gap_however_wide_excuses_nothing_that_somebody_could_hear(played: Played, tmp_path: Path) -> None:
    silent = Played(played.ear, tmp_path, told=False)
    silent.say_gap(-800_000_000.0, 20.0)
    verdict = silent.verdict()
    assert any("emergency was never said" in each for each in verdict.lost)
    assert any("a gap was said of" in each for each in verdict.wrong)


def test_a_step_in_the_calm_is_told_even_if_the_stream_was_lost(played: Played) -> None:
    played.truth.learn(home("emergency"), 13.0, 13.1)
    played.truth.learn(home("ok"), 13.5, 13.6)
    played.ear.heard[1:] = [Heard(7.0, 12.5, 12.8), Heard(14.0, 14.0)]
    played.say_gap(12.5, 14.0)
    assert any("told" in each and "emergency was never said" in each for each in played.verdict().lost)


def test_what_is_told_of_the_calm_is_never_late(played: Played) -> None:
    # So shortly before the stream ended that in the fault it might have been under way.
    played.ear.heard[1].until = 9.2
    played.run.hub.told[-1] = (9.15, played.transition("ok", late=True))
    assert any("ok was told late, and somebody listened" in each for each in played.verdict().wrong)


def test_what_is_told_last_is_what_is_so(played: Played) -> None:
    played.run.hub.told.pop()
    assert any("emergency is the last that was told, and it was ok" in each for each in played.verdict().lost)


def test_no_gap_began_before_the_link_was_made(played: Played) -> None:
    played.run.linked = -100.0
    played.say_gap(-150.0, -90.0)
    assert played.verdict().wrong == ["a gap was said of 1500 s in which somebody listened"]


@pytest.mark.parametrize(("key", "word"), [("smoke", "off"), ("alarm_monitoring", "off")])
def test_a_home_that_says_all_is_well_while_it_is_not_is_wrong(played: Played, key: str, word: str) -> None:
    entries = played.run.hub.shown
    entries._entries["home", key] = [Shown(word, 0.1)]
    if key == "alarm_monitoring":
        played.truth.learn(home("ok", battery="replace"), 9.2, 9.3)
        played.truth.learn(home("ok"), 13.0, 13.1)
    assert [each for each in played.verdict().wrong if f"{key} of the home" in each]


@pytest.mark.parametrize(
    ("told_at", "stored", "undone", "started", "rest"),
    [
        pytest.param(1.9, "away", 3.0, 5.0, ["on", "off"], id="undone before the next start"),
        pytest.param(1.9, "home", 3.0, 5.0, None, id="stored, so that it could be undone"),
        pytest.param(1.9, "away", 3.0, 2.5, None, id="undone when it could be seen"),
        pytest.param(0.9, "away", 3.0, 5.0, None, id="told long before"),
    ],
)
def test_what_was_told_as_it_crashed_may_be_forgotten_only_with_what_undid_it(
    tmp_path: Path, told_at: float, stored: str, undone: float, started: float, rest: list[str] | None
) -> None:
    run = Run(0, fault_named("Home Assistant crash"), [], Hub(tmp_path))
    run.hub.stored = {"alarms": {}, "homes": {"h": stored}}
    run.crashed_at, run.fault_span = 2.0, Span(2.0, started)
    home = Transition(
        home_id="h", thing_id="h", kind=Kind.PRESENCE, before="away", after="home", at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    run.hub.told.append((told_at, home))
    news = [
        Change("on", 0.0, 0.1),
        Change("off", 0.5, 0.6),
        Change("on", 0.8, 0.9),
        Change("off", undone, undone + 0.1),
    ]
    found = forgotten(run, ("h", "presence"), news)
    assert (found and ([each.value for each in found[0]], found[1])) == (rest and (rest, []))


def test_alarms_that_may_not_be_heard_because_nothing_comes_have_to_be_named(played: Played) -> None:
    played.ear.spoke.extend([3.0, 6.5])
    assert played.verdict().wrong == ["shown: alarm_monitoring of the home: off for 105 s while it was something wrong"]


def test_the_end_of_a_home_that_never_said_that_it_is_over_is_lost(played: Played) -> None:
    played.run.hub.shown.add(("home", "smoke"), Shown("on", 9.2))
    assert len(played.verdict().lost) == 1


def test_what_is_late_fails_a_run_and_the_machine_excuses_ten_seconds_at_the_most(played: Played) -> None:
    played.run.recovery = 44.0
    assert played.verdict().late
    played.run.lag = scaled(10.0)
    assert not played.verdict().late
    played.run.recovery, played.run.lag = 46.0, scaled(1000.0)
    assert played.verdict().late
    assert is_held_up(played.run)


@pytest.mark.parametrize(
    ("lags", "repeats", "is_fine"), [((9.0,), 0, True), ((11.0, 0.0), 1, True), ((11.0, 99.0), 1, False)]
)
async def test_a_run_that_the_machine_held_up_is_played_once_more_and_then_counts(
    played: Played, lags: tuple[float, ...], repeats: int, *, is_fine: bool
) -> None:
    left = iter(lags)

    async def play(_seed: int) -> Run:
        played.run.lag = scaled(next(left))
        played.run.recovery = 1.0 if played.run.lag <= scaled(11.0) else 46.0
        return played.run

    stage = SimpleNamespace(
        run=play,
        secrets=Secrets(("never said",)),
        nest=SimpleNamespace(truth=played.truth, said=lambda: ""),
        wall=played.wall,
        proxy=SimpleNamespace(asked=[], ear=played.ear),
    )
    verdict = await verdict_of(cast("Stage", stage), 0)
    assert (verdict.repeats, verdict.is_fine) == (repeats, is_fine)
    assert list(left) == []
