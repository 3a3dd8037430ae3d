"""Reads, writes and redirects of one link."""

from typing import Any

from aiohttp import ClientSession, web
import pytest
from yarl import URL

from custom_components.works_with_nest.wwn import WwnClient
from custom_components.works_with_nest.wwn.errors import (
    WwnAuthError,
    WwnBlockedError,
    WwnConnectionError,
    WwnError,
    WwnForbiddenError,
    WwnNotFoundError,
    WwnProtocolError,
    WwnRedirectError,
    WwnRefusedError,
    WwnServerError,
)
from custom_components.works_with_nest.wwn.models import HvacMode, Presence, TemperatureScale

from .conftest import Serve, nest_server

TOKEN = "c.secret-token"
C, F = TemperatureScale.CELSIUS, TemperatureScale.FAHRENHEIT


class Recorder:
    """A server that keeps what it was asked, and answers one thing after another; the last one from then on."""

    def __init__(self, *answers: web.Response) -> None:
        self.answers = [(answer.status, answer.body, answer.headers) for answer in answers]
        self.requests: list[tuple[str, str, str, str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "")
        self.requests.append((request.method, request.path, token, await request.text()))
        status, body, headers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, body=body, headers=headers)


def ok(body: object = None) -> web.Response:
    return web.json_response(body or {})


def redirect(to: URL | str, status: int = 307) -> web.Response:
    return web.Response(status=status, headers={"Location": str(to)})


def error(status: int, anchor: str = "x", **headers: str) -> web.Response:
    body = {"error": "e", "type": f"https://developer.nest.com/e#{anchor}", "message": "words", "instance": "i"}
    return web.json_response(body, status=status, headers=headers)


async def test_the_document_is_read_with_the_token(
    serve: Serve, session: ClientSession, everything_granted: dict[str, Any]
) -> None:
    server = Recorder(ok(everything_granted))
    document = await WwnClient(session, nest_server(await serve(server.answer)), TOKEN).read()
    assert len(document.thermostats) == 2
    assert server.requests == [("GET", "/", f"Bearer {TOKEN}", "")]


@pytest.mark.parametrize(
    ("write", "path", "body"),
    [
        (lambda c: c.set_hvac_mode("t1", HvacMode.HEAT_COOL), "/devices/thermostats/t1", '{"hvac_mode":"heat-cool"}'),
        (lambda c: c.set_target("t1", C, 20.3), "/devices/thermostats/t1", '{"target_temperature_c":20.5}'),
        (lambda c: c.set_target("t1", F, 69.4), "/devices/thermostats/t1", '{"target_temperature_f":69}'),
        (
            lambda c: c.set_range("t1", C, 18.2, 24.74),
            "/devices/thermostats/t1",
            '{"target_temperature_low_c":18.0,"target_temperature_high_c":24.5}',
        ),
        (lambda c: c.set_presence("s1", Presence.AWAY), "/structures/s1", '{"away":"away"}'),
    ],
)
async def test_writes_say_what_the_protocol_says(
    serve: Serve, session: ClientSession, write: Any, path: str, body: str
) -> None:
    server = Recorder(ok())
    await write(WwnClient(session, nest_server(await serve(server.answer)), TOKEN))
    assert server.requests == [("PUT", path, f"Bearer {TOKEN}", body)]


async def test_a_redirect_to_the_shard_keeps_method_body_and_token_and_is_remembered(
    serve: Serve, session: ClientSession
) -> None:
    shard = Recorder(ok())
    shard_url = await serve(shard.answer)
    root = Recorder(redirect(shard_url / "structures/s1"))
    client = WwnClient(session, nest_server(await serve(root.answer)), TOKEN)
    await client.set_presence("s1", Presence.AWAY)
    await client.set_presence("s1", Presence.HOME)
    assert len(root.requests) == 1
    assert shard.requests == [
        ("PUT", "/structures/s1", f"Bearer {TOKEN}", '{"away":"away"}'),
        ("PUT", "/structures/s1", f"Bearer {TOKEN}", '{"away":"home"}'),
    ]


@pytest.mark.parametrize("failing", [error(500), error(404), error(401), error(429)])
async def test_the_shard_is_forgotten_when_it_answers_with_an_error(
    serve: Serve, session: ClientSession, failing: web.Response
) -> None:
    shard = Recorder(ok(), failing, failing, ok())
    shard_url = await serve(shard.answer)
    root = Recorder(redirect(shard_url), error(503))
    client = WwnClient(session, nest_server(await serve(root.answer)), TOKEN)
    await client.read()
    with pytest.raises(WwnError):
        await client.set_presence("s1", Presence.AWAY)
    with pytest.raises(WwnServerError):
        await client.read()
    assert len(root.requests) == 2


