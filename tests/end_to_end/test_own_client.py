"""A client that was made by hand, at a service that speaks the protocol only as it always was: its whole life."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from homeassistant.components.application_credentials import (
    DOMAIN as APPLICATION_CREDENTIALS,
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator
from yarl import URL

from custom_components.works_with_nest import system_health
from custom_components.works_with_nest.config_flow import WwnFlowHandler
from custom_components.works_with_nest.const import DOMAIN
from custom_components.works_with_nest.diagnostics import async_get_config_entry_diagnostics
from tests.certificates import Authority, fingerprint_of
from tools.nest_home import NestHomeServer, NestPerson
from tools.original_service import OriginalService

from .conftest import PASSWORD, Browser, until
from .test_linked_again import pin_of
from .test_linking import announced, answer

CALLBACK = "https://example.com/auth/external/callback"
# A client whose service is not asked for anything.
ANYWHERE = ClientCredential("an id", "a secret", "By hand")
EVERYTHING_READ = ("thermostat read/write", "away read/write", "smoke+co read")


@pytest.fixture
async def service(nest_home: NestHomeServer) -> AsyncGenerator[OriginalService]:
    async with OriginalService(nest_home.base) as service:
        yield service


@pytest.fixture
async def member(service: OriginalService, person: NestPerson) -> AsyncGenerator[NestPerson]:
    """Return the owner of the home, at the pages of the service."""
    async with NestPerson(service.base, "ada", PASSWORD) as member:
        await member.sign_in()
        yield member


async def make_client(
    nest_home: NestHomeServer, *permissions: str, redirect: str | None = CALLBACK, name: str = "By hand"
) -> ClientCredential:
    """Make a client at the server, as a person would at a service's page for developers."""
    asked = {
        "client_name": name,
        "policy_uri": "https://example.com/privacy",
        "redirect_uris": [redirect] if redirect else [],
        "permissions": [{"name": each, "reason": "Made by hand"} for each in permissions or EVERYTHING_READ],
    }
    async with ClientSession() as session, session.post(f"{nest_home.base}/oauth2/register", json=asked) as response:
        assert response.status == 201
        made = await response.json()
    return ClientCredential(made["client_id"], made["client_secret"], name)


async def add(hass: HomeAssistant, credential: ClientCredential) -> str:
    """Add it under application credentials, and return what stands for it in an entry."""
    assert await async_setup_component(hass, APPLICATION_CREDENTIALS, {})
    auth_domain = f"{DOMAIN}_{credential.client_id}"
    await async_import_client_credential(hass, DOMAIN, credential, auth_domain)
    return auth_domain


async def to_service(browser: Browser) -> ConfigFlowResult:
    """Go on to where the address of the service is asked for."""
    menu = await browser.start()
    assert (menu["type"], menu["step_id"], menu["menu_options"]) == ("menu", "way", ["address", "own_client"])
    return await browser.submit(menu, {"next_step_id": "own_client"})


async def to_page(browser: Browser, service: OriginalService) -> ConfigFlowResult:
    step = await browser.submit(await to_service(browser), {"address": service.base})
    assert (step["type"], step["step_id"], step["errors"]) == ("form", "accept", {})
    return await browser.submit(step, {"by_pin": False})


@pytest.fixture
async def entry(
    hass: HomeAssistant, nest_home: NestHomeServer, service: OriginalService, member: NestPerson, browser: Browser
) -> ConfigEntry[Any]:
    """Return a link by a client of one's own."""
    await add(hass, await make_client(nest_home))
    result = await browser.come_back(await to_page(browser, service), member.accept)
    assert result["type"] == "create_entry", result
    await hass.async_block_till_done()
    entry: ConfigEntry[Any] = result["result"]
    await until(lambda: entry.runtime_data.live)
    return entry


