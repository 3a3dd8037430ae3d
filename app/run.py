"""Start the server in its container: as root only until its folder is ready, then as a user who may do nothing else.

Without a word it becomes the server. ``healthy`` asks whether the server answers. ``before-backup`` makes a copy of the
database that is whole, and ``after-backup`` removes it; a copy that is found without a database was brought back by a
restore, and becomes the database.

``APP_DATA`` is the folder that outlives the container, and ``APP_USER`` the user who serves.
"""

from collections.abc import Mapping
import json
import os
from pathlib import Path
import pwd
import subprocess
import sys
import urllib.request

DATA = Path(os.environ.get("APP_DATA", "/data"))
USER = os.environ.get("APP_USER", "wwn")
HOME = DATA / "wwn-server"
DATABASE = HOME / "wwn-server.sqlite3"
COPY = HOME / "backup.sqlite3"
SERVER = "wwn-server"
EVERYBODY_MAY_ASK = "/.well-known/oauth-authorization-server"


def main(words: list[str]) -> int:
    """Do what the word says, and return the exit code."""
    task = {"": serve, "healthy": check_health, "before-backup": copy_database, "after-backup": remove_copy}.get(
        " ".join(words)
    )
    if task is None:
        print(f"run.py: {' '.join(words)!r} is not known; it takes healthy, before-backup, after-backup or nothing.")
        return 2
    return task()


def serve() -> int:
    """Become the server, which gets the app's options as variables of its environment."""
    HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
    if COPY.exists() and not DATABASE.exists():
        COPY.rename(DATABASE)
    environment = os.environ | variables(options()) | {"WWN_SERVER_DATA": str(HOME), "HOME": str(HOME)}
    become_user()
    os.execvpe(SERVER, [SERVER], environment)  # noqa: S606 - there is no shell, and that is the point


def check_health() -> int:
    """Ask the server for what it tells everybody."""
    port = variables(options()).get("WWN_SERVER_PORT") or os.environ.get("WWN_SERVER_PORT", "9553")
    try:
        # Any answer that is none of success is an error here.
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{EVERYBODY_MAY_ASK}", timeout=5):
            return 0
    except (OSError, ValueError) as err:
        print(f"The server does not answer: {err}")
        return 1


def copy_database() -> int:
    """Copy the database while the server goes on."""
    remove_copy()
    if not DATABASE.exists():
        return 0
    become_user()
    return subprocess.run([SERVER, "--data", str(HOME), "backup", str(COPY)], check=False).returncode  # noqa: S603


def remove_copy() -> int:
    """Remove the copy that a backup has taken."""
    COPY.unlink(missing_ok=True)
    return 0


def options() -> Mapping[str, object]:
    """Return what was set on the app's page; outside of Home Assistant there is none."""
    file = DATA / "options.json"
    found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found if isinstance(found, dict) else {}


def variables(chosen: Mapping[str, object]) -> dict[str, str]:
    """Return options as the server's variables; what was left empty is not set."""
    texts = {
        name: ",".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in chosen.items()
    }
    return {f"WWN_SERVER_{name.upper()}": text for name, text in texts.items() if text}


def become_user() -> None:
    """Give up being root for good; the folder is the user's from then on."""
    if os.geteuid() != 0:
        return
    user = pwd.getpwnam(USER)
    for path in (HOME, *HOME.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
