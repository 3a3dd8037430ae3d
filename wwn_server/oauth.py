"""Authorisation requests, tokens and their end (protocol 1.2 to 1.6)."""

from __future__ import annotations

from dataclasses import dataclass
import math
import re
from typing import TYPE_CHECKING, Final

from aiohttp import web

from .context import context_of
from .errors import NO_STORE, OAuthError, json_response, not_found
from .requests import FormError, basic_credentials, form_of
from .store import Client, CodeError, CodeProblem, Store
from .store.links import as_made
from .texts import t

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Ten years: what every recorded answer said (protocol 1.4).
EXPIRES_IN: Final = 315_360_000

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_AUTHORIZE_PARAMETERS: Final = ("client_id", "state")
_TOKEN_PARAMETERS: Final = ("code", "client_id", "client_secret", "grant_type")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """A request to authorise that may be put before a person; no address: by PIN."""

    client: Client
    state: str
    redirect_uri: str | None
    challenge: str | None


def parse_authorization(store: Store, query: Mapping[str, str]) -> Authorization:
    """Return a checked request. Raises ``OAuthError``, never a redirect."""
    _demand(query, _AUTHORIZE_PARAMETERS)
    client = store.clients.get(query["client_id"])
    if client is None:
        raise OAuthError(400, "oauth2_error", t("oauth.client_not_found"))
    if query.get("response_type", "code") != "code":
        raise OAuthError(400, "oauth2_error", t("oauth.response_type"))
    return Authorization(
        client=client,
        state=query["state"],
        redirect_uri=_redirect_uri(client, query.get("redirect_uri")),
        challenge=_challenge(query),
    )


async def issue_token(request: web.Request) -> web.Response:
    """Exchange a code for a token."""
    fields = await _token_fields(request)
    _demand(fields, _TOKEN_PARAMETERS)
    if fields["grant_type"] != "authorization_code":
        raise OAuthError(400, "oauth2_error", t("oauth.grant_type"))
    store = context_of(request).store
    client = store.clients.authenticate(fields["client_id"], fields["client_secret"])
    if client is None:
        raise OAuthError(401, "oauth2_error", t("oauth.client_mismatch"))
    token = _redeem(store, client, fields)
    answer = {"access_token": token, "expires_in": EXPIRES_IN}
    return json_response(answer, headers=NO_STORE)


async def revoke_token(request: web.Request) -> web.Response:
    """End the link of the token in the path, which is all the credential it takes."""
    context = context_of(request)
    link_id = context.store.links.remove_token(request.match_info["token"])
    if link_id is None:
        raise not_found()
    await context.streams.revoke([link_id])
    return web.Response(status=204, headers=NO_STORE)


def _demand(fields: Mapping[str, str], names: Iterable[str]) -> None:
    missing = ", ".join(name for name in names if not fields.get(name))
    if missing:
        raise OAuthError(400, "oauth2_error", t("oauth.missing", names=missing))


def _redirect_uri(client: Client, asked: str | None) -> str | None:
    registered = client.registration.redirect_uris
    if asked and asked not in registered:
        raise OAuthError(400, "input_data_error", t("oauth.redirect_not_registered"))
    return asked or next(iter(registered), None)


def _challenge(query: Mapping[str, str]) -> str | None:
    challenge = query.get("code_challenge")
    if challenge is None:
        return None
    is_s256 = query.get("code_challenge_method") == "S256"
    if not is_s256 or not _CHALLENGE.fullmatch(challenge):
        raise OAuthError(400, "oauth2_error", t("oauth.challenge"))
    return challenge


async def _token_fields(request: web.Request) -> dict[str, str]:
    """Return the parameters, wherever a client of any age put them (protocol 1.4)."""
    fields = dict(request.query)
    try:
        fields |= await form_of(request)
    except FormError:
        raise OAuthError(400, "oauth2_error", t("oauth.form")) from None
    credentials = basic_credentials(request)
    if credentials is not None:
        client_id, client_secret = credentials
        fields = {"client_id": client_id, "client_secret": client_secret} | fields
    return fields


_CODE_PROBLEMS: Final = {
    CodeProblem.NOT_FOUND: "oauth.code_not_found",
    CodeProblem.EXPIRED: "oauth.code_expired",
    CodeProblem.REDIRECT: "oauth.redirect_mismatch",
    CodeProblem.VERIFIER: "oauth.verifier",
    CodeProblem.TOO_MANY: "oauth.too_many_codes",
}


def _redeem(store: Store, client: Client, fields: Mapping[str, str]) -> str:
    code, redirect_uri = as_made(fields["code"]), fields.get("redirect_uri") or None
    try:
        return store.links.redeem(code, client, redirect_uri, fields.get("code_verifier"))
    except CodeError as error:
        text = t(_CODE_PROBLEMS[error.problem])
        if error.problem is CodeProblem.TOO_MANY:
            raise OAuthError(429, "oauth2_error", text, {"Retry-After": str(math.ceil(error.wait))}) from None
        raise OAuthError(400, "oauth2_error", text) from None
