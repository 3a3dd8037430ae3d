"""Why a certificate is not trusted, said as the reason it is, over real handshakes."""

from pathlib import Path
import ssl
from typing import Any

from aiohttp import ClientSession, TCPConnector, web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.works_with_nest.wwn import NestServer, async_discover
from custom_components.works_with_nest.wwn.auth import async_find
from custom_components.works_with_nest.wwn.certificates import async_fingerprint, spelled
from custom_components.works_with_nest.wwn.client import WwnClient
from custom_components.works_with_nest.wwn.errors import (
    WwnCertificateChangedError,
    WwnCertificateError,
    WwnCertificateExpiredError,
    WwnCertificateNameError,
    WwnConnectionError,
    WwnDiscoveryError,
    WwnError,
    WwnSelfSignedError,
    WwnTooNewError,
)
from custom_components.works_with_nest.wwn.original import async_find_service
from tests.certificates import Authority, Pair, fingerprint_of

from .conftest import discovery_document, nest_server


async def answering(pair: Pair, status: int = 200, body: dict[str, Any] | None = None, **ours: Any) -> TestServer:
    """Return a server with this certificate, which says the same to everything if there is a body.

    ours: what else stands in its discovery document.
    """

    async def handler(request: web.Request) -> web.Response:
        base = request.url.origin()
        found = request.path.startswith("/.well-known/")
        said = discovery_document(base, works_with_nest=ours) if found else {"structures": {}}
        return web.json_response(said if body is None else body, status=status)

    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    server = TestServer(app, host="127.0.0.1", scheme="https")
    await server.start_server(ssl=pair.for_server(), access_log=None)
    return server


async def found(pair: Pair, trusted: Path | None = None, fingerprint: str | None = None, **ours: Any) -> NestServer:
    """Look for a server with this certificate; trusted: an authority that is."""
    context = ssl.create_default_context(cafile=trusted) if trusted else True
    server = await answering(pair, **ours)
    try:
        async with ClientSession(connector=TCPConnector(ssl=context)) as session:
            return await async_discover(session, server.make_url("/").origin(), fingerprint)
    finally:
        await server.close()


@pytest.mark.parametrize(
    ("days", "address", "kind"),
    [
        ((-9, -1), "127.0.0.1", WwnCertificateExpiredError),
        ((1, 9), "127.0.0.1", WwnCertificateExpiredError),
        ((-9, 9), "127.0.0.2", WwnCertificateNameError),
    ],
)
async def test_a_certificate_of_a_trusted_authority_can_be_wrong_all_the_same(
    tmp_path: Path, days: tuple[int, int], address: str, kind: type[WwnCertificateError]
) -> None:
    authority = Authority("authority")
    trusted = authority.pair(tmp_path).certificate
    assert (await found(authority.sign(tmp_path, "good"), trusted)).name == "A Nest home"
    with pytest.raises(kind):
        await found(authority.sign(tmp_path, "bad", days, address), trusted)


async def test_nobody_vouches_for_a_certificate(tmp_path: Path) -> None:
    with pytest.raises(WwnSelfSignedError):
        await found(Authority("self").pair(tmp_path))
    with pytest.raises(WwnCertificateError) as raised:
        await found(Authority("unknown").sign(tmp_path, "signed"))
    assert type(raised.value) is WwnCertificateError


async def test_a_confirmed_certificate_is_the_only_one_that_is_taken(tmp_path: Path) -> None:
    mine, other = Authority("mine").pair(tmp_path), Authority("other").pair(tmp_path)
    confirmed = fingerprint_of(mine.certificate).replace(":", "").lower()
    assert (await found(mine, fingerprint=confirmed)).fingerprint == confirmed
    with pytest.raises(WwnCertificateChangedError):
        await found(other, fingerprint=confirmed)


async def test_data_goes_to_the_confirmed_certificate_only(tmp_path: Path) -> None:
    mine, other = Authority("mine").pair(tmp_path), Authority("other").pair(tmp_path)
    confirmed = fingerprint_of(mine.certificate).replace(":", "").lower()
    for pair, is_taken in ((mine, True), (other, False)):
        server = await answering(pair)
        linked = NestServer.from_dict(
            {**nest_server(server.make_url("/").origin()).as_dict(), "fingerprint": confirmed}
        )
        async with ClientSession() as session:
            client = WwnClient(session, linked, "c.token")
            if is_taken:
                assert (await client.read()).structures == {}
            else:
                with pytest.raises(WwnCertificateChangedError):
                    await client.read()
        await server.close()


async def test_the_fingerprint_is_that_of_the_certificate_shown(tmp_path: Path) -> None:
    pair = Authority("self").pair(tmp_path)
    server = await answering(pair)
    base = server.make_url("/")
    assert spelled(await async_fingerprint(base)) == fingerprint_of(pair.certificate)
    await server.close()
    with pytest.raises(WwnConnectionError):
        await async_fingerprint(base)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"works_with_nest": {"protocol": 2}}, WwnTooNewError),
        (404, {"error": "nothing here"}, WwnDiscoveryError),
    ],
)
async def test_what_an_address_without_a_scheme_says_over_https_is_what_counts(
    tmp_path: Path, status: int, body: dict[str, Any], kind: type[WwnError]
) -> None:
    pair = Authority("self").pair(tmp_path)
    confirmed = fingerprint_of(pair.certificate).replace(":", "").lower()
    server = await answering(pair, status, body)
    typed = server.make_url("/").authority
    async with ClientSession() as session:
        with pytest.raises(kind):
            await async_find(session, typed, confirmed)
        await server.close()
        with pytest.raises(WwnConnectionError):
            await async_find(session, typed, confirmed)


async def test_an_original_service_is_found_by_https_without_its_scheme(tmp_path: Path) -> None:
    pair = Authority("self").pair(tmp_path)
    confirmed = fingerprint_of(pair.certificate).replace(":", "").lower()
    server = await answering(pair, 401, {"error": "x", "type": "https://x/e#auth-error"})
    base = server.make_url("/").origin()
    async with ClientSession() as session:
        found = await async_find_service(session, base.authority, confirmed)
    await server.close()
    assert found.api_root == base


async def test_no_token_may_go_from_https_to_a_shard_without(tmp_path: Path) -> None:
    pair = Authority("self").pair(tmp_path)
    confirmed = fingerprint_of(pair.certificate).replace(":", "").lower()
    assert (await found(pair, fingerprint=confirmed, shards=["https://127.0.0.1:9554"])).shards
    with pytest.raises(WwnDiscoveryError):
        await found(pair, fingerprint=confirmed, shards=["http://127.0.0.1:9554"])
