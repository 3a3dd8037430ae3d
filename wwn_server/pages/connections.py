"""The page that lists who has which data of a home, and takes it back."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from wwn_server.context import context_of
from wwn_server.document import STRUCTURES
from wwn_server.permissions import PERMISSIONS
from wwn_server.texts import t

from . import CONNECTIONS
from .rendering import PageError, see_other
from .session import session_of, sign_in_url, signed_in_form
from .signed_in import done, signed_in_page
from .times import moment, zone_of

if TYPE_CHECKING:
    from aiohttp import web

    from wwn_server.document import Thing
    from wwn_server.store import Connection, Link

    from .session import Session


class Extent(StrEnum):
    """How much of what a hub has to a home ends."""

    THIS = "this"
    ALL = "all"


_NOTICE_OF: Final = {Extent.THIS: "removed", Extent.ALL: "removed_all"}


async def show(request: web.Request) -> web.Response:
    """Show every link of the person's homes."""
    session = session_of(request)
    if session is None:
        return see_other(sign_in_url(CONNECTIONS))
    values = {"connections": [described(request, session, each) for each in _all(request, session)]}
    return signed_in_page(request, session, "connections.html", values)


async def confirm(request: web.Request) -> web.Response:
    """Ask whether a link shall end; nothing ends by opening the page."""
    session = session_of(request)
    if session is None:
        return see_other(sign_in_url(request.rel_url.raw_path))
    connection = _wanted(request, session)
    values = {
        "connection": described(request, session, connection),
        "others": len(_of_same_hub(request, session, connection)) - 1,
    }
    return signed_in_page(request, session, "connection_remove.html", values)


async def remove(request: web.Request) -> web.Response:
    """End a link, or all that its hub has to the person's homes."""
    session, form = await signed_in_form(request)
    connection = _wanted(request, session)
    extent = _extent(form)
    ended = (connection,) if extent is Extent.THIS else _of_same_hub(request, session, connection)
    context = context_of(request)
    for each in ended:
        context.store.links.remove(each.link.id)
    await context.streams.revoke(each.link.id for each in ended)
    return done(request, CONNECTIONS, _NOTICE_OF[extent])


async def take_back(request: web.Request) -> web.Response:
    """Take one permission back; with the last one the link would end, which is asked first."""
    session, form = await signed_in_form(request)
    link = _wanted(request, session).link
    permission = form.get("permission")
    if permission not in PERMISSIONS:
        raise PageError(400, "page.bad_form")
    if link.permissions == {permission}:
        return see_other(f"{CONNECTIONS}/{link.id}/remove")
    if permission in link.permissions:
        context = context_of(request)
        context.streams.follow(context.store.links.take_back(link, permission))
    return done(request, CONNECTIONS, "taken_back")


async def take_home_back(request: web.Request) -> web.Response:
    """Take one home back; with the last one the link would end, which is asked first."""
    session, form = await signed_in_form(request)
    link = _wanted(request, session).link
    context = context_of(request)
    home = form.get("home", "")
    if home not in context.store.accounts.homes_of(session.account):
        raise PageError(400, "page.bad_form")
    if link.homes == {home}:
        return see_other(f"{CONNECTIONS}/{link.id}/remove")
    if home in link.homes:
        context.streams.follow(context.store.links.take_home_back(link, home))
    return done(request, CONNECTIONS, "taken_back")


def _all(request: web.Request, session: Session) -> tuple[Connection, ...]:
    store = context_of(request).store
    return store.links.connections(store.accounts.homes_of(session.account))


def _wanted(request: web.Request, session: Session) -> Connection:
    """Return the connection that the address names. Raises ``PageError``."""
    by_id = {str(each.link.id): each for each in _all(request, session)}
    connection = by_id.get(request.match_info["id"])
    if connection is None:
        raise PageError(404, "connections.unknown")
    return connection


def _of_same_hub(request: web.Request, session: Session, connection: Connection) -> tuple[Connection, ...]:
    client_id = connection.link.client_id
    return tuple(each for each in _all(request, session) if each.link.client_id == client_id)


def _extent(form: dict[str, str]) -> Extent:
    try:
        return Extent(form.get("extent", Extent.THIS))
    except ValueError:
        raise PageError(400, "page.bad_form") from None


def described(request: web.Request, session: Session, connection: Connection) -> dict[str, Any]:
    """Return a connection as the pages show it."""
    link = connection.link
    homes = _homes(request, session, link)
    zone = zone_of(home.get("time_zone") for home in homes)
    return {
        "id": link.id,
        "hub": connection.hub,
        "member": connection.member,
        "since": moment(connection.since, zone),
        "last_used": None if connection.last_used is None else moment(connection.last_used, zone),
        "in_use": link.id in context_of(request).streams.link_ids(),
        "homes": [(home["structure_id"], home["name"]) for home in homes],
        "data": [(name, t(f"permission.{name}.title")) for name in PERMISSIONS if name in link.permissions],
    }


def _homes(request: web.Request, session: Session, link: Link) -> list[Thing]:
    """Return those homes of a link that are the person's, too."""
    context = context_of(request)
    structures = context.home.document.group(STRUCTURES)
    own = context.store.accounts.homes_of(session.account)
    return [structures[each] for each in own if each in link.homes and each in structures]
