"""Codes on their way to a hub, and the links that hubs hold."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
import hashlib
import hmac
import json
import secrets
import string
from typing import TYPE_CHECKING, Final

from .database import Database, digest
from .remembered import Remembered

if TYPE_CHECKING:
    from collections.abc import Callable
    import sqlite3

    from .accounts import Account
    from .clients import Client

# An expired code is remembered for a while, so that its hub can be told the reason.
_EXPIRED_CODE_SECONDS: Final = 24 * 3600
# Being exact to the second is not worth a write to disk for every request.
_LAST_USED_SECONDS: Final = 60
# How often a hub may offer a code that there is not, and in which time.
MOST_WRONG_CODES: Final = 10
WRONG_CODES_SECONDS: Final = 3600
_LINK: Final = ("id", "client_id", "account_id", "homes", "permissions", "client_version")
# Tokens start with "c." and are 140 to 150 characters long (protocol 1.4).
_TOKEN_BYTES: Final = 105


@dataclass(frozen=True, slots=True)
class CodeKind:
    """What the codes of one flow look like, and how long they live (protocol 1.3)."""

    alphabet: str
    length: int
    seconds: float

    def new(self) -> str:
        """Return a code that nobody can guess."""
        return "".join(secrets.choice(self.alphabet) for _ in range(self.length))


REDIRECT_CODE: Final = CodeKind(string.ascii_letters + string.digits, 16, 600)
# People read a PIN in one place and type it in another: without pairs such as O and 0, I and 1, S and 5.
PIN: Final = CodeKind("ACDEFGHJKLMNPQRTUVWXY34679", 8, 48 * 3600)


def as_made(code: str) -> str:
    """Return a code as it was made: a person types a PIN, in small letters or with spaces around it."""
    typed = code.strip().upper()
    return typed if len(typed) == PIN.length else code


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a person accepted: for whom, which homes, and how the code travels."""

    client: Client
    account: Account
    homes: tuple[str, ...]
    redirect_uri: str | None
    challenge: str | None

    @property
    def code_kind(self) -> CodeKind:
        """Without an address that a browser could be sent to, a person carries the code."""
        return PIN if self.redirect_uri is None else REDIRECT_CODE


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A hub's standing right to part of a home, as its token carries it."""

    id: int
    client_id: str
    account_id: int
    homes: frozenset[str]
    permissions: frozenset[str]
    client_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A link as people know it; ``since`` and ``last_used`` are seconds since the epoch."""

    link: Link
    hub: str
    member: str
    since: float
    last_used: float | None


class CodeProblem(StrEnum):
    """Why a code is not worth a token."""

    NOT_FOUND = "not_found"
    EXPIRED = "expired"
    REDIRECT = "redirect"
    VERIFIER = "verifier"
    TOO_MANY = "too_many"


class CodeError(Exception):
    """A code can't be redeemed."""

    def __init__(self, problem: CodeProblem, wait: float = 0) -> None:
        """Keep the reason, and for how many seconds it lasts."""
        super().__init__(problem)
        self.problem = problem
        self.wait = wait


