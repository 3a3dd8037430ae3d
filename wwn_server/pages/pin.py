"""What a person reads after deciding about a hub that no browser can be sent back to."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final

from wwn_server.context import context_of
from wwn_server.store.links import PIN as PIN_CODE
from wwn_server.texts import t

from . import PIN
from .rendering import PageError, page, see_other
from .session import session_of, set_cookie, sign_in_url

if TYPE_CHECKING:
    from aiohttp import web

    from wwn_server.store import Client

    from .session import Session

# A PIN stands in no address, where histories would keep it; a reload shows it again for a while.
_OUTCOME_COOKIE: Final = "wwn_pin"
_OUTCOME_SECONDS: Final = 600
_CODE: Final = re.compile(rf"[{PIN_CODE.alphabet}]{{{PIN_CODE.length}}}")
_TITLES: Final = {"back": "pin.back_title", "remove": "pin.removed_title"}
_TEXTS: Final = {"back": "pin.back", "remove": "pin.removed"}


def hand_over(request: web.Request, session: Session, client: Client, outcome: str) -> web.Response:
    """Send a browser to the page that shows a PIN, or says how else it ended."""
    response = see_other(PIN)
    value = f"{client.id}.{outcome}"
    signed = f"{value}.{_signature(session, value)}"
    set_cookie(request, response, _OUTCOME_COOKIE, signed, seconds=_OUTCOME_SECONDS, path=PIN)
    return response


async def show(request: web.Request) -> web.Response:
    """Show what came of the person's decision."""
    session = session_of(request)
    if session is None:
        return see_other(sign_in_url(PIN))
    client_id, outcome = _outcome(request, session)
    client = context_of(request).store.clients.get(client_id)
    if client is None or not (outcome in _TITLES or _CODE.fullmatch(outcome)):
        raise PageError(404, "pin.gone")
    hub = client.registration.name
    values = {
        "pin": None if outcome in _TITLES else outcome,
        "title": t(_TITLES.get(outcome, "pin.title")),
        "heading": t(_TITLES.get(outcome, "pin.heading"), hub=hub),
        "text": t(_TEXTS.get(outcome, "pin.what_to_do"), hub=hub),
    }
    return page("pin.html", values)


def _outcome(request: web.Request, session: Session) -> tuple[str, str]:
    """Return the hub's id and what came of it; nothing where it was another session's."""
    value, _, signature = request.cookies.get(_OUTCOME_COOKIE, "").rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(session, value).encode()):
        return "", ""
    client_id, _, outcome = value.partition(".")
    return client_id, outcome


def _signature(session: Session, value: str) -> str:
    """Bind a value to a session: other programs on this host, and whoever signs in next, share its cookies."""
    return hmac.new(session.token.encode(), value.encode(), hashlib.sha256).hexdigest()
