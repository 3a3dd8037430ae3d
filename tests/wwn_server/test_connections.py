import asyncio
from html.parser import HTMLParser
import re

from aiohttp import ClientResponse, ClientSession
import pytest

from wwn_server.store import Store

from .conftest import CABIN, Clock, Running, add_home
from .hub import Hub, metadata, refusal
from .person import Person, hidden_fields
from .test_writes import structure_path, thermostat_path

PLACES = {"/console", "/connections", "/catalogue", "/members", "/sources", "/health", "/account"}
NOT_OURS = "There is no such connection to your home"


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def handle_data(self, data: str) -> None:
        self.pieces += data.split()


def text_of(html: str) -> str:
    """Return what a page says, in one line."""
    parser = _Text()
    parser.feed(html)
    return " ".join(parser.pieces)


def sections(html: str) -> list[str]:
    """Return what the page says of each connection."""
    return [text_of(each) for each in re.findall(r"<section.*?</section>", html, re.DOTALL)]


def link_id(server: Running, hub: Hub) -> int:
    link = server.store.links.by_token(hub.token)
    assert link is not None
    return link.id


async def listed(person: Person) -> list[str]:
    answer = await person.get("/connections")
    assert answer.status == 200
    return sections(await answer.text())


async def send(person: Person, path: str, **form: str) -> ClientResponse:
    """Send a form as the page at the list would; the answer is not followed."""
    csrf = hidden_fields(await (await person.get("/console")).text())["csrf"]
    return await person.post(path, {"csrf": csrf} | form)


async def remove(person: Person, number: int, **form: str) -> ClientResponse:
    return await send(person, f"/connections/{number}/remove", **form)


async def take_back(person: Person, number: int, permission: str) -> ClientResponse:
    return await send(person, f"/connections/{number}/permissions", permission=permission)


def be_a_stranger(server: Running, person: Person) -> None:
    """Sign somebody in who has an account, but belongs to no home."""
    account = server.store.accounts.add("carl", "x")
    server.store._database.change("DELETE FROM members WHERE account_id = ?", account.id)
    person.be_signed_in("carl")


@pytest.fixture
async def another(server: Running, session: ClientSession, person: Person) -> Hub:
    """A hub of another name with less data, which ben let in."""
    hub = Hub(server.base, session)
    await hub.register(metadata("away read", client_name="Wall <Display>"))
    person.be_signed_in("ben")
    answer = await person.decide(hub.consent_path(), "accept")
    code = answer.headers["Location"].rpartition("code=")[2]
    hub.token = (await (await hub.redeem(code)).json())["access_token"]
    return hub


