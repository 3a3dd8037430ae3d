"""People: their accounts, the homes they belong to, and where they are signed in."""

from __future__ import annotations

from dataclasses import dataclass
import secrets
import sqlite3
from typing import TYPE_CHECKING, Final

from .database import Database, StoreError, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SESSION_SECONDS: Final = 30 * 24 * 3600
LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Account:
    """A person who can sign in; ``role`` is ``owner`` or ``member``."""

    id: int
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the home as the others know them; ``since`` is seconds since the epoch."""

    account: Account
    since: float


class NameTakenError(StoreError):
    """Somebody has an account of this name already."""


class ClaimedError(Exception):
    """The server has an owner already."""


def is_name(value: str) -> bool:
    """Say whether a person can be called this: some characters on one line."""
    return 0 < len(value) <= LONGEST_NAME and value == value.strip() and value.isprintable()


class Accounts:
    """Accounts, membership of homes and sessions."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """Work on a database; ``clock`` gives seconds since the epoch."""
        self._database = database
        self._clock = clock
        self._has_owner = False

    def add(self, name: str, password_hash: str) -> Account:
        """Make the owner when there is none, else a member; of every home there is.

        Raises ``NameTakenError`` when the name is taken.
        """
        with self._database.transaction():
            role = "member" if self.any() else "owner"
            account = Account(self._insert(name, password_hash, role), name, role)
            self._database.change("INSERT INTO members SELECT ?, id FROM homes", account.id)
        return account

    def claim(self, name: str, password_hash: str) -> Account:
        """Make the owner. Raises ``ClaimedError`` when somebody was faster."""
        with self._database.transaction():
            if self.any():
                raise ClaimedError
            return self.add(name, password_hash)

    def any(self) -> bool:
        """Say whether anybody can sign in at all. It stays so: nothing removes the owner."""
        self._has_owner = self._has_owner or self.owner() is not None
        return self._has_owner

    def owner(self) -> Account | None:
        """Return whose server it is, if somebody's already."""
        row = self._database.one("SELECT * FROM accounts WHERE role = 'owner'")
        return None if row is None else _account(row)

    def credentials(self, name: str) -> tuple[Account, str] | None:
        """Return an account and its password hash by name, whatever its case."""
        row = self._database.one("SELECT * FROM accounts WHERE name = ?", name)
        return None if row is None else (_account(row), str(row["password"]))

    def get(self, account_id: int) -> Account | None:
        """Return an account by id."""
        row = self._database.one("SELECT * FROM accounts WHERE id = ?", account_id)
        return None if row is None else _account(row)

    def members(self) -> tuple[Member, ...]:
        """Return everybody who has an account, the owner first."""
        rows = self._database.all("SELECT * FROM accounts ORDER BY role = 'member', created, id")
        return tuple(Member(_account(row), float(row["created"])) for row in rows)

    def set_password(self, account: Account, password_hash: str, token: str) -> None:
        """Keep another password, and sign the person out wherever this cookie is not."""
        with self._database.transaction():
            self._database.change("UPDATE accounts SET password = ? WHERE id = ?", password_hash, account.id)
            self._database.change("DELETE FROM sessions WHERE account_id = ? AND token <> ?", account.id, digest(token))

    def close_sessions(self, account: Account) -> None:
        """Sign a person out everywhere."""
        self._database.change("DELETE FROM sessions WHERE account_id = ?", account.id)

    def home_assistant(self, account: Account) -> str | None:
        """Return the address at which a person reaches Home Assistant, if it was ever said."""
        row = self._database.one("SELECT home_assistant FROM accounts WHERE id = ?", account.id)
        return None if row is None or row["home_assistant"] is None else str(row["home_assistant"])

    def set_home_assistant(self, account: Account, address: str | None) -> None:
        """Remember at which address a person reaches Home Assistant."""
        self._database.change("UPDATE accounts SET home_assistant = ? WHERE id = ?", address, account.id)

    def adopt_homes(self, home_ids: Iterable[str]) -> None:
        """Know these homes from now on; everyone here joins those that are new."""
        with self._database.transaction():
            for home_id in home_ids:
                if self._database.change(
                    "INSERT OR IGNORE INTO homes (id, created) VALUES (?, ?)", home_id, self._clock()
                ):
                    self._database.change("INSERT INTO members SELECT id, ? FROM accounts", home_id)

    def name_home(self, home_id: str, name: str) -> None:
        """Remember what people call a home."""
        self._database.change("UPDATE homes SET name = ? WHERE id = ?", name, home_id)

    def home_names(self) -> dict[str, str]:
        """Return what homes are called, by id, where people ever said so."""
        rows = self._database.all("SELECT id, name FROM homes WHERE name IS NOT NULL")
        return {str(row["id"]): str(row["name"]) for row in rows}

    def homes_of(self, account: Account) -> tuple[str, ...]:
        """Return the ids of the homes a person belongs to."""
        rows = self._database.all(
            "SELECT home_id FROM members WHERE account_id = ? ORDER BY home_id",
            account.id,
        )
        return tuple(str(row["home_id"]) for row in rows)

    def open_session(self, account: Account) -> str:
        """Sign a person in for 30 days and return the cookie's value."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        with self._database.transaction():
            self._database.change("DELETE FROM sessions WHERE expires <= ?", now)
            self._database.change(
                "INSERT INTO sessions VALUES (?, ?, ?)",
                digest(token),
                account.id,
                now + SESSION_SECONDS,
            )
        return token

    def session_account(self, token: str) -> Account | None:
        """Return who is signed in with a cookie."""
        row = self._database.one(
            "SELECT accounts.* FROM sessions JOIN accounts ON accounts.id = account_id WHERE token = ? AND expires > ?",
            digest(token),
            self._clock(),
        )
        return None if row is None else _account(row)

    def close_session(self, token: str) -> None:
        """Sign out wherever this cookie is."""
        self._database.change("DELETE FROM sessions WHERE token = ?", digest(token))

    def _insert(self, name: str, password_hash: str, role: str) -> int:
        row = None
        try:
            row = self._database.one(
                "INSERT INTO accounts (name, password, role, created) VALUES (?, ?, ?, ?) RETURNING id",
                name,
                password_hash,
                role,
                self._clock(),
            )
        except sqlite3.IntegrityError as error:
            msg = f"there is an account named {name} already"
            raise NameTakenError(msg) from error
        assert row is not None  # noqa: S101
        return int(row["id"])


def _account(row: sqlite3.Row) -> Account:
    return Account(id=row["id"], name=row["name"], role=row["role"])
