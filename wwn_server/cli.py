"""The command line: what can be said, and whether it makes sense."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any, Final

from . import __version__
from .addresses import split
from .settings import DEFAULT_HOST, DEFAULT_NAME, DEFAULT_PORT, default_data_folder

FASTEST: Final = 3600.0
_LAST_PORT: Final = 65535
_LONGEST_NAME: Final = 60
_LONGEST_ACCOUNT: Final = 64

_COMMAND: Final = "wwn-server"
_USAGE: Final = """wwn-server [options]
       wwn-server [--data DIR] account add NAME"""
_DESCRIPTION: Final = """\
A Works with Nest server: the Nest side of a link, at home.

It shows a home (thermostats, home/away, smoke and carbon monoxide alarms) to hubs
such as Home Assistant. A hub asks on this server's page which data it would like
and why; you sign in, accept or go back, and can end the link at any time. The home
is simulated, so there is nothing to configure.

Google's own Works with Nest service ended on 29 September 2023. This server is
independent of it: not made by, affiliated with, or connected to Google or Nest.
"""

_EPILOG: Final = """\
examples:
  wwn-server account add anna          make the owner's account, once
  wwn-server                           serve on http://127.0.0.1:9553
  wwn-server --host 0.0.0.0            serve to the local network and announce it there
  wwn-server --port 0 --speed 60       any free port; one minute passes each second
  wwn-server account add ben < FILE    the same, with the password from a file

When it listens it prints one line, "Listening on http://HOST:PORT". Ctrl-C ends it.
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; without a command the server serves."""
    parser = argparse.ArgumentParser(
        prog=_COMMAND,
        usage=_USAGE,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    data_help = "where accounts and links are kept (default: %(default)s)"
    parser.add_argument("--data", type=Path, default=default_data_folder(), metavar="DIR", help=data_help)
    for title, options in _OPTIONS.items():
        group = parser.add_argument_group(title)
        for flag, described in options.items():
            group.add_argument(flag, **described)
    _add_account_command(parser)
    return parser


def _add_account_command(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", prog=_COMMAND)
    account = commands.add_parser("account", help="people who may sign in")
    actions = account.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser(
        "add",
        help="add a person; the first one is the owner",
        description=(
            "Add a person. The password is read from standard input when that is not "
            "a terminal (one line), else it is asked for twice."
        ),
    )
    add.add_argument("name", type=_account_name, metavar="NAME")


def _host(value: str) -> str:
    host = value.removeprefix("[").removesuffix("]")
    if not host or any(each.isspace() or each in "/@?#" for each in host):
        msg = f"{value!r} is not an address to listen on, such as 127.0.0.1 or 0.0.0.0"
        raise argparse.ArgumentTypeError(msg)
    return host


def _port(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) > _LAST_PORT:
        msg = f"{value!r} is not a port: a number from 0 to {_LAST_PORT}"
        raise argparse.ArgumentTypeError(msg)
    return int(value)


def _name(value: str) -> str:
    name = value.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        msg = f"a name has one to {_LONGEST_NAME} characters on one line"
        raise argparse.ArgumentTypeError(msg)
    return name


def _account_name(value: str) -> str:
    name = value.strip()
    if not name or len(name) > _LONGEST_ACCOUNT or not name.isprintable():
        msg = f"a person's name has one to {_LONGEST_ACCOUNT} characters on one line"
        raise argparse.ArgumentTypeError(msg)
    return name


def _base_url(value: str) -> str:
    parts = split(value)
    if parts is None or parts.path not in {"", "/"} or parts.query:
        msg = f"{value!r} is not an address such as https://nest.example or http://nas:9553"
        raise argparse.ArgumentTypeError(msg)
    return f"{parts.scheme}://{parts.netloc}"


def _seed(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        msg = f"{value!r} is not a whole number"
        raise argparse.ArgumentTypeError(msg) from None


def _speed(value: str) -> float:
    try:
        speed = float(value)
    except ValueError:
        speed = math.nan
    if not 0 <= speed <= FASTEST:
        msg = f"{value!r} is not a speed: a number from 0 to {FASTEST:.0f}"
        raise argparse.ArgumentTypeError(msg)
    return speed


_OPTIONS: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "server": {
        "--host": {
            "type": _host,
            "default": DEFAULT_HOST,
            "help": "address to listen on (default: %(default)s, this machine only)",
        },
        "--port": {
            "type": _port,
            "default": DEFAULT_PORT,
            "help": "port to listen on; 0 picks a free one (default: %(default)s)",
        },
        "--name": {
            "type": _name,
            "help": f"what hubs call this server, kept once said (default: {DEFAULT_NAME})",
        },
        "--base-url": {
            "type": _base_url,
            "metavar": "URL",
            "help": "where people's browsers reach this server, if not where hubs do",
        },
        "--no-announce": {
            "action": "store_true",
            "help": "do not announce the server on the network (mDNS)",
        },
    },
    "simulated home": {
        "--seed": {
            "type": _seed,
            "default": 1,
            "metavar": "N",
            "help": "the same number makes the same home (default: %(default)s)",
        },
        "--speed": {
            "type": _speed,
            "default": 1.0,
            "metavar": "X",
            "help": "how fast its time passes; 0 stands still (default: 1)",
        },
        "--scale": {
            "choices": ("C", "F"),
            "default": "C",
            "help": "the thermostats' temperature scale (default: %(default)s)",
        },
    },
}