async def test_the_whole_life_of_a_link_by_a_client_of_ones_own(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    service: OriginalService,
    member: NestPerson,
    browser: Browser,
    entry: ConfigEntry[Any],
) -> None:
    # Linked: under the host, with no registration of ours, and without what the protocol of 2014 did not have.
    (structure_id,) = (await member.document())["structures"]
    assert entry.unique_id == f"127.0.0.1:{structure_id}"
    assert "client" not in entry.data
    assert entry.data["auth_implementation"].startswith(f"{DOMAIN}_")
    (consent,) = [fields for _, path, fields in service.asked if path == "/login/oauth2" and "client_id" in fields][:1]
    assert consent.keys() == {"client_id", "state", "redirect_uri"}
    (token_request,) = [fields for _, path, fields in service.asked if path == "/oauth2/access_token"]
    assert token_request.keys() == {"grant_type", "code", "client_id", "client_secret"}
    assert entry.data["permissions"] == [
        "away read/write",
        "eta write",
        "smoke+co read",
        "thermostat read/write",
    ]
    # Live.
    kitchen = "binary_sensor.kitchen_nest_protect_smoke"
    assert hass.states.get(kitchen).state == "off"
    alarms = (await member.document())["devices"]["smoke_co_alarms"]
    (in_kitchen,) = [key for key, alarm in alarms.items() if alarm["where_name"] == "Kitchen"]
    await member.set_alarm(in_kitchen, smoke="emergency")
    await until(lambda: hass.states.get(kitchen).state == "on")
    (select,) = hass.states.async_entity_ids("select")
    await hass.services.async_call("select", "select_option", {"entity_id": select, "option": "away"}, blocking=True)
    await until(lambda: hass.states.get(select).state == "away")
    # Ended on the server, and linked again.
    async with ClientSession() as session:
        token = entry.data["token"]["access_token"]
        assert (await session.delete(f"{nest_home.base}/oauth2/access_tokens/{token}")).status == 204
    await until(lambda: hass.states.get(kitchen).state == "unavailable")
    await until(hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    assert (flow["context"]["source"], flow["step_id"]) == ("reauth", "reauth_confirm")
    result = await browser.come_back(await browser.submit(flow, None), member.accept)
    assert (result["type"], result["reason"]) == ("abort", "reauth_successful")
    await hass.async_block_till_done()
    assert hass.states.get(kitchen).state == "on"
    # Removed: the token is ended, and nothing else is touched.
    token = entry.data["token"]["access_token"]
    del service.asked[:]
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [path for path in service.paths if path.startswith("DELETE")] == [f"DELETE /oauth2/access_tokens/{token}"]
    assert not any("/oauth2/register" in path for path in service.paths)
    assert await answer(service.base, token) == 401
    assert ir.async_get(hass).issues == {}


async def test_a_service_that_only_speaks_the_original_protocol_is_said_to_need_a_client(
    service: OriginalService, browser: Browser
) -> None:
    form = await browser.submit(await browser.start(), {"address": service.base})
    assert (form["step_id"], form["errors"]) == ("user", {"address": "address_original"})


async def test_without_a_client_home_assistant_asks_for_one(hass: HomeAssistant, browser: Browser) -> None:
    await add(hass, ANYWHERE)
    menu = await browser.start()
    (item,) = hass.data[APPLICATION_CREDENTIALS].async_items()
    await hass.data[APPLICATION_CREDENTIALS].async_delete_item(item["id"])
    result = await browser.submit(menu, {"next_step_id": "own_client"})
    assert (result["type"], result["reason"]) == ("abort", "missing_credentials")
    assert (await browser.start())["step_id"] == "user"


async def test_who_has_a_client_can_still_link_a_server_that_needs_none(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    await add(hass, await make_client(nest_home))
    form = await browser.submit(await browser.start(), {"next_step_id": "address"})
    assert (form["type"], form["step_id"]) == ("form", "user")
    assert (await browser.submit(form, {"address": nest_home.base}))["step_id"] == "share"


async def test_of_several_clients_the_person_chooses(
    hass: HomeAssistant, nest_home: NestHomeServer, service: OriginalService, browser: Browser
) -> None:
    first = await make_client(nest_home, name="First")
    second = await make_client(nest_home, name="Second")
    await add(hass, first)
    chosen = await add(hass, second)
    form = await to_service(browser)
    assert form["step_id"] == "own_client"
    (selector,) = form["data_schema"].schema.values()
    assert [option["label"] for option in selector.config["options"]] == ["First", "Second"]
    step = await browser.submit(form, {"credentials": chosen})
    assert step["step_id"] == "service"
    step = await browser.submit(await browser.submit(step, {"address": service.base}), {"by_pin": False})
    assert URL(step["url"]).query["client_id"] == second.client_id


@pytest.mark.parametrize(
    "address",
    [
        "home.nest.com",
        "https://developer-api.nest.com",
        "api.home.nest.com",
        "Home.Nest.Com.",
        "https://firebase-apiserver01-tah01-iad01.dapi.production.nest.com:9553",
    ],
)
async def test_googles_own_service_is_said_to_have_ended(hass: HomeAssistant, browser: Browser, address: str) -> None:
    await add(hass, ANYWHERE)
    form = await browser.submit(await to_service(browser), {"address": address})
    assert (form["step_id"], form["errors"]) == ("service", {"address": "address_google"})
    (field,) = form["data_schema"].schema
    assert field.description == {"suggested_value": address}


async def test_what_speaks_no_works_with_nest_is_said(
    hass: HomeAssistant, nest_home: NestHomeServer, service: OriginalService, browser: Browser, unused_tcp_port: int
) -> None:
    await add(hass, await make_client(nest_home))
    form = await browser.submit(await to_service(browser), {"address": f"http://127.0.0.1:{unused_tcp_port}"})
    assert (form["step_id"], form["errors"]) == ("service", {"address": "cannot_connect"})
    service.is_printer = True
    form = await browser.submit(form, {"address": service.base})
    assert (form["step_id"], form["errors"]) == ("service", {"address": "not_works_with_nest"})


async def test_a_client_without_a_way_back_gets_a_pin(
    hass: HomeAssistant, nest_home: NestHomeServer, service: OriginalService, member: NestPerson, browser: Browser
) -> None:
    await add(hass, await make_client(nest_home, redirect=None))
    step = await browser.submit(await to_service(browser), {"address": service.base})
    step = await browser.submit(step, {"by_pin": True})
    assert step["step_id"] == "pin"
    url = URL(step["description_placeholders"]["url"])
    assert url.query.keys() == {"client_id", "state"}
    result = await browser.submit(step, {"pin": await pin_of(member, str(url))})
    assert (result["type"], result["data"]["by_pin"]) == ("create_entry", True)


@pytest.mark.parametrize("by_pin", [False, True])
async def test_a_secret_that_is_wrong_is_said_to_be(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    service: OriginalService,
    member: NestPerson,
    browser: Browser,
    *,
    by_pin: bool,
) -> None:
    made = await make_client(nest_home, redirect=None if by_pin else CALLBACK)
    await add(hass, ClientCredential(made.client_id, "mistyped", "By hand"))
    step = await browser.submit(await to_service(browser), {"address": service.base})
    step = await browser.submit(step, {"by_pin": by_pin})
    if by_pin:
        pin = await pin_of(member, step["description_placeholders"]["url"])
        result = await browser.submit(step, {"pin": pin})
        assert (result["step_id"], result["errors"]) == ("pin", {"base": "client_refused"})
    else:
        result = await browser.come_back(step, member.accept)
        assert (result["type"], result["reason"]) == ("abort", "client_refused")
    assert "mistyped" not in str(result["description_placeholders"])
    assert hass.config_entries.async_entries(DOMAIN) == []


async def test_linking_again_keeps_a_token_that_the_service_gives_a_second_time(
    hass: HomeAssistant,
    service: OriginalService,
    member: NestPerson,
    browser: Browser,
    entry: ConfigEntry[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = {key: entry.data["token"][key] for key in ("access_token", "expires_in")}

    async def the_same(*_: object) -> dict[str, Any]:
        return dict(token)

    monkeypatch.setattr("custom_components.works_with_nest.oauth.async_exchange_code", the_same)
    right = entry.data["homes"]
    for homes, reason in ((["a home of somebody else"], "wrong_home"), (right, "reauth_successful")):
        hass.config_entries.async_update_entry(entry, data={**entry.data, "homes": homes})
        entry.async_start_reauth(hass)
        await until(hass.config_entries.flow.async_progress)
        (flow,) = hass.config_entries.flow.async_progress()
        result = await browser.come_back(await browser.submit(flow, None), member.accept)
        assert (result["type"], result["reason"]) == ("abort", reason)
        await hass.async_block_till_done()
        assert await answer(service.base, token["access_token"]) == 200


@pytest.mark.parametrize("ends_tokens", [True, False])
async def test_an_account_without_a_home_leads_to_no_link_and_its_token_is_ended(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    service: OriginalService,
    member: NestPerson,
    browser: Browser,
    *,
    ends_tokens: bool,
) -> None:
    await add(hass, await make_client(nest_home))
    service.is_empty, service.ends_tokens = True, ends_tokens
    result = await browser.come_back(await to_page(browser, service), member.accept)
    assert (result["type"], result["reason"]) == ("abort", "no_homes")
    assert result["description_placeholders"] == {"name": "127.0.0.1"}
    assert hass.config_entries.async_entries(DOMAIN) == []
    (ended,) = [path for path in service.paths if path.startswith("DELETE /oauth2/access_tokens/")]
    service.is_empty = False
    assert await answer(service.base, ended.rpartition("/")[2]) == (401 if ends_tokens else 200)


def test_what_the_oauth_helper_says_is_logged_under_our_name() -> None:
    assert WwnFlowHandler().logger.name == "custom_components.works_with_nest"


async def test_a_server_that_can_do_more_is_linked_under_its_id_and_with_pkce(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    await add(hass, await make_client(nest_home))
    step = await browser.submit(await to_service(browser), {"address": nest_home.base})
    step = await browser.submit(step, {"by_pin": False})
    assert URL(step["url"]).query["code_challenge_method"] == "S256"
    entry = (await browser.come_back(step, person.accept))["result"]
    assert entry.data["server"]["server_id"] in entry.unique_id
    assert entry.data["permissions"] == ["away read/write", "smoke+co read", "thermostat read/write"]
    token = entry.data["token"]["access_token"]
    await hass.async_block_till_done()
    await hass.config_entries.async_remove(entry.entry_id)
    assert await answer(nest_home.base, token) == 401
    # The client is the person's own, and still there.
    assert await answer(step["url"]) == 303


async def reconfigure(hass: HomeAssistant, entry: ConfigEntry[Any]) -> ConfigFlowResult:
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )


async def test_a_service_that_moved_keeps_its_link_and_what_it_is_known_by(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    browser: Browser,
    entry: ConfigEntry[Any],
) -> None:
    # It was linked at a host of another name.
    server = {**entry.data["server"], "server_id": "nest.example.com"}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "server": server})
    before, token = entry.unique_id, entry.data["token"]
    async with OriginalService(nest_home.base) as moved:
        form = await reconfigure(hass, entry)
        assert form["step_id"] == "own_link"
        fields = {"address": moved.base, "accept_again": False, "by_pin": False}
        result = await browser.submit(form, fields)
        assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
        await hass.async_block_till_done()
        assert URL(entry.data["server"]["base"]).origin() == URL(moved.base)
        assert entry.data["server"]["server_id"] == "nest.example.com"
        assert (entry.unique_id, entry.data["token"]) == (before, token)
        assert entry.state is ConfigEntryState.LOADED
        await until(lambda: entry.runtime_data.live)
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_certificate_signed_by_itself_is_asked_about_when_a_service_moves_to_it(
    hass: HomeAssistant, nest_home: NestHomeServer, browser: Browser, entry: ConfigEntry[Any], tmp_path: Path
) -> None:
    await nest_home.stop()
    pair = Authority("nest").pair(tmp_path / "pairs")
    secure = NestHomeServer(tmp_path / "nest", tmp_path / "nest.log", "--seed", "7", *pair.options)
    await secure.start()
    try:
        fields = {"address": secure.base, "accept_again": False, "by_pin": False}
        form = await browser.submit(await reconfigure(hass, entry), fields)
        assert form["step_id"] == "certificate"
        result = await browser.submit(form, {"same": True})
        assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
        await hass.async_block_till_done()
        assert entry.data["server"]["fingerprint"] == fingerprint_of(pair.certificate).replace(":", "").lower()
        assert entry.data["server"]["server_id"] == "127.0.0.1"
        assert entry.state is ConfigEntryState.LOADED
    finally:
        await hass.config_entries.async_unload(entry.entry_id)
        await secure.stop()


async def test_another_home_is_not_taken_for_the_one_that_is_linked(
    hass: HomeAssistant, service: OriginalService, browser: Browser, entry: ConfigEntry[Any]
) -> None:
    hass.config_entries.async_update_entry(entry, data={**entry.data, "homes": ["a home of somebody else"]})
    before = dict(entry.data)
    fields = {"address": service.base, "accept_again": False, "by_pin": False}
    form = await reconfigure(hass, entry)
    for address, errors in (
        ("home.nest.com", {"address": "address_google"}),
        ("http://127.0.0.1:9", {"base": "cannot_connect"}),
        (service.base, {"address": "other_server"}),
    ):
        form = await browser.submit(form, {**fields, "address": address})
        assert (form["step_id"], form["errors"]) == ("own_link", errors)
    assert dict(entry.data) == before


async def test_what_the_client_was_changed_to_is_accepted_again(
    hass: HomeAssistant, service: OriginalService, member: NestPerson, browser: Browser, entry: ConfigEntry[Any]
) -> None:
    old = entry.data["token"]["access_token"]
    form = await reconfigure(hass, entry)
    step = await browser.submit(form, {"address": service.base, "accept_again": True, "by_pin": False})
    assert step["type"] == "external"
    result = await browser.come_back(step, member.accept)
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    await hass.async_block_till_done()
    assert entry.data["token"]["access_token"] != old
    await until(lambda: entry.state is ConfigEntryState.LOADED and entry.runtime_data.live)
    assert await answer(service.base, old) == 401


async def test_a_link_whose_token_ended_is_accepted_again_when_its_address_is_submitted(
    hass: HomeAssistant, service: OriginalService, member: NestPerson, browser: Browser, entry: ConfigEntry[Any]
) -> None:
    data = {**entry.data, "token": {**entry.data["token"], "access_token": "c.ended"}}
    hass.config_entries.async_update_entry(entry, data=data)
    fields = {"address": service.base, "accept_again": False, "by_pin": False}
    step = await browser.submit(await reconfigure(hass, entry), fields)
    assert step["type"] == "external"
    result = await browser.come_back(step, member.accept)
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    await until(lambda: entry.state is ConfigEntryState.LOADED and entry.runtime_data.live)


async def test_a_home_that_is_linked_already_is_not_linked_twice_and_its_link_goes_on(
    hass: HomeAssistant, service: OriginalService, member: NestPerson, browser: Browser, entry: ConfigEntry[Any]
) -> None:
    token = entry.data["token"]["access_token"]
    result = await browser.come_back(await to_page(browser, service), member.accept)
    assert (result["type"], result["reason"]) == ("abort", "already_configured")
    (ended,) = [path for path in service.paths if path.startswith("DELETE /oauth2/access_tokens/")]
    assert await answer(service.base, ended.rpartition("/")[2]) == 401
    assert await answer(service.base, token) == 200
    assert hass.config_entries.async_entries(DOMAIN) == [entry]


async def test_a_client_that_was_taken_away_is_asked_for_when_linking_again(
    hass: HomeAssistant, nest_home: NestHomeServer, member: NestPerson, browser: Browser, entry: ConfigEntry[Any]
) -> None:
    hass.config_entries.async_update_entry(entry, data={**entry.data, "auth_implementation": "gone"})
    entry.async_start_reauth(hass)
    await until(hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    # The only one that there is takes its place.
    result = await browser.come_back(await browser.submit(flow, None), member.accept)
    assert (result["type"], result["reason"]) == ("abort", "reauth_successful")
    await hass.async_block_till_done()
    assert entry.data["auth_implementation"].startswith(f"{DOMAIN}_")


async def test_a_client_that_was_made_anew_takes_the_place_of_the_old_one_when_linking_again(
    hass: HomeAssistant, nest_home: NestHomeServer, member: NestPerson, browser: Browser, entry: ConfigEntry[Any]
) -> None:
    old = entry.data["auth_implementation"]
    renewed = await make_client(nest_home, name="Renewed")
    chosen = await add(hass, renewed)
    entry.async_start_reauth(hass)
    await until(hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    form = await browser.submit(flow, {})
    assert form["step_id"] == "own_client"
    (field,) = form["data_schema"].schema
    assert field.description == {"suggested_value": old}
    page = await browser.submit(form, {"credentials": chosen})
    assert URL(page["url"]).query["client_id"] == renewed.client_id
    result = await browser.come_back(page, member.accept)
    assert (result["type"], result["reason"]) == ("abort", "reauth_successful")
    await hass.async_block_till_done()
    assert entry.data["auth_implementation"] == chosen != old
    assert renewed.client_secret not in str(entry.data)


async def test_what_was_never_given_is_not_missed_and_what_is_refused_is(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    service: OriginalService,
    member: NestPerson,
    browser: Browser,
    issue_registry: ir.IssueRegistry,
) -> None:
    await add(hass, await make_client(nest_home, "thermostat read"))
    result = await browser.come_back(await to_page(browser, service), member.accept)
    entry = result["result"]
    await hass.async_block_till_done()
    await until(lambda: entry.runtime_data.live)
    # The home lists alarms, and none can be opened.
    assert "smoke+co read" not in entry.data["permissions"]
    assert hass.states.async_entity_ids("event") == []
    issue_id = f"permissions_missing_{entry.entry_id}"
    assert issue_registry.async_get_issue(DOMAIN, issue_id) is None
    climate = hass.states.async_entity_ids("climate")[0]
    with pytest.raises(Exception, match="write permission"):
        await hass.services.async_call(
            "climate", "set_hvac_mode", {"entity_id": climate, "hvac_mode": "off"}, blocking=True
        )
    await until(lambda: issue_registry.async_get_issue(DOMAIN, issue_id))
    issue = issue_registry.async_get_issue(DOMAIN, issue_id)
    assert issue.translation_placeholders == {"home": "Home", "data": "Thermostats"}
    assert hass.states.get(climate).attributes["supported_features"] == 0


async def test_neither_diagnostics_nor_the_log_hold_what_a_client_of_ones_own_is_known_by(
    hass: HomeAssistant, entry: ConfigEntry[Any], caplog: pytest.LogCaptureFixture
) -> None:
    (item,) = hass.data[APPLICATION_CREDENTIALS].async_items()
    secrets = {item["client_secret"], entry.data["token"]["access_token"]}
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert (diagnostics["link"]["own_client"], diagnostics["link"]["discovered"]) == (True, False)
    assert diagnostics["permissions_are_told"] is False
    said = str(diagnostics)
    assert not any(secret in said for secret in {*secrets, item["client_id"], "127.0.0.1"})
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("custom_components"))
    assert not any(secret in ours for secret in secrets)


async def test_the_page_about_the_systems_health_asks_such_a_service_its_own_way(
    hass: HomeAssistant, nest_home: NestHomeServer, entry: ConfigEntry[Any]
) -> None:
    assert await (await system_health.async_info(hass))["server_reachable"] == "ok"
    await nest_home.stop()
    told = await (await system_health.async_info(hass))["server_reachable"]
    assert told["type"] == "failed"


async def test_an_announcement_under_the_host_of_such_a_service_is_no_move_of_it(
    hass: HomeAssistant, entry: ConfigEntry[Any]
) -> None:
    found = announced("http://127.0.0.1:9", properties={"scheme": "http", "id": "127.0.0.1"})
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": "zeroconf"}, data=found)
    assert (result["type"], result["reason"]) == ("abort", "not_works_with_nest")
    assert ir.async_get(hass).issues == {}


async def test_removing_one_of_two_links_keeps_the_token_that_both_have(
    hass: HomeAssistant, service: OriginalService, entry: ConfigEntry[Any]
) -> None:
    token = entry.data["token"]["access_token"]
    other = MockConfigEntry(domain=DOMAIN, unique_id="127.0.0.1:other", data={**entry.data, "homes": ["other"]})
    other.add_to_hass(hass)
    await hass.config_entries.async_remove(other.entry_id)
    assert await answer(service.base, token) == 200
    await hass.config_entries.async_remove(entry.entry_id)
    assert await answer(service.base, token) == 401


@pytest.mark.parametrize("by_pin", [False, True])
async def test_a_token_that_leads_to_no_link_because_nothing_can_be_read_is_ended(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    service: OriginalService,
    member: NestPerson,
    browser: Browser,
    *,
    by_pin: bool,
) -> None:
    await add(hass, await make_client(nest_home, redirect=None if by_pin else CALLBACK))
    step = await browser.submit(await to_service(browser), {"address": service.base})
    step = await browser.submit(step, {"by_pin": by_pin})
    service.is_broken = True
    if by_pin:
        result = await browser.submit(step, {"pin": await pin_of(member, step["description_placeholders"]["url"])})
        assert (result["step_id"], result["errors"]) == ("pin", {"base": "server_error"})
    else:
        result = await browser.come_back(step, member.accept)
        assert (result["type"], result["reason"]) == ("abort", "server_error")
    (ended,) = [path for path in service.paths if path.startswith("DELETE /oauth2/access_tokens/")]
    assert await answer(nest_home.base, ended.rpartition("/")[2]) == 401


async def test_a_home_is_not_linked_again_by_another_address_of_its_service(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    service: OriginalService,
    browser: Browser,
    entry: ConfigEntry[Any],
    elsewhere: str,
) -> None:
    async with OriginalService(nest_home.base, elsewhere) as other:
        step = await to_page(browser, other)
        async with NestPerson(other.base, "ada", PASSWORD) as there:
            result = await browser.come_back(step, there.accept)
        assert (result["type"], result["reason"]) == ("abort", "already_configured")
        assert hass.config_entries.async_entries(DOMAIN) == [entry]
        (ended,) = [path for path in other.paths if path.startswith("DELETE /oauth2/access_tokens/")]
    assert await answer(service.base, ended.rpartition("/")[2]) == 401
    assert await answer(service.base, entry.data["token"]["access_token"]) == 200


async def test_what_should_be_known_of_a_new_address_is_said_before_the_token_goes_there(
    hass: HomeAssistant, nest_home: NestHomeServer, browser: Browser, entry: ConfigEntry[Any], elsewhere: str
) -> None:
    async with OriginalService(nest_home.base, elsewhere) as moved:
        fields = {"address": moved.base, "accept_again": False, "by_pin": False}
        form = await browser.submit(await reconfigure(hass, entry), fields)
        assert (form["type"], form["step_id"]) == ("form", "new_address")
        assert form["description_placeholders"]["notice"].startswith(f"The page that opens is at {elsewhere}, which")
        # What is there was asked so far, without the token.
        assert set(moved.paths) == {"GET /.well-known/oauth-authorization-server", "GET /"}
        assert moved.tokens == {"", "no-token"}
        result = await browser.submit(form, {"by_pin": False})
        assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
        await hass.async_block_till_done()
        assert entry.data["token"]["access_token"] in moved.tokens
        assert entry.data["server"]["base"].rstrip("/") == moved.base
        assert entry.state is ConfigEntryState.LOADED
        await hass.config_entries.async_unload(entry.entry_id)


async def test_home_assistant_says_which_redirect_address_a_client_needs_where_it_is_added(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    assert await async_setup_component(hass, APPLICATION_CREDENTIALS, {})
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "application_credentials/config"})
    said = (await client.receive_json())["result"]["integrations"][DOMAIN]
    assert said["description_placeholders"] == {"path": "/auth/external/callback"}


async def test_an_old_token_that_cannot_be_ended_does_not_keep_a_link_from_its_new_one(
    hass: HomeAssistant, service: OriginalService, member: NestPerson, browser: Browser, entry: ConfigEntry[Any]
) -> None:
    old = entry.data["token"]["access_token"]
    fields = {"address": service.base, "accept_again": True, "by_pin": False}
    step = await browser.submit(await reconfigure(hass, entry), fields)
    service.ends_tokens = False
    result = await browser.come_back(step, member.accept)
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    await hass.async_block_till_done()
    assert f"DELETE /oauth2/access_tokens/{old}" in service.paths
    assert entry.data["token"]["access_token"] != old
    await until(lambda: entry.state is ConfigEntryState.LOADED and entry.runtime_data.live)
