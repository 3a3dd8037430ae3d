import json
from typing import Any

from aiohttp import ClientResponse, ClientSession
import pytest

from wwn_server.settings import Settings

from .conftest import Clock, Running
from .hub import EVERYTHING, REDIRECT, Hub, basic, metadata
from .person import Person


async def oauth_error(answer: ClientResponse) -> tuple[int, str]:
    body = await answer.json()
    assert set(body) == {"error", "error_description", "instance_id"}
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status, body["error"]


async def test_a_hub_gets_an_id_and_a_secret_at_version_one(hub: Hub) -> None:
    answer = await hub.register(metadata("thermostat read", "away read/write"))
    body = await answer.json()
    assert answer.status == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert body["client_version"] == 1
    assert len(body["client_secret"]) >= 43
    assert body["redirect_uris"] == [REDIRECT]
    assert [each["name"] for each in body["permissions"]] == ["thermostat read", "away read/write"]


async def test_the_secret_is_kept_as_its_hash_only(server: Running, hub: Hub) -> None:
    await hub.register()
    file = server.settings.data / "wwn-server.sqlite3"
    kept = b"".join(each.read_bytes() for each in file.parent.iterdir())
    assert hub.client_id.encode() in kept
    assert hub.secret.encode() not in kept


async def test_every_permission_there_is_may_be_asked_for(hub: Hub) -> None:
    names = (*EVERYTHING, "thermostat read", "away read")
    assert (await hub.register(metadata(*names))).status == 201


async def test_a_hub_without_a_redirect_address_may_register(hub: Hub) -> None:
    assert (await hub.register(metadata(redirect_uris=[]))).status == 201


def permission(name: Any = "away read", reason: Any = "Because") -> list[dict[str, Any]]:
    return [{"name": name, "reason": reason}]


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uris": None},
        {"redirect_uris": REDIRECT},
        {"redirect_uris": [1]},
        {"redirect_uris": ["http://example.com/"]},
        {"redirect_uris": ["https://a.example/#x"]},
        {"redirect_uris": ["https://user@a.example/"]},
        {"redirect_uris": ["https://a.example/"] * 11},
    ],
)
async def test_a_bad_redirect_address_is_refused(hub: Hub, change: dict[str, Any]) -> None:
    assert await oauth_error(await hub.register(metadata(**change))) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    "change",
    [
        {"client_name": None},
        {"client_name": ""},
        {"client_name": "  "},
        {"client_name": "\u200b\u2060\xad"},
        {"client_name": 5},
        {"client_name": "a" * 101},
        {"client_name": "two\nlines"},
        {"client_name": "back\u202ewards"},
        {"policy_uri": None},
        {"policy_uri": "javascript:alert(1)"},
        {"policy_uri": "a.example/privacy"},
        {"permissions": None},
        {"permissions": []},
        {"permissions": ["away read"]},
        {"permissions": permission(name="thermostat write")},
        {"permissions": permission(name=None)},
        {"permissions": permission(name=["away read"])},
        {"permissions": permission(reason=None)},
        {"permissions": permission(reason=" ")},
        {"permissions": permission(reason="\u200b")},
        {"permissions": permission(reason="a" * 201)},
        {"permissions": permission(reason="a\x00b")},
        {"permissions": permission() * 2},
    ],
)
async def test_a_bad_description_is_refused(hub: Hub, change: dict[str, Any]) -> None:
    assert await oauth_error(await hub.register(metadata(**change))) == (400, "invalid_client_metadata")


async def test_a_reason_of_200_characters_is_short_enough(hub: Hub) -> None:
    assert (await hub.register(metadata(permissions=permission(reason="ä" * 200)))).status == 201


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", json.dumps(metadata())),
        ("application/x-www-form-urlencoded", json.dumps(metadata())),
        ("application/json", "{"),
        ("application/json", "[]"),
        ("application/json", "null"),
        ("application/json", b"\xff\xfe"),
    ],
)
async def test_a_registration_is_a_json_object_and_says_so(
    server: Running, session: ClientSession, content_type: str, body: str
) -> None:
    answer = await session.post(f"{server.base}/oauth2/register", data=body, headers={"Content-Type": content_type})
    assert await oauth_error(answer) == (400, "invalid_client_metadata")


async def test_a_registration_that_is_too_large_is_refused(hub: Hub) -> None:
    answer = await hub.register(metadata(client_name="a" * 70_000))
    assert answer.status == 413
    assert (await answer.json())["type"].endswith("#request-too-large")


