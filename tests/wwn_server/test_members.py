import asyncio
from collections.abc import AsyncIterator
import re

from aiohttp import ClientResponse, ClientSession, CookieJar
import pytest

from .conftest import Clock, Running
from .hub import Hub, metadata
from .person import PASSWORD, Person, hidden_fields

DAY = 86400


@pytest.fixture
async def guest(server: Running) -> AsyncIterator[Person]:
    """Somebody without an account, at another browser."""
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser:
        yield Person(server.base, browser, server.store)


async def send(person: Person, path: str, **form: str) -> ClientResponse:
    csrf = hidden_fields(await (await person.get("/members")).text())["csrf"]
    return await person.post(path, {"csrf": csrf} | form)


async def invite(person: Person) -> str:
    """Return the code of a new invitation as the owner reads it."""
    person.be_signed_in()
    answer = await send(person, "/members/invitations")
    assert (answer.status, answer.headers["Location"]) == (303, "/members")
    page = await (await person.get("/members")).text()
    (code,) = re.findall(r"<code>((?:[A-Z2-9]{4}-){3}[A-Z2-9]{4})</code>", page)
    assert f"/join?code={code}" in page
    return str(code)


async def join(guest: Person, code: str, name: str = "carl", **form: str) -> ClientResponse:
    fields = hidden_fields(await (await guest.get("/join")).text())
    typed = {"code": code, "username": name, "password": PASSWORD, "again": PASSWORD}
    return await guest.post("/join", fields | typed | form)


@pytest.fixture
async def bens(server: Running, session: ClientSession, person: Person) -> Hub:
    """A hub that ben let in."""
    hub = Hub(server.base, session)
    await hub.register(metadata("away read", client_name="Ben's display"))
    person.be_signed_in("ben")
    answer = await person.decide(hub.consent_path(), "accept")
    code = answer.headers["Location"].rpartition("code=")[2]
    hub.token = (await (await hub.redeem(code)).json())["access_token"]
    return hub


def number_of(server: Running, name: str) -> int:
    account, _ = server.store.accounts.credentials(name) or pytest.fail(f"{name} has no account")
    return account.id


class TestTheList:
    async def test_everybody_is_there_with_role_and_connections(self, bens: Hub, person: Person) -> None:
        page = await (await person.get("/members")).text()
        first, second = re.findall(r"<section.*?</section>", page, re.DOTALL)
        assert "anna" in first
        assert "Owner" in first
        assert "<dd>0</dd>" in first
        assert "ben" in second
        assert "Member" in second
        assert "<dd>1</dd>" in second

    async def test_it_says_who_may_do_what(self, person: Person) -> None:
        person.be_signed_in()
        assert "Only the owner invites and removes people." in await (await person.get("/members")).text()

    async def test_a_member_sees_no_button_of_the_owner(self, server: Running, person: Person) -> None:
        person.be_signed_in("ben")
        page = await (await person.get("/members")).text()
        assert "/remove" not in page
        assert "/members/invitations" not in page
        assert "Ask the owner" in page

    async def test_who_is_not_signed_in_signs_in(self, person: Person) -> None:
        assert (await person.get("/members")).url.path == "/sign-in"
        assert (await person.get("/members/2/remove")).url.path == "/sign-in"


