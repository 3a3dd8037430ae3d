"""What runs in the app's container, run here: as the server, as its health check, and around a backup."""

from collections.abc import AsyncGenerator, Callable
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile

import pytest

from tools.nest_home import READY_LINE, STARTS_WITHIN
from tools.ports import LOOPBACK, free_port
from tools.processes import ManagedProcess

ROOT = Path(__file__).parents[2]
RUN = ROOT / "app" / "run.py"
SPY = '#!/bin/sh\necho "user $(id -u), groups $(id -G), data $WWN_SERVER_DATA"\nenv | grep "^WWN_" | sort\n'

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that outlives the container, where the server is the one of this folder."""
    monkeypatch.setenv("APP_DATA", str(tmp_path))
    monkeypatch.setenv("APP_USER", "root")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("WWN_SERVER_HOST", LOOPBACK)
    monkeypatch.setenv("WWN_SERVER_PORT", str(free_port()))
    monkeypatch.setenv("WWN_SERVER_ANNOUNCE", "false")
    return tmp_path


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(RUN), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)  # noqa: S603


def account(home: Path, *words: str, typed: str = "") -> str:
    command = [sys.executable, "-m", "wwn_server", "--data", str(home), "account", *words]
    return subprocess.run(command, input=typed, capture_output=True, text=True, check=True, timeout=50).stdout  # noqa: S603


@pytest.fixture
async def app(data: Path) -> AsyncGenerator[ManagedProcess]:
    """Return the app, started and serving."""
    (data / "options.json").write_text(json.dumps({"name": "Lake house", "base_url": "", "allow_host": []}))
    async with ManagedProcess("The app", (sys.executable, RUN), data / "app.log") as process:
        await process.start(ROOT)
        await process.wait_for_line(lambda line: line.startswith(READY_LINE), STARTS_WITHIN)
        yield process


@pytest.mark.usefixtures("socket_enabled")
async def test_it_serves_is_healthy_and_ends_in_order(data: Path, app: ManagedProcess) -> None:
    assert run("healthy").returncode == 0
    assert (data / "wwn-server" / "wwn-server.sqlite3").exists()
    assert (data / "wwn-server").stat().st_mode & 0o777 == 0o700
    assert await app.stop() == 0
    sick = run("healthy")
    assert (sick.returncode, "does not answer" in sick.stdout, sick.stderr) == (1, True, "")


@pytest.mark.usefixtures("socket_enabled")
async def test_a_backup_holds_a_copy_that_a_restore_brings_back(data: Path, app: ManagedProcess) -> None:
    home, copy = data / "wwn-server", data / "wwn-server" / "backup.sqlite3"
    account(home, "add", "ada", typed="a long enough password\n")
    assert run("before-backup").returncode == 0
    # Once more, as if the first was interrupted before it could remove the copy.
    assert run("before-backup").returncode == 0
    kept = copy.read_bytes()
    assert run("after-backup").returncode == 0
    assert not copy.exists()
    await app.stop()

    shutil.rmtree(home)
    home.mkdir()
    copy.write_bytes(kept)
    await app.start(ROOT)
    await app.wait_for_line(lambda line: line.startswith(READY_LINE), STARTS_WITHIN)
    assert "ada" in account(home, "list")
    assert not copy.exists()


@pytest.fixture
def spied(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Path]:
    """Return a data folder that anybody may reach, with a server that only tells who it is."""
    folder = Path(tempfile.mkdtemp(prefix="app-"))
    folder.chmod(0o755)
    spy = folder / "bin" / "wwn-server"
    spy.parent.mkdir()
    spy.write_text(SPY)
    spy.chmod(0o755)
    monkeypatch.setenv("APP_DATA", str(folder))
    monkeypatch.setenv("APP_USER", "nobody")
    monkeypatch.setenv("PATH", f"{spy.parent}{os.pathsep}{os.environ['PATH']}")
    yield folder
    shutil.rmtree(folder)


def test_options_become_variables_and_what_is_empty_is_not_set(spied: Path) -> None:
    chosen = {"name": "Lake house", "base_url": "", "allow_host": ["a.example", "b.example"], "log_level": "debug"}
    (spied / "options.json").write_text(json.dumps(chosen))
    told = run().stdout.splitlines()[1:]
    assert [line for line in told if not line.startswith("WWN_SERVER_DATA")] == [
        "WWN_SERVER_ALLOW_HOST=a.example,b.example",
        "WWN_SERVER_LOG_LEVEL=debug",
        "WWN_SERVER_NAME=Lake house",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_the_server_is_not_root_and_owns_nothing_but_its_folder(spied: Path) -> None:
    import pwd  # noqa: PLC0415 - where there is such a thing

    nobody = pwd.getpwnam("nobody")
    (spied / "wwn-server").mkdir()
    (spied / "wwn-server" / "old").touch()
    first = run().stdout.splitlines()[0]
    assert first == f"user {nobody.pw_uid}, groups {nobody.pw_gid}, data {spied}/wwn-server"
    assert (spied / "wwn-server" / "old").stat().st_uid == nobody.pw_uid
    assert spied.stat().st_uid == 0


def test_a_word_it_does_not_know_is_refused() -> None:
    said = run("dance")
    assert (said.returncode, "is not known" in said.stdout) == (2, True)
