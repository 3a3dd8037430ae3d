from html import unescape
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import ClientSession
import pytest

from .conftest import CABIN, Clock, Running, add_home
from .hub import EVERYTHING, REDIRECT, Hub, metadata
from .person import Person, hidden_fields

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.fixture
async def registered(hub: Hub) -> Hub:
    await hub.register()
    return hub


@pytest.mark.parametrize(
    ("changes", "error", "description"),
    [
        ({"client_id": None}, "oauth2_error", "missing required parameters: client_id"),
        ({"client_id": ""}, "oauth2_error", "missing required parameters: client_id"),
        ({"state": None}, "oauth2_error", "missing required parameters: state"),
        ({"client_id": None, "state": None}, "oauth2_error", "missing required parameters: client_id, state"),
        ({"redirect_uri": "https://evil.example/"}, "input_data_error", "redirect_uri not pre-registered"),
        ({"redirect_uri": REDIRECT + "?more=1"}, "input_data_error", "redirect_uri not pre-registered"),
        ({"redirect_uri": REDIRECT + "/"}, "input_data_error", "redirect_uri not pre-registered"),
        ({"response_type": "token"}, "oauth2_error", "response_type must be code"),
    ],
)
async def test_a_program_is_told_as_documented_what_is_wrong(
    session: ClientSession, registered: Hub, changes: dict[str, Any], error: str, description: str
) -> None:
    answer = await session.get(registered.base + registered.consent_path(**changes), allow_redirects=False)
    body = await answer.json()
    assert answer.status == 400
    assert (body["error"], body["error_description"]) == (error, description)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "unknown"},
        {"code_challenge": CHALLENGE},
        {"code_challenge": CHALLENGE, "code_challenge_method": "plain"},
        {"code_challenge": "short", "code_challenge_method": "S256"},
        {"code_challenge": CHALLENGE + "=", "code_challenge_method": "S256"},
    ],
)
async def test_what_can_not_be_authorised_is_refused(registered: Hub, changes: dict[str, Any], person: Person) -> None:
    answer = await person.get(registered.consent_path(**changes), headers={"Accept": "*/*"}, allow_redirects=False)
    assert answer.status == 400
    assert (await answer.json())["error"] == "oauth2_error"


async def test_a_person_is_told_on_a_page_and_sent_nowhere(registered: Hub, person: Person) -> None:
    answer = await person.get(registered.consent_path(redirect_uri="https://evil.example/"), allow_redirects=False)
    text = await answer.text()
    assert answer.status == 400
    assert answer.content_type == "text/html"
    assert "redirect_uri not pre-registered" in text
    assert "evil.example" not in text


async def test_who_is_not_signed_in_signs_in_and_comes_back(registered: Hub, person: Person) -> None:
    path = registered.consent_path()
    answer = await person.get(path, allow_redirects=False)
    assert answer.status == 303
    assert urlsplit(answer.headers["Location"]).path == "/sign-in"
    answer = await person.sign_in(path=answer.headers["Location"])
    assert answer.status == 303
    assert parse_qs(urlsplit(answer.headers["Location"]).query) == parse_qs(urlsplit(path).query)
    page = await person.get(answer.headers["Location"])
    assert "Home Assistant would like to work with your home" in await page.text()


async def test_the_page_says_who_asks_for_what_and_why_and_where_it_leads(registered: Hub, person: Person) -> None:
    person.be_signed_in()
    text = await (await person.get(registered.consent_path())).text()
    for name in EVERYTHING:
        assert f"We need {name}" in text
    for part in (
        "See and set your thermostats",
        "See your smoke and carbon monoxide alarms",
        "the name it gave itself",
        "signed in as anna",
        "<li>Home</li>",
        "Your e-mail address and your password",
        'href="https://hub.example/privacy"',
        "http://127.0.0.1",
        "port 8123",
        ">Accept<",
        ">Back<",
    ):
        assert part in text
    assert "Remove this connection" not in text


async def test_what_a_hub_says_is_shown_as_plain_text(hub: Hub, person: Person) -> None:
    asked = [{"name": "away read", "reason": '<img src=x onerror="alert(1)">'}]
    await hub.register(metadata(client_name="<script>alert(1)</script>", permissions=asked))
    person.be_signed_in()
    text = await (await person.get(hub.consent_path())).text()
    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;" in text


async def test_the_page_runs_no_script_and_is_shown_in_no_frame(registered: Hub, person: Person) -> None:
    person.be_signed_in()
    answer = await person.get(registered.consent_path())
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:8123" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"


