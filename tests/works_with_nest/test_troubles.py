"""Repairs of a link: each says what is wrong, and goes away by itself."""

from datetime import timedelta
from typing import Any

from homeassistant.components import system_health as core_system_health
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.works_with_nest import system_health, troubles
from custom_components.works_with_nest.const import DOMAIN

from .conftest import ALL_PERMISSIONS, SERVER_ID, TOKEN, FixtureService, SetUp, until
from .test_init import HALLWAY


def issue(hass: HomeAssistant, kind: str, entry: Any) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"{kind}_{entry.entry_id}")


def grant(document: dict[str, Any], *permissions: str) -> None:
    document.setdefault("metadata", {})["permissions"] = list(permissions)


async def test_a_link_that_is_down_for_long_is_said_with_its_cause_until_it_is_up(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    short_clocks: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(troubles, "DOWN_FOR_LONG", 0.3)
    entry = await link()
    service.status = service.stream_status = 503
    service.send(None)
    await until(lambda: issue(hass, "link_down", entry), 10)
    said = issue(hass, "link_down", entry)
    assert said.translation_placeholders["home"] == "Home"
    assert said.translation_placeholders["cause"].startswith("The Works with Nest server has a problem of its own")
    assert not said.is_fixable
    service.status = service.stream_status = 200
    await until(lambda: not issue(hass, "link_down", entry), 10)


async def test_a_link_that_is_only_silent_is_said_to_be(
    hass: HomeAssistant, service: FixtureService, link: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(troubles, "DOWN_FOR_LONG", 0.05)
    entry = await link()
    await until(lambda: entry.runtime_data.statistics.puts)
    entry.runtime_data.async_lost()
    await until(lambda: issue(hass, "link_down", entry))
    assert issue(hass, "link_down", entry).translation_placeholders["cause"] == "nothing was heard from the server"


async def test_a_link_that_was_ended_is_linked_again_and_no_repair(
    hass: HomeAssistant, service: FixtureService, link: SetUp, short_clocks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(troubles, "DOWN_FOR_LONG", 0.05)
    entry = await link()
    await until(lambda: service.streams)
    looked: list[Any] = []
    say = troubles.LinkWatch._say

    async def counted(watch: troubles.LinkWatch, now: Any) -> None:
        await say(watch, now)
        looked.append(now)

    monkeypatch.setattr(troubles.LinkWatch, "_say", counted)
    service.status = service.stream_status = 401
    service.send(f'event: auth_revoked\ndata: "{TOKEN}"\n\n'.encode())
    await until(lambda: looked)
    assert issue(hass, "link_down", entry) is None
    assert [flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()] == ["reauth"]


async def test_a_link_that_cannot_be_loaded_for_long_is_said_too(
    hass: HomeAssistant, service: FixtureService, link: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.status = 503
    entry = await link()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert issue(hass, "link_down", entry) is None
    monkeypatch.setattr(troubles, "BORN", dt_util.utcnow() - timedelta(minutes=31))
    await hass.config_entries.async_reload(entry.entry_id)
    assert issue(hass, "link_down", entry) is not None
    service.status = 200
    await hass.config_entries.async_reload(entry.entry_id)
    assert issue(hass, "link_down", entry) is None


async def test_a_grant_that_is_taken_back_is_said_within_one_push_until_it_is_back(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    grant(service.document, *ALL_PERMISSIONS)
    entry = await link()
    await until(lambda: service.streams)
    service.push(lambda document: grant(document, "thermostat read", "smoke+co read"))
    await until(lambda: issue(hass, "permissions_missing", entry))
    said = issue(hass, "permissions_missing", entry)
    assert said.translation_placeholders == {"home": "Home", "data": "Thermostats, Home and away"}
    (presence,) = hass.states.async_all("select")
    assert presence.state == "unavailable"
    service.push(lambda document: grant(document, *ALL_PERMISSIONS))
    await until(lambda: not issue(hass, "permissions_missing", entry))


async def test_alarms_that_two_documents_list_and_do_not_show_are_said_to_be_withheld_until_they_are_back(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    entry = await link()
    alarms, polls = service.document["devices"]["smoke_co_alarms"], service.count("GET")
    service.push(lambda document: document["devices"].pop("smoke_co_alarms"))
    await until(lambda: issue(hass, "permissions_missing", entry))
    # The second document was asked for at once.
    assert service.count("GET") == polls + 1
    said = issue(hass, "permissions_missing", entry)
    assert said.translation_placeholders == {"home": "Home", "data": "Smoke and carbon monoxide"}
    assert hass.states.get("binary_sensor.kitchen_nest_protect_smoke").state == "unavailable"
    service.push(lambda document: document["devices"].update(smoke_co_alarms=alarms))
    await until(lambda: not issue(hass, "permissions_missing", entry))


async def test_one_document_without_what_it_lists_says_nothing_of_permissions(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    entry = await link()
    whole, polls = service.document, service.count("GET")
    service.push(lambda document: document["devices"].pop("thermostats"))
    service.document = whole
    await until(lambda: service.count("GET") > polls and entry.runtime_data.data.thermostats)
    await hass.async_block_till_done()
    assert issue(hass, "permissions_missing", entry) is None
    assert entry.runtime_data.missing_permissions == frozenset()


async def test_a_write_that_is_refused_for_lack_of_permission_is_said_until_other_wishes_are_accepted(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    entry = await link()
    (presence,) = hass.states.async_entity_ids("select")
    service.write_error = {
        "error": "No write permission(s) for field(s): away",
        "type": "https://developers.nest.com/documentation/cloud/error-messages#no-write-permission",
        "message": "No write permission(s) for field(s): away",
    }
    with pytest.raises(HomeAssistantError, match="No write permission"):
        await hass.services.async_call(
            "select", "select_option", {"entity_id": presence, "option": "away"}, blocking=True
        )
    await until(lambda: issue(hass, "permissions_missing", entry))
    said = issue(hass, "permissions_missing", entry)
    assert said.translation_placeholders == {"home": "Home", "data": "Home and away"}
    assert hass.states.get(presence).state == "unavailable"
    service.push(lambda document: document["metadata"].update(client_version=4))
    await until(lambda: not issue(hass, "permissions_missing", entry))
    assert hass.states.get(presence).state != "unavailable"


async def test_a_write_that_is_refused_for_another_reason_says_nothing_of_permissions(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    entry = await link()
    (presence,) = hass.states.async_entity_ids("select")
    service.write_error = {"error": "Invalid content sent", "type": "x#invalid-content-sent", "message": "No"}
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(
            "select", "select_option", {"entity_id": presence, "option": "away"}, blocking=True
        )
    await hass.async_block_till_done(wait_background_tasks=False)
    assert entry.runtime_data.missing_permissions == frozenset()


async def fix(hass_client: ClientSessionGenerator, issue_id: str) -> tuple[Any, dict[str, Any]]:
    client = await hass_client()
    response = await client.post("/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue_id})
    assert response.status == 200
    return client, await response.json()


@pytest.fixture
async def without_alarms(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, service: FixtureService, link: SetUp
) -> Any:
    """Return a link whose alarms were taken back."""
    assert await async_setup_component(hass, "repairs", {})
    grant(service.document, *ALL_PERMISSIONS)
    entry = await link()
    await until(lambda: service.streams)

    def withhold(document: dict[str, Any]) -> None:
        grant(document, "thermostat read/write", "away read/write")
        del document["devices"]["smoke_co_alarms"]

    service.push(withhold)
    await until(lambda: issue(hass, "permissions_missing", entry))
    return entry


async def test_the_fix_leads_to_the_dialogue_that_asks_again(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, without_alarms: Any
) -> None:
    client, step = await fix(hass_client, f"permissions_missing_{without_alarms.entry_id}")
    assert (step["type"], step["menu_options"]) == ("menu", ["ask_again", "do_without"])
    url = f"/api/repairs/issues/fix/{step['flow_id']}"
    result = await (await client.post(url, json={"next_step_id": "ask_again"})).json()
    assert (result["type"], result["reason"]) == ("abort", "ask_again")
    kind, flow_id = result["next_flow"]
    flow = hass.config_entries.flow.async_get(flow_id)
    assert (kind, flow["context"]["source"], flow["step_id"]) == ("config_flow", SOURCE_RECONFIGURE, "reconfigure")
    assert issue(hass, "permissions_missing", without_alarms) is not None


async def test_the_fix_can_do_without_and_only_then_entities_go(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    without_alarms: Any,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
) -> None:
    kitchen = "binary_sensor.kitchen_nest_protect_smoke"
    assert hass.states.get(kitchen).state == "unavailable"
    assert entity_registry.async_get(kitchen) is not None
    client, step = await fix(hass_client, f"permissions_missing_{without_alarms.entry_id}")
    url = f"/api/repairs/issues/fix/{step['flow_id']}"
    result = await (await client.post(url, json={"next_step_id": "do_without"})).json()
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    assert entity_registry.async_get(kitchen) is None
    devices = dr.async_entries_for_config_entry(device_registry, without_alarms.entry_id)
    assert {device.model for device in devices} == {"Home", "Thermostat"}
    assert without_alarms.data["permissions"] == ["away read/write", "thermostat read/write"]
    assert issue(hass, "permissions_missing", without_alarms) is None


async def test_nothing_is_removed_while_the_link_is_not_loaded(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, without_alarms: Any, service: FixtureService
) -> None:
    client, step = await fix(hass_client, f"permissions_missing_{without_alarms.entry_id}")
    await hass.config_entries.async_unload(without_alarms.entry_id)
    url = f"/api/repairs/issues/fix/{step['flow_id']}"
    result = await (await client.post(url, json={"next_step_id": "do_without"})).json()
    assert (result["type"], result["reason"]) == ("abort", "link_not_loaded")
    assert len(without_alarms.data["permissions"]) == 3


@pytest.mark.parametrize(("protocol", "said"), [(2, {2}), (1, set()), (0, set())])
async def test_a_newer_protocol_is_said(
    hass: HomeAssistant, service: FixtureService, link: SetUp, protocol: int, said: set[int]
) -> None:
    service.discovery = service.describe(protocol)
    entry = await link()
    await until(lambda: ("GET", "/.well-known/oauth-authorization-server", None) in service.requests)
    await hass.async_block_till_done()
    await until(lambda: (issue(hass, "newer_protocol", entry) is not None) is bool(said))
    service.discovery = service.describe(1)
    await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: issue(hass, "newer_protocol", entry) is None)


async def test_what_a_removal_left_on_the_server_is_said_and_where_to_end_it(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, service: FixtureService, link: SetUp
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    entry = await link()
    service.status = 503
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    said = issue(hass, "left_on_server", entry)
    assert said.translation_placeholders == {
        "home": "Home",
        "server": "A Nest home",
        "address": f"{service.base}/connections",
    }
    assert said.is_persistent
    client, step = await fix(hass_client, f"left_on_server_{entry.entry_id}")
    assert step["step_id"] == "confirm"
    await client.post(f"/api/repairs/issues/fix/{step['flow_id']}", json={})
    assert issue(hass, "left_on_server", entry) is None


async def test_a_removal_that_ended_everything_says_nothing(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    entry = await link()
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert ir.async_get(hass).issues == {}
    assert entry.entry_id not in str(hass.config_entries.async_entries())


async def test_the_health_of_the_links(hass: HomeAssistant, service: FixtureService, link: SetUp) -> None:
    assert await async_setup_component(hass, core_system_health.DOMAIN, {})
    service.discovery = service.describe(1)
    entry = await link()
    await until(lambda: entry.runtime_data.statistics.puts)
    told = await system_health.async_info(hass)
    assert await told.pop("server_reachable") == "ok"
    assert told == {"links": 1, "streams_up": 1, "last_contact": entry.runtime_data.last_contact}
    service.status = 503
    told = await system_health.async_info(hass)
    assert await told["server_reachable"] == {
        "type": "failed",
        "error": "A Nest home: no discovery document (503)",
    }
    assert SERVER_ID not in str(told["last_contact"])
    assert HALLWAY not in str(told["last_contact"])


async def test_the_health_without_links(hass: HomeAssistant) -> None:
    told = await system_health.async_info(hass)
    assert await told.pop("server_reachable") == "ok"
    assert told == {"links": 0, "streams_up": 0, "last_contact": None}
