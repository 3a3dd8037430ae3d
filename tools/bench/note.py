"""The last run in docs/performance.md: the machine, the table, the limits, and the growth as a picture."""

from datetime import UTC, datetime
import os
from pathlib import Path
import platform
import re
from typing import Final

import aiohttp
from homeassistant.const import __version__ as home_assistant
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
import orjson

from tools.paths import CHECKOUT
from tools.pictures import PICTURES

from .figures import GROWTH, HEADER, ROWS, Figure, cells

NOTE: Final = CHECKOUT / "docs" / "performance.md"
PICTURE: Final = PICTURES / "growth.svg"
BLOCK: Final = re.compile(r"(<!-- last run: begin -->\n).*(<!-- last run: end -->\n)", re.DOTALL)
COLUMNS: Final = 3
GIGABYTE: Final = 1 << 20


def write(figures: list[Figure]) -> None:
    """Put a run into the note, and draw its picture."""
    parts = (_machine(), _markdown(figures), _limits(figures), _growth(figures))
    text = NOTE.read_text(encoding="utf-8")
    block = "\n".join(parts)
    NOTE.write_text(BLOCK.sub(lambda found: f"{found[1]}\n{block}\n{found[2]}", text), encoding="utf-8")
    _draw(figures)


def _machine() -> str:
    """Describe where and when it was measured, and with what."""
    said = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = next((line.partition(":")[2].strip() for line in said.splitlines() if line.startswith("model name")), "?")
    kilobytes = int(re.findall(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(encoding="ascii"))[0])
    return (
        f"Measured on {datetime.now(UTC):%-d %B %Y}: {model}, {os.cpu_count()} cores, {kilobytes / GIGABYTE:.0f} GB, "
        f"{platform.system()} {platform.release()}.\n"
        f"Python {platform.python_version()}, Home Assistant {home_assistant}, aiohttp {aiohttp.__version__}, "
        f"orjson {orjson.__version__}.\n"
        f"In the last 15 minutes {os.getloadavg()[2]:.1f} processes on average wanted a core.\n"
    )


def _markdown(figures: list[Figure]) -> str:
    rows = [list(cells(each)) for each in figures if each.has_goal]
    titles = [each or "Baseline is" for each in HEADER]
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _limits(figures: list[Figure]) -> str:
    missed = [each for each in figures if each.has_goal and not each.is_met]
    said = {each.row.name: each.limit or "not profiled yet." for each in missed}
    if not said:
        return ""
    return (
        "\n".join(["### Goals that are not met\n", *(f"- **{name}**: {limit}" for name, limit in said.items())]) + "\n"
    )


def _growth(figures: list[Figure]) -> str:
    """Return each ratio by the number of devices."""
    by_size = {(each.key, each.devices): f"{each.ratio:.2f}" for each in figures}
    lines = [["Ratio with so many devices", *map(str, GROWTH)], ["---"] * (len(GROWTH) + 1)]
    for key, row in ROWS.items():
        if row.sizes != (0,):
            lines.append([row.name, *(by_size.get((key, size), "-") for size in GROWTH)])
    return "### Growth\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _draw(figures: list[Figure]) -> None:
    """Draw a panel for each row: ours and the baseline by the number of devices."""
    rows = [key for key in ROWS if len({each.devices for each in figures if each.key == key}) > 1]
    lines = -(-len(rows) // COLUMNS)
    drawing = Drawing(figsize=(11, 2.6 * lines), layout="constrained")
    for axes, key in zip(drawing.subplots(lines, COLUMNS, squeeze=False).flat, rows, strict=False):
        _panel(axes, [each for each in figures if each.key == key])
    for axes in list(drawing.axes)[len(rows) :]:
        axes.set_axis_off()
    drawing.legend(*drawing.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    # Always the same bytes for the same figures.
    drawing.savefig(PICTURE, metadata={"Date": None})


def _panel(axes: Axes, figures: list[Figure]) -> None:
    sizes = [each.devices for each in figures]
    axes.loglog(sizes, [each.ours for each in figures], marker="o", label="ours")
    axes.loglog(sizes, [each.baseline for each in figures], marker="s", linestyle="--", label="baseline")
    unit = figures[0].row.unit
    axes.set_title(f"{figures[0].row.name}{f' ({unit})' if unit else ''}", fontsize=8)
    axes.set_xticks(sizes, [str(each) for each in sizes], fontsize=7)
    axes.tick_params(labelsize=7)
    axes.grid(visible=True, which="major", alpha=0.3)
