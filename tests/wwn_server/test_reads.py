from collections.abc import Iterator
from typing import Any

from aiohttp import ClientSession
import pytest

from .conftest import Running
from .hub import Hub, refusal
from .person import Person


def first(group: dict[str, Any]) -> str:
    return next(iter(group))


async def test_the_root_is_metadata_devices_and_structures(server: Running, linked: Hub) -> None:
    answer = await linked.get()
    document = await answer.json()
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert list(document) == ["metadata", "devices", "structures"]
    assert document["devices"] == {
        "thermostats": server.home.document.group("thermostats"),
        "smoke_co_alarms": server.home.document.group("smoke_co_alarms"),
    }


async def test_the_metadata_is_the_tokens_own(linked: Hub, person: Person) -> None:
    metadata = (await linked.read())["metadata"]
    assert metadata["access_token"] == linked.token
    assert metadata["client_version"] == 1
    assert metadata["user_id"].startswith("z.1.1.")
    assert "thermostat read/write" in metadata["permissions"]
    linked.token = await linked.accepted(person)
    assert (await linked.read())["metadata"] == metadata | {"access_token": linked.token}


async def test_two_hubs_get_different_ids_for_a_person_and_the_same_for_a_device(
    server: Running, session: ClientSession, linked: Hub, person: Person
) -> None:
    other = Hub(server.base, session)
    await other.link(person)
    ours, theirs = await linked.read(), await other.read()
    assert ours["metadata"]["user_id"] != theirs["metadata"]["user_id"]
    assert ours["structures"] == theirs["structures"]
    assert ours["devices"] == theirs["devices"]


def nodes(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    yield path or "/", value
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from nodes(f"{path}/{key}", child)


async def test_every_node_and_leaf_has_an_address(linked: Hub) -> None:
    document = await linked.read()
    (structure,) = document["structures"].values()
    thermostat = next(iter(document["devices"]["thermostats"].values()))
    structure_path = f"/structures/{structure['structure_id']}"
    thermostat_path = f"/devices/thermostats/{thermostat['device_id']}"
    places = dict(nodes("/metadata", document["metadata"]))
    places |= dict(nodes(structure_path, structure)) | dict(nodes(thermostat_path, thermostat))
    assert len(places) > 90
    for path, value in places.items():
        assert await linked.read(path) == value


@pytest.mark.parametrize("suffix", ["/", ".json", "?x=1"])
async def test_a_slash_or_json_at_the_end_says_nothing(linked: Hub, suffix: str) -> None:
    assert await linked.read(f"/devices{suffix}") == await linked.read("/devices")


async def test_the_root_may_be_called_json_too(linked: Hub) -> None:
    assert await linked.read("/.json") == await linked.read("/")


async def test_the_token_may_stand_in_the_query(linked: Hub, session: ClientSession) -> None:
    answer = await session.get(f"{linked.base}/devices?auth={linked.token}")
    assert await answer.json() == await linked.read("/devices")


async def test_a_browser_with_a_token_gets_the_document(linked: Hub) -> None:
    linked_headers = {"Accept": "text/html", **linked.bearer}
    answer = await linked.session.get(linked.base + "/", headers=linked_headers)
    assert (await answer.json())["metadata"]["access_token"] == linked.token


@pytest.mark.parametrize("path", ["/nothing", "/login/oauth2/", "/devices"])
async def test_a_person_at_an_address_without_a_page_reads_that_on_one(linked: Hub, path: str) -> None:
    answer = await linked.session.get(linked.base + path, headers={"Accept": "text/html"})
    assert (answer.status, answer.content_type) == (404, "text/html")
    assert "There is no page at this address." in await answer.text()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_without_a_token_that_stands_everything_is_refused(
    server: Running, session: ClientSession, method: str
) -> None:
    for path in ("/", "/devices", "/nothing", "/devices?auth=", "/devices?auth=c.unknown"):
        for header in ("", "Bearer", "Bearer c.unknown", "Basic c.unknown"):
            answer = await session.request(method, server.base + path, headers={"Authorization": header})
            assert await refusal(answer) == (401, "auth-error")


async def test_a_cookie_is_not_a_token(linked: Hub, person: Person) -> None:
    person.be_signed_in()
    answer = await person.get("/devices", headers={"Accept": "application/json"})
    assert await refusal(answer) == (401, "auth-error")


async def test_where_there_is_nothing_it_is_said(linked: Hub) -> None:
    for path in (
        "/nothing",
        "/devices/cameras",
        "/devices/thermostats/unknown",
        "/structures/unknown/away",
        "/metadata/unknown",
        "/metadata/access_token/x",
        "//devices",
        "/devices//",
        "/__class__",
        "/devices/%00",
        "/devices/%2e%2e%2f",
        "/devices.json.json",
    ):
        assert await refusal(await linked.get(path)) == (404, "not-found"), path


async def test_other_verbs_are_refused(linked: Hub) -> None:
    for method in ("POST", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
        answer = await linked.session.request(method, linked.base + "/devices", headers=linked.bearer)
        assert await refusal(answer) == (405, "method-not-allowed")


async def test_head_is_a_read_without_a_body(linked: Hub) -> None:
    answer = await linked.session.head(linked.base + "/devices", headers=linked.bearer)
    assert answer.status == 200
    assert int(answer.headers["Content-Length"]) > 1000


async def test_a_hub_sees_only_what_it_was_given(hub: Hub, person: Person) -> None:
    await hub.link(person, "smoke+co read")
    document = await hub.read()
    (structure,) = document["structures"].values()
    assert list(document["devices"]) == ["smoke_co_alarms"]
    assert len(structure["thermostats"]) == 2
    answer = await hub.get(f"/devices/thermostats/{structure['thermostats'][0]}")
    assert await refusal(answer) == (404, "not-found")
    assert await refusal(await hub.get(f"/structures/{structure['structure_id']}/postal_code")) == (404, "not-found")


async def test_a_home_that_is_not_shared_is_not_there(server: Running, hub: Hub, person: Person) -> None:
    server.store._database.change("DELETE FROM members")
    await hub.link(person)
    assert set(await hub.read()) == {"metadata"}
    structure_id = first(dict(server.home.document.group("structures")))
    assert (await hub.get(f"/structures/{structure_id}")).status == 404


async def test_a_page_says_so_when_there_is_no_home_to_share(server: Running, hub: Hub, person: Person) -> None:
    server.store._database.change("DELETE FROM members")
    await hub.register()
    person.be_signed_in()
    assert "You belong to no home" in await (await person.get(hub.consent_path())).text()


async def test_a_link_notes_when_it_was_last_used(server: Running, linked: Hub) -> None:
    await linked.get()
    used = server.store._database.one("SELECT last_used FROM links")
    assert used is not None
    assert used["last_used"] == server.clock.seconds