class TestLimits:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return Settings(data=settings.data, registrations_per_minute=3)

    async def test_one_address_may_try_only_so_often(self, hub: Hub) -> None:
        for _ in range(3):
            assert (await hub.register()).status == 201
        answer = await hub.register()
        assert await oauth_error(answer) == (429, "too_many_requests")
        assert 0 < int(answer.headers["Retry-After"]) <= 60


class TestCrowd:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return Settings(data=settings.data, registrations_per_minute=1000, pending_registrations=3)

    async def test_only_so_many_may_wait_to_be_accepted(self, hub: Hub, clock: Clock) -> None:
        for _ in range(3):
            assert (await hub.register()).status == 201
            clock.seconds += 60
        answer = await hub.register()
        assert await oauth_error(answer) == (429, "too_many_requests")
        assert answer.headers["Retry-After"] == "3420"
        clock.seconds += 3420
        assert (await hub.register()).status == 201

    async def test_one_that_was_accepted_waits_no_more(self, hub: Hub, person: Person) -> None:
        await hub.link(person)
        for _ in range(3):
            assert (await hub.register()).status == 201


def test_the_limits_are_those_of_the_design() -> None:
    assert (Settings().registrations_per_minute, Settings().pending_registrations) == (10, 100)


async def test_one_that_nobody_accepts_is_gone_after_an_hour(hub: Hub, clock: Clock) -> None:
    await hub.register()
    clock.seconds += 3599
    assert (await hub.change(metadata())).status == 200
    clock.seconds += 2
    assert await oauth_error(await hub.change(metadata())) == (401, "invalid_client")


async def test_one_whose_last_link_ended_is_kept_for_400_days(linked: Hub, clock: Clock) -> None:
    await linked.revoke()
    clock.seconds += 399 * 86400
    assert (await linked.change(metadata())).status == 200
    clock.seconds += 2 * 86400
    assert (await linked.change(metadata())).status == 401


async def test_one_with_a_link_stays(linked: Hub, clock: Clock) -> None:
    clock.seconds += 900 * 86400
    assert (await linked.change(metadata())).status == 200


async def test_other_permissions_or_reasons_make_a_new_version(hub: Hub) -> None:
    await hub.register(metadata("away read"))
    other_reason = metadata("away read", permissions=permission(reason="Something else"))
    versions = [
        (await (await hub.change(body)).json())["client_version"]
        for body in (metadata("away read"), other_reason, metadata("away read/write"), metadata("away read/write"))
    ]
    assert versions == [1, 2, 3, 3]


async def test_another_name_address_or_order_makes_no_new_version(hub: Hub) -> None:
    await hub.register(metadata("away read", "energy read"))
    answer = await hub.change(
        metadata("energy read", "away read", client_name="Hub", redirect_uris=["https://new.example/"])
    )
    body = await answer.json()
    assert body["client_version"] == 1
    assert body["client_name"] == "Hub"
    assert body["redirect_uris"] == ["https://new.example/"]
    assert "client_secret" not in body


async def test_a_bad_change_changes_nothing(hub: Hub, person: Person) -> None:
    await hub.register()
    assert (await hub.change(metadata(redirect_uris=["http://example.com/"]))).status == 400
    person.be_signed_in()
    assert (await person.get(hub.consent_path())).status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_only_the_hub_itself_may_change_or_withdraw(
    server: Running, session: ClientSession, hub: Hub, method: str
) -> None:
    await hub.register()
    other = Hub(server.base, session)
    await other.register()
    url = f"{server.base}/oauth2/register/{hub.client_id}"
    for headers in ({}, basic(hub.client_id, "wrong"), basic(other.client_id, other.secret)):
        answer = await session.request(method, url, json=metadata(), headers=headers)
        assert await oauth_error(answer) == (401, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


async def test_credentials_that_are_no_credentials_are_refused(server: Running, session: ClientSession) -> None:
    for header in ("Basic", "Basic ###", "Basic bm9jb2xvbg==", "Basic /////w==", "Bearer x"):
        answer = await session.delete(f"{server.base}/oauth2/register/x", headers={"Authorization": header})
        assert await oauth_error(answer) == (401, "invalid_client")


async def test_withdrawing_ends_the_links_and_tells_their_streams(linked: Hub) -> None:
    async with linked.stream() as events:
        await events.put()
        assert (await linked.change(None, "DELETE")).status == 204
        assert await events.next() == ("auth_revoked", linked.token)
    assert (await linked.get()).status == 401
    assert (await linked.change(metadata())).status == 401
