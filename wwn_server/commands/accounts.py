"""People who may sign in."""

from __future__ import annotations

from contextlib import closing
import getpass
import sys
from typing import TYPE_CHECKING

from wwn_server.passwords import hash_password, password_problem
from wwn_server.store import Store

from .speech import OK, CommandError, remark

if TYPE_CHECKING:
    import argparse

    from wwn_server.settings import Settings


def add_account(settings: Settings, options: argparse.Namespace) -> int:
    """Add a person."""
    with closing(Store(settings.data)) as store:
        account = store.accounts.add(options.person, hash_password(read_password()))
    remark(f"Added {account.name} ({account.role}).")
    return OK


def read_password() -> str:
    """Return a new password, asked for twice at a terminal. Raises ``CommandError``."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            msg = "The two passwords differ. Nothing was changed."
            raise CommandError(msg)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    problem = password_problem(password)
    if problem is not None:
        raise CommandError(problem)
    return password
