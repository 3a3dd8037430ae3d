"""What was taken back is not answered once more on a connection that is open, whoever took it back."""

from collections.abc import Callable, Iterator
from contextlib import closing
import json
from pathlib import Path

from aiohttp import ClientSession
import pytest

from wwn_server.store import Link, Store

from .conftest import Clock, Running
from .hub import Hub
from .test_store import link
from .test_writes import structure_path

type Act = Callable[[Store, Link, str], object]


@pytest.fixture(params=["this process", "another"])
def writer(request: pytest.FixtureRequest, server: Running) -> Iterator[Store]:
    """Who writes: the server itself, or somebody who opened the same file."""
    if request.param == "this process":
        yield server.store
        return
    with closing(Store(server.settings.data, server.clock)) as other:
        yield other


def forget_hub(store: Store, link: Link, _: str) -> None:
    client = store.clients.get(link.client_id)
    assert client is not None
    store.clients.remove(client)


def remove_who_made_it(store: Store, link: Link, _: str) -> None:
    owner, maker = store.accounts.owner(), store.accounts.get(link.account_id)
    assert owner is not None
    assert maker is not None
    store.remove_member(maker, owner, ())


ENDS: dict[str, Act] = {
    "a person removes the link": lambda store, link, _: store.links.remove(link.id),
    "the hub gives its token back": lambda store, _, token: store.links.remove_token(token),
    "the hub is forgotten": forget_hub,
    "who made the link is removed": remove_who_made_it,
}


async def test_a_token_that_was_good_a_moment_ago_is_worth_nothing_once_its_link_has_ended(
    server: Running, session: ClientSession, writer: Store
) -> None:
    found = {}
    for why, end in ENDS.items():
        token, link_id = link(server.store, "ben")
        hub = Hub(server.base, session)
        hub.token = token
        before = [(await hub.get()).status for _ in range(2)]
        kept = writer.links.get(link_id)
        assert kept is not None
        end(writer, kept, token)
        found[why] = (*before, (await hub.get()).status)
    assert found == dict.fromkeys(ENDS, (200, 200, 401))


async def test_what_is_taken_back_is_not_read_once_more(server: Running, linked: Hub, writer: Store) -> None:
    home = structure_path(server)
    kept = writer.links.by_token(linked.token)
    assert kept is not None
    statuses = [(await linked.get(path)).status for path in (f"{home}/postal_code", home)]
    kept = writer.links.take_back(kept, "postal code read")
    statuses.append((await linked.get(f"{home}/postal_code")).status)
    writer.links.take_home_back(kept, home.rpartition("/")[2])
    statuses.append((await linked.get(home)).status)
    statuses.append((await linked.put(home, {"away": "away"})).status)
    assert statuses == [200, 200, 404, 404, 404]


def test_nothing_is_remembered_that_was_rolled_back(store: Store) -> None:
    token, link_id = link(store)
    seen, made = [], []

    def change_and_fail() -> None:
        with store._database.transaction():
            store.links.remove(link_id)
            seen.append(store.links.by_token(token) is None)
            made.append(link(store)[0])
            seen.append(store.links.by_token(made[0]) is not None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_and_fail()
    assert seen == [True, True]
    assert [store.links.by_token(each) is not None for each in (token, *made)] == [True, False]


def test_what_another_wrote_counts_within_the_very_next_statement(store: Store, clock: Clock, tmp_path: Path) -> None:
    token, _ = link(store)
    with closing(Store(tmp_path / "data", clock)) as other:
        found = []
        for permissions in (["away read"], ["energy read"]) * 3:
            other._database.change("UPDATE links SET permissions = ?", json.dumps(permissions))
            told = store.links.by_token(token)
            found.append(told and sorted(told.permissions))
            assert told == store.links.by_token(token)
    assert found == [["away read"], ["energy read"]] * 3
