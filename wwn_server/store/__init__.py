"""What survives a restart: accounts, sessions, clients and links, in one SQLite file."""

from __future__ import annotations

import base64
from functools import lru_cache
import hashlib
import time
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from .accounts import Account, Accounts, Member, NameTakenError
from .clients import Client, Clients, Registration, RequestedPermission
from .database import Database, StoreError
from .devices import Devices
from .invitations import Invitation, InvitationError, Invitations
from .links import CodeError, CodeProblem, Connection, Consent, Link, Links
from .sources import KeptSource, Sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

__all__ = [
    "Account",
    "Client",
    "CodeError",
    "CodeProblem",
    "Connection",
    "Consent",
    "Invitation",
    "InvitationError",
    "KeptSource",
    "Link",
    "Member",
    "Memory",
    "NameTakenError",
    "Registration",
    "RequestedPermission",
    "Store",
    "StoreError",
]


class Memory(NamedTuple):
    """A place for one text that survives a restart."""

    read: Callable[[], str | None]
    write: Callable[[str], None]


class Store:
    """The server's memory; every method is one short transaction on a local file."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        """Open the file in a folder, or make both.

        ``clock`` gives seconds since the epoch. Raises ``StoreError`` with a sentence
        for people when the folder or the file can't be used.
        """
        self._database = Database(folder)
        self.accounts = Accounts(self._database, clock)
        self.invitations = Invitations(self._database, clock, self.accounts)
        self.clients = Clients(self._database, clock)
        self.links = Links(self._database, clock)
        self.devices = Devices(self._database)
        self.sources = Sources(self._database, clock)
        self.server_id = self._server_id()

    @property
    def name(self) -> str | None:
        """What the owner calls this server, if that was ever said."""
        return self._meta("name")

    def rename(self, name: str) -> None:
        """Remember what the owner calls this server."""
        self._set_meta("name", name)

    def remove_member(self, member: Account, heir: Account, kept: Iterable[int]) -> None:
        """End a person's account and sessions, and the links they made; those that are kept become the heir's."""
        kept = frozenset(kept)
        with self._database.transaction():
            for link_id in self.links.made_by(member):
                if link_id in kept:
                    self.links.hand_over(link_id, heir)
                else:
                    self.links.remove(link_id)
            self._database.change("DELETE FROM accounts WHERE id = ?", member.id)

    def user_id(self, link: Link) -> str:
        """Return what a hub may call the person of a link (protocol 3.2).

        The same for one person and one hub, and nothing that two hubs could compare.
        """
        return _user_id(self.server_id, link.client_id, link.account_id)

    def changed_elsewhere(self) -> bool:
        """Say whether another process has written since this was last asked."""
        return self._database.changed_elsewhere()

    def memory(self, key: str) -> Memory:
        """Return a place where somebody else keeps a text of their own."""
        return Memory(lambda: self._meta(key), lambda text: self._set_meta(key, text))

    def back_up(self, file: Path) -> None:
        """Copy all there is into a new file. Raises ``StoreError`` with a sentence for people."""
        self._database.back_up(file)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _server_id(self) -> str:
        self._database.change("INSERT OR IGNORE INTO meta VALUES ('server_id', ?)", str(uuid4()))
        server_id = self._meta("server_id")
        if server_id is None:
            msg = "the file has lost the server's id"
            raise StoreError(msg)
        return server_id

    def _meta(self, key: str) -> str | None:
        row = self._database.one("SELECT value FROM meta WHERE key = ?", key)
        return None if row is None else str(row["value"])

    def _set_meta(self, key: str, value: str) -> None:
        self._database.change(
            "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
            key,
            value,
        )


@lru_cache(maxsize=1024)
def _user_id(server_id: str, client_id: str, account_id: int) -> str:
    words = f"{server_id}\0{client_id}\0{account_id}"
    hashed = hashlib.sha256(words.encode()).digest()
    return f"z.1.1.{base64.urlsafe_b64encode(hashed).decode()}"
