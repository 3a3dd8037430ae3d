"""How often the data of a home may be used, and what one is told who uses it too often (protocol 6)."""

from dataclasses import replace
from pathlib import Path

from aiohttp import ClientResponse, ClientSession
import pytest

from wwn_server.errors import WireError
from wwn_server.limits import HOUR, TEN_MINUTES, DataLimits
from wwn_server.options import OPTIONS
from wwn_server.settings import Settings

from .conftest import Clock, Running
from .hub import Hub, refusal
from .person import Person
from .test_writes import structure_path, thermostat_path


async def assert_blocked(answer: ClientResponse, longest: int) -> None:
    body = await answer.json()
    assert await refusal(answer) == (429, "blocked")
    assert body["error"] == body["message"] == "blocked"
    assert 0 < int(answer.headers["Retry-After"]) <= longest


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, limit_reads=3, limit_streams=2, limit_writes=4, limit_changes=2)


async def test_reads_of_a_link_are_limited_at_any_path(linked: Hub) -> None:
    for path in ("/", "/devices", "/nothing"):
        assert (await linked.get(path)).status in {200, 404}
    await assert_blocked(await linked.get("/devices"), 600)
    await assert_blocked(await linked.get("/nothing"), 600)


async def test_a_token_in_the_query_is_the_same_token(linked: Hub, session: ClientSession) -> None:
    for _ in range(3):
        await linked.read()
    await assert_blocked(await session.get(f"{linked.base}/?auth={linked.token}"), 600)


async def test_every_link_has_its_own_reads(linked: Hub, person: Person) -> None:
    for _ in range(4):
        answer = await linked.get()
    assert answer.status == 429
    linked.token = await linked.accepted(person)
    assert (await linked.get()).status == 200


async def test_streams_are_limited_when_they_open_and_free_in_what_they_bring(server: Running, linked: Hub) -> None:
    path = f"{structure_path(server)}/away"
    async with linked.stream(path) as first, linked.stream(path) as second:
        headers = linked.bearer | {"Accept": "text/event-stream"}
        answer = await linked.session.get(linked.base + path, headers=headers)
        assert answer.content_type == "application/json"
        await assert_blocked(answer, 600)
        for events in (first, second):
            assert await events.put() == "home"
        for away in ("away", "home"):
            await linked.put(path, away)
            assert await first.put() == away
    await linked.read()


async def test_writes_to_a_device_are_limited_for_all_links_together(
    server: Running, linked: Hub, person: Person
) -> None:
    path = f"{structure_path(server)}/away"
    assert (await linked.put(path, "away")).status == 200
    linked.token = await linked.accepted(person)
    assert (await linked.put(path, "home")).status == 200
    await assert_blocked(await linked.put(path, "away"), 3600)
    assert await linked.read(path) == "home"
    assert (await linked.put(thermostat_path(server), {"hvac_mode": "off"})).status == 200


async def test_what_is_refused_wakes_no_device_but_is_a_write_of_the_link(server: Running, linked: Hub) -> None:
    path = f"{structure_path(server)}/away"
    for _ in range(3):
        assert (await linked.put(path, "nowhere")).status == 400
    assert (await linked.put(path, "away")).status == 200
    await assert_blocked(await linked.put(path, "home"), 3600)


class TestWithoutLimits:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, limits=False)

    async def test_nothing_is_blocked(self, server: Running, linked: Hub) -> None:
        for _ in range(5):
            assert (await linked.get()).status == 200
            assert (await linked.put(f"{structure_path(server)}/away", "away")).status == 200

    async def test_wrong_codes_are_counted_all_the_same(self, linked: Hub) -> None:
        statuses = [(await linked.redeem("wrong")).status for _ in range(11)]
        assert statuses == [400] * 10 + [429]


@pytest.mark.parametrize(("count", "seconds"), [("count_read", TEN_MINUTES), ("count_stream", TEN_MINUTES)])
def test_room_comes_back_as_time_passes(settings: Settings, clock: Clock, count: str, seconds: int) -> None:
    limits = DataLimits(replace(settings, limit_reads=1, limit_streams=1), clock)
    getattr(limits, count)(1)
    clock.seconds += seconds - 1
    with pytest.raises(WireError):
        getattr(limits, count)(1)
    clock.seconds += 1
    getattr(limits, count)(1)


def test_who_asks_every_minute_and_reconnects_is_never_blocked(clock: Clock) -> None:
    limits = DataLimits(Settings(), clock)
    for _ in range(HOUR // 15):
        clock.seconds += 15
        limits.count_stream(1)
        limits.count_read(1)
        limits.count_read(1)


def test_a_slider_that_sends_every_two_seconds_for_three_minutes_is_not_blocked(clock: Clock) -> None:
    limits = DataLimits(Settings(), clock)
    for _ in range(90):
        clock.seconds += 2
        limits.count_write(1)
        limits.count_change("a thermostat")


def test_they_are_on_unless_somebody_turns_them_off() -> None:
    assert Settings().limits


def test_the_document_for_hubs_names_the_limits_that_hold() -> None:
    text = (Path(__file__).parents[2] / "docs" / "hubs.md").read_text(encoding="utf-8")
    for option in OPTIONS:
        if option.name.startswith("limit-"):
            assert f"| `{option.flag}` | {getattr(Settings(), option.field)} |" in text
    settings = Settings()
    said = f"register {settings.registrations_per_minute} clients and ask for {settings.proofs_per_minute} proofs"
    assert said in text
