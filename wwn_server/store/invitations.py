"""Invitations: codes that let one person each make an account, for a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .database import Database

if TYPE_CHECKING:
    from collections.abc import Callable

    from .accounts import Account, Accounts

INVITATION_SECONDS: Final = 24 * 3600


class InvitationError(Exception):
    """An invitation was used, withdrawn or is too old, or there never was such a one."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """One that nobody used yet; ``expires`` is seconds since the epoch."""

    id: int
    expires: float


class Invitations:
    """Invitations by the hash of their code."""

    def __init__(self, database: Database, clock: Callable[[], float], accounts: Accounts) -> None:
        """Work on a database; ``clock`` gives seconds since the epoch."""
        self._database = database
        self._clock = clock
        self._accounts = accounts

    def add(self, inviting: Account, code: bytes) -> None:
        """Let whoever has the code of this hash make an account within a day."""
        with self._database.transaction():
            self._database.change("DELETE FROM invitations WHERE created <= ?", self._oldest())
            self._database.change(
                "INSERT INTO invitations (code, account_id, created) VALUES (?, ?, ?)",
                code,
                inviting.id,
                self._clock(),
            )

    def pending(self) -> tuple[Invitation, ...]:
        """Return those that can still be used, the oldest first."""
        rows = self._database.all("SELECT id, created FROM invitations WHERE created > ? ORDER BY id", self._oldest())
        return tuple(Invitation(row["id"], row["created"] + INVITATION_SECONDS) for row in rows)

    def is_open(self, code: bytes) -> bool:
        """Say whether an invitation can be used."""
        query = "SELECT 1 FROM invitations WHERE code = ? AND created > ?"
        return self._database.one(query, code, self._oldest()) is not None

    def withdraw(self, invitation_id: int) -> None:
        """Let nobody use an invitation any more."""
        self._database.change("DELETE FROM invitations WHERE id = ?", invitation_id)

    def use(self, code: bytes, name: str, password_hash: str) -> Account:
        """Make the account of who was invited. Raises ``InvitationError`` and ``NameTakenError``."""
        with self._database.transaction():
            if not self.is_open(code):
                raise InvitationError
            self._database.change("DELETE FROM invitations WHERE code = ?", code)
            return self._accounts.add(name, password_hash)

    def _oldest(self) -> float:
        return self._clock() - INVITATION_SECONDS
