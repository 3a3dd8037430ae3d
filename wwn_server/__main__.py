"""The command ``wwn-server``."""

from __future__ import annotations

import asyncio
from contextlib import closing
import getpass
import logging
import sys
from typing import TYPE_CHECKING, Final

from .cli import build_parser
from .homes.simulated import SimulatedHome
from .passwords import SHORTEST_PASSWORD, hash_password
from .serving import ListenError, serve
from .settings import Settings
from .store import Store, StoreError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

EXIT_REFUSED: Final = 2


class PasswordError(Exception):
    """A password can't be taken; the message is for people."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    run = {"account": _add_account, None: _serve}[options.command]
    try:
        with closing(Store(options.data)) as store:
            run(store, options)
    except (StoreError, ListenError, PasswordError) as error:
        _say(f"wwn-server: {error}")
        return EXIT_REFUSED
    return 0


def _serve(store: Store, options: argparse.Namespace) -> None:
    if options.name is not None:
        store.rename(options.name)
    if not store.accounts.any():
        _say("Nobody can sign in yet. Make the owner's account with:")
        _say(f"  wwn-server --data {options.data} account add NAME")
    settings = Settings(
        data=options.data,
        host=options.host,
        port=options.port,
        browser_url=options.base_url,
        announce=not options.no_announce,
    )
    home = SimulatedHome(store.server_id, seed=options.seed, speed=options.speed, scale=options.scale)
    asyncio.run(serve(settings, store, home))


def _add_account(store: Store, options: argparse.Namespace) -> None:
    account = store.accounts.add(options.name, hash_password(_read_password()))
    _say(f"Added {account.name} ({account.role}).")


def _read_password() -> str:
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            msg = "The two passwords differ. Nothing was changed."
            raise PasswordError(msg)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if len(password) < SHORTEST_PASSWORD:
        msg = f"A password needs at least {SHORTEST_PASSWORD} characters."
        raise PasswordError(msg)
    return password


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
