"""Data on a second port, to which the first one redirects as Google's service nearly always did (protocol 4.2)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
import json
from pathlib import Path
import socket
from typing import Any

from aiohttp import ClientResponse, ClientSession
import pytest

from wwn_server.context import CONTEXT
from wwn_server.settings import Settings

from .conftest import Running, open_streams
from .hub import Events, Hub, refusal
from .person import Person
from .test_command import end, get, run, serving
from .test_writes import structure_path, thermostat_path


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, shard=0)


@pytest.fixture
def shard(server: Running) -> str:
    found = server.app[CONTEXT].shard
    assert found is not None
    return f"http://127.0.0.1:{found.port}"


class Follower:
    """A hub that follows redirects by hand and sends its token again, as the documentation of 2016 told it to."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    async def ask(self, method: str, path: str, **options: Any) -> ClientResponse:
        headers = self.hub.bearer | options.pop("headers", {})
        first = await self.hub.session.request(
            method, self.hub.base + path, headers=headers, allow_redirects=False, **options
        )
        assert first.status == 307, await first.text()
        location = first.headers["Location"]
        return await self.hub.session.request(method, location, headers=headers, allow_redirects=False, **options)

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncIterator[Events]:
        async with await self.ask("GET", path, headers={"Accept": "text/event-stream"}) as response:
            assert response.status == 200
            yield Events(response)


@pytest.fixture
def follower(linked: Hub) -> Follower:
    return Follower(linked)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/devices/thermostats/a%2Fb%20c.json?x=%C3%A9", "//evil.example/"])
async def test_every_request_for_data_is_sent_on_as_it_is(linked: Hub, shard: str, method: str, path: str) -> None:
    host, port = linked.base.removeprefix("http://").split(":")
    lines = (f"{method} {path} HTTP/1.1", f"Host: {host}:{port}", f"Authorization: Bearer {linked.token}")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.setblocking(False)  # noqa: FBT003
        answer = await raw(connection, "\r\n".join((*lines, "Connection: close", "", "")))
    status, *headers = answer.split("\r\n\r\n")[0].split("\r\n")
    assert status == "HTTP/1.1 307 Temporary Redirect"
    assert f"Location: {shard}{path}" in headers


async def raw(connection: socket.socket, request: str) -> str:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, request.encode("latin-1"))
    received = b""
    async with asyncio.timeout(10):
        while more := await loop.sock_recv(connection, 65536):
            received += more
    return received.decode()


async def test_who_has_no_token_that_stands_is_sent_nowhere(linked: Hub) -> None:
    await linked.revoke()
    for headers in ({}, linked.bearer, {"Accept": "text/event-stream"}):
        answer = await linked.session.get(linked.base + "/", headers=headers, allow_redirects=False)
        assert await refusal(answer) == (401, "auth-error")


async def test_the_shard_has_the_name_that_was_asked_for(linked: Hub, shard: str) -> None:
    port = shard.rpartition(":")[2]
    for host, expected in (("nas.local:80", "nas.local"), ("[::1]:9553", "[::1]"), ("192.168.1.2", "192.168.1.2")):
        answer = await linked.session.get(
            f"{linked.base}/devices", headers=linked.bearer | {"Host": host}, allow_redirects=False
        )
        assert answer.headers["Location"] == f"http://{expected}:{port}/devices"


async def test_discovery_lists_the_shard(session: ClientSession, shard: str, server: Running) -> None:
    document = await (await session.get(f"{server.base}/.well-known/oauth-authorization-server")).json()
    assert document["works_with_nest"]["shards"] == [shard]
    assert document["works_with_nest"]["api_root"] == server.base


