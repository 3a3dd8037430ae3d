"""People who may sign in."""

from __future__ import annotations

from contextlib import closing
import getpass
import sys
from typing import TYPE_CHECKING

from wwn_server.passwords import hash_password, password_problem
from wwn_server.store import Store

from .speech import OK, CommandError, remark
from .table import day_and_time, tell_table

if TYPE_CHECKING:
    import argparse

    from wwn_server.settings import Settings
    from wwn_server.store import Account


def add_account(settings: Settings, options: argparse.Namespace) -> int:
    """Add a person."""
    with closing(Store(settings.data)) as store:
        account = store.accounts.add(options.person, hash_password(read_password()))
    remark(f"Added {account.name} ({account.role}).")
    return OK


def list_accounts(settings: Settings, _: argparse.Namespace) -> int:
    """Show everybody."""
    with closing(Store(settings.data)) as store:
        members = store.accounts.members()
    tell_table(
        ("NAME", "ROLE", "SINCE"),
        ((each.account.name, each.account.role, day_and_time(each.since)) for each in members),
    )
    return OK


def remove_account(settings: Settings, options: argparse.Namespace) -> int:
    """Remove a member; the owner stays."""
    with closing(Store(settings.data)) as store:
        account = account_of(store, options.person)
        if account.role == "owner":
            msg = f"{account.name} is the owner, without whom nobody could invite others. Nothing was changed."
            raise CommandError(msg)
        ended = store.links.made_by(account)
        store.remove_member(account, account, ())
    remark(f"Removed {account.name}, and the {len(ended)} links that {account.name} made.")
    return OK


def change_password(settings: Settings, options: argparse.Namespace) -> int:
    """Give a person another password."""
    with closing(Store(settings.data)) as store:
        account = account_of(store, options.person)
        store.accounts.set_password(account, hash_password(read_password()), "")
    remark(f"{account.name} has another password now, and is signed out everywhere.")
    return OK


def account_of(store: Store, name: str) -> Account:
    """Return whose name it is. Raises ``CommandError``."""
    found = store.accounts.credentials(name)
    if found is None:
        msg = f"Nobody is called {name}. wwn-server account list shows all."
        raise CommandError(msg)
    return found[0]


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