class TestTheList:
    async def test_each_connection_is_there_with_its_name_data_and_member(
        self, linked: Hub, another: Hub, person: Person
    ) -> None:
        first, second = await listed(person)
        assert first.startswith("Home Assistant")
        assert "Connected by anna" in first
        for title in ("See and set your thermostats", "See your postal code", "See and set home and away"):
            assert title in first
        assert second.startswith("Wall <Display>")
        assert "Connected by ben" in second
        assert "See whether somebody is home" in second
        assert "thermostats" not in second

    async def test_it_says_that_nobody_checked_the_names(self, linked: Hub, person: Person) -> None:
        assert "this server did not check them" in await (await person.get("/connections")).text()

    async def test_it_says_since_when_and_that_it_was_never_used(self, linked: Hub, person: Person) -> None:
        (only,) = await listed(person)
        assert "Connected since 2026-11-24 12:00 GMT Last used Never" in only

    async def test_it_says_when_it_was_last_used(self, linked: Hub, person: Person, clock: Clock) -> None:
        clock.seconds += 2 * 3600
        await linked.read()
        clock.seconds += 3600
        (only,) = await listed(person)
        assert "Last used 2026-11-24 14:00 GMT" in only

    async def test_times_are_those_of_the_home_and_for_machines_too(
        self, server: Running, linked: Hub, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        document = server.home.document
        moved = {
            key: {**each, "time_zone": "America/Los_Angeles"} for key, each in document.group("structures").items()
        }
        monkeypatch.setattr(server.home, "_document", document.successor({**document.groups, "structures": moved}))
        page = await (await person.get("/connections")).text()
        assert '<time datetime="2026-11-24T04:00:00-08:00">2026-11-24 04:00 PST</time>' in page

    async def test_an_open_stream_is_a_use_that_lasts(self, linked: Hub, person: Person, clock: Clock) -> None:
        async with linked.stream() as events:
            await events.put()
            clock.seconds += 3 * 86400
            (during,) = await listed(person)
        assert "Last used In use now" in during

    async def test_a_stream_that_ended_was_used_until_then(
        self, server: Running, linked: Hub, person: Person, clock: Clock
    ) -> None:
        async with linked.stream() as events:
            await events.put()
            clock.seconds += 3 * 86400
        async with asyncio.timeout(2):
            while "In use now" in (await listed(person))[0]:
                await asyncio.sleep(0.01)
        assert "Last used 2026-11-27 12:00 GMT" in (await listed(person))[0]

    async def test_an_empty_one_says_so_and_what_to_do(self, person: Person) -> None:
        person.be_signed_in()
        page = text_of(await (await person.get("/connections")).text())
        assert "Nothing is connected to your home." in page
        assert "add the integration “Works with Nest”" in page

    async def test_what_a_hub_calls_itself_is_shown_as_plain_text(self, another: Hub, person: Person) -> None:
        page = await (await person.get("/connections")).text()
        assert "Wall &lt;Display&gt;" in page
        assert "<Display>" not in page

    async def test_a_stranger_to_the_home_sees_none(self, server: Running, linked: Hub, person: Person) -> None:
        be_a_stranger(server, person)
        assert await listed(person) == []

    async def test_no_token_or_secret_is_on_it(self, linked: Hub, person: Person) -> None:
        page = await (await person.get("/connections")).text()
        assert linked.token not in page
        assert linked.secret not in page


class TestOpeningThePages:
    @pytest.mark.parametrize("path", ["/connections", "/connections/1/remove"])
    async def test_who_is_not_signed_in_signs_in_and_comes_back(self, person: Person, linked: Hub, path: str) -> None:
        person.browser.cookie_jar.clear()
        answer = await person.get(path, allow_redirects=False)
        assert answer.status == 303
        answer = await person.sign_in(path=answer.headers["Location"])
        assert answer.headers["Location"] == path

    async def test_they_run_no_script_and_are_shown_in_no_frame(self, linked: Hub, person: Person) -> None:
        for path in ("/connections", "/connections/1/remove"):
            answer = await person.get(path)
            policy = answer.headers["Content-Security-Policy"].split("; ")
            assert {"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"} <= set(policy)
            assert answer.headers["Cache-Control"] == "no-store"
            assert "<script" not in await answer.text()

    async def test_the_header_leads_from_each_page_to_the_others(self, linked: Hub, person: Person) -> None:
        for path in (*PLACES, "/connections/1/remove"):
            page = await (await person.get(path)).text()
            header = page.partition("<main")[0]
            current = set(re.findall(r'<a href="([^"]*)" aria-current="page"', header))
            assert set(re.findall(r'<a href="([^"]*)"', header)) == PLACES
            assert current == {path} - {"/connections/1/remove"}
            assert "Signed in as anna" in header

    async def test_the_sign_in_page_has_no_such_header(self, person: Person) -> None:
        assert "<header" not in await (await person.get("/sign-in")).text()

    @pytest.mark.parametrize("number", ["2", "01", "-1", "x", "9" * 40, "%00"])
    async def test_a_connection_that_is_not_there_is_not_found(self, linked: Hub, person: Person, number: str) -> None:
        answer = await person.get(f"/connections/{number}/remove")
        assert answer.status == 404
        assert NOT_OURS in await answer.text()


class TestRemoving:
    async def test_the_hub_is_told_within_a_second_and_its_token_is_worth_nothing(
        self, server: Running, linked: Hub, person: Person
    ) -> None:
        async with linked.stream() as events, linked.stream("/devices") as deeper:
            await events.put()
            await deeper.put()
            answer = await remove(person, link_id(server, linked))
            for each in (events, deeper):
                assert await each.next(seconds=1) == ("auth_revoked", linked.token)
                with pytest.raises(EOFError):
                    await each.next()
        assert (answer.status, answer.headers["Location"]) == (303, "/connections")
        assert await refusal(await linked.get()) == (401, "auth-error")

    async def test_it_is_said_once(self, linked: Hub, person: Person) -> None:
        await remove(person, 1)
        page = await (await person.get("/connections")).text()
        assert "The connection was removed." in page
        assert sections(page) == []
        assert "was removed" not in await (await person.get("/connections")).text()

    async def test_opening_the_page_asks_and_removes_nothing(self, linked: Hub, person: Person) -> None:
        answer = await person.get("/connections/1/remove")
        page = await answer.text()
        assert "Remove Home Assistant?" in page
        assert "See and set your thermostats" in page
        assert "Keep" in page
        assert (await linked.get()).status == 200
        assert len(await listed(person)) == 1

    async def test_the_pages_lead_there_and_the_form_does_it(self, linked: Hub, person: Person) -> None:
        page = await (await person.get("/connections")).text()
        (path,) = re.findall(r'href="(/connections/\d+/remove)"', page)
        form = await (await person.get(path)).text()
        (action,) = re.findall(r'action="(/connections[^"]*)"', form)
        assert (await person.post(action, hidden_fields(form))).status == 303
        assert (await linked.get()).status == 401

    async def test_other_connections_stay(self, server: Running, linked: Hub, another: Hub, person: Person) -> None:
        async with another.stream() as events:
            await events.put()
            await remove(person, link_id(server, linked))
            with pytest.raises(TimeoutError):
                await events.next(seconds=0.1)
        assert (await another.get()).status == 200
        assert len(await listed(person)) == 1

    async def test_twice_is_not_found(self, linked: Hub, person: Person) -> None:
        assert (await remove(person, 1)).status == 303
        assert (await remove(person, 1)).status == 404

    async def test_a_page_of_one_that_ended_never_removes_another(self, linked: Hub, person: Person) -> None:
        await remove(person, 1)
        linked.token = await linked.accepted(person)
        assert (await remove(person, 1)).status == 404
        assert (await linked.get()).status == 200

    async def test_the_hub_stays_registered_and_can_be_connected_again(self, linked: Hub, person: Person) -> None:
        await remove(person, 1)
        linked.token = await linked.accepted(person)
        assert (await linked.get()).status == 200

    async def test_a_hub_without_any_is_forgotten_after_400_days(
        self, server: Running, linked: Hub, person: Person, clock: Clock
    ) -> None:
        await remove(person, 1)
        clock.seconds += 400 * 86400 - 1
        assert server.store.clients.get(linked.client_id) is not None
        clock.seconds += 1
        assert server.store.clients.get(linked.client_id) is None


class TestAHubWithSeveral:
    @pytest.fixture
    async def tokens(self, linked: Hub, another: Hub, person: Person) -> list[str]:
        """The tokens of one hub's three connections; there is a fourth of another hub."""
        return [linked.token, *[await linked.accepted(person) for _ in range(2)]]

    async def test_each_is_listed(self, tokens: list[str], person: Person) -> None:
        assert len(await listed(person)) == 4

    async def test_the_page_says_that_the_others_stay(self, tokens: list[str], person: Person) -> None:
        page = await (await person.get("/connections/1/remove")).text()
        assert "Home Assistant has 2 more connections" in page
        assert "Remove all 3" in page
        await remove(person, 1)
        assert "has one more connection" in await (await person.get("/connections/3/remove")).text()

    async def test_one_can_be_removed(self, linked: Hub, tokens: list[str], person: Person) -> None:
        await remove(person, 1, extent="this")
        assert await _statuses(linked, tokens) == [401, 200, 200]

    async def test_all_can_be_removed_at_once(
        self, linked: Hub, another: Hub, tokens: list[str], person: Person
    ) -> None:
        await remove(person, 1, extent="all")
        assert await _statuses(linked, tokens) == [401, 401, 401]
        assert (await another.get()).status == 200
        assert "The connections were removed." in await (await person.get("/connections")).text()

    async def test_a_word_that_means_nothing_removes_nothing(
        self, linked: Hub, tokens: list[str], person: Person
    ) -> None:
        assert (await remove(person, 1, extent="some")).status == 400
        assert await _statuses(linked, tokens) == [200, 200, 200]


async def _statuses(hub: Hub, tokens: list[str]) -> list[int]:
    statuses = []
    for hub.token in tokens:
        statuses.append((await hub.get()).status)
    return statuses


class TestTakingBack:
    async def test_the_next_push_is_without_it(self, linked: Hub, person: Person) -> None:
        async with linked.stream() as events:
            before = await events.put()
            assert "postal_code" in next(iter(before["structures"].values()))
            answer = await take_back(person, 1, "postal code read")
            after = await events.put()
        assert (answer.status, answer.headers["Location"]) == (303, "/connections")
        assert before["metadata"]["permissions"] == sorted([*after["metadata"]["permissions"], "postal code read"])
        assert after["metadata"]["client_version"] == before["metadata"]["client_version"]
        assert "postal_code" not in next(iter(after["structures"].values()))
        assert after == await linked.read()

    async def test_devices_that_are_not_shown_any_more_are_gone(self, linked: Hub, person: Person) -> None:
        async with linked.stream("/devices") as events:
            assert set(await events.put()) == {"thermostats", "smoke_co_alarms"}
            await take_back(person, 1, "smoke+co read")
            assert set(await events.put()) == {"thermostats"}

    async def test_it_can_not_be_written_any_more(self, server: Running, linked: Hub, person: Person) -> None:
        await take_back(person, 1, "away read/write")
        answer = await linked.put(f"{structure_path(server)}/away", "away")
        assert await refusal(answer) == (400, "no-write-permission")
        assert (await linked.put(thermostat_path(server), {"hvac_mode": "heat"})).status == 200

    async def test_it_is_said_once_and_the_list_is_without_it(self, linked: Hub, person: Person) -> None:
        await take_back(person, 1, "postal code read")
        page = await (await person.get("/connections")).text()
        assert "It was taken back." in page
        assert "See your postal code" not in page
        assert "See and set your thermostats" in page
        assert "taken back" not in await (await person.get("/connections")).text()

    async def test_the_list_has_a_form_for_each(self, another: Hub, person: Person) -> None:
        page = await (await person.get("/connections")).text()
        assert re.findall(r'action="(/connections/\d+/permissions)"', page) == ["/connections/1/permissions"]
        assert re.findall(r'name="permission" value="([^"]*)"', page) == ["away read"]
        assert 'aria-label="Take back: See whether somebody is home"' in page

    async def test_other_connections_keep_it(self, server: Running, linked: Hub, person: Person) -> None:
        old, linked.token = linked.token, await linked.accepted(person)
        await take_back(person, link_id(server, linked), "postal code read")
        assert "postal code read" not in (await linked.read())["metadata"]["permissions"]
        linked.token = old
        assert "postal code read" in (await linked.read())["metadata"]["permissions"]

    async def test_twice_is_as_good_as_once(self, linked: Hub, person: Person) -> None:
        assert (await take_back(person, 1, "postal code read")).status == 303
        before = await linked.read()
        assert (await take_back(person, 1, "postal code read")).status == 303
        assert await linked.read() == before

    async def test_it_outlives_the_server(self, server: Running, linked: Hub, person: Person) -> None:
        await take_back(person, 1, "postal code read")
        (kept,) = Store(server.settings.data).links.connections(tuple(server.home.document.group("structures")))
        assert "postal code read" not in kept.link.permissions

    async def test_accepting_again_gives_all_of_it_back(self, linked: Hub, person: Person) -> None:
        await take_back(person, 1, "postal code read")
        await linked.code(person)
        assert "postal code read" in (await linked.read())["metadata"]["permissions"]

    async def test_the_last_one_is_asked_for_and_ends_the_connection(
        self, server: Running, another: Hub, person: Person
    ) -> None:
        async with another.stream() as events:
            await events.put()
            answer = await take_back(person, 1, "away read")
            assert (answer.status, answer.headers["Location"]) == (303, "/connections/1/remove")
            page = await (await person.get(answer.headers["Location"])).text()
            assert "Taking that back removes the connection." in page
            assert (await another.read())["metadata"]["permissions"] == ["away read"]
            await remove(person, 1)
            assert await events.next(seconds=1) == ("auth_revoked", another.token)

    @pytest.mark.parametrize("permission", ["", "everything", "postal code read "])
    async def test_a_word_that_means_nothing_changes_nothing(
        self, linked: Hub, person: Person, permission: str
    ) -> None:
        before = await linked.read()
        assert (await take_back(person, 1, permission)).status == 400
        assert await linked.read() == before


class TestTakingAHomeBack:
    @pytest.fixture
    async def both(self, server: Running, hub: Hub, person: Person) -> Hub:
        """A hub with both homes of the person."""
        add_home(server)
        await hub.register(metadata("away read"))
        person.be_signed_in()
        page = await (await person.get(hub.consent_path())).text()
        hub.token = await hub.accepted(person, **dict.fromkeys(re.findall(r'name="(home:[^"]+)"', page), "on"))
        return hub

    async def test_the_list_has_a_form_for_each(self, both: Hub, person: Person) -> None:
        page = await (await person.get("/connections")).text()
        assert 'aria-label="Take back: Cabin"' in page
        assert 'aria-label="Take back: Home"' in page

    async def test_the_next_push_is_without_it(self, both: Hub, person: Person) -> None:
        async with both.stream() as events:
            assert len((await events.put())["structures"]) == 2
            answer = await send(person, "/connections/1/homes", home=CABIN)
            after = await events.put()
        assert (answer.status, answer.headers["Location"]) == (303, "/connections")
        assert [each["name"] for each in after["structures"].values()] == ["Home"]
        page = await (await person.get("/connections")).text()
        assert "It was taken back." in page
        assert "Cabin" not in page

    async def test_it_outlives_the_server(self, server: Running, both: Hub, person: Person) -> None:
        await send(person, "/connections/1/homes", home=CABIN)
        link = Store(server.settings.data).links.by_token(both.token)
        assert link is not None
        assert CABIN not in link.homes

    async def test_the_last_one_is_asked_for(self, both: Hub, person: Person) -> None:
        await send(person, "/connections/1/homes", home=CABIN)
        (home,) = (await both.read())["structures"]
        answer = await send(person, "/connections/1/homes", home=home)
        assert answer.headers["Location"] == "/connections/1/remove"
        assert (await both.get()).status == 200

    @pytest.mark.parametrize("wrong", ["", "nowhere"])
    async def test_a_home_that_is_not_the_persons_changes_nothing(
        self, server: Running, both: Hub, person: Person, wrong: str
    ) -> None:
        before = await both.read()
        assert (await send(person, "/connections/1/homes", home=wrong)).status == 400
        be_a_stranger(server, person)
        assert (await send(person, "/connections/1/homes", home=CABIN)).status == 404
        assert await both.read() == before

    async def test_twice_is_as_good_as_once(self, both: Hub, person: Person) -> None:
        for _ in range(2):
            assert (await send(person, "/connections/1/homes", home=CABIN)).status == 303


async def test_a_home_that_is_added_later_joins_no_connection(server: Running, linked: Hub, person: Person) -> None:
    async with linked.stream() as events:
        (home,) = (await events.put())["structures"]
        add_home(server)
        with pytest.raises(TimeoutError):
            await events.next(seconds=0.1)
    assert set((await linked.read())["structures"]) == {home}
    old, linked.token = linked.token, await linked.accepted(person, **{f"home:{each}": "on" for each in (home, CABIN)})
    assert set((await linked.read())["structures"]) == {home, CABIN}
    linked.token = old
    assert set((await linked.read())["structures"]) == {home}


FORMS = {
    "remove": ("/connections/1/remove", {}),
    "take back": ("/connections/1/permissions", {"permission": "postal code read"}),
}


@pytest.mark.parametrize(("path", "form"), FORMS.values(), ids=FORMS)
class TestWhoMay:
    async def test_a_member_manages_what_the_owner_connected(
        self, linked: Hub, person: Person, path: str, form: dict[str, str]
    ) -> None:
        before = await linked.read()
        person.be_signed_in("ben")
        (only,) = await listed(person)
        assert "Connected by anna" in only
        assert (await send(person, path, **form)).status == 303
        answer = await linked.get()
        assert answer.status == 401 or await answer.json() != before

    async def test_a_stranger_finds_nothing_and_changes_nothing(
        self, server: Running, linked: Hub, person: Person, path: str, form: dict[str, str]
    ) -> None:
        before = await linked.read()
        be_a_stranger(server, person)
        answer = await send(person, path, **form)
        assert answer.status == 404
        assert NOT_OURS in await answer.text()
        assert (await person.get("/connections/1/remove")).status == 404
        assert await linked.read() == before

    async def test_who_is_not_signed_in_changes_nothing(
        self, linked: Hub, person: Person, path: str, form: dict[str, str]
    ) -> None:
        before = await linked.read()
        person.browser.cookie_jar.clear()
        assert (await person.post(path, form)).status == 403
        assert await linked.read() == before

    @pytest.mark.parametrize("csrf", ["", "0" * 64, "ä"])
    async def test_a_form_without_our_token_does_nothing(
        self, linked: Hub, person: Person, path: str, form: dict[str, str], csrf: str
    ) -> None:
        before = await linked.read()
        assert (await send(person, path, **form, csrf=csrf)).status == 403
        assert await linked.read() == before

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
    async def test_a_form_from_another_site_does_nothing(
        self, linked: Hub, person: Person, path: str, form: dict[str, str], origin: str
    ) -> None:
        before = await linked.read()
        csrf = hidden_fields(await (await person.get("/connections")).text())
        assert (await person.post(path, csrf | form, headers={"Origin": origin})).status == 403
        assert await linked.read() == before

    async def test_a_token_of_the_wire_is_no_session(
        self, linked: Hub, session: ClientSession, path: str, form: dict[str, str]
    ) -> None:
        answer = await session.post(linked.base + path, data=form, headers=linked.bearer)
        assert answer.status == 403
        assert (await linked.get()).status == 200


async def test_requests_are_noted_once_a_minute_at_most(server: Running, linked: Hub, clock: Clock) -> None:
    writes = 0

    def count(statement: str) -> None:
        nonlocal writes
        writes += statement.startswith("UPDATE links")

    server.store._database._connection.set_trace_callback(count)
    for _ in range(10):
        await linked.read()
        clock.seconds += 6
    assert writes == 1
    clock.seconds += 1
    await linked.read()
    assert writes == 2
