"""What hubs wrote and what was refused lately: the newest only, in memory, without secrets."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
import time
from typing import TYPE_CHECKING, Final

from aiohttp import web
import orjson

from .context import LINK, context_of
from .data_api import token_of
from .errors import OAuthError, WireError
from .logs import mask
from .pages.rendering import PageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_KEPT: Final = 50
_LONGEST: Final = 200
_MOST_FIELDS: Final = 8
_WRITES: Final = frozenset({"PUT", "PATCH"})
_REFUSED_PAGES: Final = frozenset({403, 429})


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened; ``at`` is seconds since the epoch."""

    at: float
    who: str
    what: str
    outcome: str


class Journal:
    """The newest writes and refusals, the newest first."""

    def __init__(self) -> None:
        """Start empty, now."""
        self.started = time.time()
        self.writes: deque[Entry] = deque(maxlen=_KEPT)
        self.refusals: deque[Entry] = deque(maxlen=_KEPT)


@web.middleware
async def noting(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Note writes that were done and whatever was refused."""
    try:
        response = await handler(request)
    except (WireError, OAuthError, PageError) as error:
        _note_refusal(request, error.status, error.text if isinstance(error, PageError) else str(error))
        raise
    if _is_write(request) and response.status == web.HTTPOk.status_code:
        entry = _entry(request, await _what(request), str(response.status))
        context_of(request).journal.writes.appendleft(entry)
    elif request.method == "POST" and response.status in _REFUSED_PAGES:
        _note_refusal(request, response.status, "")
    return response


def _is_write(request: web.Request) -> bool:
    return request.method in _WRITES and token_of(request) is not None


def _note_refusal(request: web.Request, status: int, why: str) -> None:
    what = f"{request.method} {mask(request.raw_path)}"
    entry = _entry(request, what, f"{status} {mask(why)}".strip())
    context_of(request).journal.refusals.appendleft(entry)


def _entry(request: web.Request, what: str, outcome: str) -> Entry:
    return Entry(time.time(), _who(request), what[:_LONGEST], outcome[:_LONGEST])


def _who(request: web.Request) -> str:
    """Return the name of the hub that asks, else the address it asks from."""
    link = request.get(LINK)
    hub = context_of(request).store.clients.name(link.client_id) if link else None
    return hub or request.remote or ""


async def _what(request: web.Request) -> str:
    """Return where a write went and which fields it had, not what was in them."""
    path = f"{request.method} {mask(request.raw_path)}"
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        return path
    names = list(body)[:_MOST_FIELDS] if isinstance(body, dict) else []
    return f"{path} ({', '.join(names)})" if names else path
