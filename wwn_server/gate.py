"""What every request has to pass: it asks for a host that is ours, and brings a body that is small, in time."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from .addresses import is_own_name, split
from .context import context_of, host_of
from .errors import Anchor, WireError
from .pages.rendering import message_page
from .requests import wants
from .texts import t

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from .settings import Settings


@web.middleware
async def own_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse hosts that are not ours: any name on the internet can be made to lead here (DNS rebinding)."""
    name, is_own = _name(host_of(request))
    if not is_own and name not in _configured(context_of(request).settings):
        return _unknown_host(request, t("refusal.unknown_host", host=name))
    return await handler(request)


def _unknown_host(request: web.Request, text: str) -> web.Response:
    if wants(request, "text/html"):
        return message_page(text, 421)
    return WireError(421, Anchor.HOST, text).response()


@web.middleware
async def whole_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Have the body here before anything acts on it; who sends it drop by drop is not waited for."""
    if request.content.is_eof():
        # There is none, or it came with the head: a clock for it would be a tenth of what a read takes.
        await request.read()
    else:
        await _body_in_time(request)
    return await handler(request)


async def _body_in_time(request: web.Request) -> None:
    try:
        async with asyncio.timeout(context_of(request).settings.body_seconds):
            await request.read()
    except TimeoutError:
        raise WireError(408, Anchor.TOO_SLOW, t("refusal.too_slow")) from None


# Hosts are few, and taking one apart is a tenth of what a read takes.
@lru_cache(maxsize=64)
def _name(host: str) -> tuple[str, bool]:
    """Return the name in a host that was asked for, and whether it is one of somebody's own network."""
    parts = split(f"http://{host}")
    if parts is None or parts.hostname is None or parts.netloc != host:
        raise WireError(400, Anchor.INVALID_CONTENT, t("refusal.host"))
    name = parts.hostname.removesuffix(".")
    return name, is_own_name(name)


def _configured(settings: Settings) -> set[str | None]:
    own = urlsplit(settings.base_url).hostname if settings.base_url else None
    return {*settings.allow_host, own}
