"""What a campaign came to: one table for people, one object for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .faults import FAULTS
from .verdict import Verdict

HEADER: Final = ("Fault", "Runs", "Late", "Lost", "Wrong", "Leaks", "p50 s", "p99 s")


@dataclass(frozen=True, slots=True)
class Row:
    """The runs of one fault. Times are seconds of life between its end and the truth being shown."""

    fault: str
    runs: int
    late: int
    lost: int
    wrong: int
    leaks: int
    p50: float | None
    p99: float | None

    def cells(self) -> tuple[str, ...]:
        """Return it for people."""
        counts = (self.runs, self.late, self.lost, self.wrong, self.leaks)
        times = ("-" if each is None else f"{each:.1f}" for each in (self.p50, self.p99))
        return (self.fault, *map(str, counts), *times)

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "fault": self.fault,
            "runs": self.runs,
            "late": self.late,
            "lost": self.lost,
            "wrong": self.wrong,
            "leaks": self.leaks,
            "recovery_p50": self.p50,
            "recovery_p99": self.p99,
        }


def row(fault: str, verdicts: Sequence[Verdict]) -> Row:
    """Return the row of some runs."""
    times = sorted(each.recovery for each in verdicts if each.recovery is not None)
    return Row(
        fault=fault,
        runs=len(verdicts),
        late=sum(bool(each.late) for each in verdicts),
        lost=sum(bool(each.lost) for each in verdicts),
        wrong=sum(bool(each.wrong) for each in verdicts),
        leaks=sum(bool(each.leaks) for each in verdicts),
        p50=percentile(times, 50),
        p99=percentile(times, 99),
    )


def percentile(times: Sequence[float], percent: int) -> float | None:
    """Return the smallest of sorted times that this many percent do not exceed."""
    return times[max(0, -(-len(times) * percent // 100) - 1)] if times else None


def rows(verdicts: Sequence[Verdict]) -> list[Row]:
    """Return a row for each fault that had its turn."""
    of_fault = {fault.name: [each for each in verdicts if each.fault == fault.name] for fault in FAULTS}
    return [row(name, found) for name, found in of_fault.items() if found]


def table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield the table, line by line."""
    found = [HEADER, *(each.cells() for each in rows(verdicts)), row("all", verdicts).cells()]
    widths = [max(map(len, column)) for column in zip(*found, strict=True)]
    for cells in found:
        first, *rest = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        yield "  ".join([f"{first.strip():{widths[0]}}", *rest])


def complaints(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield what was not as it has to be, with the seed that shows it again."""
    for verdict in sorted(verdicts, key=lambda each: each.seed):
        for name in ("lost", "wrong", "leaks", "late"):
            for sentence in getattr(verdict, name):
                yield f"seed {verdict.seed} ({verdict.fault}), {name}: {sentence}"


def for_programs(verdicts: Sequence[Verdict], seconds: float) -> dict[str, Any]:
    """Return the same for programs."""
    total = row("all", verdicts).as_dict()
    del total["fault"]
    return {
        **total,
        "seconds": round(seconds, 1),
        "repeated": sum(each.repeats for each in verdicts),
        "most_requests_per_minute": max((each.most_requests for each in verdicts), default=0),
        "faults": [each.as_dict() for each in rows(verdicts)],
    }
