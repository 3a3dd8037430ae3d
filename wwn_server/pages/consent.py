"""The page on which a person decides whether a hub gets what it asks for."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from wwn_server.context import context_of
from wwn_server.document import STRUCTURES
from wwn_server.errors import OAuthError
from wwn_server.oauth import parse_authorization
from wwn_server.requests import wants
from wwn_server.store import Consent
from wwn_server.texts import t

from . import CONSENT, pin
from .learn import CATEGORY_OF
from .rendering import PageError, message_page, page, see_other
from .session import session_of, sign_in_url, signed_in_form

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp import web

    from wwn_server.oauth import Authorization

    from .session import Session

# What of the request the form carries back, to be checked all over again.
_CARRIED: Final = (
    "client_id",
    "state",
    "redirect_uri",
    "response_type",
    "code_challenge",
    "code_challenge_method",
)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


async def show(request: web.Request) -> web.Response:
    """Show the page, after sign-in where that is needed."""
    try:
        authorization = _parse(request, request.query)
    except OAuthError as error:
        return _refusal(request, error)
    session = session_of(request)
    if session is None:
        return see_other(sign_in_url(request.rel_url.raw_path_qs))
    return _page(request, authorization, session, request.query)


async def decide(request: web.Request) -> web.Response:
    """Do what the person chose, and send the browser back to the hub."""
    session, form = await signed_in_form(request)
    try:
        authorization = _parse(request, form)
    except OAuthError as error:
        return _refusal(request, error)
    _demand_unchanged(authorization, form)
    decision = form.get("decision", "")
    if decision not in _DECISIONS:
        raise PageError(400, "page.bad_form")
    homes = _chosen(_homes(request, session), form)
    if decision == "accept" and homes is None:
        return _page(request, authorization, session, form, status=422)
    answer = await _DECISIONS[decision](request, authorization, session, homes or ())
    if authorization.redirect_uri is None:
        return pin.hand_over(request, session, authorization.client, answer.get("code", decision))
    return see_other(_back_to_hub(authorization.redirect_uri, {"state": authorization.state} | answer))


async def _accept(
    request: web.Request, authorization: Authorization, session: Session, homes: tuple[str, ...]
) -> dict[str, str]:
    context = context_of(request)
    consent = Consent(
        client=authorization.client,
        account=session.account,
        homes=homes,
        redirect_uri=authorization.redirect_uri,
        challenge=authorization.challenge,
    )
    code, raised = context.store.links.accept(consent)
    for link in map(context.store.links.get, raised):
        if link is not None:
            context.streams.follow(link)
    return {"code": code}


async def _back(*_: object) -> dict[str, str]:
    return {"error": "access_denied"}


async def _remove(
    request: web.Request, authorization: Authorization, session: Session, _: tuple[str, ...]
) -> dict[str, str]:
    context = context_of(request)
    homes = context.store.accounts.homes_of(session.account)
    links = context.store.links.of_client(authorization.client, homes)
    for link in links:
        context.store.links.remove(link.id)
    await context.streams.revoke(link.id for link in links)
    return {"error": "access_denied"}


_DECISIONS: Final[
    dict[str, Callable[[web.Request, Authorization, Session, tuple[str, ...]], Awaitable[dict[str, str]]]]
] = {
    "accept": _accept,
    "back": _back,
    "remove": _remove,
}


def _parse(request: web.Request, fields: Mapping[str, str]) -> Authorization:
    return parse_authorization(context_of(request).store, fields)


def _demand_unchanged(authorization: Authorization, form: Mapping[str, str]) -> None:
    """Refuse an answer to a page that listed other data than the hub asks for by now."""
    seen = form.get("client_version", str(authorization.client.version))
    if seen != str(authorization.client.version):
        raise PageError(409, "consent.changed")


def _refusal(request: web.Request, error: OAuthError) -> web.Response:
    """Answer a program as documented, a person in a page (protocol 1.3)."""
    if wants(request, "text/html"):
        text = t("consent.refused", reason=error.description)
        return message_page(text, error.status)
    return error.response()


def _back_to_hub(uri: str, answer: dict[str, str]) -> str:
    query = urlencode(answer)
    return f"{uri}{'&' if '?' in uri else '?'}{query}"


def _homes(request: web.Request, session: Session) -> dict[str, str]:
    """Return the names of the homes that a person can share, by id."""
    context = context_of(request)
    structures = context.home.document.group(STRUCTURES)
    own = context.store.accounts.homes_of(session.account)
    return {each: structures[each]["name"] for each in own if each in structures}


def _chosen(homes: Mapping[str, str], form: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the homes to share, nothing where there are several and none was chosen."""
    if len(homes) <= 1:
        return tuple(homes)
    return tuple(each for each in homes if f"home:{each}" in form) or None


def _page(
    request: web.Request,
    authorization: Authorization,
    session: Session,
    source: Mapping[str, str],
    *,
    status: int = 200,
) -> web.Response:
    values = _values(request, authorization, session, source)
    return page(
        "consent.html",
        values | {"homes_problem": status != HTTPStatus.OK},
        status=status,
        form_target=authorization.redirect_uri,
    )


def _values(
    request: web.Request, authorization: Authorization, session: Session, source: Mapping[str, str]
) -> dict[str, Any]:
    context = context_of(request)
    own = context.store.accounts.homes_of(session.account)
    carried = {name: source[name] for name in _CARRIED if name in source}
    return {
        "csrf": session.csrf,
        "carried": carried | {"client_version": authorization.client.version},
        "here": f"{CONSENT}?{urlencode(carried)}",
        "account": session.account.name,
        "hub": authorization.client.registration,
        "data": [
            {
                "title": t(f"permission.{asked.name}.title"),
                "text": t(f"permission.{asked.name}.text"),
                "reason": asked.reason,
                "category": CATEGORY_OF[asked.name],
            }
            for asked in authorization.client.registration.permissions
        ],
        "homes": _homes(request, session),
        "destination": authorization.redirect_uri and _destination(authorization.redirect_uri),
        "linked": bool(context.store.links.of_client(authorization.client, own)),
    }


def _destination(uri: str) -> dict[str, object]:
    parts = urlsplit(uri)
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return {"scheme": parts.scheme, "host": host, "port": port}
