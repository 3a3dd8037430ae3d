"""One measured figure beside its baseline, and whether it is as good as it should be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import operator
from typing import Any, Final

from .limits import LIMITS

GROWTH: Final = (1, 10, 100, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that is measured.

    sizes: of the homes at which the goal holds; others are measured for the growth. reaches: how a ratio is compared
    with the goal. unit: of both figures.
    """

    name: str
    baseline: str
    unit: str
    goal: float
    sizes: tuple[int, ...]
    reaches: Callable[[float, float], bool] = operator.le

    @property
    def aim(self) -> str:
        """Return the goal for people."""
        return f"{'<=' if self.reaches is operator.le else '>='} {self.goal:g}"


LOADS: Final = "orjson.loads of the same bytes"
READER: Final = "a bare aiohttp reader of the same stream"
BARE: Final = "as many bare entities"
BROADCASTER: Final = "a bare aiohttp broadcaster of the same bytes"
HANDLER: Final = "a bare aiohttp handler of the same bytes"
AT_LEAST: Final = operator.ge

ROWS: Final[Mapping[str, Row]] = {
    "unchanged": Row(
        name="a document in which nothing changed", baseline=LOADS, unit="ms", goal=1.3, sizes=(10, 100, 1000)
    ),
    "respelt": Row(
        name="the same, written in another order", baseline=LOADS, unit="ms", goal=1.3, sizes=(10, 100, 1000)
    ),
    "changed": Row(
        name="a document in which one device changed",
        baseline="the same, and as many states set",
        unit="ms",
        goal=1.5,
        sizes=(10, 100, 1000),
    ),
    "usual": Row(
        name="the same done the usual way", baseline="ours", unit="ms", goal=10, sizes=(100,), reaches=AT_LEAST
    ),
    "push_median": Row(name="push latency, median", baseline=READER, unit="ms", goal=1.3, sizes=(10,)),
    "push_p99": Row(name="push latency, 99th percentile", baseline=READER, unit="ms", goal=2, sizes=(10,)),
    "emergency": Row(
        name="emergency while every device changes each second",
        baseline="the same while none does",
        unit="ms",
        goal=2,
        sizes=(100, 1000),
    ),
    "setup": Row(name="setting up a link", baseline=BARE, unit="ms", goal=1.3, sizes=(100, 1000)),
    "memory": Row(name="memory per device", baseline=BARE, unit="kB", goal=1.3, sizes=(100, 1000)),
    "idle": Row(name="wake-ups of an idle link", baseline="keep-alives received", unit="", goal=2, sizes=(10,)),
    "import": Row(name="import of the integration", baseline="import aiohttp", unit="ms", goal=1, sizes=(0,)),
    "streams_100": Row(name="one change to 100 streams", baseline=BROADCASTER, unit="ms", goal=1.3, sizes=(10,)),
    "streams_500": Row(name="one change to 500 streams", baseline=BROADCASTER, unit="ms", goal=1.3, sizes=(10,)),
    "idle_cpu": Row(name="500 idle streams, processor", baseline=BROADCASTER, unit="ms/s", goal=1.3, sizes=(10,)),
    "idle_memory": Row(name="500 idle streams, memory", baseline=BROADCASTER, unit="kB", goal=1.3, sizes=(10,)),
    "reads": Row(name="reads", baseline=HANDLER, unit="1/s", goal=0.7, sizes=(10,), reaches=AT_LEAST),
    "writes": Row(name="writes", baseline=HANDLER, unit="1/s", goal=0.4, sizes=(10,), reaches=AT_LEAST),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one row came to in a home of so many devices."""

    key: str
    devices: int
    ours: float
    baseline: float

    @property
    def row(self) -> Row:
        """Return what was measured."""
        return ROWS[self.key]

    @property
    def ratio(self) -> float:
        """How many times the baseline it is."""
        return self.ours / self.baseline if self.baseline else float("inf")

    @property
    def has_goal(self) -> bool:
        """Whether the goal holds at this size; else it is there for the growth."""
        return self.devices in self.row.sizes

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached, by the ratio as it is printed."""
        return self.row.reaches(round(self.ratio, 2), self.row.goal)

    @property
    def limit(self) -> str | None:
        """Return why the goal is out of reach, where it is."""
        return None if self.is_met else LIMITS.get(self.key)

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "name": self.row.name,
            "devices": self.devices,
            "ours": round(self.ours, 4),
            "baseline": round(self.baseline, 4),
            "baseline_name": self.row.baseline,
            "unit": self.row.unit,
            "ratio": round(self.ratio, 2),
            "goal": self.row.goal,
            "met": self.is_met,
            "limit": self.limit,
        }


HEADER: Final = ("What", "Devices", "Ours", "Baseline", "", "Ratio", "Goal", "Met")


def cells(figure: Figure) -> tuple[str, ...]:
    """Return one line of the table."""
    row = figure.row
    devices = str(figure.devices) if figure.devices else "-"
    ours, baseline = (f"{each:,.{_digits(each)}f} {row.unit}".strip() for each in (figure.ours, figure.baseline))
    met = "yes" if figure.is_met else "no"
    return row.name, devices, ours, baseline, row.baseline, f"{figure.ratio:.2f}", row.aim, met


def _digits(value: float) -> int:
    """Return so many digits that three or more of a figure can be seen."""
    return 0 if value >= 100 else 1 if value >= 10 else 3  # noqa: PLR2004


def table(figures: list[Figure]) -> list[str]:
    """Return the table, line by line."""
    rows = [HEADER, *map(cells, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
