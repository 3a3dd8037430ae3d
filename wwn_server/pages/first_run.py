"""The first run: whoever sees what the server prints makes the owner's account and names the home."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from aiohttp import web

from wwn_server.context import context_of
from wwn_server.document import STRUCTURES
from wwn_server.errors import Anchor, OAuthError, WireError
from wwn_server.naming import rename_home
from wwn_server.requests import wants
from wwn_server.store.accounts import ClaimedError
from wwn_server.texts import t

from . import CATALOGUE, FIRST_RUN, ICON, SIGN_IN, STYLE
from .forms import account_problems, found, home_problems, too_often, with_retry_after
from .rendering import PageError, see_other
from .session import anonymous_form, anonymous_page, begin_session, local_path, with_next

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from wwn_server.context import Context
    from wwn_server.store import Account

    type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOGGER: Final = logging.getLogger(__name__)

# What answers before anybody has an account; hubs may find the server and introduce themselves.
_OPEN: Final = (FIRST_RUN, STYLE, ICON, "/.well-known/", "/oauth2/register")
_OAUTH: Final = ("/oauth2/", "/login/")


def invite(context: Context) -> None:
    """Print the code that first run asks for, where nobody has an account."""
    if not context.store.accounts.any():
        _LOGGER.warning(
            "Nobody has an account on this server yet. Open its address in a browser "
            "to make the owner's account. The set-up code is %s",
            context.set_up.renew(),
        )


@web.middleware
async def unclaimed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lead everything to first run while nobody has an account."""
    if request.path.startswith(_OPEN) or context_of(request).store.accounts.any():
        return await handler(request)
    if not wants(request, "text/html"):
        raise _not_set_up(request.path)
    if request.method in {"GET", "HEAD"}:
        path = request.rel_url.raw_path_qs
        return see_other(with_next(FIRST_RUN, None if path == "/" else path))
    raise PageError(503, "first_run.unclaimed")


async def show(request: web.Request) -> web.Response:
    """Show the form; once somebody has an account, sign-in takes its place."""
    next_path = local_path(request.query.get("next"))
    if context_of(request).store.accounts.any():
        return see_other(with_next(SIGN_IN, next_path))
    return _page(request, {"next": next_path or ""})


async def submit(request: web.Request) -> web.Response:
    """Make the owner's account for whoever has the code, and sign them in."""
    form = await anonymous_form(request)
    context, address = context_of(request), request.remote or ""
    next_path = local_path(form.get("next"))
    if context.store.accounts.any():
        return see_other(with_next(SIGN_IN, next_path))
    wait = context.codes.wait(address)
    if wait:
        return with_retry_after(_page(request, form, {"code": too_often(wait)}, 429), wait)
    if not context.set_up.fits(form.get("code", "")):
        return _page(request, form, {"code": t("first_run.wrong_code")}, 403)
    context.codes.succeeded(address)
    problems = found((home_problems(form) if _home(context) else {}) | account_problems(form))
    if problems:
        return _page(request, form, problems, 422)
    owner = await _claim(context, form)
    if owner is None:
        return see_other(with_next(SIGN_IN, next_path))
    return begin_session(request, owner, next_path or CATALOGUE)


async def _claim(context: Context, form: Mapping[str, str]) -> Account | None:
    kept = await context.passwords.hash(form["password"])
    try:
        owner = context.store.accounts.claim(form["username"].strip(), kept)
    except ClaimedError:
        return None
    context.set_up.forget()
    _name_home(context, form.get("home", "").strip())
    _LOGGER.info("The owner's account was made")
    return owner


def _name_home(context: Context, name: str) -> None:
    """Call the home so, and the server too where nobody has named it yet."""
    home = _home(context)
    if home is None:
        return
    rename_home(context, home, name)
    if context.store.name is None:
        context.store.rename(name)


def _page(
    request: web.Request,
    form: Mapping[str, str],
    problems: Mapping[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    context = context_of(request)
    home = _home(context)
    named = context.home.document.group(STRUCTURES)[home]["name"] if home else None
    values = {
        "next": local_path(form.get("next")),
        "typed": {"home": named} | {name: form[name] for name in ("code", "home", "username") if name in form},
        "names_home": home is not None,
        "problems": problems or {},
    }
    return anonymous_page(request, "first_run.html", values, status=status)


def _home(context: Context) -> str | None:
    """Return the home there is to name; where there are several, their source names them."""
    structures = context.home.document.group(STRUCTURES)
    return next(iter(structures)) if len(structures) == 1 else None


def _not_set_up(path: str) -> Exception:
    text = t("first_run.unclaimed")
    if path.startswith(_OAUTH):
        return OAuthError(503, "temporarily_unavailable", text)
    return WireError(503, Anchor.NOT_SET_UP, text)
