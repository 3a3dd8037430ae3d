"""Finding a server, and the life of a registration and a token on it."""

import asyncio
import base64
from typing import Any

from aiohttp import ClientSession, web
import pytest
from yarl import URL

from custom_components.works_with_nest.wwn import NestServer, async_discover, auth, body as body_module
from custom_components.works_with_nest.wwn.auth import (
    RegisteredClient,
    Registration,
    async_delete_registration,
    async_exchange_code,
    async_register,
    async_revoke,
    async_update_registration,
    parse_address,
)
from custom_components.works_with_nest.wwn.errors import (
    AddressProblem,
    WwnAddressError,
    WwnAuthError,
    WwnConnectionError,
    WwnDiscoveryError,
    WwnProtocolError,
    WwnRedirectError,
    WwnRefusedError,
    WwnServerError,
)
from custom_components.works_with_nest.wwn.models import Permission
from custom_components.works_with_nest.wwn.original import async_find_service, original_server

from .conftest import Serve, discovery_document, nest_server

CLIENT = RegisteredClient(client_id="client-1", client_secret="secret-1", version=2)
REGISTRATION = Registration(
    client_name="Home Assistant",
    redirect_uris=["http://127.0.0.1:8123/auth/external/callback"],
    policy_uri="https://example.com/privacy",
    permissions={Permission.AWAY_READ: "to show it"},
)


@pytest.mark.parametrize(
    ("typed", "base"),
    [
        ("nest.local", "http://nest.local:9553"),
        (" nest.local ", "http://nest.local:9553"),
        ("nas", "http://nas:9553"),
        ("nas:8000", "http://nas:8000"),
        ("192.168.1.20", "http://192.168.1.20:9553"),
        ("100.100.1.2:80", "http://100.100.1.2"),
        ("127.0.0.1:9553", "http://127.0.0.1:9553"),
        ("fd00::1", "http://[fd00::1]:9553"),
        ("[fd00::1]:80", "http://[fd00::1]"),
        ("http://nas/", "http://nas"),
        ("http://nas:9553/login/oauth2?a=b", "http://nas:9553"),
        ("HTTPS://Nest.Example.com", "https://nest.example.com"),
        ("https://nest.example.com:8443/", "https://nest.example.com:8443"),
        ("nest.example.com", "https://nest.example.com"),
        ("nest.example.com:8443", "https://nest.example.com:8443"),
        ("8.8.8.8", "https://8.8.8.8"),
        ("my-nest.com", "https://my-nest.com"),
    ],
)
def test_what_people_type_becomes_an_address(typed: str, base: str) -> None:
    assert str(parse_address(typed)).rstrip("/") == base


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", AddressProblem.INVALID),
        ("   ", AddressProblem.INVALID),
        ("two words", AddressProblem.INVALID),
        ("nas:port", AddressProblem.INVALID),
        ("nas:99999", AddressProblem.INVALID),
        ("nas:0", AddressProblem.INVALID),
        ("ftp://nas", AddressProblem.INVALID),
        ("http://", AddressProblem.INVALID),
        ("http://[fd00::1", AddressProblem.INVALID),
        ("http://user:pass@nas", AddressProblem.INVALID),
        ("50%", AddressProblem.INVALID),
        ("a..b", AddressProblem.INVALID),
        (".local", AddressProblem.INVALID),
        (f"{'a' * 64}.local", AddressProblem.INVALID),
        (f"https://{'.'.join(['a' * 60] * 5)}", AddressProblem.INVALID),
        ("nas\0", AddressProblem.INVALID),
        ("https://:[]:a@", AddressProblem.INVALID),
        ("http://nest.example.com", AddressProblem.INSECURE),
        ("http://8.8.8.8", AddressProblem.INSECURE),
        ("http://192.0.2.1", AddressProblem.INSECURE),
        ("home.nest.com", AddressProblem.GOOGLE),
        ("https://developer-api.nest.com", AddressProblem.GOOGLE),
        ("https://www.google.com", AddressProblem.GOOGLE),
    ],
)
def test_what_is_no_usable_address_is_refused_with_the_reason(typed: str, problem: AddressProblem) -> None:
    with pytest.raises(WwnAddressError) as raised:
        parse_address(typed)
    assert raised.value.problem is problem


def answering(status: int, body: Any = None, **headers: str) -> Any:
    async def handler(_request: web.Request) -> web.Response:
        return web.json_response(body, status=status, headers=headers)

    return handler


