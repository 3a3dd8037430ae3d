"""What a hub that asks for something else than before may do until somebody accepts that (protocol 2.4)."""

import pytest

from .conftest import Running
from .hub import Hub, metadata, refusal
from .person import Person
from .test_writes import structure_path


@pytest.fixture
async def old(hub: Hub, person: Person) -> Hub:
    """A hub with a link to the first version of what it asked for."""
    await hub.link(person, "away read")
    return hub


async def held(hub: Hub) -> tuple[int, list[str]]:
    said = (await hub.read())["metadata"]
    return said["client_version"], said["permissions"]


async def test_an_old_token_reads_and_writes_by_the_old_set(server: Running, old: Hub) -> None:
    answer = await old.change(metadata("away read/write", "postal code read"))
    path = structure_path(server)
    assert (await answer.json())["client_version"] == 2
    assert await held(old) == (1, ["away read"])
    assert await refusal(await old.get(f"{path}/postal_code")) == (404, "not-found")
    assert await refusal(await old.put(path, {"away": "away"})) == (400, "no-write-permission")


async def test_accepting_again_gives_the_old_token_the_new_set_in_reads_writes_and_streams(
    server: Running, old: Hub, person: Person
) -> None:
    path = structure_path(server)
    await old.change(metadata("away read/write", "postal code read"))
    async with old.stream() as root, old.stream(path) as deeper:
        assert "postal_code" not in (await root.put())["structures"][path.rpartition("/")[2]]
        assert "postal_code" not in await deeper.put()
        await old.code(person)
        said = (await root.put())["metadata"]
        assert (said["client_version"], said["permissions"]) == (2, ["away read/write", "postal code read"])
        assert (await deeper.put())["postal_code"] == "W1A 1AA"
    assert (await old.put(path, {"away": "away"})).status == 200


async def test_asking_for_less_takes_nothing_from_an_old_token_until_it_is_accepted(
    server: Running, old: Hub, person: Person
) -> None:
    path = f"{structure_path(server)}/away"
    await old.change(metadata("energy read"))
    async with old.stream(path) as events:
        assert await events.put() == "home"
        await old.code(person)
        assert await events.put() is None
    assert await held(old) == (2, ["energy read"])
    assert await refusal(await old.get(path)) == (404, "not-found")


async def test_going_back_leaves_the_old_set(old: Hub, person: Person) -> None:
    await old.change(metadata("away read/write"))
    async with old.stream("/metadata/client_version") as events:
        assert await events.put() == 1
        await person.decide(old.consent_path(), "back")
        await old.code(person)
        assert await events.put() == 2


async def test_another_member_may_accept_for_the_home(old: Hub, person: Person) -> None:
    await old.change(metadata("away read/write"))
    person.be_signed_in("ben")
    answer = await person.decide(old.consent_path(), "accept")
    assert answer.status == 303
    assert await held(old) == (2, ["away read/write"])


async def test_a_code_gives_what_was_on_the_page_though_the_hub_asks_for_more_by_then(old: Hub, person: Person) -> None:
    code = await old.code(person)
    await old.change(metadata("away read/write", "thermostat read"))
    old.token = (await (await old.redeem(code)).json())["access_token"]
    assert await held(old) == (1, ["away read"])


async def test_another_reason_is_another_version_with_the_same_names(old: Hub, person: Person) -> None:
    asked = [{"name": "away read", "reason": "We changed our mind"}]
    await old.change(metadata(permissions=asked))
    assert await held(old) == (1, ["away read"])
    await old.code(person)
    assert await held(old) == (2, ["away read"])


async def test_the_token_in_the_document_is_the_one_of_the_request(server: Running, old: Hub, person: Person) -> None:
    new = await old.accepted(person)
    for token in (old.token, new):
        for answer in (
            await old.session.get(f"{old.base}/", headers={"Authorization": f"Bearer {token}"}),
            await old.session.get(f"{old.base}/?auth={token}"),
        ):
            assert (await answer.json())["metadata"]["access_token"] == token
    kept = b"".join(each.read_bytes() for each in server.settings.data.iterdir())
    assert old.token.encode() not in kept
    assert new.encode() not in kept
