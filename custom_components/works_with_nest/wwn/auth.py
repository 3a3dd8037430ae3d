"""Finding a server and the life of a link on it: discovery, registration, code for token, revocation.

Endpoints of protocol 1, and what our server adds (RFC 8414 discovery, RFC 7591 registration). Every call here sends to
the host that the person gave or confirmed, and follows no redirect: codes, secrets and tokens go nowhere else.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from ipaddress import AddressValueError, IPv6Address, ip_address, ip_network
from typing import Any, Final, Self

from aiohttp import ClientError, ClientSession, Fingerprint, encode_basic_auth
import orjson
from yarl import URL

from .body import read_body
from .certificates import CERTIFICATE_ERRORS, certificate_error, trust
from .const import PROTOCOL, REQUEST_TIMEOUT, TOKEN_LIFETIME
from .errors import (
    AddressProblem,
    WwnAddressError,
    WwnCertificateError,
    WwnConnectionError,
    WwnDiscoveryError,
    WwnProtocolError,
    WwnRedirectError,
    WwnTooNewError,
    WwnTooOldError,
    one_line,
    response_error,
)
from .models import Permission

PLACEHOLDER: Final = "access-token"
WELL_KNOWN: Final = "/.well-known/oauth-authorization-server"
DEFAULT_PORT: Final = 9553

# What stays in the house, judged by spelling alone (single labels too); everything else needs https.
LOCAL_SUFFIXES: Final = (".local", ".lan", ".internal", ".home.arpa")
LOCAL_NETWORKS: Final = tuple(
    ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
# Characters of one part of a host name between two dots, and of the whole (RFC 1035, 2.3.4).
LONGEST_LABEL: Final = 63
LONGEST_NAME: Final = 253
# What yarl raises for a text that is no address.
NO_ADDRESS: Final = (ValueError, IndexError)
# The service that ended on 29 September 2023 (protocol 10).
GOOGLE_SUFFIXES: Final = ("nest.com", "google.com", "googleapis.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class NestServer:
    """A Works with Nest server, as its discovery document describes it.

    base: scheme, host and port it was found at. registration_endpoint: None where there is no discovery document.
    shards: further origins that may be given the token. browser_url:
    where people's pages open, only ever opened in a browser. fingerprint: SHA-256 of the one certificate that a person
    confirmed for it, None where its certificate has to be trusted as any other.
    """

    base: URL
    server_id: str
    name: str
    authorization_endpoint: URL
    token_endpoint: URL
    registration_endpoint: URL | None
    api_root: URL
    revocation_template: str
    shards: tuple[URL, ...]
    browser_url: URL | None
    fingerprint: str | None = None

    def trust(self, url: URL) -> Fingerprint | bool:
        """Return what a request to one of its addresses has to trust."""
        return trust(self.base, self.fingerprint, url)

    @property
    def is_original(self) -> bool:
        """Whether it speaks the protocol only as it always was: a client is made by hand, and there is no PKCE."""
        return self.registration_endpoint is None

    @property
    def consent_page(self) -> URL:
        """Return the page where a person accepts, at the address that people's browsers reach."""
        if self.browser_url is None:
            return self.authorization_endpoint
        return self.browser_url.origin().join(self.authorization_endpoint.relative())

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON, for storage."""
        return {
            "base": str(self.base),
            "server_id": self.server_id,
            "name": self.name,
            "authorization_endpoint": str(self.authorization_endpoint),
            "token_endpoint": str(self.token_endpoint),
            "registration_endpoint": str(self.registration_endpoint) if self.registration_endpoint else None,
            "api_root": str(self.api_root),
            "revocation_template": self.revocation_template,
            "shards": [str(shard) for shard in self.shards],
            "browser_url": str(self.browser_url) if self.browser_url else None,
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return the server that as_dict stored."""
        return cls(
            base=URL(stored["base"]),
            server_id=stored["server_id"],
            name=stored["name"],
            authorization_endpoint=URL(stored["authorization_endpoint"]),
            token_endpoint=URL(stored["token_endpoint"]),
            registration_endpoint=URL(endpoint) if (endpoint := stored["registration_endpoint"]) else None,
            api_root=URL(stored["api_root"]),
            revocation_template=stored["revocation_template"],
            shards=tuple(URL(shard) for shard in stored["shards"]),
            browser_url=URL(stored["browser_url"]) if stored["browser_url"] else None,
            fingerprint=stored.get("fingerprint"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a hub asks of a server. permissions: each with the reason a person reads."""

    client_name: str
    redirect_uris: Sequence[str]
    policy_uri: str
    permissions: Mapping[Permission, str]

    def as_dict(self) -> dict[str, Any]:
        """Return the body of a registration."""
        return {
            "client_name": self.client_name,
            "redirect_uris": list(self.redirect_uris),
            "policy_uri": self.policy_uri,
            "permissions": [{"name": name.value, "reason": reason} for name, reason in self.permissions.items()],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredClient:
    """Who the hub is to the server. version: of the permissions asked for (protocol 2.4)."""

    client_id: str
    client_secret: str = field(repr=False)
    version: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON, for storage."""
        return {"client_id": self.client_id, "client_secret": self.client_secret, "version": self.version}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return the client that as_dict stored."""
        return cls(client_id=stored["client_id"], client_secret=stored["client_secret"], version=stored["version"])


def parse_address(typed: str) -> URL:
    """Return the base address for what a person typed: a host, host:port or URL, with or without a scheme.

    Without a scheme it is http at home and https elsewhere; without a port, on plain http, the one our server listens
    on. Raises WwnAddressError: no address at all, plain http to the internet, or the service that Google ended.
    """
    typed = typed.strip()
    bare = "://" not in typed
    try:
        url = URL(f"http://{_bracketed(typed)}" if bare else typed)
        host, port = url.host, url.explicit_port
        # Not every name that can be taken apart can be put together again.
        URL.build(scheme=url.scheme, host=host or "")
    except NO_ADDRESS as err:
        raise WwnAddressError(AddressProblem.INVALID) from err
    if url.scheme not in ("http", "https") or not host or url.user or url.password or " " in host or port == 0:
        raise WwnAddressError(AddressProblem.INVALID)
    name = host.rstrip(".").lower()
    if not all(1 <= len(label) <= LONGEST_LABEL for label in name.split(".")) or len(name) > LONGEST_NAME:
        raise WwnAddressError(AddressProblem.INVALID)
    if any(name == suffix or name.endswith(f".{suffix}") for suffix in GOOGLE_SUFFIXES):
        raise WwnAddressError(AddressProblem.GOOGLE)
    if url.scheme == "http" and not is_local(host):
        if not bare:
            raise WwnAddressError(AddressProblem.INSECURE)
        return URL.build(scheme="https", host=host, port=port)
    return URL.build(scheme=url.scheme, host=host, port=port or (DEFAULT_PORT if bare else None))


def _bracketed(typed: str) -> str:
    """Return a bare IPv6 address the way URLs spell it, and anything else as it is."""
    try:
        return f"[{IPv6Address(typed)}]"
    except AddressValueError:
        return typed


def is_loopback(host: str) -> bool:
    """Whether a host is the very machine that asks for it, judged by its spelling alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"


def is_local(host: str) -> bool:
    """Whether plain http may be used: the host is in the house, judged by its spelling alone."""
    try:
        address = ip_address(host)
    except ValueError:
        name = host.rstrip(".").lower()
        return "." not in name or name.endswith(LOCAL_SUFFIXES)
    return any(address in network for network in LOCAL_NETWORKS)


async def async_find(session: ClientSession, typed: str, fingerprint: str | None = None) -> NestServer:
    """Return the server at what a person typed. Raises WwnAddressError, and what async_discover raises.

    Where the scheme was left out and plain http is not answered, https is tried, too. A path that was typed is only
    left out where the server is there without it.
    """
    base = parse_address(typed)
    try:
        return await async_discover(session, base, fingerprint)
    except WwnDiscoveryError:
        if typed.strip().rpartition("://")[2].partition("/")[2].strip("/"):
            raise WwnAddressError(AddressProblem.PATH) from None
        raise
    except WwnConnectionError as err:
        if (secure := secure_base(typed)) is None:
            raise
        return await _discover_secure(session, secure, fingerprint, err)


def secure_base(typed: str) -> URL | None:
    """Return the https address to try where plain http is not answered; None where a scheme was typed, or meant."""
    base = parse_address(typed)
    return None if "://" in typed or base.scheme == "https" else base.with_scheme("https").with_port(base.port)


async def _discover_secure(
    session: ClientSession, secure: URL, fingerprint: str | None, first: WwnConnectionError
) -> NestServer:
    """Return the server that does not answer plain http; where nothing answers https either, the first error."""
    try:
        return await async_discover(session, secure, fingerprint)
    except WwnCertificateError:
        raise
    except WwnConnectionError:
        raise first from None


async def async_discover(session: ClientSession, base: URL, fingerprint: str | None = None) -> NestServer:
    """Return the server at this address. fingerprint: of the one certificate that a person confirmed for it.

    Raises WwnConnectionError where nothing answers, WwnDiscoveryError where something else does, WwnTooNewError and
    WwnTooOldError where it speaks another version of the protocol.
    """
    status, body, _ = await _call(session, "GET", url := base.with_path(WELL_KNOWN), ssl=trust(base, fingerprint, url))
    said = _object(body)
    ours = _object(said.get("works_with_nest"))
    if status != HTTPStatus.OK or not ours:
        msg = f"no discovery document ({status})"
        raise WwnDiscoveryError(msg)
    _check_protocol(ours.get("protocol"))
    try:
        return replace(_server(base, said, ours), fingerprint=fingerprint)
    except (KeyError, TypeError, *NO_ADDRESS) as err:
        msg = "its discovery document is not valid"
        raise WwnDiscoveryError(msg) from err


def _check_protocol(spoken: object) -> None:
    """Raise where a server speaks another version of the protocol than we do."""
    if not isinstance(spoken, int) or isinstance(spoken, bool):
        msg = "its discovery document names no protocol"
        raise WwnDiscoveryError(msg)
    if spoken != PROTOCOL:
        msg = f"it speaks protocol {spoken}, and not {PROTOCOL}"
        raise WwnTooNewError(msg) if spoken > PROTOCOL else WwnTooOldError(msg)


def _server(base: URL, said: Mapping[str, Any], ours: Mapping[str, Any]) -> NestServer:
    """Return the server that a discovery document describes; raise where it is not valid."""
    if URL(said["issuer"]).origin() != base.origin():
        msg = "issued by another address"
        raise ValueError(msg)
    template = _text(ours["revocation_template"])
    # The token may stand in the path alone: anywhere before it, it would choose the host that gets it.
    if PLACEHOLDER not in _own(base, template.replace("{access_token}", PLACEHOLDER)).path:
        msg = "no place for the token"
        raise ValueError(msg)
    browser_url = ours.get("browser_url")
    return NestServer(
        base=base,
        server_id=_text(ours["server_id"]),
        name=_text(one_line(_text(ours["name"]))),
        authorization_endpoint=_own(base, said["authorization_endpoint"]),
        token_endpoint=_own(base, said["token_endpoint"]),
        registration_endpoint=_own(base, said["registration_endpoint"]),
        api_root=_own(base, ours["api_root"]),
        revocation_template=template,
        shards=tuple(_shard(base, shard) for shard in ours.get("shards", ())),
        browser_url=_web(browser_url) if browser_url else None,
    )


def _own(base: URL, text: object) -> URL:
    """Return an endpoint, which must be on the host that was asked, and not less secure."""
    url = _web(text)
    if url.host != base.host or (base.scheme == "https" and url.scheme != "https"):
        msg = "an endpoint is on another host"
        raise ValueError(msg)
    return url


def _shard(base: URL, text: object) -> URL:
    """Return an origin that may be given the token: never less secure than the server itself."""
    origin = _web(text).origin()
    if base.scheme == "https" and origin.scheme != "https":
        msg = "a shard is less secure than the server"
        raise ValueError(msg)
    return origin


def _web(text: object) -> URL:
    url = URL(_text(text))
    if url.scheme not in ("http", "https") or not url.host or url.user or url.password:
        msg = "not a web address"
        raise ValueError(msg)
    return url


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


async def async_register(session: ClientSession, server: NestServer, registration: Registration) -> RegisteredClient:
    """Register a new client. Raises WwnResponseError and WwnConnectionError."""
    body = await _asked(session, "POST", server, _registration_of(server), json=registration.as_dict())
    return _client(body, secret="")


async def async_update_registration(
    session: ClientSession, server: NestServer, client: RegisteredClient, registration: Registration
) -> RegisteredClient:
    """Replace what a client asks for. Raises WwnAuthError where the server no longer knows it: register anew."""
    url = _client_url(server, client)
    body = await _asked(session, "PUT", server, url, json=registration.as_dict(), headers=_basic(client))
    return _client({**body, "client_id": client.client_id}, secret=client.client_secret)


async def async_delete_registration(session: ClientSession, server: NestServer, client: RegisteredClient) -> None:
    """Remove a client and every token of it; one that is gone already is fine."""
    url = _client_url(server, client)
    status, body, retry_after = await _call(session, "DELETE", url, ssl=server.trust(url), headers=_basic(client))
    if status >= HTTPStatus.BAD_REQUEST and status not in (HTTPStatus.NOT_FOUND, HTTPStatus.UNAUTHORIZED):
        raise response_error(status, body, retry_after)


async def async_ask_for_proof(
    session: ClientSession, server: NestServer, client: RegisteredClient, nonce: str, base: str
) -> str:
    """Return what a server answers to the question who it is. Nothing secret is sent. Raises WwnError."""
    url = _client_url(server, client) / "proof"
    body = await _asked(session, "POST", server, url, json={"nonce": nonce, "base": base})
    proof = body.get("proof")
    if not isinstance(proof, str):
        msg = "the answer holds no proof"
        raise WwnProtocolError(msg)
    return proof


async def async_exchange_code(
    session: ClientSession, server: NestServer, client: RegisteredClient, code: str, extra: Mapping[str, str]
) -> dict[str, Any]:
    """Return the token for a code (protocol 1.4): access_token, and expires_in in seconds.

    extra: further form fields, such as the PKCE verifier. Raises WwnRefusedError where the code is wrong, used or too
    old.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        **extra,
    }
    body = await _asked(session, "POST", server, server.token_endpoint, data=form)
    if not isinstance(body.get("access_token"), str) or not body["access_token"]:
        msg = "the answer holds no token"
        raise WwnProtocolError(msg)
    lifetime = body.get("expires_in")
    valid = isinstance(lifetime, int) and not isinstance(lifetime, bool) and lifetime > 0
    return {"access_token": body["access_token"], "expires_in": lifetime if valid else TOKEN_LIFETIME}


async def async_revoke(session: ClientSession, server: NestServer, access_token: str) -> None:
    """End a token (protocol 1.6); one that is ended already is fine."""
    url = URL(server.revocation_template.replace("{access_token}", access_token))
    status, body, retry_after = await _call(session, "DELETE", url, ssl=server.trust(url))
    if status >= HTTPStatus.BAD_REQUEST and status != HTTPStatus.NOT_FOUND:
        raise response_error(status, body, retry_after)


def _registration_of(server: NestServer) -> URL:
    if server.registration_endpoint is None:
        msg = "this service registers no clients"
        raise WwnProtocolError(msg)
    return server.registration_endpoint


def _client_url(server: NestServer, client: RegisteredClient) -> URL:
    return _registration_of(server) / client.client_id


def _basic(client: RegisteredClient) -> dict[str, str]:
    return {"Authorization": encode_basic_auth(client.client_id, client.client_secret)}


def _client(body: Mapping[str, Any], secret: str) -> RegisteredClient:
    try:
        return RegisteredClient(
            client_id=_text(body["client_id"]),
            client_secret=_text(body.get("client_secret", secret)),
            version=int(body.get("client_version", 1)),
        )
    except (KeyError, TypeError, ValueError) as err:
        msg = "the answer to the registration is not valid"
        raise WwnProtocolError(msg) from err


async def _asked(session: ClientSession, method: str, server: NestServer, url: URL, **kwargs: Any) -> Mapping[str, Any]:
    """Return the JSON object of a good answer; raise the error of any other."""
    status, body, retry_after = await _call(session, method, url, ssl=server.trust(url), **kwargs)
    if status >= HTTPStatus.BAD_REQUEST:
        raise response_error(status, body, retry_after)
    if not isinstance(body, dict):
        msg = "the answer is not a JSON object"
        raise WwnProtocolError(msg)
    return body


async def _call(session: ClientSession, method: str, url: URL, **kwargs: Any) -> tuple[int, object, str | None]:
    """Return status, parsed JSON (None where it is none) and Retry-After of an answer.

    Raises WwnConnectionError where none came and WwnRedirectError for a redirect. The causes of errors are left out
    of their text, because aiohttp puts the URL there, and a revocation has the token in it.
    """
    try:
        async with (
            asyncio.timeout(REQUEST_TIMEOUT),
            session.request(method, url, allow_redirects=False, **kwargs) as response,
        ):
            content, status, headers = await read_body(response), response.status, response.headers
    except CERTIFICATE_ERRORS as err:
        raise certificate_error(err) from None
    except TimeoutError:
        msg = f"no answer within {REQUEST_TIMEOUT:.0f} s"
        raise WwnConnectionError(msg) from None
    except (ClientError, OSError, ValueError) as err:
        # What looks up names raises ValueError for one that there cannot be.
        msg = type(err).__name__
        raise WwnConnectionError(msg) from None
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        msg = f"answered with a redirect ({status})"
        raise WwnRedirectError(msg)
    return status, _json(content), headers.get("Retry-After")


def _json(content: bytes) -> object:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


def _object(body: object) -> Mapping[str, Any]:
    return body if isinstance(body, dict) else {}
