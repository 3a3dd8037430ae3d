"""Signing in and out."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from wwn_server.context import context_of
from wwn_server.texts import t

from . import CONSOLE, SIGN_IN
from .rendering import page, see_other
from .session import (
    FORM_COOKIE,
    SESSION_COOKIE,
    checked_form,
    csrf_of,
    local_path,
    session_of,
    set_cookie,
)

if TYPE_CHECKING:
    from aiohttp import web

# Longer ones would only be work for the server.
_LONGEST: Final = 1000


async def show(request: web.Request) -> web.Response:
    """Show the form, or go on if somebody is signed in."""
    next_path = local_path(request.query.get("next"))
    if session_of(request) is not None:
        return see_other(next_path or CONSOLE)
    return _form(request, next_path)


async def submit(request: web.Request) -> web.Response:
    """Check name and password, and open a session."""
    form = await checked_form(request, request.cookies.get(FORM_COOKIE, ""))
    context = context_of(request)
    next_path = local_path(form.get("next"))
    name, password = form.get("username", ""), form.get("password", "")
    account, phc = context.store.accounts.credentials(name) or (None, None)
    fits = await context.passwords.verify(password[:_LONGEST], phc)
    if account is None or not fits:
        return _form(request, next_path, name=name, problem=t("sign_in.wrong"))
    response = see_other(next_path or CONSOLE)
    token = context.store.accounts.open_session(account)
    set_cookie(request, response, SESSION_COOKIE, token)
    return response


async def sign_out(request: web.Request) -> web.Response:
    """End the session."""
    token = request.cookies.get(SESSION_COOKIE, "")
    await checked_form(request, token)
    context_of(request).store.accounts.close_session(token)
    response = see_other(SIGN_IN)
    response.del_cookie(SESSION_COOKIE, path="/")
    return response


def _form(request: web.Request, next_path: str | None, name: str = "", problem: str = "") -> web.Response:
    cookie = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(32)
    values = {
        "csrf": csrf_of(cookie),
        "next": next_path,
        "name": name,
        "problem": problem,
        "anyone": context_of(request).store.accounts.any(),
    }
    response = page("sign_in.html", values, status=403 if problem else 200)
    set_cookie(request, response, FORM_COOKIE, cookie)
    return response
