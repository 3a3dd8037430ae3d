"""What is installed is whole: the wheel alone, without this folder, serves its pages."""

from pathlib import Path
import re
import subprocess
import sys
from zipfile import ZipFile

import pytest

from . import test_command as command

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "wwn_server"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """Build the wheel as pip would, without asking a registry for anything."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=60)  # noqa: S603
    return ZipFile(next(folder.glob("*.whl")))


@pytest.fixture
def installed(wheel: ZipFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use what the wheel brings instead of this folder."""
    wheel.extractall(tmp_path / "installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(command.ENVIRONMENT, "PYTHONPATH", str(tmp_path / "installed"))
    return tmp_path / "installed"


def test_it_has_every_file_of_the_package_and_nothing_else(wheel: ZipFile) -> None:
    ours = {
        each.relative_to(ROOT).as_posix()
        for each in PACKAGE.rglob("*")
        if each.is_file() and "__pycache__" not in each.parts
    }
    packed = set(wheel.namelist())
    assert {name for name in packed if not name.split("/")[0].endswith(".dist-info")} == ours
    assert {Path(name).suffix for name in ours} >= {".py", ".html", ".json", ".css", ".svg"}
    assert any(name.endswith("licenses/LICENSE") for name in packed)


def test_it_serves_pages_with_texts_and_style(installed: Path, tmp_path: Path) -> None:
    where = [sys.executable, "-c", "import wwn_server; print(wwn_server.__file__)"]
    told = subprocess.run(where, capture_output=True, text=True, check=True, env=command.ENVIRONMENT)  # noqa: S603
    assert told.stdout.strip() == str(installed / "wwn_server" / "__init__.py")
    with command.serving("--data", tmp_path / "data", "--port", "0", "--no-announce") as (process, line):
        status, page = command.get(line, "/first-run", {"Accept": "text/html"})
        assert (status, b"Set-up code" in page) == (200, True)
        needed = re.findall(rb'(?:href|src)="(/static/[^"]+)"', page)
        assert len(needed) >= 2
        for path in needed:
            assert command.get(line, path.decode())[0] == 200
        assert command.end(process)[0] == 0
