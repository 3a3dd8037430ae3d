"""Answering people in the language their browser asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from wwn_server.requests import wants
from wwn_server.texts import SOURCE_LANGUAGE, language, negotiated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def speaking(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Choose the language of pages; programs read the documented words, whatever they ask for."""
    is_page = wants(request, "text/html")
    language.set(negotiated(request.headers.get("Accept-Language", "")) if is_page else SOURCE_LANGUAGE)
    return await handler(request)
