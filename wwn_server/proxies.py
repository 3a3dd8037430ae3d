"""What a trusted proxy says about the request behind it: who asks, and for which address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from .addresses import address_of

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

    from .settings import Network, Settings


def behind_proxies(settings: Settings) -> tuple[Middleware, ...]:
    """Return what lets every handler see a request as it reached the outermost proxy that is trusted, if one is."""
    if not settings.trusted_proxy:
        return ()

    @web.middleware
    async def unwrap(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_trusted(request.remote, settings.trusted_proxy):
            return await handler(request)
        return await handler(request.clone(**_told(request, settings.trusted_proxy)))

    return (unwrap,)


def is_trusted(remote: str | None, proxies: tuple[Network, ...]) -> bool:
    """Say whether an address is one of a trusted proxy."""
    # Most servers stand behind none, and this is asked with every request: reading an address is a tenth of a read.
    address = address_of(remote or "") if proxies else None
    return address is not None and any(address in network for network in proxies)


def _told(request: web.Request, proxies: tuple[Network, ...]) -> dict[str, Any]:
    told: dict[str, Any] = {"remote": _asker(_listed(request, "X-Forwarded-For"), request.remote, proxies)}
    # The last word is that of the proxy that we trust.
    scheme = _listed(request, "X-Forwarded-Proto")[-1:]
    if scheme in (["http"], ["https"]):
        told["scheme"] = scheme[0]
    host = _listed(request, "X-Forwarded-Host")[-1:]
    if host:
        told["host"] = host[0]
    if not request.raw_path.startswith("/"):
        # The asker wrote a whole address into the first line, which would win over what the proxy says.
        told["rel_url"] = request.rel_url
    return told


def _listed(request: web.Request, header: str) -> list[str]:
    values = ",".join(request.headers.getall(header, ())).split(",")
    return [each.strip() for each in values if each.strip()]


def _asker(hops: list[str], remote: str | None, proxies: tuple[Network, ...]) -> str | None:
    """Return the nearest address that is no trusted proxy; what stands further away anybody could have written."""
    for hop in reversed(hops):
        address = address_of(hop)
        if address is None:
            return remote
        remote = str(address)
        if not is_trusted(remote, proxies):
            return remote
    return remote
