"""Another release of Home Assistant than the tests run on, in an environment of its own."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
import re
import shutil
import sys
from typing import Final

from tools.errors import ToolError
from tools.paths import CHECKOUT, DEMO

from .voice import keep_saying, say

VERSION: Final = re.compile(r"20\d\d\.\d{1,2}\.\d{1,2}(b\d{1,2})?")
# Run there, since which packages a start needs is written in that very release.
NEEDED: Final = "from tools.home_assistant_requirements import requirements; print(*requirements())"
READY: Final = ".ready"


async def python_with(version: str, folder: Path = DEMO) -> Path:
    """Return the Python of an environment that holds a release and all that its start needs. Raises ToolError."""
    if not VERSION.fullmatch(version):
        msg = f"{version!r} is no release of Home Assistant. Write one such as 2026.11.0."
        raise ToolError(msg)
    place = folder / f"home-assistant-{version}"
    python = place / "bin" / "python"
    if not (place / READY).exists():
        await keep_saying(f"installing Home Assistant {version}", _install(version, place, python))
        (place / READY).touch()
    say(f"Using Home Assistant {version} from an environment of its own.")
    return python


async def _install(version: str, place: Path, python: Path) -> None:
    uv = shutil.which("uv") or str(CHECKOUT / ".tools" / "uv" / "bin" / "uv")
    await _run(uv, "venv", "--clear", "--python", sys.executable, str(place))
    await _run(uv, "pip", "install", "--python", str(python), f"homeassistant=={version}")
    needed = await _run(str(python), "-c", NEEDED)
    await _run(uv, "pip", "install", "--python", str(python), *needed.split())


async def _run(*command: str) -> str:
    """Return what a command printed. Raises ToolError with its last words where it failed."""
    process = await asyncio.create_subprocess_exec(*command, cwd=CHECKOUT, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    try:
        said, complained = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        words = complained.decode(errors="replace").strip().splitlines()
        msg = f"{Path(command[0]).name} {command[1]} failed: {' '.join(words[-3:])}"
        raise ToolError(msg)
    return said.decode()
