r"""How a server that moved shows a hub that it is the one that the hub linked with.

``POST {base}/oauth2/register/{client_id}/proof`` with the JSON object ``{"nonce": ..., "base": ...}`` answers
``{"proof": ...}``: the lower-case hexadecimal HMAC-SHA256

- keyed by the 32 bytes of SHA-256 over the client secret (ASCII), and
- over the bytes ``nonce + "\n" + base + "\n" + server_id``, each exactly as it was sent or announced, in ASCII.

``nonce`` is 16 to 200 printable ASCII characters without a space; ``base`` is the scheme, host and port that the hub is
asking at. Neither can hold a line break, so no two requests share a message. The secret itself is sent by nobody.

A machine between hub and server could pass the question on; but it has an address of its own, and a base whose host is
not this server's is not signed.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import web
import ifaddr

from .addresses import address_of, split
from .announce import host_name
from .context import context_of
from .errors import NO_STORE, OAuthError, json_response
from .registration import json_object
from .texts import t

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from .context import Context

_NONCE: Final = re.compile(r"[!-~]{16,200}")


async def prove(request: web.Request) -> web.Response:
    """Answer a hub that found this server at another address than before."""
    context = context_of(request)
    _demand_patience(context, request.remote or "")
    body = await json_object(request)
    nonce, base = _nonce(body.get("nonce")), _base(request, body.get("base"))
    key = context.store.clients.key(request.match_info["client_id"])
    if key is None:
        raise OAuthError(401, "invalid_client", t("register.client"))
    message = f"{nonce}\n{base}\n{context.store.server_id}".encode()
    return json_response({"proof": hmac.new(key, message, hashlib.sha256).hexdigest()}, headers=NO_STORE)


def _demand_patience(context: Context, address: str) -> None:
    wait = context.proofs.wait(address)
    if wait:
        raise OAuthError(429, "too_many_requests", t("proof.too_often"), {"Retry-After": str(math.ceil(wait))})


def _nonce(value: object) -> str:
    if not isinstance(value, str) or not _NONCE.fullmatch(value):
        raise OAuthError(400, "invalid_request", t("proof.nonce"))
    return value


def _base(request: web.Request, value: object) -> str:
    parts = split(value) if isinstance(value, str) else None
    if parts is None or parts.path not in {"", "/"} or parts.query:
        raise OAuthError(400, "invalid_request", t("proof.base"))
    if not _is_own(request, parts.hostname or ""):
        raise OAuthError(400, "invalid_request", t("proof.other_host"))
    return str(value)


def _is_own(request: web.Request, host: str) -> bool:
    address = address_of(host)
    name = host.lower().removesuffix(".")
    if address is None and name != "localhost":
        return name in _names(context_of(request))
    if address is None or address.is_loopback:
        # Every machine calls itself that: it says something only between programs of this one.
        asker = address_of(request.remote or "")
        return asker is not None and asker.is_loopback
    return address in _addresses(request)


def _names(context: Context) -> set[str | None]:
    settings = context.settings
    browser_name = urlsplit(settings.base_url).hostname if settings.base_url else None
    return {host_name(context.store.server_id), browser_name, *settings.allow_host}


def _addresses(request: web.Request) -> set[IPv4Address | IPv6Address | None]:
    """Return the address that was reached, and all others of this machine where it listens to all."""
    reached = request.get_extra_info("sockname") or ("",)
    bound = address_of(context_of(request).settings.host)
    listens_to_all = bound is not None and bound.is_unspecified
    adapters = ifaddr.get_adapters() if listens_to_all else ()
    spelled = [each.ip if isinstance(each.ip, str) else each.ip[0] for adapter in adapters for each in adapter.ips]
    return {address_of(str(each)) for each in (reached[0], *spelled)}
