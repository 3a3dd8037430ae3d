"""The catalogue: what can be connected to this home, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wwn_server.context import base_of, context_of
from wwn_server.finding import origin
from wwn_server.texts import t

from . import CATALOGUE
from .rendering import see_other
from .session import session_of, sign_in_url, signed_in_form
from .signed_in import done, signed_in_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from wwn_server.finding import Found

    from .session import Session

# Where Home Assistant's own frontend opens "add integration" for a domain.
_ADD_INTEGRATION: Final = "/config/integrations/dashboard/add?domain=works_with_nest"


async def show(request: web.Request) -> web.Response:
    """Show the page; with ``look`` in the address after a search of the network."""
    session = session_of(request)
    if session is None:
        return see_other(sign_in_url(CATALOGUE))
    found = await context_of(request).finder.find() if "look" in request.query else None
    return _page(request, session, found=found)


async def set_home_assistant(request: web.Request) -> web.Response:
    """Remember where the person's Home Assistant is."""
    session, form = await signed_in_form(request)
    typed = form.get("address", "")
    address = origin(typed)
    if address is None:
        problems = {"address": t("catalogue.address_problem")}
        return _page(request, session, typed=typed, problems=problems, status=422)
    context_of(request).store.accounts.set_home_assistant(session.account, address)
    return done(request, CATALOGUE, "address_kept")


def _page(
    request: web.Request,
    session: Session,
    *,
    found: tuple[Found, ...] | None = None,
    typed: str | None = None,
    problems: Mapping[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    context = context_of(request)
    known = context.store.accounts.home_assistant(session.account)
    values = {
        "address": known,
        "connect": None if known is None else known + _ADD_INTEGRATION,
        "found": found,
        "typed": typed if typed is not None else known or "",
        "problems": problems or {},
        "base": context.settings.base_url or base_of(request),
        "api": base_of(request),
    }
    return signed_in_page(request, session, "catalogue.html", values, status=status)
