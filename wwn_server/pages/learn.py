"""What each kind of data is, for who wants to know more before sharing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wwn_server.permissions import PERMISSIONS
from wwn_server.texts import t

from .rendering import PageError, see_other
from .session import session_of, sign_in_url
from .signed_in import signed_in_page

if TYPE_CHECKING:
    from aiohttp import web

_CATEGORIES: Final = {
    "thermostat": ("thermostat read", "thermostat read/write"),
    "smoke-co": ("smoke+co read",),
    "away": ("away read", "away read/write"),
    "eta": ("eta write",),
    "energy": ("energy read",),
    "postal-code": ("postal code read",),
    "structure": ("structure read/write",),
}
CATEGORY_OF: Final = {name: category for category, names in _CATEGORIES.items() for name in names}


async def show(request: web.Request) -> web.Response:
    """Show the page of one kind of data."""
    session = session_of(request)
    if session is None:
        return see_other(sign_in_url(request.rel_url.raw_path))
    category = request.match_info["category"]
    if category not in _CATEGORIES:
        raise PageError(404, "learn.unknown")
    values = {
        "title": t(f"learn.{category}.title"),
        "what": t(f"learn.{category}.what"),
        "why": t(f"learn.{category}.why"),
        "limits": t(f"learn.{category}.limits"),
        "pieces": [_piece(name) for name in _CATEGORIES[category]],
        "categories": [(each, t(f"learn.{each}.title")) for each in _CATEGORIES],
        "category": category,
    }
    return signed_in_page(request, session, "learn.html", values)


def _piece(name: str) -> dict[str, object]:
    rights = PERMISSIONS[name]
    return {
        "name": name,
        "title": t(f"permission.{name}.title"),
        "read": sorted(frozenset().union(*rights.read.values())),
        "write": sorted(frozenset().union(*rights.write.values())),
    }
