"""The rows of protocol 1.1 to 1.7 that no other test of this folder is about."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import ClientSession
import pytest

from .conftest import Running
from .hub import REDIRECT, Hub, basic, metadata, refusal
from .person import Person
from .test_pin import new_pin
from .test_registration import oauth_error
from .test_token import CHALLENGE, PKCE, VERIFIER, description
from .test_writes import structure_path


@pytest.fixture
async def registered(hub: Hub) -> Hub:
    await hub.register()
    return hub


# 1.1 Endpoints


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/oauth2/access_token"),
        ("PUT", "/oauth2/access_token"),
        ("DELETE", "/login/oauth2"),
        ("GET", "/oauth2/access_tokens/c.token"),
        ("POST", "/oauth2/access_tokens/c.token"),
        ("GET", "/oauth2/register"),
    ],
)
async def test_an_endpoint_knows_its_own_method_only(
    server: Running, session: ClientSession, method: str, path: str
) -> None:
    answer = await session.request(method, server.base + path)
    assert await refusal(answer) == (405, "method-not-allowed")


async def test_a_token_is_made_by_the_singular_and_ended_by_the_plural(linked: Hub) -> None:
    answer = await linked.session.post(f"{linked.base}/oauth2/access_tokens", data={"code": "x"})
    assert answer.status == 401
    answer = await linked.session.delete(f"{linked.base}/oauth2/access_token/{linked.token}")
    assert answer.status == 401
    assert (await linked.get()).status == 200


# 1.2 Authorization request


@pytest.mark.parametrize(
    "more", [{}, {"response_type": "code"}, {"scope": "anything"}, {"response_type": "code", "x": ""}]
)
async def test_no_scope_or_response_type_is_needed_and_neither_does_harm(
    registered: Hub, person: Person, more: dict[str, str]
) -> None:
    assert len(await registered.code(person, **more)) == 16


@pytest.mark.parametrize("state", ["a", "STATE", "x" * 1000, "a b&c=%26#é", '"><script>', "\u202e"])
async def test_the_state_comes_back_as_it_was(registered: Hub, person: Person, state: str) -> None:
    person.be_signed_in()
    for decision in ("accept", "back"):
        answer = await person.decide(registered.consent_path(state=state), decision)
        assert parse_qs(urlsplit(answer.headers["Location"]).query)["state"] == [state]


@pytest.mark.parametrize(
    "other",
    [
        REDIRECT.upper(),
        REDIRECT.replace("http:", "https:"),
        REDIRECT.replace("127.0.0.1", "localhost"),
        REDIRECT.replace("8123", "8124"),
        REDIRECT.replace("/auth", "/./auth"),
        REDIRECT.replace("/auth", "//auth"),
        REDIRECT + "?",
        REDIRECT + "#",
        REDIRECT + "%20",
        f" {REDIRECT}",
        REDIRECT[:-1],
    ],
)
async def test_an_address_that_is_not_exactly_a_registered_one_is_refused(registered: Hub, other: str) -> None:
    answer = await registered.session.get(registered.base + registered.consent_path(redirect_uri=other))
    body = await answer.json()
    assert (answer.status, answer.content_type) == (400, "application/json")
    assert (body["error"], body["error_description"]) == ("input_data_error", "redirect_uri not pre-registered")


async def test_each_registered_address_can_be_chosen(hub: Hub, person: Person) -> None:
    addresses = ["https://one.example/", "https://two.example/?a=1", "http://localhost:8080/three"]
    await hub.register(metadata(redirect_uris=addresses))
    person.be_signed_in()
    for address in addresses:
        answer = await person.decide(hub.consent_path(redirect_uri=address), "accept")
        assert answer.headers["Location"].startswith(address)
        code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
        assert (await hub.redeem(code, redirect_uri=address)).status == 200


# 1.3 The two flows


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"client_id": None}, "missing required parameters: client_id"),
        ({"state": None}, "missing required parameters: state"),
        ({"client_id": "unknown"}, "client not found"),
    ],
)
async def test_what_is_wrong_with_a_request_by_pin_is_shown_as_text(
    hub: Hub, person: Person, changes: dict[str, Any], said: str
) -> None:
    await hub.register(metadata(redirect_uris=[]))
    answer = await person.get(hub.consent_path(redirect_uri=None, **changes), allow_redirects=False)
    assert (answer.status, answer.content_type) == (400, "text/html")
    assert said in await answer.text()


async def test_declining_brings_no_code(registered: Hub, person: Person, server: Running) -> None:
    person.be_signed_in()
    answer = await person.decide(registered.consent_path(), "back")
    assert set(parse_qs(urlsplit(answer.headers["Location"]).query)) == {"state", "error"}
    assert server.store._database.all("SELECT * FROM codes") == []


async def test_a_pin_can_be_challenged_too(hub: Hub, person: Person) -> None:
    await hub.register(metadata(redirect_uris=[]))
    person.be_signed_in()
    answer = await person.decide(hub.consent_path(redirect_uri=None, **PKCE), "accept")
    text = await (await person.get(answer.headers["Location"])).text()
    pin = text.partition("<code>")[2].partition("</code>")[0]
    assert await description(await hub.redeem(pin)) == (400, "code_verifier does not fit the code_challenge")
    assert (await hub.redeem(pin, code_verifier=VERIFIER)).status == 200


async def test_a_code_of_one_flow_is_taken_by_the_endpoint_of_both(hub: Hub, person: Person) -> None:
    await hub.register(metadata(redirect_uris=[]))
    pin = await new_pin(hub, person)
    await hub.change(metadata())
    assert (await hub.redeem(pin)).status == 200
    code = await hub.code(person)
    await hub.change(metadata(redirect_uris=[]))
    assert (await hub.redeem(code)).status == 200


# 1.4 Token request


async def test_the_values_may_be_scattered_and_the_body_wins(registered: Hub, person: Person) -> None:
    code = await registered.code(person)
    query = urlencode({"client_id": registered.client_id, "code": "wrong", "grant_type": "authorization_code"})
    answer = await registered.session.post(
        f"{registered.base}/oauth2/access_token?{query}", data={"code": code, "client_secret": registered.secret}
    )
    assert answer.status == 200


async def test_a_wrong_secret_in_the_header_is_a_wrong_secret(registered: Hub, person: Person) -> None:
    code = await registered.code(person)
    form = {"code": code, "grant_type": "authorization_code"}
    url = f"{registered.base}/oauth2/access_token"
    answer = await registered.session.post(url, data=form, headers=basic(registered.client_id, "wrong"))
    assert (await description(answer))[0] == 401
    assert (await registered.redeem(code)).status == 200


async def test_all_that_is_missing_is_named_at_once(server: Running, session: ClientSession) -> None:
    answer = await session.post(f"{server.base}/oauth2/access_token")
    assert await description(answer) == (
        400,
        "missing required parameters: code, client_id, client_secret, grant_type",
    )


async def test_a_redirect_address_that_is_empty_was_not_sent(registered: Hub, person: Person) -> None:
    assert (await registered.redeem(await registered.code(person), redirect_uri="")).status == 200


def test_the_challenge_of_these_tests_is_the_one_of_rfc_7636() -> None:
    assert CHALLENGE == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert base64.urlsafe_b64decode(f"{CHALLENGE}=") == hashlib.sha256(VERIFIER.encode()).digest()


async def test_answers_of_the_token_endpoint_are_kept_by_nobody(registered: Hub, person: Person) -> None:
    for answer in (await registered.redeem("wrong"), await registered.redeem(await registered.code(person))):
        assert answer.headers["Cache-Control"] == "no-store"


# 1.5 Tokens side by side


async def test_each_consent_brings_a_token_of_its_own(linked: Hub, person: Person) -> None:
    tokens = [linked.token, *[await linked.accepted(person) for _ in range(3)]]
    assert len(set(tokens)) == 4
    for linked.token in tokens:
        assert (await linked.get()).status == 200


# 1.6 Revocation


async def test_revoking_asks_for_no_header_and_minds_none(linked: Hub) -> None:
    url = f"{linked.base}/oauth2/access_tokens/{linked.token}"
    answer = await linked.session.delete(url, headers={"Authorization": "Bearer c.other"}, data="anything")
    assert (answer.status, await answer.read()) == (204, b"")


@pytest.mark.parametrize("token", ["c.unknown", "c.%00", "c.%2F", "x" * 3000])
async def test_revoking_what_is_not_there_is_not_found(linked: Hub, token: str) -> None:
    answer = await linked.session.delete(f"{linked.base}/oauth2/access_tokens/{token}")
    assert await refusal(answer) == (404, "not-found")
    assert (await linked.get()).status == 200


async def test_a_revoked_connection_is_gone_from_the_page(linked: Hub, person: Person) -> None:
    assert "Remove Home Assistant" in await (await person.get("/connections")).text()
    await linked.revoke()
    assert "Nothing is connected to your home" in await (await person.get("/connections")).text()


# 1.7 Presenting the token


async def test_a_token_in_the_query_writes_too(server: Running, linked: Hub, session: ClientSession) -> None:
    url = f"{linked.base}{structure_path(server)}/away?auth={linked.token}"
    assert await (await session.put(url, data='"away"')).json() == "away"
    assert await (await session.get(url)).json() == "away"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_spelled_in_any_case(linked: Hub, scheme: str) -> None:
    answer = await linked.session.get(f"{linked.base}/devices", headers={"Authorization": f"{scheme} {linked.token}"})
    assert answer.status == 200


async def test_a_token_in_the_header_is_asked_before_one_in_the_query(linked: Hub) -> None:
    answer = await linked.session.get(
        f"{linked.base}/devices?auth={linked.token}", headers={"Authorization": "Bearer c.other"}
    )
    assert await refusal(answer) == (401, "auth-error")


async def test_only_an_error_of_registration_has_the_shape_of_oauth(server: Running, session: ClientSession) -> None:
    assert await oauth_error(await session.post(f"{server.base}/oauth2/register", data="x")) == (
        400,
        "invalid_client_metadata",
    )
    assert await refusal(await session.get(f"{server.base}/devices")) == (401, "auth-error")
