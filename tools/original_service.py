"""The real server as a service of 2014 would be: what ours adds to the protocol is taken away on the way."""

import re
from typing import Any, Final, Self

from aiohttp import ClientResponse, ClientSession, ClientTimeout, web
from aiohttp.test_utils import TestServer

from .ports import LOOPBACK

# What a service without discovery and registration does not have.
ADDED: Final = ("/.well-known/", "/oauth2/register")
LISTED: Final = re.compile(rb',?"permissions":\[[^\]]*\]')


class OriginalService:
    """Stands in front of a server, hands everything on, and hides what was added to the protocol."""

    def __init__(self, upstream: str, host: str = LOOPBACK) -> None:
        """Stand before the server at this address, at an address of this machine; used in a with block."""
        self.upstream = upstream
        # What was asked for, oldest first, with the query and, of a form, its fields.
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        # The tokens that came along, and the word that stands for none.
        self.tokens: set[str] = set()
        # Whether a printer that wants a password answers instead.
        self.is_printer = False
        # Whether its data cannot be read just now.
        self.is_broken = False
        # Whether the account that accepted has no home, and whether tokens can be ended.
        self.is_empty = False
        self.ends_tokens = True
        self._session: ClientSession
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._hand_on)
        self._server = TestServer(app, host=host)

    @property
    def base(self) -> str:
        """Where it listens."""
        return str(self._server.make_url("/").origin())

    @property
    def paths(self) -> list[str]:
        """What was asked for, each as method and path, oldest first."""
        return [f"{method} {path}" for method, path, _ in self.asked]

    async def __aenter__(self) -> Self:
        """Start."""
        self._session = ClientSession(auto_decompress=False, timeout=ClientTimeout(total=None))
        # A stream that is open at the end is not waited for.
        await self._server.start_server(access_log=None, shutdown_timeout=0.05)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End, with what is open."""
        await self._server.close()
        await self._session.close()

    async def _hand_on(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        form = dict(await request.post()) if request.content_type.endswith("urlencoded") else {}
        self.asked.append((request.method, request.path, {**request.query, **{k: str(v) for k, v in form.items()}}))
        self.tokens.add(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if self.is_printer:
            return web.Response(text="<h1>A printer</h1>", content_type="text/html", status=401)
        if (request.method == "DELETE" and not self.ends_tokens) or (request.path == "/" and self.is_broken):
            return web.json_response({"error": "unavailable"}, status=503)
        if request.path == "/" and self.is_empty and "no-token" not in request.headers.get("Authorization", ""):
            return web.json_response({"metadata": {}})
        if request.path.startswith(ADDED):
            return web.json_response({"error": "not found"}, status=404)
        headers = {key: value for key, value in request.headers.items() if key not in ("Connection", "Accept-Encoding")}
        async with self._session.request(
            request.method, f"{self.upstream}{request.rel_url}", headers=headers, data=body, allow_redirects=False
        ) as answer:
            kept = {key: value for key, value in answer.headers.items() if key not in ("Content-Length", "Connection")}
            kept.pop("Transfer-Encoding", None)
            if answer.content_type == "text/event-stream":
                return await self._stream(request, answer, kept)
            return web.Response(status=answer.status, body=LISTED.sub(b"", await answer.read()), headers=kept)

    async def _stream(self, request: web.Request, answer: ClientResponse, headers: Any) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=headers)
        await response.prepare(request)
        kept = b""
        async for chunk in answer.content.iter_any():
            lines, newline, kept = (kept + chunk).rpartition(b"\n")
            await response.write(LISTED.sub(b"", lines + newline))
        return response
