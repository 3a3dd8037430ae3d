"""The second port, which has the data when the first one only says so (protocol 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from .addresses import split
from .errors import NO_STORE, Anchor, WireError
from .texts import t

if TYPE_CHECKING:
    from aiohttp.web import Request


class Shard:
    """Where the data is: on any name the server is asked by, at a port known once it listens."""

    def __init__(self) -> None:
        """Not listen yet."""
        self.port = 0

    def origin(self, base: str) -> str:
        """Return the shard's address for one of the server's, such as ``http://h:2`` for ``http://h:1``."""
        parts = split(base)
        if parts is None or parts.hostname is None:
            raise WireError(400, Anchor.INVALID_CONTENT, t("refusal.host"))
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return f"{parts.scheme}://{host}:{self.port}"

    def redirect(self, request: Request, base: str) -> web.Response:
        """Send a request there as it is: same method, path, query and body."""
        location = self.origin(base) + request.rel_url.raw_path_qs
        return web.Response(status=307, headers={"Location": location} | NO_STORE)
