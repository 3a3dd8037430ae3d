"""What another process changes in the store reaches open streams within a second."""

import asyncio
from pathlib import Path

import pytest

from wwn_server.store import Store

from .conftest import Running
from .hub import Hub
from .person import Person


async def test_a_link_that_is_removed_elsewhere_ends_its_streams(server: Running, linked: Hub) -> None:
    async with linked.stream() as events:
        await events.put()
        other = Store(server.settings.data)
        link = other.links.by_token(linked.token)
        assert link is not None
        other.links.remove(link.id)
        other.close()
        assert await events.next() == ("auth_revoked", linked.token)
    assert (await linked.get()).status == 401


async def test_a_permission_that_is_taken_back_elsewhere_shows_in_the_next_event(server: Running, linked: Hub) -> None:
    async with linked.stream("/metadata/permissions") as events:
        assert "away read/write" in await events.put()
        other = Store(server.settings.data)
        link = other.links.by_token(linked.token)
        assert link is not None
        other.links.take_back(link, "away read/write")
        other.close()
        assert "away read/write" not in await events.put()


async def test_an_open_page_ends_with_a_session_that_is_ended_elsewhere(server: Running, person: Person) -> None:
    person.be_signed_in("ben")
    headers = {"Accept": "text/event-stream"}
    async with person.browser.get(f"{server.base}/console/events", headers=headers) as feed:
        await feed.content.readuntil(b"\n\n")
        other = Store(server.settings.data)
        ben, _ = other.accounts.credentials("ben") or pytest.fail("ben has no account")
        other.remove_member(ben, ben, ())
        other.close()
        async with asyncio.timeout(10):
            assert await feed.content.read() == b"event: signed-out\ndata: null\n\n"


def test_only_what_others_write_counts(store: Store, tmp_path: Path) -> None:
    assert not store.changed_elsewhere()
    store.rename("Villa")
    assert not store.changed_elsewhere()
    other = Store(tmp_path / "data")
    other.rename("Nest")
    assert [store.changed_elsewhere(), store.changed_elsewhere()] == [True, False]
    other.close()
