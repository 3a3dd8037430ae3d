import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import socket

from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
import pytest

from wwn_server.app import create_app
from wwn_server.context import CONTEXT
from wwn_server.homes.base import AlarmKind, AlarmLevel, BatteryHealth, Presence
from wwn_server.homes.simulated import SimulatedHome
from wwn_server.settings import Settings
from wwn_server.store import Consent, Store

from .conftest import Running, open_streams
from .hub import REDIRECT, Events, Hub, refusal
from .person import Person
from .test_writes import structure_path, thermostat_path


def first_alarm(server: Running) -> str:
    return next(iter(server.home.document.group("smoke_co_alarms")))


async def test_the_whole_value_comes_first_and_at_once(linked: Hub) -> None:
    async with linked.stream() as events:
        assert events.response.content_type == "text/event-stream"
        assert events.response.headers["Cache-Control"] == "no-store"
        assert await events.next() == ("put", {"path": "/", "data": await linked.read()})


async def test_a_change_brings_the_whole_value_again(linked: Hub, server: Running) -> None:
    async with linked.stream() as events:
        before = await events.put()
        await linked.put(structure_path(server), {"away": "away"})
        after = await events.put()
        assert after == await linked.read()
        assert set(after) == set(before)
        (structure,) = after["structures"].values()
        assert structure["away"] == "away"


async def test_a_stream_deeper_down_has_its_absolute_path(linked: Hub, server: Running) -> None:
    path = f"{structure_path(server)}/away"
    async with linked.stream(path) as events:
        assert await events.next() == ("put", {"path": path, "data": "home"})
        await linked.put(path, "away")
        assert await events.next() == ("put", {"path": path, "data": "away"})


@pytest.mark.parametrize("suffix", ["/", ".json"])
async def test_the_end_of_a_path_is_not_part_of_it(linked: Hub, suffix: str) -> None:
    async with linked.stream(f"/devices{suffix}") as events:
        _, data = await events.next()
        assert data["path"] == "/devices"


async def test_the_metadata_can_be_followed_alone(linked: Hub) -> None:
    async with linked.stream("/metadata/client_version") as events:
        assert await events.next() == ("put", {"path": "/metadata/client_version", "data": 1})


async def test_a_token_in_the_query_does(linked: Hub, session: ClientSession) -> None:
    headers = {"Accept": "text/event-stream"}
    async with session.get(f"{linked.base}/devices?auth={linked.token}", headers=headers) as response:
        assert "thermostats" in await Events(response).put()


async def test_what_a_hub_may_not_see_wakes_it_not(server: Running, hub: Hub, person: Person) -> None:
    await hub.link(person, "away read")
    async with hub.stream() as events:
        await events.put()
        server.home.set_battery(first_alarm(server), BatteryHealth.REPLACE)
        with pytest.raises(TimeoutError):
            await events.next(seconds=0.1)


async def test_a_change_elsewhere_sends_nothing(server: Running, linked: Hub) -> None:
    async with linked.stream(thermostat_path(server)) as events:
        await events.put()
        server.home.set_battery(first_alarm(server), BatteryHealth.REPLACE)
        with pytest.raises(TimeoutError):
            await events.next(seconds=0.1)


async def test_a_value_that_goes_is_null(server: Running, linked: Hub) -> None:
    path = f"{structure_path(server)}/smoke_alarm_state"
    async with linked.stream(path) as events:
        assert await events.put() == "ok"
        server.home.set_online(first_alarm(server), online=False)
        assert await events.put() is None
        server.home.set_online(first_alarm(server), online=True)
        assert await events.put() == "ok"


async def test_where_there_is_nothing_there_is_no_stream(linked: Hub, session: ClientSession) -> None:
    stream = {"Accept": "text/event-stream"}
    answer = await session.get(f"{linked.base}/nothing", headers=linked.bearer | stream)
    assert await refusal(answer) == (404, "not-found")
    answer = await session.get(f"{linked.base}/", headers=stream)
    assert await refusal(answer) == (401, "auth-error")