class TestInviting:
    async def test_the_invited_person_makes_an_account_and_is_there(
        self, server: Running, person: Person, guest: Person
    ) -> None:
        answer = await join(guest, await invite(person))
        assert (answer.status, answer.headers["Location"]) == (303, "/console")
        assert (await guest.get("/console")).url.path == "/console"
        account, _ = server.store.accounts.credentials("carl") or pytest.fail("no account")
        assert account.role == "member"
        assert server.store.accounts.homes_of(account) == tuple(server.home.document.group("structures"))

    async def test_the_link_fills_in_the_code(self, person: Person, guest: Person) -> None:
        code = await invite(person)
        page = await (await guest.get(f"/join?code={code}")).text()
        assert f'name="code" type="text" value="{code}"' in page

    async def test_it_is_shown_once_and_kept_as_a_hash(self, server: Running, person: Person) -> None:
        code = await invite(person)
        assert code not in await (await person.get("/members")).text()
        kept = b"".join(each.read_bytes() for each in server.settings.data.iterdir())
        assert code.encode() not in kept
        assert code.replace("-", "").encode() not in kept

    async def test_it_works_once(self, person: Person, guest: Person) -> None:
        code = await invite(person)
        assert (await join(guest, code)).status == 303
        answer = await join(guest, code, "dora")
        assert answer.status == 403
        assert "This invitation is not good" in await answer.text()

    async def test_it_works_for_a_day(self, person: Person, guest: Person, clock: Clock) -> None:
        code = await invite(person)
        clock.seconds += DAY
        assert (await join(guest, code)).status == 403
        code = await invite(person)
        clock.seconds += DAY - 1
        assert (await join(guest, code)).status == 303

    async def test_it_can_be_withdrawn(self, person: Person, guest: Person) -> None:
        code = await invite(person)
        page = await (await person.get("/members")).text()
        (path,) = re.findall(r'action="(/members/invitations/\d+/withdraw)"', page)
        await send(person, path)
        page = await (await person.get("/members")).text()
        assert "The invitation was withdrawn." in page
        assert "nobody used yet" not in page
        assert (await join(guest, code)).status == 403

    async def test_a_name_that_is_taken_is_said_and_the_invitation_stays(self, person: Person, guest: Person) -> None:
        code = await invite(person)
        answer = await join(guest, code, "BEN")
        assert answer.status == 422
        assert "Somebody here has this name already" in await answer.text()
        assert (await join(guest, code)).status == 303

    async def test_what_can_not_be_taken_is_said_and_the_invitation_stays(self, person: Person, guest: Person) -> None:
        code = await invite(person)
        answer = await join(guest, code, again="other")
        assert answer.status == 422
        assert "The two passwords differ." in await answer.text()
        assert (await join(guest, code)).status == 303

    async def test_guessing_has_a_limit(self, person: Person, guest: Person) -> None:
        code = await invite(person)
        for _ in range(10):
            assert (await join(guest, "WRONG")).status == 403
        answer = await join(guest, code)
        assert answer.status == 429
        assert "Retry-After" in answer.headers

    async def test_a_member_can_not_invite(self, server: Running, person: Person) -> None:
        person.be_signed_in("ben")
        assert (await send(person, "/members/invitations")).status == 403
        assert server.store.invitations.pending() == ()


