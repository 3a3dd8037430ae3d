"""What the owner alone may do: whom they let into the home, and which devices stand behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rendering import PageError
from .session import signed_in_form

if TYPE_CHECKING:
    from aiohttp import web

    from wwn_server.store.accounts import Account

    from .session import Session


def is_owner(account: Account) -> bool:
    """Say whether an account is the owner's."""
    return account.role == "owner"


def demand_owner(session: Session) -> None:
    """Refuse who is not the owner. Raises ``PageError``."""
    if not is_owner(session.account):
        raise PageError(403, "members.owner_only")


async def owner_form(request: web.Request) -> tuple[Session, dict[str, str]]:
    """Return the session and what was sent with a form of the owner's. Raises ``PageError``."""
    session, form = await signed_in_form(request)
    demand_owner(session)
    return session, form
