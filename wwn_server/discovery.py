"""The document by which a hub finds everything else (RFC 8414)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .context import base_of, context_of
from .errors import json_response
from .settings import DEFAULT_NAME

if TYPE_CHECKING:
    from aiohttp import web

    from .context import Context

PROTOCOL = 1


async def handle(request: web.Request) -> web.Response:
    """Answer for the address that was asked for."""
    return json_response(describe(context_of(request), base_of(request)))


def describe(context: Context, base: str) -> dict[str, Any]:
    """Return the document for one of the server's addresses, such as ``http://h:1``."""
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}/login/oauth2",
        "token_endpoint": f"{base}/oauth2/access_token",
        "registration_endpoint": f"{base}/oauth2/register",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "works_with_nest": _works_with_nest(context, base),
    }


def _works_with_nest(context: Context, base: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "protocol": PROTOCOL,
        "api_root": base,
        "revocation_template": f"{base}/oauth2/access_tokens/{{access_token}}",
        "server_id": context.store.server_id,
        "name": context.store.name or DEFAULT_NAME,
    }
    browser_url = context.settings.base_url
    shards = [context.shard.origin(base)] if context.shard else None
    return described | {name: value for name, value in (("browser_url", browser_url), ("shards", shards)) if value}
