"""A real Mosquitto on a free port of loopback, with a configuration of its own.

Run as a module it prints where Mosquitto is, and fails where there is none.
"""

import contextlib
import os
from pathlib import Path
import shutil
import signal
import socket
import sys
from typing import Final, override

from tools.errors import ToolError
from tools.ports import LOOPBACK, free_port
from tools.processes import ManagedProcess

from .lasting import Lasting

# Debian keeps it where only root's path looks.
ALSO_IN: Final = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
HOW_TO_GET_IT: Final = "No Mosquitto is installed (Debian, Ubuntu: apt-get install mosquitto)."
STARTS_WITHIN: Final = 20.0


def find_mosquitto(name: str = "mosquitto") -> str | None:
    """Return the path of an installed Mosquitto, or of a tool that comes with it."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), *ALSO_IN)))


def _program(name: str = "mosquitto") -> str:
    if (path := find_mosquitto(name)) is None:
        raise ToolError(HOW_TO_GET_IT)
    return path


class Broker(Lasting):
    """Mosquitto as a process. Everybody may do everything, unless there is a sign-in."""

    def __init__(
        self,
        folder: Path,
        *,
        sign_in: tuple[str, str] | None = None,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        """Keep its files in a folder. sign_in: name and password; certificate: of TLS, with its key."""
        self.sign_in = sign_in
        self.port = 0
        self._folder = folder
        self._certificate = certificate
        self._file = folder / "mosquitto.conf"
        self._passwords = folder / "mosquitto.passwords"
        self.process = self._new_process()

    @property
    def address(self) -> str:
        """Where it is found, without the sign-in, and the same after it went away and came back."""
        return f"{'mqtts' if self._certificate else 'mqtt'}://{LOOPBACK}:{self.port}"

    @override
    async def start(self, port: int = 0) -> str:
        """Listen, on a free port if none is named, and return the address. Raises ToolError."""
        self.port = port or free_port()
        self._folder.mkdir(parents=True, exist_ok=True)
        await self._write()
        await self.come_back()
        return self.address

    @override
    async def stop(self) -> None:
        """End it in order."""
        self.thaw()
        await self.process.stop()

    async def go_away(self) -> None:
        """End it as a power cut would. What it kept is gone: it has no memory on disk."""
        await self.process.kill()

    async def come_back(self) -> None:
        """Listen on the same port again, with nothing retained."""
        await self.process.start(self._folder)
        await self.process.wait_for_line(lambda line: line.endswith(" running"), STARTS_WITHIN)
        await self._wait_for_port()

    def freeze(self) -> None:
        """Stay connected, and do nothing any more."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        if self.process.is_running:
            os.kill(self.process.pid, signal.SIGCONT)

    def _new_process(self) -> ManagedProcess:
        program = find_mosquitto() or "mosquitto"
        return ManagedProcess("The MQTT broker", (program, "-c", self._file), self._folder / "mosquitto.log")

    async def _write(self) -> None:
        _program()
        lines = [f"listener {self.port} {LOOPBACK}", "persistence false", "log_dest stderr", "log_type all"]
        if os.geteuid() == 0:
            # Otherwise it changes to a user of its own, who may not read this folder.
            lines.append("user root")
        lines.append(f"allow_anonymous {'false' if self.sign_in else 'true'}")
        if self.sign_in:
            await self._write_passwords(*self.sign_in)
            lines.append(f"password_file {self._passwords}")
        if self._certificate:
            certificate, key = self._certificate
            lines += [f"certfile {certificate}", f"keyfile {key}"]
        self._file.write_text("\n".join([*lines, ""]))

    async def _write_passwords(self, name: str, password: str) -> None:
        self._passwords.touch(mode=0o600)
        self._passwords.write_text(f"{name}:{password}\n")
        # The file is given, and not the password, which others could read from the command line.
        tool = ManagedProcess(
            "mosquitto_passwd", (_program("mosquitto_passwd"), "-U", self._passwords), self._folder / "passwords.log"
        )
        await tool.start(self._folder)
        if await tool.ended():
            tool.fail("did not take the password")

    async def _wait_for_port(self) -> None:
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=1):
            return
        self.process.fail("says that it runs, but does not listen")


def main() -> None:
    """Print where Mosquitto is."""
    if (path := find_mosquitto()) is None:
        sys.exit(HOW_TO_GET_IT)
    print(path)


if __name__ == "__main__":
    main()