async def discover(serve: Serve, session: ClientSession, **changes: Any) -> NestServer:
    base: URL

    async def handler(request: web.Request) -> web.Response:
        assert request.path == "/.well-known/oauth-authorization-server"
        return web.json_response(discovery_document(base, **changes))

    base = await serve(handler)
    return await async_discover(session, base)


async def test_a_server_is_found_and_survives_storage(serve: Serve, session: ClientSession) -> None:
    server = await discover(serve, session, works_with_nest={"shards": ["http://10.0.0.9:9554/"]})
    assert server.name == "A Nest home"
    assert server.shards == (URL("http://10.0.0.9:9554"),)
    assert server.consent_page == server.base / "login/oauth2"
    assert NestServer.from_dict(server.as_dict()) == server


async def test_the_name_of_a_server_is_one_line_and_fits(serve: Serve, session: ClientSession) -> None:
    server = await discover(serve, session, works_with_nest={"name": "My\x1b[31m\n home" + " x" * 500})
    assert server.name.startswith("My [31m home x x")
    assert len(server.name) == 200
    with pytest.raises(WwnDiscoveryError):
        await discover(serve, session, works_with_nest={"name": " \n "})


async def test_a_name_that_cannot_be_looked_up_is_no_answer(session: ClientSession) -> None:
    with pytest.raises(WwnConnectionError):
        await async_discover(session, URL.build(scheme="http", host=f"{'a' * 64}.local", port=9553))


@pytest.mark.parametrize(
    ("body", "is_one"),
    [
        ({"error": "unauthorized", "type": "https://x/errors#auth-error", "message": "m"}, True),
        ({"error": "unauthorized"}, False),
        ({"error": "no", "type": "https://x/errors#not-signed-in"}, False),
        ({"message": "Unauthorized"}, False),
    ],
)
async def test_only_a_refusal_in_the_protocols_own_way_is_works_with_nest(
    serve: Serve, session: ClientSession, body: dict[str, str], *, is_one: bool
) -> None:
    base = await serve(answering(401, body))
    if is_one:
        assert (await async_find_service(session, str(base))).base == base
    else:
        with pytest.raises(WwnDiscoveryError):
            await async_find_service(session, str(base))


async def test_people_are_sent_to_the_address_their_browser_reaches(serve: Serve, session: ClientSession) -> None:
    server = await discover(serve, session, works_with_nest={"browser_url": "https://nest.example.com/"})
    assert server.consent_page == URL("https://nest.example.com/login/oauth2")
    assert server.token_endpoint == server.base / "oauth2/access_token"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"issuer": "http://127.0.0.1:1"}, id="issued by another address"),
        pytest.param({"issuer": None}, id="no issuer"),
        pytest.param({"token_endpoint": "http://10.0.0.1/oauth2/access_token"}, id="token endpoint elsewhere"),
        pytest.param({"authorization_endpoint": "javascript:alert(1)"}, id="consent page is no web address"),
        pytest.param({"registration_endpoint": None}, id="no registration"),
        pytest.param({"works_with_nest": {"api_root": "http://10.0.0.1"}}, id="data elsewhere"),
        pytest.param({"works_with_nest": {"revocation_template": "http://10.0.0.1/{access_token}"}}, id="revocation"),
        pytest.param(
            {"works_with_nest": {"revocation_template": "http://127.0.0.1:{access_token}@evil.example/"}},
            id="a token that chooses the host",
        ),
        pytest.param(
            {"works_with_nest": {"revocation_template": "http://127.0.0.1{access_token}.evil.example/"}},
            id="a token in the name of the host",
        ),
        pytest.param({"works_with_nest": {"revocation_template": ["{access_token}"]}}, id="a template that is none"),
        pytest.param(
            {"works_with_nest": {"revocation_template": "http://127.0.0.1/tokens?token={access_token}"}},
            id="a token beside the path",
        ),
        pytest.param({"works_with_nest": {"server_id": ""}}, id="no id"),
        pytest.param({"works_with_nest": {"name": 3}}, id="a name that is none"),
        pytest.param({"works_with_nest": {"shards": ["nowhere"]}}, id="a shard that is no address"),
        pytest.param({"works_with_nest": {"shards": ["https://:[]:a@"]}}, id="a shard that looks like an address"),
        pytest.param({"works_with_nest": {"browser_url": "file:///etc/passwd"}}, id="pages that are no web address"),
    ],
)
async def test_a_discovery_document_that_leads_elsewhere_is_not_valid(
    serve: Serve, session: ClientSession, changes: dict[str, Any]
) -> None:
    with pytest.raises(WwnDiscoveryError):
        await discover(serve, session, **changes)


