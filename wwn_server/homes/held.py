"""Levels that only a test button moved: held back while the test is on, but never for long.

Some detectors report smoke while they are tested. That must not wake a house; and a real fire during a test must not
be missed. So such a level is held back for three minutes from the start of the test at most, and passed on then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .alarm import SEVERITY
from .base import AlarmKind, AlarmLevel

LONGEST: Final = timedelta(minutes=3)

type Levels = Mapping[AlarmKind, AlarmLevel]


@dataclass(frozen=True, slots=True)
class Test:
    """A test that is on: since when, and what was sensed before it."""

    # Test runners take whatever is called like this for one of theirs.
    __test__ = False

    since: datetime
    before: Levels


def followed(test: Test | None, *, testing: bool, shown: Levels, now: datetime) -> Test | None:
    """Return the test that is on after something was heard; ``shown`` are the levels told until then."""
    if not testing:
        return None
    return test or Test(now, shown)


def passed_on(
    levels: Levels, test: Test | None, now: datetime, moved: frozenset[AlarmLevel]
) -> dict[AlarmKind, AlarmLevel]:
    """Return the levels to tell: one that a test can have ``moved`` stays for a while what it was before.

    A level that was not known before the test is not known then, either.
    """
    if test is None or now - test.since >= LONGEST:
        return dict(levels)
    shown = {kind: _held(level, test.before.get(kind), moved) for kind, level in levels.items()}
    return {kind: level for kind, level in shown.items() if level is not None}


def _held(level: AlarmLevel, before: AlarmLevel | None, moved: frozenset[AlarmLevel]) -> AlarmLevel | None:
    if level not in moved:
        return level
    is_worse = before is None or SEVERITY.index(level) > SEVERITY.index(before)
    return before if is_worse else level
