"""What the demo keeps from one start to the next: a folder, held by one demo at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
import fcntl
import json
import os
from pathlib import Path
import secrets
import shutil
import time
from typing import IO, Final

from tools.errors import ToolError

from .voice import keep_saying

NEST_PORT: Final = 9553
HOME_ASSISTANT_PORT: Final = 8123
USERNAME: Final = "demo"

# How long the servers of a demo that was killed take to notice and to end.
LEFTOVERS_END_WITHIN: Final = 20.0

_LETTERS: Final = "abcdefghijkmnopqrstuvwxyz23456789"


def new_password() -> str:
    """Return a password that can be typed."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Ports and sign-ins. The passwords are the demo's own and guard nothing but the demo."""

    nest_port: int = NEST_PORT
    home_assistant_port: int = HOME_ASSISTANT_PORT
    nest_password: str = field(default_factory=new_password)
    home_assistant_password: str = field(default_factory=new_password)
    has_account: bool = False


class StateFolder:
    """The folder of one demo, while this process holds it."""

    def __init__(self, folder: Path, lock: IO[str]) -> None:
        """Take over a folder whose lock is held."""
        self.folder = folder
        self.lock = lock.fileno()
        self._file = folder / "demo.json"
        self.kept = _read(self._file) if self._file.exists() else Kept()

    @property
    def nest_home(self) -> Path:
        """Where the Nest server keeps its data."""
        return self.folder / "nest-home"

    @property
    def home_assistant(self) -> Path:
        """Home Assistant's configuration folder."""
        return self.folder / "home-assistant"

    @property
    def sources(self) -> Path:
        """The Nest server's file of the devices behind its home, where it has any."""
        return self.folder / "sources.toml"

    @property
    def broker(self) -> Path:
        """Where the broker of such devices keeps its files."""
        return self.folder / "broker"

    @property
    def logs(self) -> Path:
        """Where both write their logs."""
        return self.folder / "log"

    def keep(self, **changes: int | str | bool) -> None:
        """Keep something for the next start; only this user may read it."""
        self.kept = replace(self.kept, **changes)  # type: ignore[arg-type]
        self._file.touch(mode=0o600)
        self._file.write_text(json.dumps(asdict(self.kept), indent=2))

    def remove(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.folder)


@asynccontextmanager
async def held(folder: Path, *, fresh: bool = False) -> AsyncIterator[StateFolder]:
    """Hold a state folder, emptied first if asked. Raises ToolError where another demo holds it."""
    with _open_lock(folder) as lock:
        await keep_saying("waiting for the servers of an earlier demo, which was killed, to end", _acquire(lock))
        if fresh:
            _empty(folder)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield StateFolder(folder, lock)


def remove_leftovers(parent: Path, pattern: str) -> None:
    """Remove the state folders that nobody holds."""
    parent.mkdir(mode=0o700, exist_ok=True)
    for folder in parent.glob(pattern):
        with _open_lock(folder) as lock:
            if _try_lock(lock):
                shutil.rmtree(folder)


def _open_lock(folder: Path) -> IO[str]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return (folder / "lock").open("a+")


def _read(file: Path) -> Kept:
    try:
        return Kept(**json.loads(file.read_text()))
    except ValueError, TypeError:
        msg = "What an earlier demo kept cannot be read any more. Start over with --fresh."
        raise ToolError(msg) from None


async def _acquire(lock: IO[str]) -> None:
    """Get the lock; the servers of a demo that was killed hold it until they have ended."""
    patience_ends = time.monotonic() + LEFTOVERS_END_WITHIN
    while not _try_lock(lock):
        lock.seek(0)
        holder = lock.read().strip()
        if _is_running(holder):
            msg = f"The demo runs already, as process {holder}. Use that one, or end it with Ctrl-C and start again."
            raise ToolError(msg)
        if time.monotonic() > patience_ends:
            msg = f"The servers of an earlier demo, process {holder}, still run. End them, then start again."
            raise ToolError(msg)
        await asyncio.sleep(0.2)


def _try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_running(process_id: str) -> bool:
    try:
        os.kill(int(process_id), 0)
    except ValueError, ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _empty(folder: Path) -> None:
    """Remove everything but the lock that is held."""
    for each in folder.iterdir():
        if each.name == "lock":
            continue
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()
