"""What was taken back is not answered once more on a connection that is open, whoever took it back."""

from collections.abc import Callable, Iterator
from contextlib import closing

from aiohttp import ClientSession
import pytest

from wwn_server.store import Link, Store

from .conftest import Running
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
