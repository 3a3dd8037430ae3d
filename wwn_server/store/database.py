"""The SQLite file itself: opening it, bringing it up to date, transactions."""

from __future__ import annotations

from contextlib import closing, contextmanager
import hashlib
import os
import sqlite3
from typing import TYPE_CHECKING, Final

from .migrations import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME: Final = "wwn-server.sqlite3"

_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 5000",
)


class StoreError(Exception):
    """The file or its folder can't be used; the message is for people."""


def digest(secret: str) -> bytes:
    """Return the SHA-256 of a secret: all that is ever kept of it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def version_of(folder: Path) -> int | None:
    """Return the version of a folder's file without changing it, ``None`` where there is none.

    Raises ``StoreError`` with a sentence for people when it can't be read.
    """
    file = folder / FILE_NAME
    if not file.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        msg = f"the file {file} can't be read: {error}"
        raise StoreError(msg) from error


class Database:
    """One connection; values are bound by position."""

    def __init__(self, folder: Path) -> None:
        """Open or make the file, readable by its owner only, at the newest version."""
        try:
            self._connection = _open(folder)
            self._migrate()
            self._seen = self._written()
        except (OSError, sqlite3.Error) as error:
            msg = f"the data folder {folder} can't be used: {error}"
            raise StoreError(msg) from error

    def one(self, sql: str, *values: object) -> sqlite3.Row | None:
        """Return the first row of a query."""
        row: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        return self._connection.execute(sql, values).fetchall()

    def change(self, sql: str, *values: object) -> int:
        """Run one statement and return how many rows it changed."""
        return self._connection.execute(sql, values).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make several statements one: all of them count, or none. Inside another it is part of that."""
        if self.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @property
    def in_transaction(self) -> bool:
        """Whether what is written now may still be taken back."""
        return self._connection.in_transaction

    def version(self) -> tuple[int, int]:
        """Return what is another after every write: the first after those of others, the second after our own."""
        return self._written(), self._connection.total_changes

    def changed_elsewhere(self) -> bool:
        """Say whether another connection has written since this was last asked."""
        before, self._seen = self._seen, self._written()
        return before != self._seen

    def back_up(self, file: Path) -> None:
        """Copy all there is into a new file, readable by its owner only, while others go on reading and writing.

        Raises ``StoreError`` with a sentence for people.
        """
        try:
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            self._copy_to(file)
        except FileExistsError:
            msg = f"{file} exists already and was not touched. Name a file that does not."
            raise StoreError(msg) from None
        except (OSError, sqlite3.Error) as error:
            msg = f"{file} could not be written: {error}"
            raise StoreError(msg) from error

    def _copy_to(self, file: Path) -> None:
        """Fill a file that is ours; half a copy would pass for one, so it does not stay."""
        try:
            with closing(sqlite3.connect(file)) as copy:
                self._connection.backup(copy)
                # A copy is one file, not three.
                copy.execute("PRAGMA journal_mode = DELETE")
        except BaseException:
            for ending in ("", "-journal", "-wal", "-shm"):
                file.with_name(f"{file.name}{ending}").unlink(missing_ok=True)
            raise

    def close(self) -> None:
        """Close the connection, which folds the write-ahead log into the file."""
        self._connection.close()

    def _migrate(self) -> None:
        version = self._version()
        if version > len(MIGRATIONS):
            msg = f"its file is of version {version}, this program knows {len(MIGRATIONS)} at most; run a newer one"
            raise sqlite3.DatabaseError(msg)
        for number, statements in enumerate(MIGRATIONS[version:], version + 1):
            self._run_migration(number, statements)

    def _run_migration(self, number: int, statements: tuple[str, ...]) -> None:
        with self.transaction():
            if self._version() >= number:
                return
            for statement in statements:
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {number}")

    def _written(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])


def _open(folder: Path) -> sqlite3.Connection:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / FILE_NAME
    # SQLite gives its side files the mode of this one.
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    file.chmod(0o600)
    connection = sqlite3.connect(file, isolation_level=None)
    connection.row_factory = sqlite3.Row
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    return connection
