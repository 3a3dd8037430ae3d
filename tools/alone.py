"""A network of its own for a program: loopback, over which things can be announced and found, and nothing else.

Home Assistant looks for announcements on loopback only where there is no other network (``unshare``, Linux).
Run as a module it fails, and says why, where no such network can be made.
"""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
import os
import shutil
import sys
from typing import Final

from .errors import ToolError
from .paths import CHECKOUT

# Loopback takes announcements once it is up and knows where to send them.
PREPARED: Final = 'ip link set lo up multicast on && ip route add 224.0.0.0/4 dev lo && exec "$@"'


def alone(*command: str) -> tuple[str, ...]:
    """Return the command that runs another one in a network of its own."""
    # Who is not root is root in there, which the network needs and which reaches nothing outside.
    flags = "--net" if os.geteuid() == 0 else "--map-root-user"
    return ("unshare", *dict.fromkeys((flags, "--net")), "sh", "-c", PREPARED, "sh", *command)


async def why_not() -> str | None:
    """Return why no network of its own can be made here; None where it can."""
    if missing := [name for name in ("unshare", "ip") if shutil.which(name) is None]:
        return f"{' and '.join(missing)} must be installed"
    probe = await asyncio.create_subprocess_exec(*alone("true"), stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
    _, said = await probe.communicate()
    return said.decode(errors="replace").strip() or "it is not allowed" if probe.returncode else None


async def run_alone(module: str, *arguments: str) -> str:
    """Run a module of this checkout in a network of its own, and return what it printed. Raises ToolError."""
    command: Sequence[str] = alone(sys.executable, "-m", module, *arguments)
    process = await asyncio.create_subprocess_exec(*command, cwd=CHECKOUT, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    try:
        printed, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if process.returncode:
        msg = f"{module} failed in a network of its own:\n{said.decode(errors='replace').strip()}"
        raise ToolError(msg)
    return printed.decode()


def main() -> None:
    """Say whether a network of its own can be made."""
    if reason := asyncio.run(why_not()):
        sys.exit(f"No network namespace can be made here: {reason}")


if __name__ == "__main__":
    main()
