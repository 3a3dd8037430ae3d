"""What was written and does not show in a document yet, and what is in force either way."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from .const import PENDING_FOR
from .models import Document, RawObject

# Writing these again does something again: it starts the fan's timer anew.
WITH_EFFECT_OF_ITS_OWN: Final = frozenset({"fan_timer_active"})

type Fields = Mapping[str, Any]


def things(document: Document) -> dict[str, RawObject]:
    """Return everything that can be written to, by its path."""
    homes = {f"/structures/{wire_id}": home.raw for wire_id, home in document.structures.items()}
    return homes | {f"/devices/thermostats/{wire_id}": each.raw for wire_id, each in document.thermostats.items()}


class PendingWrites:
    """Accepted writes by path, each field until a document shows it, for at most 10 s."""

    def __init__(self) -> None:
        """Start with nothing pending."""
        self._fields: dict[str, dict[str, tuple[Any, float]]] = {}

    def add(self, path: str, fields: Fields) -> None:
        """Note a write that was accepted."""
        until = asyncio.get_running_loop().time() + PENDING_FOR
        self._fields.setdefault(path, {}).update({name: (value, until) for name, value in fields.items()})

    def take(self, document: Document) -> None:
        """Take a document: what it shows is pending no more."""
        if not self._fields:
            return
        raw, now = things(document), asyncio.get_running_loop().time()
        for path, fields in tuple(self._fields.items()):
            shown = raw.get(path, {})
            left = {name: told for name, told in fields.items() if told[1] > now and shown.get(name) != told[0]}
            if left:
                self._fields[path] = left
            else:
                del self._fields[path]

    def is_in_force(self, path: str, fields: Fields, document: Document | None) -> bool:
        """Whether a write would change nothing: the document shows it all, or it was accepted a moment ago.

        document: None where nobody knows what is so.
        """
        if not WITH_EFFECT_OF_ITS_OWN.isdisjoint(fields):
            return False
        now = asyncio.get_running_loop().time()
        pending = {name: value for name, (value, until) in self._fields.get(path, {}).items() if until > now}
        # A mode that is under way may bring other temperatures than those the document shows.
        in_force = pending or (things(document).get(path, {}) if document else {})
        return all(name in in_force and in_force[name] == value for name, value in fields.items())
