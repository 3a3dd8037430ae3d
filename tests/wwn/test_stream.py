"""The stream: documents, signs of life, and every way it can end."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
import json
import time
from types import SimpleNamespace
from typing import Any

from aiohttp import ClientSession, web
import pytest

from custom_components.works_with_nest.wwn import Document, WwnClient, clock, jumps
from custom_components.works_with_nest.wwn.errors import (
    WwnAuthError,
    WwnBlockedError,
    WwnConnectionError,
    WwnError,
    WwnEventTooLargeError,
    WwnForbiddenError,
    WwnProtocolError,
    WwnServerError,
    WwnStreamError,
)
from custom_components.works_with_nest.wwn.stream import WwnStream
from tests.conftest import Jump

from .conftest import Clocks, Serve, nest_server

KEEP_ALIVE = b"event: keep-alive\ndata: null\n\n"


def put(document: object) -> bytes:
    return b"event: put\ndata: " + json.dumps({"path": "/", "data": document}).encode() + b"\n\n"


async def test_a_sign_of_life_says_that_what_is_known_still_holds(serve: Serve, session: ClientSession) -> None:
    heard: list[bool] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(put({}) + KEEP_ALIVE)
        return response

    client = WwnClient(session, nest_server(await serve(handler)), "c.secret-token")

    def put_is_old(_document: Document) -> None:
        now = clock.Instant.now()
        client.hear(clock.Instant(now.steady - 36, now.wall - 36))
        heard.append(client.knows)

    with pytest.raises(WwnError):
        await WwnStream(client, put_is_old, lambda: heard.append(client.knows), 5.0).listen()
    assert heard == [False, True]


class Listener:
    """What a stream told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.documents: list[Document] = []

    def put(self, document: Document) -> None:
        self.told.append("put")
        self.documents.append(document)

    def keep_alive(self) -> None:
        self.told.append("keep-alive")


async def listen(
    serve: Serve,
    session: ClientSession,
    write: Callable[[web.StreamResponse], Awaitable[None]],
    silence: float = 5.0,
    listener: Listener | None = None,
) -> tuple[Listener, WwnError]:
    """Serve one stream, listen to its end, and return what was told and how it ended."""

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.headers["Accept"] == "text/event-stream"
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await write(response)
        return response

    client = WwnClient(session, nest_server(await serve(handler)), "c.secret-token")
    listener = listener or Listener()
    with pytest.raises(WwnError) as raised:
        await WwnStream(client, listener.put, listener.keep_alive, silence).listen()
    return listener, raised.value


def sending(*chunks: bytes) -> Callable[[web.StreamResponse], Awaitable[None]]:
    async def write(response: web.StreamResponse) -> None:
        for chunk in chunks:
            await response.write(chunk)

    return write


async def test_documents_and_signs_of_life_are_told_in_order(
    serve: Serve, session: ClientSession, everything_granted: dict[str, Any]
) -> None:
    listener, ended = await listen(
        serve, session, sending(put(everything_granted), KEEP_ALIVE, put(everything_granted), put({}))
    )
    assert listener.told == ["put", "keep-alive", "put", "put"]
    assert listener.documents[0] is listener.documents[1]
    assert listener.documents[2].alarms == {}
    assert isinstance(ended, WwnStreamError)


async def test_a_sign_of_life_before_the_first_document_says_nothing(serve: Serve, session: ClientSession) -> None:
    listener, _ = await listen(serve, session, sending(KEEP_ALIVE, KEEP_ALIVE, put({}), KEEP_ALIVE))
    assert listener.told == ["put", "keep-alive"]


async def test_events_that_are_not_known_are_passed_over(serve: Serve, session: ClientSession) -> None:
    stream = (b"event: open\ndata: \n\n", b"event: patch\ndata: {}\n\n", b"data: 1\n\n", put({}))
    listener, _ = await listen(serve, session, sending(*stream))
    assert listener.told == ["put"]


