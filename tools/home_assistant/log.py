"""What Home Assistant's log must not hold."""

from collections.abc import Iterable, Iterator
import re
from typing import Final

RECORD_START: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ (?P<level>[A-Z]+) ")
BAD_LEVELS: Final = frozenset({"WARNING", "ERROR", "CRITICAL"})
# What the loader says of every custom integration, whatever it does.
STANDING_NOTICE: Final = "We found a custom integration works_with_nest which has not been tested by Home Assistant"
INSTALLS: Final = "Attempting install"


def complaints(log: str, name: str = "works_with_nest") -> list[str]:
    """Return the warnings and errors that name something, tracebacks included, and every package installed at start."""
    return [record for record in records(log) if _is_complaint(record, name) or INSTALLS in record]


def records(log: str) -> Iterator[str]:
    """Split a log into its records, each with the lines that continue it."""
    record: list[str] = []
    for line in log.splitlines():
        if RECORD_START.match(line) and record:
            yield "\n".join(record)
            record = []
        record.append(line)
    if record:
        yield "\n".join(record)


def secrets_in(log: str, secrets: Iterable[str]) -> int:
    """Return how many of some secrets a log holds. Which ones is nobody's business."""
    return sum(secret in log for secret in secrets)


def _is_complaint(record: str, name: str) -> bool:
    start = RECORD_START.match(record)
    is_bad = start is None or start["level"] in BAD_LEVELS
    return is_bad and name in record and STANDING_NOTICE not in record
