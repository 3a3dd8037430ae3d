"""Another release of Home Assistant for the demo."""

import os
from pathlib import Path

import pytest

from tools.demo import command
from tools.demo.release import python_with
from tools.errors import ToolError


@pytest.mark.parametrize("version", ["", "latest", "2026.11", "2026.11.0; rm", "../2026.11.0", "0.118.0"])
async def test_what_is_no_release_is_refused_before_anything_is_installed(tmp_path: Path, version: str) -> None:
    with pytest.raises(ToolError, match="no release of Home Assistant"):
        await python_with(version, tmp_path)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - in a test nothing else waits


async def test_what_is_installed_is_used_again(tmp_path: Path) -> None:
    place = tmp_path / "home-assistant-2026.11.0"
    place.mkdir()
    (place / ".ready").touch()
    assert await python_with("2026.11.0", tmp_path) == place / "bin" / "python"


def test_a_release_is_for_the_check_only(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.run(["--home-assistant", "2026.11.0"])
    assert "--home-assistant needs --check" in capsys.readouterr().err
