from pathlib import Path
import sys

import pytest

from tools.errors import ProcessError
from tools.ports import free_port, free_port_like, is_free
from tools.processes import ManagedProcess

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(60)"
POLITE = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); print('ready'); time.sleep(60)"
)
BROKEN = "import sys; print('first'); sys.exit('no such thing')"
SILENT = "import time; time.sleep(60)"


def process(tmp_path: Path, code: str) -> ManagedProcess:
    return ManagedProcess("The child", (sys.executable, "-c", code), tmp_path / "log" / "child.log")


async def test_a_child_is_waited_for_and_asked_to_end(tmp_path: Path) -> None:
    child = process(tmp_path, POLITE)
    await child.start(tmp_path)
    assert await child.wait_for_line(lambda line: line == "ready", 10) == "ready"
    assert child.is_running
    assert await child.stop() == 0
    assert not child.is_running
    assert await child.stop() == 0


async def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    child = process(tmp_path, DEAF)
    await child.start(tmp_path)
    await child.wait_for_line(lambda line: line == "ready", 10)
    await child.stop(grace=0.1)
    assert child.ending == "by SIGKILL"


async def test_a_child_that_ends_too_early_is_quoted(tmp_path: Path) -> None:
    child = process(tmp_path, BROKEN)
    await child.start(tmp_path)
    with pytest.raises(ProcessError, match="ended too early, with exit code 1") as caught:
        await child.wait_for_line(lambda line: line == "ready", 10)
    assert str(caught.value).endswith("    first\n    no such thing")


async def test_a_child_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    async with process(tmp_path, SILENT) as child:
        await child.start(tmp_path)
        with pytest.raises(ProcessError, match="has not said that it is ready within 0 seconds"):
            await child.wait_for_line(lambda line: line == "ready", 0.1)
    assert not child.is_running


@pytest.mark.usefixtures("socket_enabled")
def test_a_taken_port_is_replaced() -> None:
    import socket  # noqa: PLC0415 - the one that is enabled

    port = free_port()
    assert is_free(port)
    assert free_port_like(port) == port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert not is_free(port)
        assert free_port_like(port) != port