class TestRemoving:
    async def test_the_page_lists_what_they_connected_with_ending_it_chosen(
        self, server: Running, bens: Hub, linked: Hub, person: Person
    ) -> None:
        page = await (await person.get(f"/members/{number_of(server, 'ben')}/remove")).text()
        assert "Remove ben?" in page
        assert "Ben&#39;s display" in page
        assert "See whether somebody is home" in page
        assert re.findall(r'name="link:(\d+)" value="(\w+)"( checked)?', page) == [
            ("1", "revoke", " checked"),
            ("1", "keep", ""),
        ]
        assert (await bens.get()).status == 200

    async def test_the_person_is_signed_out_and_can_not_sign_in(
        self, server: Running, person: Person, guest: Person
    ) -> None:
        guest.be_signed_in("ben")
        person.be_signed_in()
        answer = await send(person, f"/members/{number_of(server, 'ben')}/remove")
        assert (answer.status, answer.headers["Location"]) == (303, "/members")
        page = await (await person.get("/members")).text()
        assert "The person was removed" in page
        assert "ben</h2>" not in page
        assert (await guest.get("/console")).url.path == "/sign-in"
        assert (await guest.sign_in("ben")).status == 403

    async def test_an_open_page_of_theirs_is_told_nothing_more(
        self, server: Running, person: Person, guest: Person
    ) -> None:
        guest.be_signed_in("ben")
        person.be_signed_in()
        headers = {"Accept": "text/event-stream"}
        async with guest.browser.get(f"{guest.base}/console/events", headers=headers) as feed:
            await feed.content.readline()
            await send(person, f"/members/{number_of(server, 'ben')}/remove")
            async with asyncio.timeout(5):
                rest = await feed.content.read()
        assert rest.count(b"event: home") == 0

    async def test_the_links_end_at_once_where_that_is_left_chosen(
        self, server: Running, bens: Hub, linked: Hub, person: Person
    ) -> None:
        async with bens.stream() as events, linked.stream() as others:
            await events.put()
            await others.put()
            await send(person, f"/members/{number_of(server, 'ben')}/remove", **{"link:1": "revoke"})
            assert await events.next(seconds=1) == ("auth_revoked", bens.token)
            with pytest.raises(TimeoutError):
                await others.next(seconds=0.1)
        assert (await bens.get()).status == 401
        assert (await linked.get()).status == 200

    async def test_a_form_that_names_no_link_ends_them_all(self, server: Running, bens: Hub, person: Person) -> None:
        person.be_signed_in()
        await send(person, f"/members/{number_of(server, 'ben')}/remove")
        assert (await bens.get()).status == 401

    async def test_what_is_kept_becomes_the_owners(self, server: Running, bens: Hub, person: Person) -> None:
        person.be_signed_in()
        async with bens.stream() as events:
            before = await events.put()
            await send(person, f"/members/{number_of(server, 'ben')}/remove", **{"link:1": "keep"})
            after = await events.put()
        assert after["structures"] == before["structures"]
        assert after == await bens.read()
        page = await (await person.get("/connections")).text()
        assert "Ben&#39;s display" in page
        assert "<dd>anna</dd>" in page

    async def test_a_hub_whose_last_link_ended_so_is_forgotten_in_time(
        self, server: Running, bens: Hub, person: Person, clock: Clock
    ) -> None:
        person.be_signed_in()
        await send(person, f"/members/{number_of(server, 'ben')}/remove")
        clock.seconds += 400 * DAY
        assert server.store.clients.get(bens.client_id) is None

    async def test_a_code_that_waits_to_be_redeemed_ends_too(self, server: Running, hub: Hub, person: Person) -> None:
        await hub.register()
        person.be_signed_in("ben")
        answer = await person.decide(hub.consent_path(), "accept")
        code = answer.headers["Location"].rpartition("code=")[2]
        person.be_signed_in()
        await send(person, f"/members/{number_of(server, 'ben')}/remove")
        assert (await hub.redeem(code)).status == 400

    @pytest.mark.parametrize("number", ["1", "3", "x", "-1", "9" * 40])
    async def test_the_owner_and_nobody_can_not_be_removed(self, server: Running, person: Person, number: str) -> None:
        person.be_signed_in()
        assert (await person.get(f"/members/{number}/remove")).status == 404
        assert (await send(person, f"/members/{number}/remove")).status == 404
        assert len(server.store.accounts.members()) == 2

    async def test_a_member_can_not_remove_anybody(self, server: Running, person: Person) -> None:
        person.be_signed_in("ben")
        for number in (number_of(server, "anna"), number_of(server, "ben")):
            assert (await person.get(f"/members/{number}/remove")).status == 403
            assert (await send(person, f"/members/{number}/remove")).status == 403
        assert len(server.store.accounts.members()) == 2

    async def test_a_form_without_our_token_does_nothing(self, server: Running, person: Person) -> None:
        person.be_signed_in()
        for path in ("/members/2/remove", "/members/invitations", "/members/invitations/1/withdraw"):
            assert (await person.post(path, {"csrf": "0" * 64})).status == 403
        assert len(server.store.accounts.members()) == 2
