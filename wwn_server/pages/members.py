"""The page of those who belong to the home: who they are, inviting, removing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from wwn_server.attempts import code_digest, new_code
from wwn_server.context import base_of, context_of
from wwn_server.texts import t

from . import JOIN, MEMBERS
from .connections import described
from .owner import demand_owner, is_owner, owner_form
from .rendering import PageError, see_other
from .session import session_of, set_cookie, sign_in_url
from .signed_in import done, signed_in_page
from .times import moment, zone_of_homes

if TYPE_CHECKING:
    from aiohttp import web

    from wwn_server.store import Account, Connection, Member

    from .session import Session

# The code of an invitation, for the next page alone: only its hash is kept.
_CODE_COOKIE: Final = "wwn_invitation"
_CODE_SECONDS: Final = 60
_CODE_GROUPS: Final = 4
_KEPT: Final = "keep"


async def show(request: web.Request) -> web.Response:
    """List everybody, and show a new invitation once."""
    session = session_of(request)
    if session is None:
        return see_other(sign_in_url(MEMBERS))
    context = context_of(request)
    code = request.cookies.get(_CODE_COOKIE, "")
    fresh = code if context.store.invitations.is_open(code_digest(code)) else None
    zone = zone_of_homes(context)
    values = {
        "members": [_described(request, session, each) for each in context.store.accounts.members()],
        "is_owner": is_owner(session.account),
        "code": fresh,
        "address": _join_address(request, fresh) if fresh else None,
        "invitations": [(each.id, moment(each.expires, zone)) for each in context.store.invitations.pending()],
    }
    response = signed_in_page(request, session, "members.html", values)
    if code:
        response.del_cookie(_CODE_COOKIE, path=MEMBERS)
    return response


async def invite(request: web.Request) -> web.Response:
    """Make an invitation."""
    session, _ = await owner_form(request)
    code = new_code(_CODE_GROUPS)
    context_of(request).store.invitations.add(session.account, code_digest(code))
    response = see_other(MEMBERS)
    set_cookie(request, response, _CODE_COOKIE, code, seconds=_CODE_SECONDS, path=MEMBERS)
    return response


async def withdraw(request: web.Request) -> web.Response:
    """Let nobody use an invitation any more."""
    await owner_form(request)
    context_of(request).store.invitations.withdraw(_number(request))
    return done(request, MEMBERS, "withdrawn")


async def confirm(request: web.Request) -> web.Response:
    """Ask whether somebody shall be removed, and what becomes of the connections they made."""
    session = session_of(request)
    if session is None:
        return see_other(sign_in_url(request.rel_url.raw_path))
    demand_owner(session)
    member = _wanted(request)
    made = [described(request, session, each) for each in _made_by(request, session, member)]
    return signed_in_page(request, session, "member_remove.html", {"member": member, "connections": made})


async def remove(request: web.Request) -> web.Response:
    """End somebody's account and sessions, and those of their connections that are not kept."""
    session, form = await owner_form(request)
    member = _wanted(request)
    context = context_of(request)
    made = context.store.links.made_by(member)
    shown = {str(each.link.id) for each in _made_by(request, session, member)}
    kept = {each for each in made if str(each) in shown and form.get(f"link:{each}") == _KEPT}
    context.store.remove_member(member, session.account, kept)
    for link in map(context.store.links.get, kept):
        if link is not None:
            context.streams.follow(link)
    await context.streams.revoke(set(made) - kept)
    # Open pages of the person look at their session, and end.
    context.streams.wake()
    return done(request, MEMBERS, "member_removed")


def _number(request: web.Request) -> int:
    """Return the number in the address. Raises ``PageError``."""
    said = request.match_info["id"]
    if not said.isascii() or not said.isdigit() or len(said) > 15:  # noqa: PLR2004
        raise PageError(404, "members.unknown")
    return int(said)


def _wanted(request: web.Request) -> Account:
    member = context_of(request).store.accounts.get(_number(request))
    if member is None or is_owner(member):
        raise PageError(404, "members.unknown")
    return member


def _made_by(request: web.Request, session: Session, member: Account) -> list[Connection]:
    store = context_of(request).store
    connections = store.links.connections(store.accounts.homes_of(session.account))
    return [each for each in connections if each.link.account_id == member.id]


def _described(request: web.Request, session: Session, member: Member) -> dict[str, Any]:
    return {
        "id": member.account.id,
        "name": member.account.name,
        "role": t(f"members.role.{member.account.role}"),
        "is_owner": is_owner(member.account),
        "since": moment(member.since, zone_of_homes(context_of(request))),
        "links": len(_made_by(request, session, member.account)),
    }


def _join_address(request: web.Request, code: str) -> str:
    base = context_of(request).settings.base_url or base_of(request)
    return f"{base}{JOIN}?code={code}"