@pytest.mark.parametrize(
    ("status", "body"), [(404, None), (200, "text"), (200, {"issuer": "x"}), (500, {}), (401, {"error": "no"})]
)
async def test_another_program_at_the_address_is_not_works_with_nest(
    serve: Serve, session: ClientSession, status: int, body: object
) -> None:
    with pytest.raises(WwnDiscoveryError):
        await async_discover(session, await serve(answering(status, body)))


async def test_nothing_at_the_address_is_no_connection(unused_tcp_port: int, session: ClientSession) -> None:
    with pytest.raises(WwnConnectionError):
        await async_discover(session, URL(f"http://127.0.0.1:{unused_tcp_port}"))


async def test_registration_sends_reasons_and_brings_a_client(serve: Serve, session: ClientSession) -> None:
    seen: list[Any] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.path, await request.json()))
        return web.json_response({"client_id": "c", "client_secret": "s", "client_version": 1}, status=201)

    client = await async_register(session, nest_server(await serve(handler)), REGISTRATION)
    assert client == RegisteredClient(client_id="c", client_secret="s", version=1)
    assert RegisteredClient.from_dict(client.as_dict()) == client
    assert seen == [
        (
            "POST",
            "/oauth2/register",
            {
                "client_name": "Home Assistant",
                "redirect_uris": ["http://127.0.0.1:8123/auth/external/callback"],
                "policy_uri": "https://example.com/privacy",
                "permissions": [{"name": "away read", "reason": "to show it"}],
            },
        )
    ]


async def test_an_update_keeps_the_secret_and_takes_the_new_version(serve: Serve, session: ClientSession) -> None:
    seen: list[Any] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.path, request.headers["Authorization"]))
        return web.json_response({"client_id": "client-1", "client_version": 3})

    client = await async_update_registration(session, nest_server(await serve(handler)), CLIENT, REGISTRATION)
    assert client == RegisteredClient(client_id="client-1", client_secret="secret-1", version=3)
    basic = base64.b64encode(b"client-1:secret-1").decode()
    assert seen == [("PUT", "/oauth2/register/client-1", f"Basic {basic}")]


async def test_an_update_of_an_unknown_client_says_so(serve: Serve, session: ClientSession) -> None:
    server = nest_server(await serve(answering(401, {"error": "invalid_client"})))
    with pytest.raises(WwnAuthError):
        await async_update_registration(session, server, CLIENT, REGISTRATION)


@pytest.mark.parametrize("status", [204, 401, 404])
async def test_deleting_what_is_gone_is_fine(serve: Serve, session: ClientSession, status: int) -> None:
    await async_delete_registration(session, nest_server(await serve(answering(status, {}))), CLIENT)


@pytest.mark.parametrize("status", [204, 404])
async def test_revoking_what_is_gone_is_fine(serve: Serve, session: ClientSession, status: int) -> None:
    await async_revoke(session, nest_server(await serve(answering(status, {}))), "c.token")


async def test_a_server_fault_while_ending_is_an_error(serve: Serve, session: ClientSession) -> None:
    server = nest_server(await serve(answering(500, {})))
    with pytest.raises(WwnServerError):
        await async_revoke(session, server, "c.token")
    with pytest.raises(WwnServerError):
        await async_delete_registration(session, server, CLIENT)