async def test_a_revoked_token_is_told_and_its_streams_end(server: Running, linked: Hub, person: Person) -> None:
    token = linked.token
    async with linked.stream() as events, linked.stream("/devices") as deeper:
        await events.put()
        await deeper.put()
        linked.token = await linked.accepted(person)
        async with linked.stream() as other:
            await other.put()
            assert (await linked.revoke(token)).status == 204
            for each in (events, deeper):
                assert await each.next() == ("auth_revoked", token)
                with pytest.raises(EOFError):
                    await each.next()
            await linked.put(structure_path(server), {"away": "away"})
            await other.put()


class TestInSilence:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return Settings(data=settings.data, keep_alive_seconds=0.15)

    async def test_the_stream_is_kept_alive(self, linked: Hub) -> None:
        async with linked.stream() as events:
            await events.put()
            assert [await events.next() for _ in range(3)] == [("keep-alive", None)] * 3

    async def test_changes_that_are_not_shown_do_not_count(self, server: Running, hub: Hub, person: Person) -> None:
        await hub.link(person, "away read")

        async def flicker() -> None:
            while True:
                for health in BatteryHealth:
                    server.home.set_battery(first_alarm(server), health)
                    await asyncio.sleep(0.01)

        async with hub.stream() as events:
            await events.put()
            flickering = asyncio.create_task(flicker())
            assert await events.next(seconds=2) == ("keep-alive", None)
            flickering.cancel()

    async def test_a_change_starts_the_silence_anew(self, server: Running, linked: Hub) -> None:
        path = f"{structure_path(server)}/away"
        async with linked.stream(path) as events:
            await events.put()
            for away in ("away", "home", "away"):
                await asyncio.sleep(0.08)
                await linked.put(path, away)
                assert await events.next() == ("put", {"path": path, "data": away})


def test_it_is_thirty_seconds_outside_of_tests() -> None:
    assert Settings().keep_alive_seconds == 30


@asynccontextmanager
async def slow_reader(hub: Hub) -> AsyncIterator[socket.socket]:
    """Open a stream and read nothing of it, with as little room on the way as can be had."""
    loop = asyncio.get_running_loop()
    host, port = hub.base.removeprefix("http://").split(":")
    lines = ("GET / HTTP/1.1", "Host: x", "Accept: text/event-stream", f"Authorization: Bearer {hub.token}", "", "")
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)  # noqa: FBT003
        await loop.sock_connect(sock, (host, int(port)))
        await loop.sock_sendall(sock, "\r\n".join(lines).encode())
        yield sock


