"""Home Assistant as a process of its own, on loopback."""

from collections.abc import Sequence
from pathlib import Path
import sys
from typing import Final

from tools.ports import LOOPBACK
from tools.processes import ManagedProcess

from .folder import prepare

# The first start makes its database; a busy machine takes its time.
STARTS_WITHIN: Final = 120.0
STOPS_WITHIN: Final = 30.0
# With this one a person asked for a restart in the frontend.
EXIT_TO_RESTART: Final = 100

READY_PATH: Final = "/manifest.json"


class HomeAssistantServer:
    """Home Assistant, with this checkout's integration linked into its configuration folder."""

    def __init__(
        self, folder: Path, log: Path, *, python: str | Path = sys.executable, keep_open: Sequence[int] = ()
    ) -> None:
        """Use a configuration folder and a log, the Home Assistant of this or another Python, and keep files open."""
        self.base = ""
        self.folder = folder
        self._keep_open = keep_open
        command = (python, "-P", "-m", "homeassistant", "--config", folder, "--log-no-color")
        self.process = ManagedProcess("Home Assistant", command, log)

    async def start(self, port: int) -> str:
        """Start it and return its address once its frontend answers. Raises ProcessError."""
        prepare(self.folder, port)
        self.base = f"http://{LOOPBACK}:{port}"
        await self.process.start(self.folder, self._keep_open)
        await self.process.wait_for_answer(self.base + READY_PATH, STARTS_WITHIN)
        return self.base

    async def stop(self) -> int | None:
        """End it and return its exit code."""
        return await self.process.stop(STOPS_WITHIN)