class Links:
    """Codes and links; codes and tokens are kept as their SHA-256 only.

    Codes are short, so they are compared in constant time. Tokens are found by their hash, which takes a time that says
    something about hashes, and nothing about tokens.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """Work on a database; ``clock`` gives seconds since the epoch."""
        self._database = database
        self._clock = clock
        self._rows = Remembered(database, self._row_of)

    def accept(self, consent: Consent) -> tuple[str, tuple[int, ...]]:
        """Record that a person accepted a hub's current version.

        Returns the code for the hub and the ids of links that it already had to the
        same homes: they now hold what was accepted (protocol 2.4), and stay.
        """
        code = consent.code_kind.new()
        with self._database.transaction():
            self._insert_code(code, consent)
            raised = self._raise_links(consent)
            self._database.change(
                "UPDATE clients SET accepted = coalesce(accepted, ?1), "
                "unused_since = CASE WHEN EXISTS "
                "(SELECT 1 FROM links WHERE client_id = ?2) THEN NULL ELSE ?1 END "
                "WHERE id = ?2",
                self._clock(),
                consent.client.id,
            )
        return code, raised

    def redeem(
        self,
        code: str,
        client: Client,
        redirect_uri: str | None,
        verifier: str | None,
    ) -> str:
        """Turn a code into a token, once. Raises ``CodeError``.

        Codes that there are not are counted for each hub, and not for long: who guesses is kept out.
        """
        self._demand_attempts(client)
        try:
            with self._database.transaction():
                checked = _checked(self._code(code, client), self._clock(), redirect_uri, verifier)
                self._database.change("DELETE FROM codes WHERE code = ?", checked["code"])
                return self._insert_link(checked)
        except CodeError as error:
            if error.problem is CodeProblem.NOT_FOUND:
                self._database.change("INSERT INTO wrong_codes VALUES (?, ?)", client.id, self._clock())
            raise

    def by_token(self, token: str) -> Link | None:
        """Return the link a token stands for, and note that it was used."""
        row = self._rows.get(digest(token))
        if row is None:
            return None
        self._note_use(row)
        return _link(row)

    def used(self, link_id: int) -> None:
        """Note that a link was used until now, if it is still there."""
        row = self._database.one("SELECT * FROM links WHERE id = ?", link_id)
        if row is not None:
            self._note_use(row)

    def get(self, link_id: int) -> Link | None:
        """Return a link by id."""
        row = self._database.one("SELECT * FROM links WHERE id = ?", link_id)
        return None if row is None else _link(row)

    def of_client(self, client: Client, homes: tuple[str, ...]) -> tuple[Link, ...]:
        """Return a hub's links to any of these homes."""
        rows = self._database.all("SELECT * FROM links WHERE client_id = ? ORDER BY id", client.id)
        wanted = frozenset(homes)
        return tuple(link for link in map(_link, rows) if link.homes & wanted)

    def connections(self, homes: tuple[str, ...] | None = None) -> tuple[Connection, ...]:
        """Return all links to any of these homes, or all there are; the oldest first."""
        rows = self._database.all(
            "SELECT links.*, clients.name AS hub, accounts.name AS member FROM links "
            "JOIN clients ON clients.id = client_id JOIN accounts ON accounts.id = account_id "
            "ORDER BY links.created, links.id"
        )
        found = map(_connection, rows)
        return tuple(each for each in found if homes is None or each.link.homes & frozenset(homes))

    def take_back(self, link: Link, permission: str) -> Link:
        """Return the link without a permission that it holds beside others."""
        kept = replace(link, permissions=link.permissions - {permission})
        self._database.change(
            "UPDATE links SET permissions = ? WHERE id = ?",
            json.dumps(sorted(kept.permissions)),
            link.id,
        )
        return kept

    def take_home_back(self, link: Link, home: str) -> Link:
        """Return the link without a home that it holds beside others."""
        kept = replace(link, homes=link.homes - {home})
        self._database.change("UPDATE links SET homes = ? WHERE id = ?", json.dumps(sorted(kept.homes)), link.id)
        return kept

    def made_by(self, account: Account) -> tuple[int, ...]:
        """Return the ids of the links that a person made."""
        rows = self._database.all("SELECT id FROM links WHERE account_id = ? ORDER BY id", account.id)
        return tuple(int(row["id"]) for row in rows)

    def hand_over(self, link_id: int, heir: Account) -> None:
        """Let a link be another person's."""
        self._database.change("UPDATE links SET account_id = ? WHERE id = ?", heir.id, link_id)

    def remove_token(self, token: str) -> int | None:
        """End the link of a token and return its id, if there was one."""
        row = self._database.one("SELECT id FROM links WHERE token = ?", digest(token))
        if row is None:
            return None
        with self._database.transaction():
            self._delete(row["id"])
        return int(row["id"])

    def remove(self, link_id: int) -> None:
        """End a link because a person wants so; a PIN that its hub was given meanwhile is worth nothing then."""
        with self._database.transaction():
            row = self._delete(link_id)
            if row is not None:
                self._withdraw_codes(row["client_id"], set(json.loads(row["homes"])))

    def _delete(self, link_id: int) -> sqlite3.Row | None:
        """Forget a link and return its row; a hub without links is kept for a while, then forgotten."""
        row = self._database.one("DELETE FROM links WHERE id = ? RETURNING client_id, homes", link_id)
        if row is not None:
            self._database.change(
                "UPDATE clients SET unused_since = ? WHERE id = ? AND NOT EXISTS "
                "(SELECT 1 FROM links WHERE client_id = clients.id)",
                self._clock(),
                row["client_id"],
            )
        return row

    def _withdraw_codes(self, client_id: str, homes: set[str]) -> None:
        for row in self._database.all("SELECT code, homes FROM codes WHERE client_id = ?", client_id):
            if homes & set(json.loads(row["homes"])):
                self._database.change("DELETE FROM codes WHERE code = ?", row["code"])

    def _row_of(self, hashed: bytes) -> sqlite3.Row | None:
        return self._database.one("SELECT * FROM links WHERE token = ?", hashed)

    def _note_use(self, row: sqlite3.Row) -> None:
        now = self._clock()
        if row["last_used"] is None or row["last_used"] < now - _LAST_USED_SECONDS:
            self._database.change("UPDATE links SET last_used = ? WHERE id = ?", now, row["id"])

    def _demand_attempts(self, client: Client) -> None:
        oldest_that_counts = self._clock() - WRONG_CODES_SECONDS
        self._database.change("DELETE FROM wrong_codes WHERE at <= ?", oldest_that_counts)
        rows = self._database.all("SELECT at FROM wrong_codes WHERE client_id = ? ORDER BY at DESC", client.id)
        if len(rows) >= MOST_WRONG_CODES:
            wait = rows[MOST_WRONG_CODES - 1]["at"] - oldest_that_counts
            raise CodeError(CodeProblem.TOO_MANY, wait)

    def _code(self, code: str, client: Client) -> sqlite3.Row | None:
        """Return a hub's own code, found in a time that says nothing about it."""
        wanted = digest(code)
        rows = self._database.all("SELECT * FROM codes WHERE client_id = ?", client.id)
        found = [row for row in rows if hmac.compare_digest(row["code"], wanted)]
        return found[0] if found else None

    def _insert_code(self, code: str, consent: Consent) -> None:
        now = self._clock()
        self._database.change("DELETE FROM codes WHERE expires <= ?", now - _EXPIRED_CODE_SECONDS)
        self._database.change(
            "INSERT INTO codes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            digest(code),
            consent.client.id,
            consent.account.id,
            consent.redirect_uri,
            consent.challenge,
            json.dumps(consent.homes),
            _accepted_permissions(consent),
            consent.client.version,
            now + consent.code_kind.seconds,
        )

    def _raise_links(self, consent: Consent) -> tuple[int, ...]:
        links = self.of_client(consent.client, consent.homes)
        # A member can't speak for homes that are not theirs.
        raised = [link.id for link in links if link.homes <= set(consent.homes)]
        for link_id in raised:
            self._database.change(
                "UPDATE links SET permissions = ?, client_version = ? WHERE id = ?",
                _accepted_permissions(consent),
                consent.client.version,
                link_id,
            )
        return tuple(raised)

    def _insert_link(self, code: sqlite3.Row) -> str:
        token = f"c.{secrets.token_urlsafe(_TOKEN_BYTES)}"
        self._database.change(
            "INSERT INTO links (token, client_id, account_id, homes, permissions, "
            "client_version, created) VALUES (?, ?, ?, ?, ?, ?, ?)",
            digest(token),
            code["client_id"],
            code["account_id"],
            code["homes"],
            code["permissions"],
            code["client_version"],
            self._clock(),
        )
        self._database.change("UPDATE clients SET unused_since = NULL WHERE id = ?", code["client_id"])
        return token


