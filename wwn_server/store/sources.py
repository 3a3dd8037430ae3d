"""Sources that were added on a page, in the order in which they were."""

from __future__ import annotations

from dataclasses import dataclass, field
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .database import Database


@dataclass(frozen=True, slots=True)
class KeptSource:
    """A source as it was added. What was said of it holds secrets, which only this file of mode 600 may keep."""

    id: int
    kind: str
    said: Mapping[str, Any] = field(repr=False)


class Sources:
    """All sources that were added and not removed."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """Work on a database; ``clock`` gives seconds since the epoch."""
        self._database = database
        self._clock = clock

    def all(self) -> list[KeptSource]:
        """Return them, the first one first."""
        rows = self._database.all("SELECT * FROM sources ORDER BY id")
        return [KeptSource(row["id"], row["kind"], json.loads(row["settings"])) for row in rows]

    def add(self, kind: str, said: Mapping[str, Any]) -> KeptSource:
        """Keep a source."""
        row = self._database.one(
            "INSERT INTO sources (kind, settings, created) VALUES (?, ?, ?) RETURNING id",
            kind,
            json.dumps(dict(said)),
            self._clock(),
        )
        assert row is not None  # noqa: S101
        return KeptSource(int(row["id"]), kind, dict(said))

    def remove(self, source_id: int) -> None:
        """Forget a source, and its secrets with it."""
        self._database.change("DELETE FROM sources WHERE id = ?", source_id)
