"""Answering people in the language their browser asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from wwn_server.requests import wants
from wwn_server.texts import SOURCE_LANGUAGE, language, negotiated

from . import CONSOLE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def speaking(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Choose the language of pages; programs read the documented words, whatever they ask for."""
    accepted = request.headers.get("Accept-Language", "")
    language.set(negotiated(accepted) if _is_for_people(request) else SOURCE_LANGUAGE)
    return await handler(request)


def _is_for_people(request: web.Request) -> bool:
    """Say whether a page is asked for, or what keeps an open one up to date."""
    return wants(request, "text/html") or (request.path.startswith(CONSOLE) and wants(request, "text/event-stream"))