async def test_a_dead_shard_is_forgotten(serve: Serve, session: ClientSession, unused_tcp_port: int) -> None:
    root = Recorder(redirect(f"http://127.0.0.1:{unused_tcp_port}/"), ok())
    client = WwnClient(session, nest_server(await serve(root.answer)), TOKEN)
    with pytest.raises(WwnConnectionError):
        await client.read()
    await client.read()
    assert len(root.requests) == 2


async def test_the_token_does_not_follow_a_redirect_to_a_stranger(serve: Serve, session: ClientSession) -> None:
    stranger = Recorder(ok())
    address = (await serve(stranger.answer)).with_host("localhost")
    client = WwnClient(session, nest_server(await serve(Recorder(redirect(address)).answer)), TOKEN)
    with pytest.raises(WwnRedirectError) as raised:
        await client.read()
    assert stranger.requests == []
    assert TOKEN not in str(raised.value)


async def test_the_token_follows_to_a_shard_that_the_server_declared(serve: Serve, session: ClientSession) -> None:
    shard = Recorder(ok())
    address = (await serve(shard.answer)).with_host("localhost")
    client = WwnClient(session, nest_server(await serve(Recorder(redirect(address)).answer), address), TOKEN)
    await client.read()
    assert len(shard.requests) == 1


async def test_the_token_does_not_go_from_https_to_http(session: ClientSession) -> None:
    client = WwnClient(session, nest_server(URL("https://127.0.0.1:9553")), TOKEN)
    with pytest.raises(WwnRedirectError):
        client._trusted(URL("https://127.0.0.1:9553/"), "http://127.0.0.1:9553/")
    assert client._trusted(URL("https://127.0.0.1:9553/"), "https://127.0.0.1:9554/")


@pytest.mark.parametrize("location", ["", "http://", "http://[", "//", "mailto:a@b"])
async def test_a_redirect_to_nowhere_is_an_error(serve: Serve, session: ClientSession, location: str) -> None:
    client = WwnClient(session, nest_server(await serve(Recorder(redirect(location)).answer)), TOKEN)
    with pytest.raises(WwnRedirectError):
        await client.read()


async def test_redirects_in_a_circle_end(serve: Serve, session: ClientSession) -> None:
    root = Recorder(redirect("/"))
    client = WwnClient(session, nest_server(await serve(root.answer)), TOKEN)
    with pytest.raises(WwnRedirectError):
        await client.read()
    assert len(root.requests) == 4


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400), WwnRefusedError),
        (error(403), WwnForbiddenError),
        (error(404), WwnNotFoundError),
        (error(429), WwnBlockedError),
        (error(500), WwnServerError),
        (redirect("/", 303), WwnRefusedError),
        (web.Response(text="not json"), WwnProtocolError),
    ],
)
async def test_each_answer_is_its_error(
    serve: Serve, session: ClientSession, answer: web.Response, kind: type[WwnError]
) -> None:
    client = WwnClient(session, nest_server(await serve(Recorder(answer).answer)), TOKEN)
    with pytest.raises(kind):
        await client.read()


async def test_an_answer_that_blocks_says_for_how_long(serve: Serve, session: ClientSession) -> None:
    server = Recorder(error(429, "blocked", **{"Retry-After": "9"}))
    client = WwnClient(session, nest_server(await serve(server.answer)), TOKEN)
    with pytest.raises(WwnBlockedError) as raised:
        await client.set_presence("s1", Presence.AWAY)
    assert (raised.value.kind, raised.value.retry_after, raised.value.message) == ("blocked", 9.0, "words")


async def test_a_refused_token_is_tried_once_more_from_the_root(serve: Serve, session: ClientSession) -> None:
    shard = Recorder(ok(), error(401))
    shard_url = await serve(shard.answer)
    root = Recorder(redirect(shard_url), ok())
    client = WwnClient(session, nest_server(await serve(root.answer)), TOKEN)
    await client.read()
    await client.read()
    assert (len(root.requests), len(shard.requests)) == (2, 2)


async def test_a_token_refused_twice_is_over(serve: Serve, session: ClientSession) -> None:
    root = Recorder(error(401, "auth-error"))
    client = WwnClient(session, nest_server(await serve(root.answer)), TOKEN)
    with pytest.raises(WwnAuthError) as raised:
        await client.read()
    assert len(root.requests) == 2
    assert TOKEN not in str(raised.value)


async def test_no_answer_at_all_is_no_connection(session: ClientSession, unused_tcp_port: int) -> None:
    client = WwnClient(session, nest_server(URL(f"http://127.0.0.1:{unused_tcp_port}")), TOKEN)
    with pytest.raises(WwnConnectionError) as raised:
        await client.read()
    assert TOKEN not in repr(raised.value)
