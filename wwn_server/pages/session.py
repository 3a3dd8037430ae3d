"""Who is signed in, and that a form came from one of our own pages."""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
import hmac
import ipaddress
import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from wwn_server.context import base_of, context_of
from wwn_server.requests import FormError, form_of
from wwn_server.store.accounts import SESSION_SECONDS

from . import SIGN_IN
from .rendering import PageError, page, see_other

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from wwn_server.store import Account

# A name of our own: a hub often shares the host, and cookies don't know ports.
SESSION_COOKIE: Final = "wwn_session"
FORM_COOKIE: Final = "wwn_form"


@dataclass(frozen=True, slots=True)
class Session:
    """A person at a browser, and what proves that a form is from our page."""

    account: Account
    token: str

    @property
    def csrf(self) -> str:
        """The value that every form of this session carries."""
        return csrf_of(self.token)


def session_of(request: web.Request) -> Session | None:
    """Return the session of a request's cookie."""
    token = request.cookies.get(SESSION_COOKIE, "")
    account = context_of(request).store.accounts.session_account(token)
    return None if account is None else Session(account, token)


async def signed_in_form(request: web.Request) -> tuple[Session, dict[str, str]]:
    """Return who sent one of our own forms, and its fields. Raises ``PageError``."""
    session = session_of(request)
    if session is None:
        raise PageError(403, "page.expired_form")
    return session, await checked_form(request, session.token)


def csrf_of(secret: str) -> str:
    """Return the form value that belongs to a cookie and gives nothing of it away."""
    return hmac.new(secret.encode("utf-8", "surrogateescape"), b"csrf", hashlib.sha256).hexdigest()


async def checked_form(request: web.Request, secret: str) -> dict[str, str]:
    """Return the fields of one of our own forms. Raises ``PageError``."""
    try:
        form = await form_of(request)
    except FormError:
        raise PageError(400, "page.bad_form") from None
    sent = form.get("csrf", "").encode()
    own = hmac.compare_digest(sent, csrf_of(secret).encode())
    if not secret or not own or not _is_same_origin(request):
        raise PageError(403, "page.expired_form")
    return form


def sign_in_url(next_path: str) -> str:
    """Return where to sign in on the way to one of our pages."""
    return with_next(SIGN_IN, next_path)


def with_next(path: str, next_path: str | None) -> str:
    """Return the address of a page that leads on to another."""
    return f"{path}?next={quote(next_path, safe='')}" if next_path else path


def anonymous_page(
    request: web.Request,
    template: str,
    values: Mapping[str, object],
    *,
    status: int = 200,
) -> web.Response:
    """Return a page whose form comes from somebody who is not signed in."""
    cookie = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(32)
    known = {"csrf": csrf_of(cookie), "exposed": is_exposed(request)}
    response = page(template, known | dict(values), status=status)
    set_cookie(request, response, FORM_COOKIE, cookie)
    return response


async def anonymous_form(request: web.Request) -> dict[str, str]:
    """Return the fields of a form of such a page. Raises ``PageError``."""
    return await checked_form(request, request.cookies.get(FORM_COOKIE, ""))


def begin_session(request: web.Request, account: Account, location: str) -> web.Response:
    """Sign a person in and send the browser on."""
    response = see_other(location)
    token = context_of(request).store.accounts.open_session(account)
    set_cookie(request, response, SESSION_COOKIE, token)
    return response


def is_exposed(request: web.Request) -> bool:
    """Say whether others on the network could read what is sent: plain http from beyond this machine."""
    try:
        here = ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        here = False
    return not request.secure and not here


def local_path(path: str | None) -> str | None:
    """Return a path of this server as it is, anything else as nothing."""
    if path is None or not path.startswith("/") or path[1:2] in {"/", "\\"}:
        return None
    return path if path.isascii() and path.isprintable() else None


def set_cookie(
    request: web.Request,
    response: web.StreamResponse,
    name: str,
    value: str,
    *,
    seconds: int = SESSION_SECONDS,
    path: str = "/",
) -> None:
    """Set a cookie that no script reads and no other site makes use of."""
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=path,
        httponly=True,
        samesite="Lax",
        secure=request.secure,
    )


def _is_same_origin(request: web.Request) -> bool:
    """Say whether the page that sent a form is ours; programs name no origin."""
    own = {None, base_of(request), context_of(request).settings.base_url}
    return request.headers.get("Origin") in own
