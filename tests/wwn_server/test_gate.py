"""What no request gets past: hosts that are not ours, large bodies, slow bodies, too many connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
import ssl

from aiohttp import ClientSession
import pytest
from yarl import URL

from wwn_server.homes.simulated import SimulatedHome
from wwn_server.serving import _listening
from wwn_server.settings import Settings
from wwn_server.store import Store
from wwn_server.tls import tls_of

from .certificates import make
from .conftest import Clock, Running
from .hub import Hub, refusal
from .person import Person
from .test_logs import raw
from .test_writes import structure_path


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return Settings(
        data=settings.data,
        announce=False,
        registrations_per_minute=1000,
        base_url="https://nest.example:8443",
        allow_host=("nas.example",),
        body_seconds=0.5,
    )


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "192.168.1.2:9553",
        "203.0.113.7",
        "[::1]:9553",
        "[fe80::1]",
        "localhost",
        "LOCALHOST:1",
        "nas",
        "nas.:9553",
        "nas.local",
        "nas.lan:80",
        "nas.internal",
        "nas.home.arpa",
        "nest.example",
        "nest.example:1",
        "NAS.example.",
    ],
)
async def test_addresses_local_names_and_configured_ones_are_answered(
    server: Running, session: ClientSession, host: str
) -> None:
    answer = await session.get(f"{server.base}/.well-known/oauth-authorization-server", headers={"Host": host})
    assert answer.status == 200
    assert (await answer.json())["issuer"] == f"http://{host}"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9553", "nest.example.evil.example", "local.evil.org"])
async def test_any_other_name_gets_421_whatever_it_asks_for(server: Running, linked: Hub, host: str) -> None:
    before = server.home.document
    for method, path in (
        ("GET", "/"),
        ("PUT", structure_path(server)),
        ("GET", "/sign-in"),
        ("POST", "/oauth2/register"),
        ("GET", "/.well-known/oauth-authorization-server"),
        ("GET", "/static/wwn.css"),
        ("GET", "/nothing"),
    ):
        headers = linked.bearer | {"Host": host}
        answer = await linked.session.request(method, server.base + path, headers=headers, data=b'{"away":"away"}')
        assert await refusal(answer) == (421, "unknown-host")
    assert server.home.document is before


async def test_a_person_is_told_by_which_name_to_come(person: Person) -> None:
    answer = await person.get("/sign-in", headers={"Host": "evil.example"})
    text = await answer.text()
    assert (answer.status, answer.content_type) == (421, "text/html")
    assert "--allow-host evil.example" in text


@pytest.mark.parametrize("host", ["", "a b", "a@b", "a/b", "a:b", "[::1", "a..b", "%41", "é"])
async def test_a_host_that_is_none_is_refused(server: Running, host: str) -> None:
    answer = await raw(server, b"GET /sign-in HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % host.encode())
    assert answer.split()[1] == b"400"


async def test_a_page_elsewhere_can_not_write_with_a_persons_session(server: Running, person: Person) -> None:
    person.be_signed_in()
    before = server.home.document
    headers = {"Origin": "https://evil.example", "Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site"}
    url = server.base + structure_path(server)
    answer = await person.browser.put(url, data='{"away":"away"}', headers=headers)
    assert await refusal(answer) == (401, "auth-error")
    assert server.home.document is before


async def test_a_session_is_worth_nothing_to_the_data_api_and_registration(server: Running, person: Person) -> None:
    person.be_signed_in()
    assert (await person.browser.get(f"{server.base}/devices")).status == 401
    client = f"{server.base}/oauth2/register/00000000-0000-0000-0000-000000000000"
    assert (await person.browser.delete(client)).status == 401
    assert (await person.browser.put(client, json={})).status == 401


@pytest.mark.parametrize("path", ["/", "/sign-in", "/oauth2/register", "/oauth2/access_token", "/console/home"])
async def test_a_large_body_is_refused_everywhere(server: Running, session: ClientSession, path: str) -> None:
    answer = await session.post(server.base + path, data=b"x" * 10_000_000)
    assert await refusal(answer) == (413, "request-too-large")


@pytest.mark.parametrize("path", [b"/", b"/sign-in", b"/oauth2/register", b"/.well-known/oauth-authorization-server"])
async def test_a_body_that_does_not_come_is_not_waited_for(server: Running, path: bytes) -> None:
    url = URL(server.base)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"POST %b HTTP/1.1\r\nHost: nas\r\nContent-Length: 50\r\n\r\nx" % path)
    assert (await asyncio.wait_for(reader.readline(), 20)).split()[1] == b"408"
    writer.close()


class TestConnections:
    """How many there may be, and how long they may be silent."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return Settings(data=settings.data, port=0, announce=False, connections_per_address=3, idle_seconds=0.5)

    @pytest.fixture
    async def port(self, settings: Settings, store: Store, clock: Clock) -> AsyncIterator[int]:
        home = SimulatedHome(store.server_id, speed=0, clock=clock.now)
        async with _listening(settings, store, home, None) as (_, port):
            yield port

    async def test_an_address_gets_so_many_and_no_more(self, port: int) -> None:
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        assert not await is_answered(port)
        for _, writer in opened:
            writer.close()
        # The server has to notice first that they left.
        for _ in range(200):
            if await is_answered(port):
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("there was never room again")

    async def test_those_count_that_do_not_get_as_far_as_a_key(
        self, tmp_path: Path, settings: Settings, store: Store, clock: Clock
    ) -> None:
        pair = make(tmp_path / "tls")
        trusting = ssl.create_default_context(cafile=str(pair.certificate))
        own = replace(settings, certificate=pair.certificate, key=pair.key, idle_seconds=60)
        home = SimulatedHome(store.server_id, speed=0, clock=clock.now)
        async with _listening(own, store, home, tls_of(own)) as (_, port):
            silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
            assert not await is_answered(port, trusting)
            for _, writer in silent:
                writer.close()
            for _ in range(200):
                if await is_answered(port, trusting):
                    break
                await asyncio.sleep(0.05)
            else:
                pytest.fail("there was never room again")

    @pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: n", b"GET / HTTP/1.1\r\nHost: nas\r\n\r\n"])
    async def test_a_connection_without_a_whole_request_is_closed(self, port: int, sent: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        # What an idle connection was told before it was closed, and nothing if it asked for nothing.
        assert bool(await asyncio.wait_for(reader.read(), 20)) == sent.endswith(b"\r\n\r\n")
        writer.close()

    async def test_drops_do_not_keep_it_open(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n")
        for number in range(1000):
            with suppress(ConnectionError):
                writer.write(b"X-Drop-%d: 1\r\n" % number)
                await writer.drain()
            if reader.at_eof():
                break
            await asyncio.sleep(0.02)
        assert reader.at_eof()
        writer.close()


async def is_answered(port: int, tls: ssl.SSLContext | None = None) -> bool:
    """Say whether a new connection gets an answer, and is not just closed."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        writer.write(b"GET /.well-known/oauth-authorization-server HTTP/1.1\r\nHost: nas\r\n\r\n")
        line = await asyncio.wait_for(reader.readline(), 20)
        writer.close()
    except ConnectionError:
        return False
    return line.startswith(b"HTTP/1.1 200")
