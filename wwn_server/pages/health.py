"""How the server is: streams, the last writes, what was refused."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from wwn_server import __version__
from wwn_server.context import context_of
from wwn_server.texts import t

from . import HEALTH
from .rendering import see_other
from .session import session_of, sign_in_url
from .signed_in import signed_in_page
from .times import moment, zone_of_homes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from aiohttp import web

    from wwn_server.journal import Entry

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


async def show(request: web.Request) -> web.Response:
    """Show the page."""
    session = session_of(request)
    if session is None:
        return see_other(sign_in_url(HEALTH))
    context = context_of(request)
    zone = zone_of_homes(context)
    journal = context.journal
    values = {
        "version": __version__,
        "started": moment(journal.started, zone),
        "uptime": _uptime(time.time() - journal.started),
        "streams": _streams(request),
        "writes": _shown(journal.writes, zone),
        "refusals": _shown(journal.refusals, zone),
    }
    return signed_in_page(request, session, "health.html", values)


def _uptime(seconds: float) -> str:
    days, rest = divmod(int(max(seconds, 0)), _DAY)
    hours, rest = divmod(rest, _HOUR)
    return t("health.uptime_value", days=days, hours=hours, minutes=rest // _MINUTE)


def _streams(request: web.Request) -> list[tuple[str, int]]:
    """Return the names of hubs with open streams, and how many."""
    context = context_of(request)
    counts: dict[str, int] = {}
    for link_id in context.streams.open_links():
        link = context.store.links.get(link_id)
        hub = context.store.clients.name(link.client_id) if link else None
        if hub is not None:
            counts[hub] = counts.get(hub, 0) + 1
    return sorted(counts.items())


def _shown(entries: Iterable[Entry], zone: tzinfo) -> list[dict[str, Any]]:
    return [
        {"at": moment(each.at, zone), "who": each.who, "what": each.what, "outcome": each.outcome} for each in entries
    ]
