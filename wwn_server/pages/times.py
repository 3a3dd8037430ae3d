"""Moments as people of a home read them, and as programs do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wwn_server.document import STRUCTURES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from wwn_server.context import Context


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time: ``text`` to read, ``machine`` for ``<time datetime>``."""

    text: str
    machine: str


def moment(seconds: float, zone: tzinfo) -> Moment:
    """Return seconds since the epoch as a zone's clocks show them."""
    when = datetime.fromtimestamp(seconds, zone)
    return Moment(f"{when:%Y-%m-%d %H:%M %Z}", when.isoformat(timespec="seconds"))


def zone_of(names: Iterable[object]) -> tzinfo:
    """Return the first of some time zones that this machine knows, UTC if it knows none."""
    known = (zone for zone in map(_zone, names) if zone is not None)
    return next(known, UTC)


def zone_of_homes(context: Context) -> tzinfo:
    """Return the time zone of the first home that has one."""
    return zone_of(home.get("time_zone") for home in context.home.document.group(STRUCTURES).values())


def _zone(name: object) -> tzinfo | None:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
