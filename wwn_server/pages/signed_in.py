"""What all pages of somebody who is signed in share: who that is, and what was just done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wwn_server.texts import t

from .rendering import page, see_other
from .session import set_cookie

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from .session import Session

# What was done, for the next page alone: in an address it would be said again with every reload.
_NOTICE_COOKIE: Final = "wwn_notice"
_NOTICE_SECONDS: Final = 60
_NOTICES: Final = {
    "removed": "connections.removed",
    "removed_all": "connections.removed_all",
    "taken_back": "connections.taken_back",
    "password_changed": "account.password_changed",
    "withdrawn": "members.withdrawn",
    "member_removed": "members.removed",
    "address_kept": "catalogue.address_kept",
    "source_added": "sources.added",
    "source_removed": "sources.removed",
}


def signed_in_page(
    request: web.Request,
    session: Session,
    template: str,
    values: Mapping[str, object] | None = None,
    *,
    status: int = 200,
) -> web.Response:
    """Return a page with its header, and with what was done on the way to it."""
    notice = _NOTICES.get(request.cookies.get(_NOTICE_COOKIE, ""))
    known = {"csrf": session.csrf, "account": session.account.name, "notice": t(notice) if notice else None}
    response = page(template, known | dict(values or {}), status=status)
    if notice:
        response.del_cookie(_NOTICE_COOKIE, path=request.path)
    return response


def done(request: web.Request, path: str, notice: str) -> web.Response:
    """Send a browser to a page that says what was done."""
    response = see_other(path)
    set_cookie(request, response, _NOTICE_COOKIE, notice, seconds=_NOTICE_SECONDS, path=path)
    return response
