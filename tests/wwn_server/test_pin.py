"""Linking a hub that has no address a browser could go back to (protocol 1.3)."""

import re

from aiohttp import ClientResponse, ClientSession
import pytest

from .conftest import Clock, Running
from .hub import Hub, metadata
from .person import Person
from .test_token import description


@pytest.fixture
async def pin_hub(hub: Hub) -> Hub:
    await hub.register(metadata(redirect_uris=[]))
    return hub


async def decide(hub: Hub, person: Person, decision: str) -> ClientResponse:
    """Press a button of the consent page and return the page that follows."""
    person.be_signed_in()
    answer = await person.decide(hub.consent_path(redirect_uri=None), decision)
    assert (answer.status, answer.headers["Location"]) == (303, "/login/oauth2/pin")
    return await person.get(answer.headers["Location"])


async def new_pin(hub: Hub, person: Person) -> str:
    text = await (await decide(hub, person, "accept")).text()
    (pin,) = re.findall(r"<code>(.*)</code>", text)
    return str(pin)


async def test_accepting_shows_a_pin_that_becomes_a_token_once(pin_hub: Hub, person: Person) -> None:
    pin = await new_pin(pin_hub, person)
    answer = await pin_hub.redeem(pin)
    pin_hub.token = (await answer.json())["access_token"]
    assert answer.status == 200
    assert len((await pin_hub.read())["structures"]) == 1
    assert await description(await pin_hub.redeem(pin)) == (400, "authorization code not found")


async def test_a_pin_has_eight_letters_and_digits_that_nobody_mixes_up(pin_hub: Hub, person: Person) -> None:
    pins = [await new_pin(pin_hub, person) for _ in range(20)]
    assert all(re.fullmatch(r"[A-Z0-9]{8}", pin) for pin in pins)
    assert set("".join(pins)) & set("IO01S5B8Z2") == set()
    assert len(set(pins)) == 20


async def test_the_page_says_whose_pin_it_is_and_how_long_it_lives(pin_hub: Hub, person: Person) -> None:
    answer = await decide(pin_hub, person, "accept")
    text = await answer.text()
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Your PIN for Home Assistant" in text
    assert "within 48 hours" in text


async def test_the_consent_page_says_that_a_pin_follows_and_leads_nowhere_else(pin_hub: Hub, person: Person) -> None:
    person.be_signed_in()
    answer = await person.get(pin_hub.consent_path(redirect_uri=None))
    text = await answer.text()
    assert answer.status == 200
    assert answer.headers["Content-Security-Policy"].endswith("form-action 'self'")
    assert "the next page shows a PIN" in text
    assert "your browser goes back to" not in text


async def test_a_pin_stands_in_no_address_and_a_reload_shows_it_again(pin_hub: Hub, person: Person) -> None:
    pin = await new_pin(pin_hub, person)
    again = await person.get("/login/oauth2/pin")
    assert pin in await again.text()
    assert pin not in str(again.url)


async def test_without_a_decision_there_is_no_pin(pin_hub: Hub, person: Person) -> None:
    person.be_signed_in()
    answer = await person.get("/login/oauth2/pin")
    assert answer.status == 404
    assert "no longer shown" in await answer.text()


