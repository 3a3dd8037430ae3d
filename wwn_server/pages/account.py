"""A person's own account: another password, and an end to all that is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wwn_server.context import context_of
from wwn_server.texts import t

from . import ACCOUNT, SIGN_IN
from .forms import found, new_password_problems, too_often, with_retry_after
from .rendering import see_other
from .session import session_of, sign_in_url, signed_in_form
from .signed_in import done, signed_in_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from .session import Session


async def show(request: web.Request) -> web.Response:
    """Show the page."""
    session = session_of(request)
    return see_other(sign_in_url(ACCOUNT)) if session is None else _page(request, session)


async def change_password(request: web.Request) -> web.Response:
    """Take another password from who knows the present one, and sign out everywhere else."""
    session, form = await signed_in_form(request)
    context, name, address = context_of(request), session.account.name, request.remote or ""
    wait = context.sign_ins.wait(name, address)
    if wait:
        return with_retry_after(_page(request, session, {"current": too_often(wait)}, 429), wait)
    _, phc = context.store.accounts.credentials(name) or (None, None)
    if not await context.passwords.verify(form.get("current", ""), phc):
        return _page(request, session, {"current": t("account.wrong")}, 403)
    context.sign_ins.succeeded(name, address)
    problems = found(new_password_problems(form))
    if problems:
        return _page(request, session, problems, 422)
    kept = await context.passwords.hash(form["password"])
    context.store.accounts.set_password(session.account, kept, session.token)
    context.streams.wake()
    return done(request, ACCOUNT, "password_changed")


async def sign_out_everywhere(request: web.Request) -> web.Response:
    """End every session of the person, this one too."""
    session, _ = await signed_in_form(request)
    context = context_of(request)
    context.store.accounts.close_sessions(session.account)
    context.streams.wake()
    return see_other(SIGN_IN)


def _page(
    request: web.Request, session: Session, problems: Mapping[str, str] | None = None, status: int = 200
) -> web.Response:
    values = {"problems": problems or {}, "role": t(f"members.role.{session.account.role}")}
    return signed_in_page(request, session, "account.html", values, status=status)
