"""What the command line can do, one file for each kind of thing."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

from wwn_server.settings import Settings

from .accounts import add_account
from .check import check
from .serve import serve_home

type Command = Callable[[Settings, argparse.Namespace], int]

# By command and action; each returns the exit code.
COMMANDS: Final[dict[tuple[str | None, str | None], Command]] = {
    (None, None): serve_home,
    ("check", None): check,
    ("account", "add"): add_account,
}
