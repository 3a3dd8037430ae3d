"""What tests of every folder share."""

from collections.abc import Callable
from importlib.util import find_spec
import json
import os
from pathlib import Path
from typing import Any

from hypothesis import settings
import pytest

# Imported before a Home Assistant starts: the test plugin brings a package of the same name, which would win otherwise.
# The server's own tests also run where there is no Home Assistant.
if find_spec("homeassistant") is not None:
    import custom_components.works_with_nest.const  # noqa: F401

# How long an example takes says nothing on a machine that others use, too.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

type Jump = Callable[[], None]

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def everything_granted() -> dict[str, Any]:
    """Return the document of a home with two thermostats and two alarms, of a link that may see all (protocol 12)."""
    return json.loads((FIXTURES / "everything_granted.json").read_text(encoding="utf-8"))


@pytest.fixture
def jump(monkeypatch: pytest.MonkeyPatch) -> Jump:
    """Return a function that tells the hub that the wall clock jumped, as the system would."""
    timers: list[int] = []

    def timer() -> int:
        timers.append(os.eventfd(0, os.EFD_NONBLOCK))
        return timers[-1]

    def jump() -> None:
        for each in timers:
            os.eventfd_write(each, 1)

    monkeypatch.setattr("custom_components.works_with_nest.wwn.jumps._timer", timer)
    return jump
