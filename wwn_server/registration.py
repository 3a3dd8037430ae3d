"""Hubs that introduce themselves (RFC 7591), and change or withdraw that."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final
import unicodedata

from aiohttp import web
import orjson

from .addresses import is_redirect_uri, is_web_page
from .context import context_of
from .errors import NO_STORE, OAuthError, json_response
from .permissions import PERMISSIONS
from .requests import basic_credentials
from .store import Client, Registration, RequestedPermission
from .texts import t

if TYPE_CHECKING:
    from .context import Context

LONGEST_NAME: Final = 100
LONGEST_REASON: Final = 200
MOST_REDIRECT_URIS: Final = 10

# Control characters, and marks that make text read in another order than it is written.
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})
# Letters, digits, punctuation and symbols: one of them at least, or a name shows nothing.
_SEEN_CATEGORIES: Final = frozenset("LNPS")
_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


async def register(request: web.Request) -> web.Response:
    """Take a new hub, which gets data only once a person accepts it."""
    context = context_of(request)
    _demand_room(context, request.remote or "")
    registration = await _registration(request)
    client, secret = context.store.clients.register(registration)
    answer = _described(client) | {
        "client_secret": secret,
        "client_secret_expires_at": 0,
    }
    return json_response(answer, status=201, headers=NO_STORE)


async def replace(request: web.Request) -> web.Response:
    """Take what a hub now says about itself in place of what it said before."""
    client = _authenticated(request)
    registration = await _registration(request)
    changed = context_of(request).store.clients.replace(client, registration)
    return json_response(_described(changed), headers=NO_STORE)


async def remove(request: web.Request) -> web.Response:
    """Forget a hub and end its links."""
    context = context_of(request)
    link_ids = context.store.clients.remove(_authenticated(request))
    await context.streams.revoke(link_ids)
    return web.Response(status=204, headers=NO_STORE)


def _demand_room(context: Context, address: str) -> None:
    waits = {
        "register.too_often": context.registrations.wait(address),
        "register.too_many": context.store.clients.wait(context.settings.pending_registrations),
    }
    for problem, wait in waits.items():
        if wait:
            retry = {"Retry-After": str(math.ceil(wait))}
            raise OAuthError(429, "too_many_requests", t(problem), retry)


def _authenticated(request: web.Request) -> Client:
    client_id, secret = basic_credentials(request) or ("", "")
    client = context_of(request).store.clients.authenticate(client_id, secret)
    if client is None or client.id != request.match_info["client_id"]:
        challenge = {"WWW-Authenticate": 'Basic realm="registration"'}
        raise OAuthError(401, "invalid_client", t("register.client"), challenge)
    return client


def _described(client: Client) -> dict[str, Any]:
    said = client.registration
    return {
        "client_id": client.id,
        "client_version": client.version,
        "client_name": said.name,
        "policy_uri": said.policy_uri,
        "redirect_uris": list(said.redirect_uris),
        "permissions": [{"name": asked.name, "reason": asked.reason} for asked in said.permissions],
    }


async def json_object(request: web.Request) -> dict[str, Any]:
    """Return the body of a request that says it is JSON, which no form of a page can. Raises ``OAuthError``."""
    if request.content_type != "application/json":
        raise _invalid(t("register.content_type"))
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise _invalid(t("register.json")) from None
    if not isinstance(body, dict):
        raise _invalid(t("register.json"))
    return body


async def _registration(request: web.Request) -> Registration:
    body = await json_object(request)
    return Registration(
        name=_name(body.get("client_name")),
        policy_uri=_policy_uri(body.get("policy_uri")),
        redirect_uris=_redirect_uris(body.get("redirect_uris")),
        permissions=_permissions(body.get("permissions")),
    )


def _name(value: object) -> str:
    if not _is_text(value, LONGEST_NAME):
        raise _invalid(t("register.name", longest=LONGEST_NAME))
    return str(value).strip()


def _policy_uri(value: object) -> str:
    if not isinstance(value, str) or not is_web_page(value):
        raise _invalid(t("register.policy_uri"))
    return value


def _redirect_uris(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MOST_REDIRECT_URIS:
        text = t("register.redirect_uris", most=MOST_REDIRECT_URIS)
        raise OAuthError(400, "invalid_redirect_uri", text)
    if not all(isinstance(each, str) and is_redirect_uri(each) for each in value):
        raise OAuthError(400, "invalid_redirect_uri", t("register.redirect_uri"))
    return tuple(value)


def _permissions(value: object) -> tuple[RequestedPermission, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= len(PERMISSIONS):
        raise _invalid(t("register.permissions"))
    asked = tuple(_permission(each) for each in value)
    if len({each.name for each in asked}) < len(asked):
        raise _invalid(t("register.twice"))
    return asked


def _permission(value: object) -> RequestedPermission:
    if not isinstance(value, dict) or value.get("name") not in list(PERMISSIONS):
        raise _invalid(t("register.permission", names=", ".join(PERMISSIONS)))
    if not _is_text(value.get("reason"), LONGEST_REASON):
        name = value["name"]
        raise _invalid(t("register.reason", name=name, longest=LONGEST_REASON))
    return RequestedPermission(value["name"], value["reason"].strip())


def _is_text(value: object, longest: int) -> bool:
    """Say whether a value is a line that shows on a page as what it is."""
    if not isinstance(value, str) or len(value) > longest or frozenset(value) & _REORDERING:
        return False
    categories = {unicodedata.category(each) for each in value}
    return not categories & _HIDDEN_CATEGORIES and any(each[0] in _SEEN_CATEGORIES for each in categories)


def _invalid(description: str) -> OAuthError:
    return OAuthError(400, "invalid_client_metadata", description)