@pytest.mark.parametrize(
    ("said", "expires_in"), [(3600, 3600), (None, 315360000), ("soon", 315360000), (True, 315360000), (-1, 315360000)]
)
async def test_a_code_becomes_a_token_with_a_lifetime(
    serve: Serve, session: ClientSession, said: object, expires_in: int
) -> None:
    seen: list[dict[str, Any]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(dict(await request.post()))
        return web.json_response({"access_token": "c.token", "expires_in": said})

    server = nest_server(await serve(handler))
    token = await async_exchange_code(session, server, CLIENT, "code-1", {"code_verifier": "v"})
    assert token == {"access_token": "c.token", "expires_in": expires_in}
    assert seen == [
        {
            "grant_type": "authorization_code",
            "code": "code-1",
            "client_id": "client-1",
            "client_secret": "secret-1",
            "code_verifier": "v",
        }
    ]


async def test_a_used_code_is_refused_in_the_servers_words(serve: Serve, session: ClientSession) -> None:
    body = {"error": "oauth2_error", "error_description": "authorization code not found"}
    with pytest.raises(WwnRefusedError) as raised:
        await async_exchange_code(session, nest_server(await serve(answering(400, body))), CLIENT, "code-1", {})
    assert raised.value.message == "authorization code not found"


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": 3}, [], "text"])
async def test_an_answer_without_a_token_is_not_understood(serve: Serve, session: ClientSession, body: object) -> None:
    with pytest.raises(WwnProtocolError):
        await async_exchange_code(session, nest_server(await serve(answering(200, body))), CLIENT, "code-1", {})


async def test_code_secret_and_token_follow_no_redirect(serve: Serve, session: ClientSession) -> None:
    reached: list[str] = []

    async def stranger(request: web.Request) -> web.Response:
        reached.append(request.path)
        return web.json_response({"access_token": "x", "expires_in": 1})

    elsewhere = await serve(stranger)
    server = nest_server(await serve(answering(307, None, Location=f"{elsewhere}/steal")))
    for call in (
        async_exchange_code(session, server, CLIENT, "code-1", {}),
        async_revoke(session, server, "c.token"),
        async_delete_registration(session, server, CLIENT),
        async_register(session, server, REGISTRATION),
        async_discover(session, server.base),
    ):
        with pytest.raises(WwnRedirectError) as raised:
            await call
        assert "c.token" not in str(raised.value)
    assert reached == []


async def test_an_answer_without_end_is_not_read_to_its_end(
    serve: Serve, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_module, "MAX_EVENT_BYTES", 1000)
    server = nest_server(await serve(answering(200, "x" * 2000)))
    for call in (async_discover(session, server.base), async_exchange_code(session, server, CLIENT, "code-1", {})):
        with pytest.raises(WwnProtocolError, match="passed 1000 bytes"):
            await call


async def test_an_unreachable_server_does_not_put_the_token_into_the_error(
    unused_tcp_port: int, session: ClientSession
) -> None:
    with pytest.raises(WwnConnectionError) as raised:
        await async_revoke(session, nest_server(URL(f"http://127.0.0.1:{unused_tcp_port}")), "c.secret-token")
    assert "c.secret-token" not in str(raised.value)
    assert raised.value.__cause__ is None


async def test_an_answer_that_does_not_come_is_not_waited_for(
    serve: Serve, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "REQUEST_TIMEOUT", 0.05)

    async def handler(_request: web.Request) -> web.Response:
        await asyncio.sleep(1)
        return web.json_response()

    with pytest.raises(WwnConnectionError, match="no answer within"):
        await async_discover(session, await serve(handler))


@pytest.mark.parametrize("body", [{}, {"client_id": 3}, {"client_id": "1", "client_version": "new"}, []])
async def test_an_answer_that_brings_no_client_is_not_understood(
    serve: Serve, session: ClientSession, body: object
) -> None:
    server = nest_server(await serve(answering(201, body)))
    with pytest.raises(WwnProtocolError):
        await async_register(session, server, REGISTRATION)


async def test_nobody_is_registered_at_a_service_that_has_no_place_for_it(serve: Serve, session: ClientSession) -> None:
    with pytest.raises(WwnProtocolError, match="registers no clients"):
        await async_register(session, original_server(await serve(answering(201, {}))), REGISTRATION)


async def test_a_service_that_leads_elsewhere_is_not_followed(serve: Serve, session: ClientSession) -> None:
    went: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        went.append(request.path)
        return web.json_response()

    other = await serve(elsewhere)

    async def handler(request: web.Request) -> web.Response:
        if request.path != "/":
            return web.json_response(status=404)
        return web.Response(status=307, headers={"Location": f"http://localhost:{other.port}/"})

    with pytest.raises(WwnRedirectError):
        await async_find_service(session, str(await serve(handler)))
    assert went == []


async def test_a_service_that_stops_answering_is_no_connection(serve: Serve, session: ClientSession) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.path == "/" and request.transport:
            request.transport.abort()
        return web.json_response(status=404)

    with pytest.raises(WwnConnectionError):
        await async_find_service(session, str(await serve(handler)))