async def test_a_read_is_answered_there(follower: Follower, server: Running) -> None:
    answer = await follower.ask("GET", "/")
    document = await answer.json()
    assert answer.status == 200
    assert document["metadata"]["access_token"] == follower.hub.token
    assert document["structures"] == server.home.document.group("structures")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_write_arrives_with_its_body(follower: Follower, server: Running, method: str) -> None:
    answer = await follower.ask(method, structure_path(server), data=json.dumps({"away": "away"}))
    assert (answer.status, await answer.json()) == (200, {"away": "away"})
    assert next(iter(server.home.document.group("structures").values()))["away"] == "away"


async def test_a_token_in_the_query_travels_along(linked: Hub, session: ClientSession) -> None:
    answer = await session.get(f"{linked.base}/devices?auth={linked.token}")
    assert answer.status == 200
    assert "thermostats" in await answer.json()


async def test_a_token_that_is_lost_on_the_way_is_missed_there(linked: Hub, shard: str) -> None:
    answer = await linked.session.get(f"{linked.base}/devices", headers=linked.bearer)
    assert str(answer.url) == f"{shard}/devices"
    assert await refusal(answer) == (401, "auth-error")


async def test_a_stream_goes_there_and_is_told_of_changes_and_of_its_end(follower: Follower, server: Running) -> None:
    path = f"{structure_path(server)}/away"
    async with follower.stream(path) as events:
        assert await events.next() == ("put", {"path": path, "data": "home"})
        await follower.ask("PUT", path, data='"away"')
        assert await events.next() == ("put", {"path": path, "data": "away"})
        assert (await follower.hub.revoke()).status == 204
        assert await events.next() == ("auth_revoked", follower.hub.token)
        with pytest.raises(EOFError):
            await events.next()
    assert open_streams(server) == 0
    assert await refusal(await follower.hub.get()) == (401, "auth-error")


async def test_the_shard_has_the_data_and_nothing_else(linked: Hub, shard: str) -> None:
    paths = ("/login/oauth2", "/sign-in", "/connections", "/.well-known/oauth-authorization-server")
    for path in paths:
        assert await refusal(await linked.session.get(shard + path)) == (401, "auth-error")
    answer = await linked.session.post(f"{shard}/oauth2/register", json={}, headers=linked.bearer)
    assert await refusal(answer) == (405, "method-not-allowed")


async def test_a_browser_still_finds_the_pages(person: Person) -> None:
    answer = await person.get("/", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/console")


async def test_a_body_that_is_too_large_is_refused_before_it_is_sent_on(linked: Hub) -> None:
    answer = await linked.session.put(f"{linked.base}/structures/x", data=b"0" * 70_000, allow_redirects=False)
    assert answer.status == 413


class TestLimits:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, limit_reads=2, limit_changes=1)

    async def test_they_hold_there_and_not_for_being_sent_on(self, follower: Follower, server: Running) -> None:
        for _ in range(5):
            await follower.hub.session.get(follower.hub.base, headers=follower.hub.bearer, allow_redirects=False)
        statuses = [(await follower.ask("GET", "/")).status for _ in range(3)]
        assert statuses == [200, 200, 429]
        path = f"{thermostat_path(server)}/hvac_mode"
        assert [(await follower.ask("PUT", path, data='"off"')).status for _ in range(2)] == [200, 429]


def test_the_command_serves_on_both_ports_and_stops(tmp_path: Path) -> None:
    run("--data", tmp_path, "account", "add", "anna", stdin="correct horse\n")
    with serving("--data", tmp_path, "--port", "0", "--shard", "0", "--no-announce") as (process, line):
        status, body = get(line, "/.well-known/oauth-authorization-server")
        (shard,) = json.loads(body)["works_with_nest"]["shards"]
        assert status == 200
        assert get(f"Listening on {shard}", "/devices")[0] == 401
        code, _, err = end(process)
    assert code == 0
    assert "Traceback" not in err


def test_a_taken_shard_port_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with serving("--data", tmp_path, "--port", "0", "--shard", str(port), "--no-announce") as (process, line):
            _, err = process.communicate(timeout=20)
    assert line == ""
    assert process.returncode == 2
    assert f"Port {port} on 127.0.0.1 is taken. Choose another with --shard" in err
