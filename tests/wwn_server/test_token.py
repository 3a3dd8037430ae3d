import base64
import hashlib
import re
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from aiohttp import ClientSession
import pytest

from .conftest import Clock, Running
from .hub import REDIRECT, Hub, basic, refusal
from .person import Person

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


@pytest.fixture
async def code(hub: Hub, person: Person) -> str:
    await hub.register()
    return await hub.code(person)


async def description(answer: Any) -> tuple[int, str]:
    body = await answer.json()
    assert set(body) == {"error", "error_description", "instance_id"}
    assert body["error"] == "oauth2_error"
    assert UUID(body["instance_id"])
    return answer.status, body["error_description"]


async def test_a_code_becomes_a_token_of_ten_years(hub: Hub, code: str) -> None:
    answer = await hub.redeem(code)
    body = await answer.json()
    assert answer.status == 200
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(body) == {"access_token", "expires_in"}
    assert body["expires_in"] == 315360000
    assert re.fullmatch(r"c\.[A-Za-z0-9_-]{138,148}", body["access_token"])


async def test_the_four_values_may_stand_in_the_query(hub: Hub, code: str, session: ClientSession) -> None:
    query = {
        "code": code,
        "client_id": hub.client_id,
        "client_secret": hub.secret,
        "grant_type": "authorization_code",
    }
    answer = await session.post(f"{hub.base}/oauth2/access_token?{urlencode(query)}")
    assert answer.status == 200


async def test_the_credentials_may_stand_in_the_header(hub: Hub, code: str, session: ClientSession) -> None:
    answer = await session.post(
        f"{hub.base}/oauth2/access_token",
        data={"code": code, "grant_type": "authorization_code"},
        headers=basic(hub.client_id, hub.secret),
    )
    assert answer.status == 200


@pytest.mark.parametrize("name", ["code", "client_id", "client_secret", "grant_type"])
async def test_each_value_is_needed(hub: Hub, code: str, name: str) -> None:
    answer = await hub.redeem(code, **{name: None})
    assert await description(answer) == (400, f"missing required parameters: {name}")


async def test_a_code_works_once(hub: Hub, code: str) -> None:
    assert (await hub.redeem(code)).status == 200
    assert await description(await hub.redeem(code)) == (400, "authorization code not found")


async def test_an_unknown_code_is_not_found(hub: Hub, code: str) -> None:
    assert await description(await hub.redeem(code[::-1])) == (400, "authorization code not found")


async def test_a_code_lives_for_ten_minutes(hub: Hub, code: str, clock: Clock) -> None:
    clock.seconds += 600
    assert await description(await hub.redeem(code)) == (400, "authorization code expired")
    clock.seconds -= 1
    assert (await hub.redeem(code)).status == 200


async def test_a_code_is_of_no_use_to_another_hub(server: Running, session: ClientSession, hub: Hub, code: str) -> None:
    other = Hub(server.base, session)
    await other.register()
    assert await description(await other.redeem(code)) == (400, "authorization code not found")
    assert (await hub.redeem(code)).status == 200


@pytest.mark.parametrize("change", [{"client_secret": "wrong"}, {"client_id": "unknown"}])
async def test_wrong_credentials_do_not_use_up_the_code(hub: Hub, code: str, change: dict[str, str]) -> None:
    status, _ = await description(await hub.redeem(code, **change))
    assert status == 401
    assert (await hub.redeem(code)).status == 200


async def test_only_codes_are_exchanged(hub: Hub, code: str) -> None:
    answer = await hub.redeem(code, grant_type="refresh_token")
    assert await description(answer) == (400, "grant_type must be authorization_code")


async def test_a_redirect_address_that_is_sent_must_be_the_one(hub: Hub, code: str) -> None:
    answer = await hub.redeem(code, redirect_uri="https://other.example/")
    assert await description(answer) == (400, "redirect_uri is not the one the code was sent to")
    assert (await hub.redeem(code, redirect_uri=REDIRECT)).status == 200


@pytest.mark.parametrize("verifier", [None, "", "wrong" * 10, CHALLENGE])
async def test_a_challenged_code_needs_its_verifier(hub: Hub, person: Person, verifier: str | None) -> None:
    await hub.register()
    code = await hub.code(person, **PKCE)
    answer = await hub.redeem(code, code_verifier=verifier)
    assert await description(answer) == (400, "code_verifier does not fit the code_challenge")
    assert (await hub.redeem(code, code_verifier=VERIFIER)).status == 200


async def test_a_verifier_without_a_challenge_is_refused_and_uses_nothing_up(hub: Hub, code: str) -> None:
    answer = await hub.redeem(code, code_verifier=VERIFIER)
    assert answer.status == 400
    assert "code_verifier" in (await answer.json())["error_description"]
    assert (await hub.redeem(code)).status == 200


@pytest.mark.parametrize("body", [b"\xff\xfe", b"&".join(b"a%d=1" % each for each in range(200))])
async def test_a_form_that_can_not_be_read_is_refused(hub: Hub, session: ClientSession, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await session.post(f"{hub.base}/oauth2/access_token", data=body, headers=headers)
    assert answer.status == 400


async def test_a_code_of_a_hub_that_withdrew_is_worth_nothing(hub: Hub, code: str) -> None:
    await hub.change(None, "DELETE")
    assert (await description(await hub.redeem(code)))[0] == 401


async def test_revoking_needs_the_token_only_and_works_once(linked: Hub) -> None:
    answer = await linked.revoke()
    assert (answer.status, await answer.read()) == (204, b"")
    assert (await linked.revoke()).status == 404
    assert await refusal(await linked.get()) == (401, "auth-error")


async def test_revoking_one_token_leaves_the_others(linked: Hub, person: Person) -> None:
    other = await linked.accepted(person)
    await linked.revoke(other)
    assert (await linked.get()).status == 200


async def test_codes_and_tokens_are_kept_as_hashes_only(server: Running, linked: Hub, person: Person) -> None:
    code = await linked.code(person)
    kept = b"".join(each.read_bytes() for each in server.settings.data.iterdir())
    assert linked.client_id.encode() in kept
    assert linked.token.encode() not in kept
    assert code.encode() not in kept
    assert hashlib.sha256(linked.token.encode()).digest() in kept
