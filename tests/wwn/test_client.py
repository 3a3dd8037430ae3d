"""Reads, writes and redirects of one link."""

import asyncio
from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

from aiohttp import ClientSession, web
import pytest
from yarl import URL

from custom_components.works_with_nest.wwn import WwnClient, body as body_module, client as client_module, pending
from custom_components.works_with_nest.wwn.clock import Instant
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
    WwnResponseError,
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


async def test_an_answer_that_a_push_overtook_is_not_the_newest_document(
    serve: Serve, session: ClientSession, everything_granted: dict[str, Any]
) -> None:
    client: WwnClient

    async def answer(_request: web.Request) -> web.Response:
        client.document({})
        return ok(everything_granted)

    client = WwnClient(session, nest_server(await serve(answer)), TOKEN)
    assert (await client.read()).thermostats == {}


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


# A refused token is tried once more there and then.
@pytest.mark.parametrize(("failing", "asked"), [(error(500), 2), (error(404), 2), (error(401), 3), (error(429), 2)])
async def test_the_shard_is_forgotten_when_it_answers_with_an_error(
    serve: Serve, session: ClientSession, failing: web.Response, asked: int
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
    assert len(root.requests) == asked


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


async def test_a_redirect_that_goes_up_to_https_never_comes_down_again(session: ClientSession) -> None:
    client = WwnClient(session, nest_server(URL("http://127.0.0.1:9553")), TOKEN)
    assert client._trusted(URL("http://127.0.0.1:9553/"), "https://127.0.0.1:9554/")
    with pytest.raises(WwnRedirectError):
        client._trusted(URL("https://127.0.0.1:9554/"), "http://127.0.0.1:9553/")


async def test_a_redirect_may_not_bring_a_user_of_its_own(serve: Serve, session: ClientSession) -> None:
    root = Recorder(ok())
    address = await serve(root.answer)
    client = WwnClient(session, nest_server(address), TOKEN)
    with pytest.raises(WwnRedirectError):
        client._trusted(address, str(address.with_user("me").with_password("x")))


async def test_the_stream_and_its_redirect_ask_alike(serve: Serve, session: ClientSession) -> None:
    shard = Recorder(ok())
    root = Recorder(redirect(await serve(shard.answer)))
    client = WwnClient(session, nest_server(await serve(root.answer)), TOKEN)
    async with client.open_stream():
        pass
    assert shard.requests == root.requests == [("GET", "/", f"Bearer {TOKEN}", "")]


@pytest.mark.parametrize("moved", ["/api", "", "/elsewhere"])
async def test_a_shard_keeps_the_path_below_which_its_data_is(serve: Serve, session: ClientSession, moved: str) -> None:
    shard = Recorder(ok())
    shard_url = await serve(shard.answer)
    root = Recorder(redirect(f"{shard_url}{moved}/structures/s1"))
    address = await serve(root.answer)
    client = WwnClient(session, replace(nest_server(address), api_root=address / "api"), TOKEN)
    await client.set_presence("s1", Presence.AWAY)
    await client.set_hvac_mode("t1", HvacMode.HEAT)
    await client.read()
    assert [path for _, path, *_ in root.requests] == ["/api/structures/s1"]
    assert [path for _, path, *_ in shard.requests] == [
        f"{moved}/structures/s1",
        f"{moved}/devices/thermostats/t1",
        f"{moved}/",
    ]


@pytest.mark.parametrize("location", ["", "http://", "http://[", "//", "mailto:a@b", "https://:[]:a@"])
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
        (redirect("/", 303), WwnRedirectError),
        (web.Response(text="not json"), WwnProtocolError),
    ],
)
async def test_each_answer_is_its_error(
    serve: Serve, session: ClientSession, answer: web.Response, kind: type[WwnError]
) -> None:
    client = WwnClient(session, nest_server(await serve(Recorder(answer).answer)), TOKEN)
    with pytest.raises(kind):
        await client.read()


