"""The campaign finds what is lost and what is wrong, and nothing else."""

from datetime import UTC, datetime, timedelta
import time

import pytest

from tools.chaos.record import Change, Shown, Span
from tools.chaos.report import percentile
from tools.chaos.verdict import Said, Verdict, best_explanation, lies
from tools.chaos.wall import WallClock


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
