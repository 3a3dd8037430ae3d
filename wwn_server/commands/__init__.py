"""What the command line can do, one file for each kind of thing."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

from wwn_server.settings import Settings

from .accounts import add_account, change_password, list_accounts, remove_account
from .backup import back_up
from .check import check
from .links import list_clients, list_links, make_token, remove_client, remove_link
from .serve import serve_home

type Command = Callable[[Settings, argparse.Namespace], int]

# By command and action; each returns the exit code.
COMMANDS: Final[dict[tuple[str | None, str | None], Command]] = {
    (None, None): serve_home,
    ("check", None): check,
    ("backup", None): back_up,
    ("token", None): make_token,
    ("account", "add"): add_account,
    ("account", "list"): list_accounts,
    ("account", "remove"): remove_account,
    ("account", "password"): change_password,
    ("link", "list"): list_links,
    ("link", "remove"): remove_link,
    ("client", "list"): list_clients,
    ("client", "remove"): remove_client,
}
