"""Joining the home: whoever has an invitation makes an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wwn_server.attempts import code_digest
from wwn_server.context import context_of
from wwn_server.store import InvitationError, NameTakenError
from wwn_server.texts import t

from . import CONSOLE
from .forms import account_problems, found, too_often, with_retry_after
from .session import anonymous_form, anonymous_page, begin_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web


async def show(request: web.Request) -> web.Response:
    """Show the form, filled with the code of the address."""
    return _page(request, {"code": request.query.get("code", "")})


async def submit(request: web.Request) -> web.Response:
    """Make the account of somebody who was invited, and sign them in."""
    form = await anonymous_form(request)
    context, address = context_of(request), request.remote or ""
    wait = context.codes.wait(address)
    if wait:
        return with_retry_after(_page(request, form, {"code": too_often(wait)}, 429), wait)
    code = code_digest(form.get("code", ""))
    if not context.store.invitations.is_open(code):
        return _page(request, form, {"code": t("join.wrong_code")}, 403)
    context.codes.succeeded(address)
    problems = found(account_problems(form))
    if problems:
        return _page(request, form, problems, 422)
    return await _join(request, form, code)


async def _join(request: web.Request, form: Mapping[str, str], code: bytes) -> web.Response:
    context = context_of(request)
    kept = await context.passwords.hash(form["password"])
    try:
        account = context.store.invitations.use(code, form["username"].strip(), kept)
    except InvitationError:
        return _page(request, form, {"code": t("join.wrong_code")}, 403)
    except NameTakenError:
        return _page(request, form, {"username": t("join.name_taken")}, 422)
    return begin_session(request, account, CONSOLE)


def _page(
    request: web.Request, form: Mapping[str, str], problems: Mapping[str, str] | None = None, status: int = 200
) -> web.Response:
    typed = {name: form.get(name, "") for name in ("code", "username")}
    return anonymous_page(request, "join.html", {"typed": typed, "problems": problems or {}}, status=status)