@pytest.mark.parametrize("data", [b"c.secret-token", b'"c.secret-token"', b"null", b""])
async def test_a_revoked_token_ends_the_link(serve: Serve, session: ClientSession, data: bytes) -> None:
    _, ended = await listen(serve, session, sending(put({}), b"event: auth_revoked\ndata: " + data + b"\n\n"))
    assert isinstance(ended, WwnAuthError)
    assert "secret-token" not in str(ended)


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (b'{"error":"unauthorized","type":"https://x/e#auth-error","message":"m"}\n', WwnAuthError),
        (b'event: error\ndata: {"error":"x","type":"https://x/e#auth-error"}\n\n', WwnAuthError),
        (b'{"error":"blocked","type":"https://x/e#blocked"}\n', WwnBlockedError),
        (b'{"error":"Blocked"}\n', WwnBlockedError),
        (b'event: error\ndata: {"error":"x","type":"https://x/e#forbidden"}\n\n', WwnForbiddenError),
        (b'event: error\ndata: {"error":"x","type":"https://x/e#internal-error"}\n\n', WwnServerError),
        (b'event: error\ndata: {"error":"x","type":"https://x/e#something-else"}\n\n', WwnStreamError),
        (b"event: error\ndata: something is wrong\n\n", WwnStreamError),
        (b"event: cancel\ndata: null\n\n", WwnStreamError),
        (b"event: put\ndata: {]\n\n", WwnProtocolError),
        (b"event: put\ndata: []\n\n", WwnProtocolError),
        (b'event: put\ndata: {"path":"/"}\n\n', WwnProtocolError),
        (b"event: put\ndata: \xff\xfe\n\n", WwnProtocolError),
    ],
)
async def test_each_reported_error_is_its_type(
    serve: Serve, session: ClientSession, stream: bytes, kind: type[WwnError]
) -> None:
    _, ended = await listen(serve, session, sending(put({}), stream))
    assert type(ended) is kind


async def test_an_error_instead_of_a_stream_is_its_type(serve: Serve, session: ClientSession) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.json_response({"error": "down"}, status=503)

    client = WwnClient(session, nest_server(await serve(handler)), "c.secret-token")
    with pytest.raises(WwnServerError):
        await WwnStream(client, Listener().put, Listener().keep_alive, 5.0).listen()


async def test_an_event_that_is_too_large_ends_the_stream_with_an_error_of_its_own(
    serve: Serve, session: ClientSession
) -> None:
    async def write(response: web.StreamResponse) -> None:
        await response.write(put({}) + b"event: put\ndata: ")
        with suppress(ConnectionError):
            for _ in range(17):
                await response.write(b"x" * 1024 * 1024)

    listener, ended = await listen(serve, session, write)
    assert listener.told == ["put"]
    assert type(ended) is WwnEventTooLargeError


async def told(listener: Listener, *what: str) -> None:
    """Wait until exactly this was told."""
    async with asyncio.timeout(10):
        while listener.told != list(what):
            await asyncio.sleep(0.001)


async def test_silence_ends_the_stream(
    serve: Serve, session: ClientSession, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jumps, "IS_TOLD", False)
    monkeypatch.setattr(jumps, "LOOK_EVERY", 0.01)
    listener, over = Listener(), asyncio.Event()

    async def write(response: web.StreamResponse) -> None:
        await response.write(put({}))
        await told(listener, "put")
        clocks.pass_by(59)
        await asyncio.sleep(0.05)
        # It is still listened to.
        await response.write(KEEP_ALIVE)
        await told(listener, "put", "keep-alive")
        clocks.pass_by(60)
        await over.wait()

    _, ended = await listen(serve, session, write, silence=60, listener=listener)
    over.set()
    assert type(ended) is WwnConnectionError
    assert str(ended) == "no complete event for 60 s"


async def test_bytes_that_complete_no_event_do_not_count_as_life(serve: Serve, session: ClientSession) -> None:
    async def write(response: web.StreamResponse) -> None:
        await response.write(put({}))
        for _ in range(100):
            await response.write(b": still here\n")
            await asyncio.sleep(0.02)

    _, ended = await listen(serve, session, write, silence=0.3)
    assert isinstance(ended, WwnConnectionError)


