"""Hubs that registered, and what each of their versions asks for (protocol 2.4)."""

from __future__ import annotations

from dataclasses import dataclass
import hmac
import json
import secrets
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from .database import Database, digest

if TYPE_CHECKING:
    from collections.abc import Callable
    import sqlite3

PENDING_SECONDS: Final = 3600
UNUSED_SECONDS: Final = 400 * 24 * 3600

# Bound to: the oldest a registration may wait, and the oldest a last link may have ended.
_EXISTS: Final = "(accepted IS NOT NULL OR created > ?) AND (unused_since IS NULL OR unused_since > ?)"


@dataclass(frozen=True, slots=True)
class RequestedPermission:
    """One piece of data a hub asks for, and why, in the hub's own words."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Registration:
    """What a hub says about itself (RFC 7591); no redirect address: PIN client."""

    name: str
    policy_uri: str
    redirect_uris: tuple[str, ...]
    permissions: tuple[RequestedPermission, ...]


@dataclass(frozen=True, slots=True)
class Client:
    """A registered hub at its current version."""

    id: str
    version: int
    registration: Registration


class Clients:
    """Registrations; those nobody accepted for an hour are as if they never were."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """Work on a database; ``clock`` gives seconds since the epoch."""
        self._database = database
        self._clock = clock

    def register(self, registration: Registration) -> tuple[Client, str]:
        """Keep a new hub and return it with its secret, which is not kept."""
        client = Client(str(uuid4()), 1, registration)
        secret = secrets.token_urlsafe(32)
        with self._database.transaction():
            self._drop_gone()
            self._database.change(
                "INSERT INTO clients VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
                client.id,
                digest(secret),
                *_described(registration),
                client.version,
                self._clock(),
            )
            self._insert_permissions(client)
        return client, secret

    def wait(self, most: int) -> float:
        """Return in how many seconds fewer than so many wait to be accepted: one that nobody accepts is dropped."""
        now = self._clock()
        rows = self._database.all(
            "SELECT created FROM clients WHERE accepted IS NULL AND created > ? ORDER BY created DESC LIMIT ?",
            now - PENDING_SECONDS,
            most,
        )
        return 0.0 if len(rows) < most else float(rows[-1]["created"]) + PENDING_SECONDS - now

    def all(self) -> tuple[Client, ...]:
        """Return every hub, the oldest first."""
        rows = self._database.all(f"SELECT * FROM clients WHERE {_EXISTS} ORDER BY created, id", *self._limits())  # noqa: S608
        return tuple(map(self._client, rows))

    def get(self, client_id: str) -> Client | None:
        """Return a hub by id."""
        row = self._row(client_id)
        return None if row is None else self._client(row)

    def name(self, client_id: str) -> str | None:
        """Return what a hub that has links is called."""
        row = self._database.one("SELECT name FROM clients WHERE id = ?", client_id)
        return None if row is None else str(row["name"])

    def authenticate(self, client_id: str, secret: str) -> Client | None:
        """Return a hub if the secret is its own."""
        row = self._row(client_id)
        # An unknown id costs the same comparison as a known one.
        kept = bytes(32) if row is None else row["secret"]
        if not hmac.compare_digest(kept, digest(secret)) or row is None:
            return None
        return self._client(row)

    def key(self, client_id: str) -> bytes | None:
        """Return what a hub and this server share without either having to say it: the SHA-256 of its secret."""
        row = self._row(client_id)
        return None if row is None else bytes(row["secret"])

    def replace(self, client: Client, registration: Registration) -> Client:
        """Take a hub's new description; only other permissions make a new version."""
        same = set(client.registration.permissions) == set(registration.permissions)
        changed = Client(client.id, client.version + (not same), registration)
        with self._database.transaction():
            self._database.change(
                "UPDATE clients SET name = ?, policy_uri = ?, redirect_uris = ?, version = ? WHERE id = ?",
                *_described(registration),
                changed.version,
                client.id,
            )
            if not same:
                # Links keep what was accepted by themselves; nobody reads an older version.
                self._database.change("DELETE FROM client_permissions WHERE client_id = ?", client.id)
                self._insert_permissions(changed)
        return changed

    def remove(self, client: Client) -> tuple[int, ...]:
        """Forget a hub and return the ids of its links, which end with it."""
        with self._database.transaction():
            rows = self._database.all("SELECT id FROM links WHERE client_id = ?", client.id)
            self._database.change("DELETE FROM clients WHERE id = ?", client.id)
        return tuple(int(row["id"]) for row in rows)

    def _row(self, client_id: str) -> sqlite3.Row | None:
        return self._database.one(
            f"SELECT * FROM clients WHERE id = ? AND {_EXISTS}",  # noqa: S608
            client_id,
            *self._limits(),
        )

    def _client(self, row: sqlite3.Row) -> Client:
        permissions = self._database.all(
            "SELECT name, reason FROM client_permissions WHERE client_id = ? AND version = ? ORDER BY position",
            row["id"],
            row["version"],
        )
        registration = Registration(
            name=row["name"],
            policy_uri=row["policy_uri"],
            redirect_uris=tuple(json.loads(row["redirect_uris"])),
            permissions=tuple(RequestedPermission(*each) for each in permissions),
        )
        return Client(row["id"], row["version"], registration)

    def _insert_permissions(self, client: Client) -> None:
        for position, asked in enumerate(client.registration.permissions):
            self._database.change(
                "INSERT INTO client_permissions VALUES (?, ?, ?, ?, ?)",
                client.id,
                client.version,
                position,
                asked.name,
                asked.reason,
            )

    def _drop_gone(self) -> None:
        self._database.change(
            f"DELETE FROM clients WHERE NOT ({_EXISTS})",  # noqa: S608
            *self._limits(),
        )

    def _limits(self) -> tuple[float, float]:
        now = self._clock()
        return now - PENDING_SECONDS, now - UNUSED_SECONDS


def _described(registration: Registration) -> tuple[str, str, str]:
    redirects = json.dumps(registration.redirect_uris)
    return registration.name, registration.policy_uri, redirects