async def test_the_way_back_to_an_ipv6_address_is_open_too(hub: Hub, person: Person) -> None:
    await hub.register(metadata(redirect_uris=["http://[fd00::1]:8123/callback"]))
    person.be_signed_in()
    answer = await person.get(hub.consent_path(redirect_uri=None))
    assert answer.headers["Content-Security-Policy"].endswith("form-action 'self' http:")
    assert "http://[fd00::1]" in await answer.text()


async def test_accepting_sends_a_code_and_the_state_to_the_hub(registered: Hub, person: Person) -> None:
    person.be_signed_in()
    answer = await person.decide(registered.consent_path(state="a b&c=é"), "accept")
    address, _, query = answer.headers["Location"].partition("?")
    sent = parse_qs(query)
    assert answer.status == 303
    assert answer.headers["Cache-Control"] == "no-store"
    assert address == REDIRECT
    assert sent["state"] == ["a b&c=é"]
    assert len(sent["code"][0]) == 16
    assert sent["code"][0].isalnum()


async def test_a_query_of_the_redirect_address_is_kept(hub: Hub, person: Person) -> None:
    redirect = "https://hub.example/callback?flow=1&x=%20y"
    await hub.register(metadata(redirect_uris=[redirect]))
    person.be_signed_in()
    answer = await person.decide(hub.consent_path(redirect_uri=redirect), "accept")
    assert answer.headers["Location"].startswith(redirect + "&state=some-state&code=")


async def test_without_an_address_the_first_one_registered_is_used(hub: Hub, person: Person) -> None:
    await hub.register(metadata(redirect_uris=["https://first.example/", "https://second.example/"]))
    person.be_signed_in()
    answer = await person.decide(hub.consent_path(redirect_uri=None), "accept")
    assert answer.headers["Location"].startswith("https://first.example/?state=")


async def test_going_back_says_so_and_changes_nothing_else(linked: Hub, person: Person) -> None:
    answer = await person.decide(linked.consent_path(), "back")
    assert answer.status == 303
    assert answer.headers["Location"] == f"{REDIRECT}?state=some-state&error=access_denied"
    assert (await linked.get()).status == 200


async def test_an_existing_connection_can_be_removed_there(linked: Hub, person: Person) -> None:
    text = await (await person.get(linked.consent_path())).text()
    assert "Home Assistant is connected to your home already" in text
    async with linked.stream() as events:
        await events.put()
        answer = await person.decide(linked.consent_path(), "remove")
        assert answer.headers["Location"] == f"{REDIRECT}?state=some-state&error=access_denied"
        assert await events.next() == ("auth_revoked", linked.token)
    assert (await linked.get()).status == 401


async def test_accepting_again_leaves_the_old_token_alone(linked: Hub, person: Person) -> None:
    old, new = linked.token, await linked.accepted(person)
    assert old != new
    for linked.token in (old, new):
        assert (await linked.get()).status == 200


async def test_an_old_token_keeps_the_old_set_until_somebody_accepts_again(hub: Hub, person: Person) -> None:
    await hub.link(person, "away read")
    await hub.change(metadata("away read", "postal code read"))
    async with hub.stream() as events:
        before = await events.put()
        assert before["metadata"]["client_version"] == 1
        assert before["metadata"]["permissions"] == ["away read"]
        await hub.code(person)
        after = await events.put()
        assert after["metadata"]["client_version"] == 2
        assert after["metadata"]["permissions"] == ["away read", "postal code read"]
        assert "postal_code" in next(iter(after["structures"].values()))


async def test_a_page_that_listed_other_data_can_not_be_accepted(hub: Hub, person: Person) -> None:
    await hub.register(metadata("away read"))
    person.be_signed_in()
    form = hidden_fields(await (await person.get(hub.consent_path())).text())
    await hub.change(metadata("away read/write"))
    answer = await person.post("/login/oauth2", form | {"decision": "accept"})
    assert answer.status == 409
    assert "has changed since you opened this page" in await answer.text()


@pytest.mark.parametrize("csrf", ["", "0" * 64, "ä"])
async def test_a_form_without_our_token_does_nothing(registered: Hub, person: Person, csrf: str) -> None:
    person.be_signed_in()
    answer = await person.decide(registered.consent_path(), "accept", csrf=csrf)
    assert answer.status == 403
    assert "nothing was changed" in await answer.text()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_form_from_another_site_does_nothing(registered: Hub, person: Person, origin: str) -> None:
    person.be_signed_in()
    form = hidden_fields(await (await person.get(registered.consent_path())).text())
    answer = await person.post("/login/oauth2", form | {"decision": "accept"}, headers={"Origin": origin})
    assert answer.status == 403