@pytest.mark.parametrize("status", [200, 500])
async def test_an_answer_without_end_is_not_read_to_its_end(
    serve: Serve, session: ClientSession, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(body_module, "MAX_EVENT_BYTES", 1000)
    server = Recorder(web.Response(status=status, body=b"x" * 2000))
    with pytest.raises(WwnProtocolError):
        await WwnClient(session, nest_server(await serve(server.answer)), TOKEN).read()


@pytest.mark.parametrize("status", [200, 401])
async def test_a_slow_answer_has_the_time_of_one_request_and_no_more(
    serve: Serve, session: ClientSession, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    for module in (client_module, body_module):
        monkeypatch.setattr(module, "REQUEST_TIMEOUT", 0.5)

    async def dawdle(request: web.Request) -> web.StreamResponse:
        # Each part is in time by itself: the head, the body, and for 401 both of them again.
        await asyncio.sleep(0.3)
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        await asyncio.sleep(0.3)
        await response.write(b"{}")
        return response

    client = WwnClient(session, nest_server(await serve(dawdle)), TOKEN)
    with pytest.raises(WwnConnectionError):
        await client.read()


@pytest.mark.parametrize("status", [400, 401, 503])
async def test_a_token_that_a_server_repeats_is_not_told(serve: Serve, session: ClientSession, status: int) -> None:
    said = {"error": TOKEN, "type": f"x#{TOKEN}", "message": f"{TOKEN} is not known", "instance": TOKEN}
    client = WwnClient(
        session, nest_server(await serve(Recorder(web.json_response(said, status=status)).answer)), TOKEN
    )
    with pytest.raises(WwnResponseError) as raised:
        await client.read()
    assert TOKEN not in repr(raised.value)
    assert raised.value.message == "... is not known"


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


async def test_a_write_whose_token_got_lost_is_tried_once_more_from_the_root(
    serve: Serve, session: ClientSession
) -> None:
    shard = Recorder(error(401), ok())
    root = Recorder(redirect(await serve(shard.answer)))
    client = WwnClient(session, nest_server(await serve(root.answer)), TOKEN)
    await client.set_presence("s1", Presence.AWAY)
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


HALLWAY = "5Kjp1vRt-1fjORS_6ilI8ihN5KXSc7Tv"
HOME = "PtYgjmUhBel31iEl2hpChYgCfrL1spNxnyVmihA_2O76UMFxFkM_Rw"

type Write = Callable[[WwnClient], Awaitable[None]]


@pytest.fixture
async def knowing(
    serve: Serve, session: ClientSession, everything_granted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> tuple[WwnClient, Recorder]:
    """Return a client that has read the home, and its server; writes need no pause between them."""
    monkeypatch.setattr(client_module, "WRITE_PAUSE", 0.0)
    server = Recorder(ok(everything_granted), ok())
    client = WwnClient(session, nest_server(await serve(server.answer)), TOKEN)
    await client.read()
    server.requests.clear()
    return client, server


@pytest.mark.parametrize(
    ("write", "sent"),
    [
        (lambda c: c.set_hvac_mode(HALLWAY, HvacMode.HEAT_COOL), 0),
        (lambda c: c.set_hvac_mode(HALLWAY, HvacMode.HEAT), 1),
        (lambda c: c.set_range(HALLWAY, F, 68, 76), 0),
        (lambda c: c.set_range(HALLWAY, F, 68, 75), 1),
        (lambda c: c.set_target(HALLWAY, F, 70), 0),
        (lambda c: c.set_target("another", F, 70), 1),
        (lambda c: c.set_presence(HOME, Presence.HOME), 0),
        (lambda c: c.set_presence(HOME, Presence.AWAY), 1),
        (lambda c: c.stop_fan(HALLWAY), 1),
    ],
)
async def test_what_is_so_already_is_not_written(knowing: tuple[WwnClient, Recorder], write: Write, sent: int) -> None:
    client, server = knowing
    await write(client)
    assert len(server.requests) == sent


async def test_what_was_so_longer_ago_than_a_keep_alive_is_written(knowing: tuple[WwnClient, Recorder]) -> None:
    client, server = knowing
    now = Instant.now()
    client.hear(Instant(now.steady - 36, now.wall - 36))
    await client.set_hvac_mode(HALLWAY, HvacMode.HEAT_COOL)
    assert len(server.requests) == 1
    # The same once more: it was accepted a moment ago.
    await client.set_hvac_mode(HALLWAY, HvacMode.HEAT_COOL)
    assert len(server.requests) == 1
    client.hear(Instant(now.steady - 20, now.wall - 20))
    await client.set_presence(HOME, Presence.HOME)
    assert len(server.requests) == 1


async def test_what_is_under_way_counts_more_than_the_document(
    knowing: tuple[WwnClient, Recorder], everything_granted: dict[str, Any]
) -> None:
    client, server = knowing
    await client.set_range(HALLWAY, F, 66, 76)
    await client.set_range(HALLWAY, F, 66, 76)
    assert len(server.requests) == 1
    # What the document still shows is not so any more.
    await client.set_range(HALLWAY, F, 68, 76)
    assert len(server.requests) == 2
    shown = deepcopy(everything_granted)
    shown["devices"]["thermostats"][HALLWAY]["target_temperature_low_f"] = 68
    client.document(shown)
    # Shown, and then turned at the thermostat itself.
    shown = deepcopy(shown)
    shown["devices"]["thermostats"][HALLWAY]["target_temperature_low_f"] = 60
    client.document(shown)
    await client.set_range(HALLWAY, F, 68, 76)
    assert len(server.requests) == 3


async def test_what_never_showed_is_written_again(
    knowing: tuple[WwnClient, Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "PENDING_FOR", 0.0)
    client, server = knowing
    await client.set_hvac_mode(HALLWAY, HvacMode.COOL)
    await client.set_hvac_mode(HALLWAY, HvacMode.COOL)
    assert len(server.requests) == 2


async def test_what_was_refused_is_not_under_way(knowing: tuple[WwnClient, Recorder]) -> None:
    client, server = knowing
    server.answers = [(400, b"{}", {}), (200, b"{}", {})]
    with pytest.raises(WwnRefusedError):
        await client.set_hvac_mode(HALLWAY, HvacMode.COOL)
    await client.set_hvac_mode(HALLWAY, HvacMode.COOL)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("low", "high", "first"), [(70, 80, "high"), (60, 70, "low"), (66, 76, "low"), (60, 80, "high")]
)
async def test_the_bound_that_makes_room_stands_first(
    knowing: tuple[WwnClient, Recorder], low: float, high: float, first: str
) -> None:
    client, server = knowing
    await client.set_range(HALLWAY, F, low, high)
    (_, _, _, body) = server.requests[0]
    assert body.startswith(f'{{"target_temperature_{first}_f"')


@pytest.mark.parametrize(("headers", "waits"), [({}, 60.0), ({"Retry-After": "120"}, 120.0)])
async def test_a_thing_that_is_blocked_is_not_asked_again_and_says_why(
    knowing: tuple[WwnClient, Recorder], headers: dict[str, str], waits: float
) -> None:
    client, server = knowing
    server.answers = [(429, b'{"error":"blocked","message":"words"}', headers), (200, b"{}", {})]
    for _ in range(3):
        with pytest.raises(WwnBlockedError) as raised:
            await client.set_hvac_mode(HALLWAY, HvacMode.COOL)
        assert (raised.value.kind, raised.value.message) == ("blocked", "words")
    assert len(server.requests) == 1
    assert raised.value.retry_after is not None
    assert waits - 30 < raised.value.retry_after <= waits
    await client.set_presence(HOME, Presence.AWAY)
    assert len(server.requests) == 2


async def test_a_block_ends_when_the_service_said_so(knowing: tuple[WwnClient, Recorder]) -> None:
    client, server = knowing
    server.answers = [(429, b"{}", {"Retry-After": "0"}), (200, b"{}", {})]
    with pytest.raises(WwnBlockedError):
        await client.set_hvac_mode(HALLWAY, HvacMode.COOL)
    await client.set_hvac_mode(HALLWAY, HvacMode.COOL)
    assert len(server.requests) == 2