async def test_a_pin_is_shown_to_who_is_signed_in_only(pin_hub: Hub, person: Person, clock: Clock) -> None:
    await new_pin(pin_hub, person)
    clock.seconds += 31 * 86400
    answer = await person.get("/login/oauth2/pin", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/sign-in?next=%2Flogin%2Foauth2%2Fpin")


async def test_who_signs_in_next_at_the_browser_does_not_see_it(pin_hub: Hub, person: Person) -> None:
    pin = await new_pin(pin_hub, person)
    person.be_signed_in("ben")
    answer = await person.get("/login/oauth2/pin")
    assert answer.status == 404
    assert pin not in await answer.text()


@pytest.mark.parametrize("value", ["", ".", "a.AAAAAAAA", "a.AAAAAAAA.00", "é.é.é", '"'])
async def test_what_somebody_else_put_there_is_not_shown(pin_hub: Hub, person: Person, value: str) -> None:
    person.be_signed_in()
    person.browser.cookie_jar.update_cookies({"wwn_pin": value})
    assert (await person.get("/login/oauth2/pin")).status == 404


async def test_removing_a_connection_makes_a_pin_worthless_that_nobody_typed(pin_hub: Hub, person: Person) -> None:
    first, second = await new_pin(pin_hub, person), await new_pin(pin_hub, person)
    assert (await pin_hub.redeem(first)).status == 200
    await decide(pin_hub, person, "remove")
    assert await description(await pin_hub.redeem(second)) == (400, "authorization code not found")


async def test_a_hub_that_ends_its_own_link_keeps_the_pin_for_another(pin_hub: Hub, person: Person) -> None:
    first, second = await new_pin(pin_hub, person), await new_pin(pin_hub, person)
    await pin_hub.revoke((await (await pin_hub.redeem(first)).json())["access_token"])
    assert (await pin_hub.redeem(second)).status == 200


async def test_going_back_shows_that_nothing_was_shared(server: Running, pin_hub: Hub, person: Person) -> None:
    text = await (await decide(pin_hub, person, "back")).text()
    assert "Nothing was shared with Home Assistant" in text
    assert "<code>" not in text
    assert server.store._database.all("SELECT * FROM codes") == []


async def test_going_back_leaves_a_connection_as_it_is(pin_hub: Hub, person: Person) -> None:
    pin_hub.token = (await (await pin_hub.redeem(await new_pin(pin_hub, person))).json())["access_token"]
    await decide(pin_hub, person, "back")
    assert (await pin_hub.get()).status == 200


async def test_removing_shows_that_the_connection_is_gone(pin_hub: Hub, person: Person) -> None:
    pin_hub.token = (await (await pin_hub.redeem(await new_pin(pin_hub, person))).json())["access_token"]
    text = await (await decide(pin_hub, person, "remove")).text()
    assert "Every connection of Home Assistant to your home was removed." in text
    assert (await pin_hub.get()).status == 401


@pytest.mark.parametrize("typed", [str.lower, " {} ".format])
async def test_how_a_pin_is_typed_does_not_matter(pin_hub: Hub, person: Person, typed: object) -> None:
    assert callable(typed)
    assert (await pin_hub.redeem(typed(await new_pin(pin_hub, person)))).status == 200


async def test_a_pin_lives_for_48_hours(pin_hub: Hub, person: Person, clock: Clock) -> None:
    early, late = await new_pin(pin_hub, person), await new_pin(pin_hub, person)
    clock.seconds += 48 * 3600 - 1
    assert (await pin_hub.redeem(early)).status == 200
    clock.seconds += 1
    assert await description(await pin_hub.redeem(late)) == (400, "authorization code expired")


async def test_a_pin_is_of_no_use_to_another_hub(
    server: Running, session: ClientSession, pin_hub: Hub, person: Person
) -> None:
    pin = await new_pin(pin_hub, person)
    other = Hub(server.base, session)
    await other.register(metadata(redirect_uris=[]))
    assert await description(await other.redeem(pin)) == (400, "authorization code not found")
    assert (await pin_hub.redeem(pin)).status == 200


async def test_a_pin_is_kept_as_its_hash_only(server: Running, pin_hub: Hub, person: Person) -> None:
    pin = await new_pin(pin_hub, person)
    assert pin.encode() not in b"".join(each.read_bytes() for each in server.settings.data.iterdir())


async def test_an_address_that_a_pin_client_never_had_is_refused(pin_hub: Hub, session: ClientSession) -> None:
    answer = await session.get(pin_hub.base + pin_hub.consent_path(redirect_uri="https://evil.example/"))
    body = await answer.json()
    assert (answer.status, body["error"]) == (400, "input_data_error")
    assert body["error_description"] == "redirect_uri not pre-registered"


async def test_ten_wrong_codes_keep_a_hub_out_until_an_hour_has_passed(
    pin_hub: Hub, person: Person, clock: Clock
) -> None:
    pin = await new_pin(pin_hub, person)
    for _ in range(10):
        assert await description(await pin_hub.redeem("AAAAAAAA")) == (400, "authorization code not found")
        clock.seconds += 60
    answer = await pin_hub.redeem(pin)
    assert (await description(answer))[0] == 429
    assert answer.headers["Retry-After"] == "3000"
    clock.seconds += 3000
    assert (await pin_hub.redeem(pin)).status == 200
    assert (await description(await pin_hub.redeem("AAAAAAAA")))[0] == 400
    assert (await description(await pin_hub.redeem("AAAAAAAA")))[0] == 429


async def test_one_hubs_guesses_do_not_keep_another_one_out(
    server: Running, session: ClientSession, pin_hub: Hub, person: Person
) -> None:
    other = Hub(server.base, session)
    await other.register()
    for _ in range(11):
        answer = await other.redeem("wrong")
    assert answer.status == 429
    assert (await pin_hub.redeem(await new_pin(pin_hub, person))).status == 200


async def test_who_has_not_the_secret_can_not_keep_a_hub_out(pin_hub: Hub, person: Person) -> None:
    for _ in range(11):
        assert (await pin_hub.redeem("wrong", client_secret="x")).status == 401
    assert (await pin_hub.redeem(await new_pin(pin_hub, person))).status == 200
