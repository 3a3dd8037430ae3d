"""A few runs of the campaign, one after another in one process; script/chaos plays hundreds."""

import asyncio
import json
from pathlib import Path
import sys

import pytest

from tools.chaos.faults import FAULTS
from tools.paths import CHECKOUT

# One of each kind: the stream, the answers, the document, the hub.
NAMES = ("cut mid-event", "garbage", "307 to a foreign host", "missing groups", "Home Assistant crash")
SEEDS = [next(number for number, fault in enumerate(FAULTS) if fault.name == name) for name in NAMES]


@pytest.mark.timeout(240)
async def test_some_runs_lose_nothing_show_nothing_wrong_and_leave_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    seeds = ",".join(map(str, SEEDS))
    # A process of its own: the campaign shortens the integration's clocks, and Home Assistant's.
    command = (sys.executable, "-m", "tools.chaos", "--these", seeds, "--workers", "1", "--json", str(file))
    process = await asyncio.create_subprocess_exec(*command, cwd=CHECKOUT, stdout=-1, stderr=-2)
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    figures = json.loads(file.read_text())
    assert {name: figures[name] for name in ("runs", "lost", "wrong", "leaks")} == {
        "runs": len(SEEDS),
        "lost": 0,
        "wrong": 0,
        "leaks": 0,
    }
    assert [each["fault"] for each in figures["faults"]] == [FAULTS[seed].name for seed in SEEDS]
