"""A child process with a log: started, waited for, and ended so that nothing of it stays behind."""

import asyncio
from asyncio.subprocess import DEVNULL, Process as RunningProcess
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
import contextlib
import ctypes
import os
from pathlib import Path
import signal
import sys
from typing import Final, NoReturn, Self

from aiohttp import ClientError, ClientSession, ClientTimeout

from .errors import ProcessError

GRACE: Final = 15.0
TAIL_LINES: Final = 15
LOOK_AGAIN: Final = 0.05

_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG: Final = 1


class ManagedProcess:
    """A child in a process group of its own, so that Ctrl-C in the terminal reaches only us and we end it in order."""

    def __init__(self, name: str, command: Sequence[str | Path], log: Path) -> None:
        """Describe a child: what people call it, what to run, and the file that takes what it says."""
        self.name = name
        self.log = log
        self._command = tuple(map(str, command))
        self._process: RunningProcess | None = None
        self._log_start = 0

    async def __aenter__(self) -> Self:
        """Use it in a with block; it is started in there."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it, whatever happened."""
        await self.stop()

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def exit_code(self) -> int | None:
        """How it ended, None while it has not."""
        return None if self._process is None else self._process.returncode

    @property
    def ending(self) -> str:
        """How it ended, for people."""
        code = self.exit_code
        if code is None:
            return "not at all"
        return f"with exit code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"

    async def start(self, cwd: Path, keep_open: Sequence[int] = ()) -> None:
        """Start it, with some of our files left open in it; a second start goes on in the same log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        mode = "ab" if self._process is not None else "wb"
        with self.log.open(mode) as log:
            self._log_start = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=cwd,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                pass_fds=tuple(keep_open),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

    async def stop(self, grace: float = GRACE) -> int | None:
        """End it: asked first, then by force together with whatever it started. Return its exit code."""
        process = self._process
        if process is None or process.returncode is not None:
            return self.exit_code
        process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        return await process.wait()

    async def kill(self) -> int | None:
        """End it as a power cut would, together with whatever it started. Return its exit code."""
        process = self._process
        if process is None or process.returncode is not None:
            return self.exit_code
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return await process.wait()

    @property
    def pid(self) -> int:
        """The number of a process that runs."""
        if self._process is None:
            msg = f"{self.name} was not started"
            raise RuntimeError(msg)
        return self._process.pid

    async def ended(self) -> int:
        """Wait until it ends by itself and return its exit code."""
        if self._process is None:
            msg = f"{self.name} was not started"
            raise RuntimeError(msg)
        return await self._process.wait()

    def output(self) -> str:
        """Return what it said since its last start."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    async def wait_for_line(self, fits: Callable[[str], bool], seconds: float) -> str:
        """Return the first line it says that fits. Raises ProcessError if it ends or takes too long."""
        async with self._patience(seconds, "said that it is ready"):
            while True:
                # In this order, so that its last words are still looked at.
                is_over = not self.is_running
                complete, _, _ = self.output().rpartition("\n")
                for line in complete.splitlines():
                    if fits(line):
                        return line
                self._check_running(is_over=is_over)
                await asyncio.sleep(LOOK_AGAIN)

    async def wait_for_answer(self, url: str, seconds: float) -> None:
        """Wait until a web address answers with success. Raises ProcessError if it ends or takes too long."""
        async with (
            self._patience(seconds, f"answered at {url}"),
            ClientSession(timeout=ClientTimeout(total=5)) as session,
        ):
            while True:
                self._check_running(is_over=not self.is_running)
                with contextlib.suppress(ClientError, TimeoutError):
                    async with session.get(url) as response:
                        if response.ok:
                            return
                await asyncio.sleep(LOOK_AGAIN)

    def fail(self, what: str) -> NoReturn:
        """Raise an error about it that quotes the end of its log."""
        msg = f"{self.name} {what}.\n{quoted_end(self.log)}"
        raise ProcessError(msg)

    def _check_running(self, *, is_over: bool) -> None:
        if is_over:
            self.fail(f"ended too early, {self.ending}")

    @contextlib.asynccontextmanager
    async def _patience(self, seconds: float, what: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            self.fail(f"has not {what} within {seconds:.0f} seconds")


def quoted_end(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log, introduced by where it is."""
    if not log.exists():
        return f"It has no log at {log}."
    with log.open(errors="replace") as file:
        end = [f"    {line.rstrip()}" for line in deque(file, lines)]
    if not end:
        return f"Its log is empty: {log}"
    return "\n".join([f"The end of its log, {log}:", *end])


def _end_with_parent() -> None:
    """In the child, before it runs: ask Linux to end it when we are gone, even if we were killed."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
