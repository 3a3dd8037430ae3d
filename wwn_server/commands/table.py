"""Tables, as a command shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .speech import tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def tell_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows below a head, columns below one another; what others wrote can't pretend to be more rows."""
    lines = [list(head), *([_plain(str(cell)) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        tell("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def day_and_time(seconds: float | None) -> str:
    """Return a moment, in UTC; ``-`` for never."""
    return "-" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}Z"


def _plain(text: str) -> str:
    return "".join(each if each.isprintable() else "\ufffd" for each in text)
