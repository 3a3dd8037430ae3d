"""The tree of a home: its shape, look-up by path, and the next version of it.

The shape is that of protocol 3.1 without ``metadata``, which belongs to a token. Nothing
in a document is ever changed in place: whoever holds one holds it for good.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

THERMOSTATS: Final = "thermostats"
ALARMS: Final = "smoke_co_alarms"
STRUCTURES: Final = "structures"
DEVICES: Final = "devices"
DEVICE_GROUPS: Final = (THERMOSTATS, ALARMS)
METADATA: Final = "metadata"

type Thing = Mapping[str, Any]
type Group = Mapping[str, Thing]
type Path = tuple[str, ...]

ROOT: Final[Path] = ()


class _Missing:
    """The one value that stands for "nothing is there", which ``null`` is not."""


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Document:
    """One state of a home: things by id, by group; ``version`` rises with each change."""

    groups: Mapping[str, Group] = field(default_factory=dict)
    version: int = 0

    def group(self, name: str) -> Group:
        """Return the things of a group, none if the home has no such group."""
        return self.groups.get(name, {})

    def tree(self) -> dict[str, Any]:
        """Return all of it in the shape of the wire; empty groups are absent."""
        return as_tree(self.groups)

    def successor(self, groups: Mapping[str, Group]) -> Document:
        """Return the document that follows, or this one if nothing differs.

        Things that did not change keep their identity.
        """
        kept = {name: _keep_same(self.group(name), things) for name, things in groups.items()}
        if kept == self.groups:
            return self
        return Document(kept, self.version + 1)


def _keep_same(old: Group, new: Group) -> Group:
    return {key: old[key] if key in old and old[key] == thing else thing for key, thing in new.items()}


def as_tree(groups: Mapping[str, Group]) -> dict[str, Any]:
    """Return groups in the shape of the wire (protocol 3.1), empty ones left out."""
    devices = {name: groups[name] for name in DEVICE_GROUPS if groups.get(name)}
    tree: dict[str, Any] = {}
    if devices:
        tree[DEVICES] = devices
    if groups.get(STRUCTURES):
        tree[STRUCTURES] = groups[STRUCTURES]
    return tree


def parse_path(raw: str) -> Path:
    """Return the segments of a URL path, percent signs decoded.

    One trailing slash and a ``.json`` suffix say nothing (protocol 4.1).
    """
    trimmed = raw.removeprefix("/").removesuffix(".json").removesuffix("/")
    return tuple(unquote(part) for part in trimmed.split("/")) if trimmed else ROOT


def absolute(path: Path) -> str:
    """Return a path as an event's ``path`` shows it (protocol 4.3)."""
    return "/" + "/".join(path)


def look_up(tree: Any, path: Path) -> Any:
    """Return the value at a path, or ``MISSING``; lists are addressed by position."""
    for segment in path:
        tree = _child(tree, segment)
    return tree


def _child(parent: Any, segment: str) -> Any:
    if isinstance(parent, dict):
        return parent.get(segment, MISSING)
    if isinstance(parent, list):
        positions = {str(position): value for position, value in enumerate(parent)}
        return positions.get(segment, MISSING)
    return MISSING