async def change_often(home: SimulatedHome, times: int, other: Events) -> None:
    """Change what is shown, each time when the other stream has it."""
    (structure_id,) = home.document.group("structures")
    for _ in range(times // 2):
        for presence in (Presence.AWAY, Presence.HOME):
            home.set_presence(structure_id, presence)
            assert await other.put() == presence.value


async def read_until(sock: socket.socket, end: bytes) -> bytes:
    received = b""
    async with asyncio.timeout(10):
        while end not in received[-70000:]:
            more = await asyncio.get_running_loop().sock_recv(sock, 65536)
            if not more:
                raise EOFError
            received += more
    return received


async def test_a_slow_reader_holds_up_nobody_and_gets_the_newest_state(server: Running, linked: Hub) -> None:
    changes = 1000
    async with slow_reader(linked) as sock, linked.stream(f"{structure_path(server)}/away") as other:
        await other.put()
        await change_often(server.home, changes, other)
        server.home.set_alarm_level(first_alarm(server), AlarmKind.CO, AlarmLevel.EMERGENCY)
        received = await read_until(sock, b'"co_alarm_state":"emergency"}')
    assert received.count(b"event: put") < changes * 3 / 4


async def test_a_reader_that_stopped_reading_is_kept_one_state_and_not_a_queue(server: Running, linked: Hub) -> None:
    async with slow_reader(linked), linked.stream(f"{structure_path(server)}/away") as other:
        await other.put()
        feeds = tuple(server.app[CONTEXT].streams._streams)
        await change_often(server.home, 500, other)
        waiting = max(feed.unsent() for feed in feeds)
        assert waiting > 0
        await change_often(server.home, 500, other)
        assert max(feed.unsent() for feed in feeds) == waiting
        # What a connection may hold before it is waited for, and one state beyond it.
        assert waiting < 2 * 65536 + len(await (await linked.get()).read())


async def test_a_device_that_goes_is_null_and_is_told_when_it_is_back(server: Running, linked: Hub) -> None:
    device_id = first_alarm(server)
    path = f"/devices/smoke_co_alarms/{device_id}"
    async with linked.stream(path) as events, linked.stream(f"{path}/name") as deeper, linked.stream() as root:
        before = await events.put()
        assert await deeper.put() == before["name"]
        await root.put()
        server.home.remove_device(device_id)
        assert await events.next() == ("put", {"path": path, "data": None})
        assert await deeper.next() == ("put", {"path": f"{path}/name", "data": None})
        whole = await root.put()
        assert device_id not in whole["devices"]["smoke_co_alarms"]
        assert device_id not in next(iter(whole["structures"].values()))["smoke_co_alarms"]
        assert (await linked.get(path)).status == 404
        assert server.home.add_device("smoke_co_alarms", before["where_name"]) == device_id
        assert (await events.put())["name"] == await deeper.put() == before["name"]


async def test_the_first_byte_of_a_stream_is_its_first_put(linked: Hub) -> None:
    async with slow_reader(linked) as sock:
        _, _, body = (await read_until(sock, b"\n\n\r\n")).partition(b"\r\n\r\n")
    chunk = body.partition(b"\r\n")[2]
    assert chunk.startswith(b'event: put\ndata: {"path":"/","data":{"metadata":')


class TestAReaderThatTakesNothing:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return Settings(data=settings.data, stall_seconds=0.2, farewell_seconds=0.2)

    async def test_it_is_let_go(self, server: Running, linked: Hub) -> None:
        async with slow_reader(linked) as sock, linked.stream(f"{structure_path(server)}/away") as other:
            await other.put()
            await change_often(server.home, 1000, other)
            await asyncio.sleep(0.4)
            with pytest.raises((EOFError, ConnectionError)):
                await read_until(sock, b"there is no such text")
            server.home.set_presence(structure_path(server)[12:], Presence.AWAY)
            assert await other.put() == "away"

    async def test_it_does_not_hold_up_a_revocation(self, server: Running, linked: Hub) -> None:
        async with slow_reader(linked) as sock, linked.stream(f"{structure_path(server)}/away") as other:
            await other.put()
            await change_often(server.home, 1000, other)
            async with asyncio.timeout(2):
                assert (await linked.revoke()).status == 204
            assert await other.next() == ("auth_revoked", linked.token)
            with pytest.raises((EOFError, ConnectionError)):
                await read_until(sock, b"there is no such text")


async def test_a_hub_that_leaves_leaves_nothing_behind(server: Running, linked: Hub) -> None:
    async with linked.stream() as events:
        await events.put()
    server.home.set_battery(first_alarm(server), BatteryHealth.REPLACE)
    await asyncio.sleep(0.05)
    server.home.set_battery(first_alarm(server), BatteryHealth.OK)
    async with asyncio.timeout(2):
        while open_streams(server):
            await asyncio.sleep(0.01)


async def test_the_end_of_the_server_ends_its_streams_properly(
    settings: Settings, store: Store, home: SimulatedHome, session: ClientSession
) -> None:
    account = store.accounts.add("anna", "x")
    async with TestServer(create_app(settings, store, home), host="127.0.0.1") as server:
        hub = Hub(str(server.make_url("")).rstrip("/"), session)
        await hub.register()
        client = store.clients.get(hub.client_id)
        assert client is not None
        homes = store.accounts.homes_of(account)
        consent = Consent(client=client, account=account, homes=homes, redirect_uri=REDIRECT, challenge=None)
        hub.token = store.links.redeem(store.links.accept(consent)[0], client, None, None)
        async with hub.stream() as events:
            await events.put()
            closing = asyncio.create_task(server.close())
            with pytest.raises(EOFError):
                await events.next()
            await closing
