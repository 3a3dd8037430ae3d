"""The home console: what the home is like, live, and buttons that make things happen in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wwn_server.context import context_of
from wwn_server.document import ALARMS, STRUCTURES, THERMOSTATS
from wwn_server.errors import NO_STORE, json_response, method_not_allowed, unauthorized
from wwn_server.requests import wants

from . import CONSOLE
from .console_acts import COLDEST, WARMEST, add, play, remove
from .console_view import ConsoleFeed, around, view_of
from .rendering import PageError, page, see_other
from .session import session_of, sign_in_url, signed_in_form

if TYPE_CHECKING:
    from aiohttp import web

    from wwn_server.homes.base import PlayableHome

    from .session import Session


async def show(request: web.Request) -> web.Response:
    """Show the home: as a page, or as JSON to a program that is signed in."""
    session = session_of(request)
    as_json = wants(request, "application/json") and not wants(request, "text/html")
    if session is None and as_json:
        raise unauthorized()
    if session is None:
        return see_other(sign_in_url(CONSOLE))
    return _for_programs(request, session) if as_json else _for_people(request, session)


async def events(request: web.Request) -> web.StreamResponse:
    """Keep an open page, or a program that is signed in, up to date."""
    if request.method != "GET":
        # The answer to a HEAD has no body, and this one would never end.
        raise method_not_allowed(request.method)
    if session_of(request) is None:
        raise unauthorized()
    context = context_of(request)
    return await context.streams.serve(ConsoleFeed(request, context.home))


async def set_home(request: web.Request) -> web.Response:
    """Leave or come home, or change what is around the home."""
    home, form = await _played(request)
    play(home, STRUCTURES, "", form)
    return see_other(CONSOLE)


async def set_alarm(request: web.Request) -> web.Response:
    """Let an alarm sense something, test it, drain its battery, or cut it off."""
    home, form = await _played(request)
    play(home, ALARMS, request.match_info["device_id"], form)
    return see_other(CONSOLE)


async def set_thermostat(request: web.Request) -> web.Response:
    """Lock a thermostat, let it sit in the sun, switch its emergency heat, or cut it off."""
    home, form = await _played(request)
    play(home, THERMOSTATS, request.match_info["device_id"], form)
    return see_other(CONSOLE)


async def add_device(request: web.Request) -> web.Response:
    """Hang up one more device."""
    home, form = await _played(request)
    add(home, form)
    return see_other(CONSOLE)


async def remove_device(request: web.Request) -> web.Response:
    """Take a device down."""
    home, _ = await _played(request)
    remove(home, request.match_info["device_id"])
    return see_other(CONSOLE)


def _for_programs(request: web.Request, session: Session) -> web.Response:
    home = context_of(request).home
    answer: dict[str, Any] = {"document": home.document.tree(), "csrf": session.csrf}
    if home.playable is not None:
        answer["surroundings"] = around(home.playable.surroundings)
    return json_response(answer, headers=NO_STORE)


def _for_people(request: web.Request, session: Session) -> web.Response:
    home = context_of(request).home
    values: dict[str, Any] = {"csrf": session.csrf, "account": session.account.name, "view": view_of(home)}
    if home.playable is not None:
        values |= {"rooms": home.playable.rooms, "coldest": COLDEST, "warmest": WARMEST}
    return page("console.html", values, live=True)


async def _played(request: web.Request) -> tuple[PlayableHome, dict[str, str]]:
    _, form = await signed_in_form(request)
    home = context_of(request).home.playable
    if home is None:
        raise PageError(404, "console.not_playable")
    return home, form
