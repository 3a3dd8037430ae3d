"""What tokens see of a document, worked out once for all tokens that see the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from .document import (
    ALARMS,
    METADATA,
    MISSING,
    ROOT,
    STRUCTURES,
    THERMOSTATS,
    Document,
    as_tree,
    look_up,
)
from .permissions import rights_of

if TYPE_CHECKING:
    from .document import Group, Path


@dataclass(frozen=True, slots=True)
class Scope:
    """Which homes, by structure id, and which permissions on them."""

    homes: frozenset[str]
    permissions: frozenset[str]


def visible(document: Document, scope: Scope) -> dict[str, Any]:
    """Return the tree that a scope shows: shared homes, permitted fields."""
    fields = rights_of(scope.permissions).read
    shown: dict[str, Group] = {
        name: _permitted(document.group(name), fields[name], scope.homes)
        for name in (THERMOSTATS, ALARMS, STRUCTURES)
        if name in fields
    }
    return as_tree(shown)


def _permitted(group: Group, fields: frozenset[str], homes: frozenset[str]) -> Group:
    return {
        key: {name: value for name, value in thing.items() if name in fields}
        for key, thing in group.items()
        if thing["structure_id"] in homes
    }


def is_visible(document: Document, scope: Scope, group: str, key: str) -> bool:
    """Say whether a scope shows a device or structure, without working out all that it shows."""
    thing = document.group(group).get(key)
    return thing is not None and thing["structure_id"] in scope.homes and group in rights_of(scope.permissions).read


class Metadata:
    """The part of the document that is one token's own, and how it begins the whole."""

    def __init__(self, fields: dict[str, Any]) -> None:
        """Serialise it once, for as long as it stays."""
        self.fields = fields
        self.head = b'{"metadata":' + orjson.dumps(fields)


class Views:
    """Trees and their bytes for the newest document, by scope and path."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._document: Document | None = None
        self._trees: dict[Scope, dict[str, Any]] = {}
        self._bytes: dict[tuple[Scope, Path], bytes] = {}

    def tree(self, document: Document, scope: Scope) -> dict[str, Any]:
        """Return what a scope shows of a document."""
        self._renew(document)
        if scope not in self._trees:
            self._trees[scope] = visible(document, scope)
        return self._trees[scope]

    def value(self, document: Document, scope: Scope, metadata: Metadata, path: Path) -> bytes | None:
        """Return the JSON at a path as one token sees it, ``None`` for nothing."""
        pieces = self.pieces(document, scope, metadata, path)
        return None if pieces is None else b"".join(pieces)

    def pieces(self, document: Document, scope: Scope, metadata: Metadata, path: Path) -> tuple[bytes, ...] | None:
        """Return the same in pieces, to be joined.

        What all tokens of a scope see is serialised once; at the root, what only one token
        sees stands in front of it.
        """
        if path[:1] == (METADATA,):
            own = _dump(look_up(metadata.fields, path[1:]))
            return None if own is None else (own,)
        shared = self._shared(document, scope, path)
        if shared is None:
            return None
        return (metadata.head, shared) if path == ROOT else (shared,)

    def _shared(self, document: Document, scope: Scope, path: Path) -> bytes | None:
        self._renew(document)
        key = (scope, path)
        if key in self._bytes:
            return self._bytes[key]
        tree = self.tree(document, scope)
        value = _after_metadata(tree) if path == ROOT else _dump(look_up(tree, path))
        # Paths that lead nowhere have no end, so only the others are kept.
        if value is not None:
            self._bytes[key] = value
        return value

    def _renew(self, document: Document) -> None:
        if document is not self._document:
            self._document = document
            self._trees.clear()
            self._bytes.clear()


def _dump(value: Any) -> bytes | None:
    return None if value is MISSING else orjson.dumps(value)


def _after_metadata(tree: dict[str, Any]) -> bytes:
    """Return the whole without its beginning, which is each token's own."""
    return b"," + orjson.dumps(tree)[1:] if tree else b"}"
