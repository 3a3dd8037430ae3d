"""Services that speak the protocol as it always was: no discovery document, and no registration (protocol 1.1).

Everything is at one host there, and a client is made by hand: a person brings its id and its secret.
"""

from typing import Final

from aiohttp import ClientSession
from yarl import URL

from .auth import NestServer, async_discover, async_find, parse_address, secure_base
from .client import WwnClient
from .errors import (
    AddressProblem,
    WwnAddressError,
    WwnAuthError,
    WwnConnectionError,
    WwnDiscoveryError,
    WwnError,
    WwnNotFoundError,
    WwnProtocolError,
    WwnRedirectError,
    WwnRefusedError,
)

# Not a token but a word in its place: what refuses it, and how, tells what is there.
NO_TOKEN: Final = "no-token"  # noqa: S105 - no secret


def original_server(base: URL, fingerprint: str | None = None) -> NestServer:
    """Return what is at an address that has no discovery document; its host stands for id and name."""
    origin = base.origin()
    return NestServer(
        base=base,
        server_id=base.host or "",
        name=base.host or "",
        authorization_endpoint=origin / "login/oauth2",
        token_endpoint=origin / "oauth2/access_token",
        registration_endpoint=None,
        api_root=origin,
        revocation_template=f"{origin}/oauth2/access_tokens/{{access_token}}",
        shards=(),
        browser_url=None,
        fingerprint=fingerprint,
    )


async def async_original(session: ClientSession, base: URL, fingerprint: str | None = None) -> NestServer:
    """Return the service at an address, if it refuses who has no token in the protocol's own way (protocol 7).

    Raises WwnDiscoveryError where something else answers, WwnConnectionError where nothing does.
    """
    server = original_server(base, fingerprint)
    try:
        await WwnClient(session, server, NO_TOKEN).read()
    except WwnAuthError as err:
        # Any API may refuse with a word of its own; only this protocol links to its page about errors (7.1).
        if err.kind.lower() == "auth-error":
            return server
    except WwnRedirectError:
        raise
    except WwnProtocolError, WwnRefusedError, WwnNotFoundError:
        pass
    msg = "it does not answer as Works with Nest does"
    raise WwnDiscoveryError(msg)


async def async_find_service(session: ClientSession, typed: str, fingerprint: str | None = None) -> NestServer:
    """Return what is at a typed address, with or without a discovery document. Raises WwnError."""
    try:
        return await async_find(session, typed, fingerprint)
    except WwnDiscoveryError:
        return await _original_at(session, typed, fingerprint)


async def _original_at(session: ClientSession, typed: str, fingerprint: str | None) -> NestServer:
    """Return the service at a typed address, by https where the scheme was left out and http is not answered."""
    try:
        return await async_original(session, parse_address(typed), fingerprint)
    except WwnConnectionError:
        if (secure := secure_base(typed)) is None:
            raise
        return await async_original(session, secure, fingerprint)


async def async_find_registering(session: ClientSession, typed: str, fingerprint: str | None = None) -> NestServer:
    """Return the server at a typed address, which registers a hub by itself. Raises WwnError."""
    try:
        return await async_find(session, typed, fingerprint)
    except WwnDiscoveryError as err:
        if await _is_original(session, typed, fingerprint):
            raise WwnAddressError(AddressProblem.ORIGINAL) from err
        raise


async def _is_original(session: ClientSession, typed: str, fingerprint: str | None) -> bool:
    try:
        await _original_at(session, typed, fingerprint)
    except WwnError:
        return False
    return True


async def async_reach(session: ClientSession, server: NestServer) -> None:
    """Ask a known server whether it still answers as one. Raises WwnError."""
    if server.is_original:
        await async_original(session, server.base, server.fingerprint)
    else:
        await async_discover(session, server.base, server.fingerprint)