async def test_signs_of_life_without_a_document_do_not_keep_a_stream(serve: Serve, session: ClientSession) -> None:
    async def write(response: web.StreamResponse) -> None:
        for _ in range(100):
            await response.write(KEEP_ALIVE)
            await asyncio.sleep(0.02)

    listener, ended = await listen(serve, session, write, silence=0.3)
    assert listener.told == []
    assert isinstance(ended, WwnConnectionError)


async def test_signs_of_life_keep_a_stream(serve: Serve, session: ClientSession, clocks: Clocks) -> None:
    listener = Listener()

    async def write(response: web.StreamResponse) -> None:
        await response.write(put({}))
        for number in range(10):
            await told(listener, "put", *["keep-alive"] * number)
            clocks.pass_by(59)
            await response.write(KEEP_ALIVE)

    _, ended = await listen(serve, session, write, silence=60, listener=listener)
    assert listener.told == ["put"] + ["keep-alive"] * 10
    assert type(ended) is WwnStreamError


async def test_the_token_in_a_document_is_not_told(
    serve: Serve, session: ClientSession, everything_granted: dict[str, Any]
) -> None:
    listener, _ = await listen(serve, session, sending(put(everything_granted)))
    assert everything_granted["metadata"]["access_token"] not in repr(listener.documents)


async def test_a_machine_that_slept_takes_the_stream_for_dead(
    serve: Serve, session: ClientSession, monkeypatch: pytest.MonkeyPatch, jump: Jump
) -> None:
    slept, listener, over = 0.0, Listener(), asyncio.Event()
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: time.time() + slept))

    async def write(response: web.StreamResponse) -> None:
        nonlocal slept
        await response.write(put({}))
        await told(listener, "put")
        # One that takes nothing from the time that is left ends nothing.
        jump()
        await response.write(KEEP_ALIVE)
        await told(listener, "put", "keep-alive")
        slept = 3600.0
        jump()
        await over.wait()

    _, ended = await listen(serve, session, write, silence=60, listener=listener)
    over.set()
    assert str(ended) == "no complete event for 60 s"


async def test_a_clock_that_is_set_back_changes_nothing(
    serve: Serve, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: -1000.0 * time.monotonic()))
    _, ended = await listen(serve, session, sending(put({})), silence=60)
    assert isinstance(ended, WwnStreamError)


async def test_what_no_server_writes_ends_the_stream(serve: Serve, session: ClientSession) -> None:
    lost = put({"devices": {}}).replace(b"event", b"e!vent")
    listener, error = await listen(serve, session, sending(put({}) + lost + KEEP_ALIVE))
    assert listener.told == ["put"]
    assert type(error) is WwnProtocolError


async def test_an_event_is_as_old_as_its_first_byte(serve: Serve, session: ClientSession) -> None:
    ages: list[float] = []
    seen = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(put({}) + KEEP_ALIVE[:9])
        await asyncio.wait_for(seen.wait(), 5)
        await asyncio.sleep(0.3)
        await response.write(KEEP_ALIVE[9:] + KEEP_ALIVE)
        return response

    def take_put(_document: Document) -> None:
        ages.append(stream.event_begun.age())
        seen.set()

    client = WwnClient(session, nest_server(await serve(handler)), "c.token")
    stream = WwnStream(client, take_put, lambda: ages.append(stream.event_begun.age()), 5.0)
    with pytest.raises(WwnStreamError):
        await stream.listen()
    fresh, slow, next_one = ages
    assert slow >= 0.3
    assert fresh < slow
    assert next_one < slow


async def test_a_token_that_a_reported_error_repeats_is_not_told(serve: Serve, session: ClientSession) -> None:
    said = b'event: error\ndata: {"error":"x","type":"x#auth-error","message":"c.secret-token"}\n\n'
    _, ended = await listen(serve, session, sending(put({}), said))
    assert str(ended) == "401 auth-error: ..."


async def test_a_mistake_of_our_own_is_not_taken_for_a_lost_connection(serve: Serve, session: ClientSession) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=put({}))

    def mistaken(_document: Document) -> None:
        msg = "a mistake"
        raise ValueError(msg)

    client = WwnClient(session, nest_server(await serve(handler)), "c.secret-token")
    with pytest.raises(ValueError, match="a mistake"):
        await WwnStream(client, mistaken, lambda: None, 5.0).listen()
