"""The soak tells a state that took long by itself from one that had to wait while Python collected."""

import gc
import logging

import pytest

from tools.chaos.collector import FullCollections
from tools.chaos.soak import Warnings

SLOW = "Updating state for sensor.hall (<class 'Hall'>) took %.3f seconds. Please report it"


def warned(warnings: Warnings, message: str, *args: object) -> tuple[int, int]:
    """Warn, and return how many warnings count by now and how many a collection explains."""
    warnings.emit(logging.LogRecord("test", logging.WARNING, __file__, 1, message, args, None))
    return len(warnings.lines), len(warnings.collected)


def just_ended(monkeypatch: pytest.MonkeyPatch, lasted: float) -> FullCollections:
    """Return collections of which the last took so many seconds and ended a tenth of a second ago."""
    monkeypatch.setattr("time.perf_counter", lambda: 100.1)
    return FullCollections(ended=[(50.0, 3.0), (100.0, lasted)])


def test_a_slow_state_counts_unless_it_was_fast_but_for_a_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    assert warned(Warnings(FullCollections()), SLOW, 0.44) == (1, 0)
    assert warned(Warnings(just_ended(monkeypatch, lasted=0.2)), SLOW, 0.44) == (0, 1)
    assert warned(Warnings(just_ended(monkeypatch, lasted=0.02)), SLOW, 0.44) == (1, 0)
    assert warned(Warnings(just_ended(monkeypatch, lasted=9.0)), SLOW, 0.6) == (0, 1)


def test_any_other_warning_counts_whatever_was_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    assert warned(Warnings(just_ended(monkeypatch, lasted=0.4)), "Nobody answers for %.3f seconds", 0.44) == (1, 0)


def test_a_full_collection_is_noted_and_a_small_one_is_not() -> None:
    collections = FullCollections()
    with collections.watched():
        gc.collect(0)
        assert len(collections) == 0
        gc.collect()
    gc.collect()
    assert len(collections) == 1
    assert 0 < collections.longest == pytest.approx(collections.spent_within(60), abs=1e-9)
