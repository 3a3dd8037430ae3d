"""What the handlers of one server share, under one key of the application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

from .views import Metadata, Scope, Views

if TYPE_CHECKING:
    from .attempts import CodeAttempts, SetUpCode, SignInAttempts
    from .finding import Finder
    from .homes.base import Home
    from .journal import Journal
    from .limits import DataLimits, SlidingWindow
    from .pages.sources import Finds
    from .passwords import Passwords
    from .settings import Settings
    from .shard import Shard
    from .store import Link, Store
    from .streams import Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The parts of a running server."""

    settings: Settings
    store: Store
    home: Home
    views: Views
    streams: Streams
    passwords: Passwords
    registrations: SlidingWindow
    proofs: SlidingWindow
    limits: DataLimits
    shard: Shard | None
    set_up: SetUpCode
    sign_ins: SignInAttempts
    codes: CodeAttempts
    finder: Finder
    journal: Journal
    finds: Finds


CONTEXT: Final = web.AppKey("context", Context)
# Whose link a request uses, as soon as that is known.
LINK: Final[web.RequestKey[Link]] = web.RequestKey("link")


def context_of(request: web.Request) -> Context:
    """Return the parts of the server that a request came to."""
    return request.app[CONTEXT]


def base_of(request: web.Request) -> str:
    """Return scheme and host of the address that a request asked for."""
    return f"{request.scheme}://{host_of(request)}"


def host_of(request: web.Request) -> str:
    """Return the host that a request asked for, as the outermost proxy tells it that is trusted."""
    return request.host


def scope_of(link: Link) -> Scope:
    """Return what a link may see."""
    return Scope(link.homes, link.permissions)


def metadata_of(context: Context, link: Link, token: str) -> Metadata:
    """Return the part of the document that is a token's own (protocol 3.2).

    The token is echoed from the request: the store has only its hash.
    """
    return Metadata(
        {
            "access_token": token,
            "client_version": link.client_version,
            "user_id": context.store.user_id(link),
            "permissions": sorted(link.permissions),
        }
    )