def _accepted_permissions(consent: Consent) -> str:
    return json.dumps([asked.name for asked in consent.client.registration.permissions])


def _checked(
    row: sqlite3.Row | None,
    now: float,
    redirect_uri: str | None,
    verifier: str | None,
) -> sqlite3.Row:
    if row is None:
        raise CodeError(CodeProblem.NOT_FOUND)
    if row["expires"] <= now:
        raise CodeError(CodeProblem.EXPIRED)
    if redirect_uri is not None and redirect_uri != row["redirect_uri"]:
        raise CodeError(CodeProblem.REDIRECT)
    # A verifier without a challenge: somebody took the challenge away on the way here (RFC 9700, 4.8).
    unchallenged = row["challenge"] is None and verifier is not None
    if unchallenged or (row["challenge"] is not None and not _verifies(row["challenge"], verifier)):
        raise CodeError(CodeProblem.VERIFIER)
    return row


def _verifies(challenge: str, verifier: str | None) -> bool:
    hashed = hashlib.sha256((verifier or "").encode()).digest()
    own = base64.urlsafe_b64encode(hashed).rstrip(b"=")
    return hmac.compare_digest(own, challenge.encode())


def _link(row: sqlite3.Row) -> Link:
    return _as_link(*(row[name] for name in _LINK))


# What the same row says is worked out once: that takes 1 µs instead of 7.
@lru_cache(maxsize=1024)
def _as_link(link_id: int, client_id: str, account_id: int, homes: str, permissions: str, client_version: int) -> Link:
    return Link(
        id=link_id,
        client_id=client_id,
        account_id=account_id,
        homes=frozenset(json.loads(homes)),
        permissions=frozenset(json.loads(permissions)),
        client_version=client_version,
    )


def _connection(row: sqlite3.Row) -> Connection:
    return Connection(
        link=_link(row),
        hub=row["hub"],
        member=row["member"],
        since=row["created"],
        last_used=row["last_used"],
    )
