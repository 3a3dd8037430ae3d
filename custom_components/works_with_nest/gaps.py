"""When nobody was listening to a link: what came and went in that time cannot be known."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A period in which nobody was listening, from the last sign of life to the document that ended it."""

    start: datetime
    end: datetime


class LinkChangeKind(StrEnum):
    """What became of the link."""

    LOST = "lost"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChange:
    """The link was lost, after 75 s without a sign of life, or came back; then gap says for how long it was away."""

    kind: LinkChangeKind
    at: datetime
    gap: Gap | None = None


def gap_between(start: datetime, end: datetime) -> Gap:
    """Return the gap between two times; a clock that was set back in between makes it short, never negative."""
    return Gap(start=min(start, end), end=end)
