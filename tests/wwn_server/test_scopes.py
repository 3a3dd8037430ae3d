"""What a token sees and writes, for every set of permissions there can be: at each path, and in streams.

What is expected is worked out here from a table of its own, held against protocol 2.2, 3.3, 3.4 and 3.5.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
import json
from typing import Any

import pytest

from wwn_server.context import CONTEXT
from wwn_server.document import ALARMS, DEVICES, MISSING, STRUCTURES, THERMOSTATS, Document, look_up
from wwn_server.homes.simulated import SimulatedHome
from wwn_server.permissions import KNOWN_FIELDS, PERMISSIONS
from wwn_server.settings import Settings
from wwn_server.views import Metadata, Scope, Views

from .conftest import Running
from .hub import Hub, refusal
from .person import Person
from .test_permissions import AWAY, SHOWN_WITH, SMOKE, THERMOSTAT

DEVICES_WITH = {THERMOSTATS: THERMOSTAT, ALARMS: SMOKE}
WRITTEN_WITH = {
    THERMOSTATS: dict.fromkeys(
        (
            *(f"target_temperature{bound}_{unit}" for bound in ("", "_low", "_high") for unit in "cf"),
            "hvac_mode",
            "fan_timer_active",
            "fan_timer_duration",
            "label",
            "temperature_scale",
        ),
        "thermostat read/write",
    ),
    ALARMS: {},
    STRUCTURES: {"away": "away read/write", "eta": "eta write", "name": "structure read/write"},
}
WRITE_ONLY = {"eta"}

SETS = tuple(
    frozenset(names) for size in range(len(PERMISSIONS) + 1) for names in combinations(sorted(PERMISSIONS), size)
)


def complete() -> Document:
    """Return a home in which every field is there that any permission shows."""
    document = SimulatedHome("complete").document
    groups = {
        name: {
            key: dict.fromkeys(sorted(KNOWN_FIELDS[name] - WRITE_ONLY), "said") | dict(thing)
            for key, thing in document.group(name).items()
        }
        for name in (THERMOSTATS, ALARMS, STRUCTURES)
    }
    return Document(groups)


def expected(document: Document, permissions: frozenset[str]) -> dict[str, Any]:
    """Return the tree that these permissions are to show."""
    devices = {name: document.group(name) for name, needed in DEVICES_WITH.items() if needed & permissions}
    shown = {name for name, needed in SHOWN_WITH.items() if needed & permissions}
    structures = {
        key: {name: value for name, value in thing.items() if name in shown}
        for key, thing in document.group(STRUCTURES).items()
        if permissions
    }
    return ({DEVICES: devices} if devices else {}) | ({STRUCTURES: structures} if structures else {})


def paths(value: Any, here: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield here
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from paths(child, (*here, str(key)))


def test_every_set_shows_its_own_fields_at_every_path_and_no_other() -> None:
    document, views = complete(), Views()
    homes = frozenset(document.group(STRUCTURES))
    everywhere = [path for path in paths(document.tree()) if path]
    assert len(SETS) == 512
    assert len(everywhere) > 200
    for permissions in SETS:
        tree = expected(document, permissions)
        scope = Scope(homes, permissions)
        for path in everywhere:
            value = views.value(document, scope, Metadata({}), path)
            wanted = look_up(tree, path)
            assert (MISSING if value is None else json.loads(value)) == wanted, (sorted(permissions), path)


def test_ids_of_devices_that_can_not_be_opened_are_listed() -> None:
    document, views = complete(), Views()
    homes = frozenset(document.group(STRUCTURES))
    (structure,) = document.group(STRUCTURES).values()
    for name, group, listed in (
        ("thermostat read", ALARMS, "smoke_co_alarms"),
        ("smoke+co read", THERMOSTATS, "thermostats"),
        ("away read", THERMOSTATS, "thermostats"),
        ("eta write", ALARMS, "smoke_co_alarms"),
    ):
        tree = views.tree(document, Scope(homes, frozenset({name})))
        assert tree[STRUCTURES][structure["structure_id"]][listed] == list(document.group(group))
        assert group not in tree.get(DEVICES, {})


class TestOnTheWire:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, limits=False)

    def give(self, server: Running, permissions: frozenset[str]) -> None:
        """Let the one link there is hold other permissions, as taking back and accepting do."""
        database = server.store._database
        database.change("UPDATE links SET permissions = ?", json.dumps(sorted(permissions)))
        row = database.one("SELECT id FROM links")
        link = server.store.links.get(row["id"] if row else 0)
        assert link is not None
        server.app[CONTEXT].streams.follow(link)

    async def test_a_stream_and_a_read_show_every_set_as_it_is(self, server: Running, linked: Hub) -> None:
        async with linked.stream() as events:
            await events.put()
            for permissions in SETS:
                self.give(server, permissions)
                put = await events.put()
                assert put == await linked.read()
                assert put.pop("metadata")["permissions"] == sorted(permissions)
                assert put == expected(server.home.document, permissions)

    @pytest.mark.parametrize("name", sorted(PERMISSIONS))
    async def test_each_permission_writes_its_own_fields_and_no_other(
        self, server: Running, linked: Hub, name: str
    ) -> None:
        self.give(server, frozenset({name}))
        document = server.home.document
        for group, fields in KNOWN_FIELDS.items():
            key = next(iter(document.group(group)))
            path = f"/{group}/{key}" if group == STRUCTURES else f"/{DEVICES}/{group}/{key}"
            for field in sorted(fields):
                answer = await linked.put(path, {field: []})
                may_see = group == STRUCTURES or name in DEVICES_WITH[group]
                may_write = WRITTEN_WITH[group].get(field) == name
                outcome = (400, "invalid-content-sent") if may_write else (400, "no-write-permission")
                assert await refusal(answer) == (outcome if may_see else (404, "not-found")), (name, field)
        assert server.home.document == document

    async def test_a_token_without_any_permission_has_its_metadata_alone(self, server: Running, linked: Hub) -> None:
        self.give(server, frozenset())
        assert set(await linked.read()) == {"metadata"}
        for path in ("/devices", "/structures"):
            assert await refusal(await linked.get(path)) == (404, "not-found")


async def test_two_hubs_side_by_side_see_each_their_own(server: Running, hub: Hub, person: Person) -> None:
    other = Hub(server.base, hub.session)
    await hub.link(person, *sorted(AWAY)[:1])
    await other.link(person, "postal code read")
    async with hub.stream("/structures") as events, other.stream("/structures") as others:
        (ours,), (theirs,) = (await events.put()).values(), (await others.put()).values()
    assert "away" in ours
    assert "postal_code" not in ours
    assert "postal_code" in theirs
    assert "away" not in theirs
