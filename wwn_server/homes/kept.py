"""What is kept of the devices of sources, so that they come back as what they were."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
import logging
from typing import Any, Final, Protocol

import orjson

from .base import AlarmKind
from .source import Device

_LOGGER: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDevice:
    """A device that was ever there: ``id`` is the wire's for good, ``name`` and ``room`` are what people said.

    ``source`` is the one it was seen at last, ``told`` what it told there, as a text.
    """

    kind: str
    key: str
    id: str
    source: str
    told: str
    name: str | None = None
    room: str | None = None


class Keeper(Protocol):
    """Where devices are kept over a restart."""

    def all(self) -> Iterable[KeptDevice]:
        """Return all that were ever there."""

    def keep(self, device: KeptDevice) -> None:
        """Keep a device as it is now."""


def told(device: Device) -> str:
    """Return what a device told, as a text."""
    raw = {
        "group": device.group,
        "fields": device.fields,
        "heard": device.heard and device.heard.isoformat(),
        "name": device.name,
        "room": device.room,
        "senses": sorted(device.senses),
    }
    return orjson.dumps(raw, option=orjson.OPT_SORT_KEYS).decode()


def recalled(kept: KeptDevice) -> Device | None:
    """Return a device as it was, which is not how it is: it is offline. Nothing where the text can't be read."""
    try:
        raw: dict[str, Any] = orjson.loads(kept.told)
        return Device(
            key=kept.key,
            group=raw["group"],
            fields=dict(raw["fields"]),
            online=False,
            heard=datetime.fromisoformat(raw["heard"]) if raw["heard"] else None,
            name=raw["name"],
            room=raw["room"],
            senses=frozenset(AlarmKind(each) for each in raw["senses"]),
        )
    except (ValueError, TypeError, KeyError):
        _LOGGER.warning("What a device was like before the restart can't be read: it is shown when it is heard again")
        return None
