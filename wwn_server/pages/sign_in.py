"""Signing in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wwn_server.context import context_of
from wwn_server.texts import t

from . import CONSOLE, SIGN_IN
from .forms import too_often, with_retry_after
from .rendering import see_other
from .session import (
    SESSION_COOKIE,
    anonymous_form,
    anonymous_page,
    begin_session,
    checked_form,
    local_path,
    session_of,
    with_next,
)

if TYPE_CHECKING:
    from aiohttp import web


async def show(request: web.Request) -> web.Response:
    """Show the form, or go on if somebody is signed in."""
    next_path = local_path(request.query.get("next"))
    if session_of(request) is not None:
        return see_other(next_path or CONSOLE)
    return _form(request, next_path)


async def submit(request: web.Request) -> web.Response:
    """Check name and password, and open a session."""
    form = await anonymous_form(request)
    context, address = context_of(request), request.remote or ""
    next_path = local_path(form.get("next"))
    name, password = form.get("username", ""), form.get("password", "")
    wait = context.sign_ins.wait(name, address)
    if wait:
        return with_retry_after(_form(request, next_path, name, too_often(wait), 429), wait)
    account, phc = context.store.accounts.credentials(name.strip()) or (None, None)
    fits = await context.passwords.verify(password, phc)
    if account is None or not fits:
        return _form(request, next_path, name, t("sign_in.wrong"), 403)
    context.sign_ins.succeeded(name, address)
    return begin_session(request, account, next_path or CONSOLE)


async def sign_out(request: web.Request) -> web.Response:
    """End the session; who is somebody else can sign in and go on where this was."""
    token = request.cookies.get(SESSION_COOKIE, "")
    form = await checked_form(request, token)
    context_of(request).store.accounts.close_session(token)
    response = see_other(with_next(SIGN_IN, local_path(form.get("next"))))
    response.del_cookie(SESSION_COOKIE, path="/")
    return response


def _form(
    request: web.Request, next_path: str | None, name: str = "", problem: str = "", status: int = 200
) -> web.Response:
    values = {"next": next_path, "name": name, "problem": problem}
    return anonymous_page(request, "sign_in.html", values, status=status)