async def test_a_form_of_a_session_that_ended_does_nothing(registered: Hub, person: Person, clock: Clock) -> None:
    person.be_signed_in()
    form = hidden_fields(await (await person.get(registered.consent_path())).text())
    clock.seconds += 30 * 86400
    assert (await person.post("/login/oauth2", form | {"decision": "accept"})).status == 403


async def test_a_form_is_checked_all_over_again(registered: Hub, person: Person) -> None:
    person.be_signed_in()
    answer = await person.decide(registered.consent_path(), "accept", redirect_uri="https://evil.example/")
    assert answer.status == 400
    assert "Location" not in answer.headers


async def test_a_button_that_is_not_there_does_nothing(registered: Hub, person: Person) -> None:
    person.be_signed_in()
    assert (await person.decide(registered.consent_path(), "maybe")).status == 400


async def test_every_member_of_the_home_can_link_it(registered: Hub, person: Person) -> None:
    person.be_signed_in("ben")
    answer = await person.decide(registered.consent_path(), "accept")
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    registered.token = (await (await registered.redeem(code)).json())["access_token"]
    assert len((await registered.read())["structures"]) == 1


class TestSeveralHomes:
    @pytest.fixture
    async def asking(self, server: Running, hub: Hub, person: Person) -> Hub:
        add_home(server)
        await hub.register(metadata("away read"))
        person.be_signed_in()
        return hub

    async def test_each_can_be_chosen_and_all_are_to_begin_with(self, asking: Hub, person: Person) -> None:
        page = await (await person.get(asking.consent_path())).text()
        assert len(re.findall(r'<input type="checkbox" name="home:[^"]+" form="choice" checked>', page)) == 2
        assert "> Cabin</label>" in page

    async def test_only_those_that_are_chosen_are_shared(self, asking: Hub, person: Person) -> None:
        asking.token = await asking.accepted(person, **{f"home:{CABIN}": "on"})
        assert set((await asking.read())["structures"]) == {CABIN}

    async def test_none_is_asked_for_again_and_shares_nothing(
        self, server: Running, asking: Hub, person: Person
    ) -> None:
        answer = await person.decide(asking.consent_path(), "accept")
        page = await answer.text()
        assert answer.status == 422
        assert "Choose at least one home to share, or go back." in page
        assert "form-action 'self' http://127.0.0.1:8123" in answer.headers["Content-Security-Policy"]
        again = await person.post("/login/oauth2", hidden_fields(page) | {"decision": "accept", f"home:{CABIN}": "on"})
        assert "code=" in again.headers["Location"]

    async def test_a_home_of_others_can_not_be_chosen(self, asking: Hub, person: Person) -> None:
        assert (await person.decide(asking.consent_path(), "accept", **{"home:nowhere": "on"})).status == 422

    async def test_going_back_needs_no_choice(self, asking: Hub, person: Person) -> None:
        answer = await person.decide(asking.consent_path(), "back")
        assert answer.headers["Location"].endswith("error=access_denied")


async def test_who_is_somebody_else_signs_out_and_comes_back(registered: Hub, person: Person) -> None:
    person.be_signed_in()
    page = await (await person.get(registered.consent_path())).text()
    assert "Not you? Sign out" in page
    answer = await person.post("/sign-out", hidden_fields(page))
    location = answer.headers["Location"]
    assert location.startswith("/sign-in?next=%2Flogin%2Foauth2%3F")
    answer = await person.sign_in("ben", path=location)
    page = await (await person.get(answer.headers["Location"])).text()
    assert "You are signed in as ben." in page
    assert "Home Assistant would like to work with your home" in page


async def test_each_piece_of_data_leads_to_a_page_that_says_more(registered: Hub, person: Person) -> None:
    person.be_signed_in()
    page = await (await person.get(registered.consent_path())).text()
    paths = re.findall(r'href="(/learn/[^"]+)"', page)
    assert len(paths) == len(EVERYTHING)
    for path in paths:
        answer = await person.get(path)
        assert answer.status == 200
        assert "What it can't do" in unescape(await answer.text())


async def test_what_there_is_to_learn_is_as_the_permissions_have_it(person: Person) -> None:
    person.be_signed_in()
    page = await (await person.get("/learn/away")).text()
    assert "Written: <code>away</code>" in page
    assert (await person.get("/learn/nonsense")).status == 404


async def test_the_page_says_what_is_not_in_the_servers_hands(registered: Hub, person: Person) -> None:
    person.be_signed_in()
    page = await (await person.get(registered.consent_path())).text()
    assert "What Home Assistant does with the data is not under this server's control." in unescape(page)
    assert "A home that is added later is not shared until you accept again." in page
