"""Linking: every way in, every refusal, and the way out."""

import asyncio
from ipaddress import ip_address
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from homeassistant.config_entries import SOURCE_REAUTH, SOURCE_ZEROCONF, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import pytest
from yarl import URL

from custom_components.works_with_nest import tokens
from custom_components.works_with_nest.const import DOMAIN
from custom_components.works_with_nest.wwn import NestServer
from custom_components.works_with_nest.wwn.auth import async_revoke
from tools.nest_home import NestHomeServer, NestPerson

from .conftest import EVERYTHING, PASSWORD, Browser, until


async def answer(address: str, token: str | None = None) -> int:
    """Return the status that the server answers with."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with ClientSession() as session, session.get(address, headers=headers, allow_redirects=False) as response:
        return response.status


async def test_an_accepted_request_is_a_link(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    result = await browser.link(nest_home.base, person.accept)
    assert (result["type"], result["title"]) == ("create_entry", "Home")
    entry = result["result"]
    assert entry.state is ConfigEntryState.LOADED
    structure_id = next(iter((await person.document())["structures"]))
    assert entry.unique_id == f"{entry.data['server']['server_id']}:{structure_id}"
    assert entry.data["homes"] == [structure_id]
    assert entry.data["permissions"] == ["thermostat read/write", "away read/write", "smoke+co read"]
    assert {entity_id.split(".")[0] for entity_id in hass.states.async_entity_ids()} >= {
        "binary_sensor",
        "climate",
        "select",
        "sensor",
    }


async def test_the_page_shows_what_is_asked_for_and_why(
    nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    result = await browser.consent_step(nest_home.base, {"thermostat": "see", "away": "nothing", "smoke_co": True})
    page = await person.read(result["url"])
    assert "Home Assistant shows temperatures, modes and what the heating does" in page
    assert "Home Assistant shows the smoke and carbon monoxide level" in page
    assert "whether somebody is at home" not in page
    assert "example.com" in page


@pytest.mark.parametrize(
    ("share", "domains"),
    [
        ({"thermostat": "see", "away": "nothing", "smoke_co": False}, {"binary_sensor", "climate", "sensor"}),
        ({"thermostat": "nothing", "away": "see", "smoke_co": False}, {"binary_sensor", "sensor"}),
        ({"thermostat": "nothing", "away": "change", "smoke_co": True}, {"binary_sensor", "event", "select", "sensor"}),
    ],
)
async def test_only_what_was_accepted_appears(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    person: NestPerson,
    browser: Browser,
    share: dict[str, Any],
    domains: set[str],
) -> None:
    await browser.link(nest_home.base, person.accept, share)
    ours = [state.entity_id for state in hass.states.async_all()]
    assert {entity_id.split(".")[0] for entity_id in ours} - {"zone"} == domains


async def test_going_back_ends_with_our_sentence_and_leaves_nothing_behind(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    step = await browser.consent_step(nest_home.base)
    assert await answer(step["url"]) == 303
    result = await browser.come_back(step, person.decline)
    assert (result["type"], result["reason"]) == ("abort", "access_denied")
    assert result["description_placeholders"]["name"] == "My Nest home"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert hass.config_entries.async_entries(DOMAIN) == []
    assert await answer(step["url"]) == 400


async def test_a_flow_that_is_abandoned_takes_its_registration_back(
    hass: HomeAssistant, nest_home: NestHomeServer, browser: Browser
) -> None:
    step = await browser.consent_step(nest_home.base)
    hass.config_entries.flow.async_abort(step["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await answer(step["url"]) == 400


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("", "address_invalid"),
        ("not an address", "address_invalid"),
        ("http://nest.example.com", "address_insecure"),
        ("home.nest.com", "address_google"),
    ],
)
async def test_what_is_no_address_is_said_on_the_form_which_keeps_it(
    browser: Browser, address: str, error: str
) -> None:
    result = await browser.submit(await browser.start(), {"address": address})
    assert (result["type"], result["step_id"], result["errors"]) == ("form", "user", {"address": error})
    (field,) = result["data_schema"].schema
    assert field.description == {"suggested_value": address}


async def test_a_server_that_is_down_is_said_on_the_form_which_keeps_the_address(
    nest_home: NestHomeServer, browser: Browser, person: NestPerson
) -> None:
    await nest_home.stop()
    result = await browser.submit(await browser.start(), {"address": nest_home.base})
    assert (result["step_id"], result["errors"]) == ("user", {"address": "cannot_connect"})
    (field,) = result["data_schema"].schema
    assert field.description == {"suggested_value": nest_home.base}


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_another_program_at_the_address_is_said_on_the_form(browser: Browser, status: int) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(text="<h1>A printer</h1>", status=status)

    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    async with TestServer(app, host="127.0.0.1") as printer:
        result = await browser.submit(await browser.start(), {"address": str(printer.make_url("/"))})
    assert (result["step_id"], result["errors"]) == ("user", {"address": "not_works_with_nest"})


async def test_the_form_goes_on_after_a_mistake(
    nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    result = await browser.submit(await browser.start(), {"address": "home.nest.com"})
    result = await browser.submit(result, {"address": nest_home.base})
    assert result["step_id"] == "share"
    result = await browser.submit(result, {"thermostat": "nothing", "away": "nothing", "smoke_co": False})
    assert (result["step_id"], result["errors"]) == ("share", {"base": "nothing_chosen"})
    result = await browser.submit(result, EVERYTHING)
    assert (await browser.come_back(result, person.accept))["type"] == "create_entry"


async def test_a_server_that_goes_down_meanwhile_is_said_on_the_form(
    nest_home: NestHomeServer, browser: Browser
) -> None:
    result = await browser.submit(await browser.start(), {"address": nest_home.base})
    await nest_home.stop()
    result = await browser.submit(result, EVERYTHING)
    assert (result["step_id"], result["errors"]) == ("share", {"base": "cannot_connect"})


async def test_a_server_that_goes_down_before_the_token_ends_with_a_sentence(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    step = await browser.consent_step(nest_home.base)

    async def accept_and_stop(url: str) -> str:
        back = await person.accept(url)
        await nest_home.stop()
        return back

    result = await browser.come_back(step, accept_and_stop)
    assert (result["type"], result["reason"]) == ("abort", "cannot_connect")
    assert hass.config_entries.async_entries(DOMAIN) == []


async def test_a_code_that_is_not_the_servers_is_refused_in_its_words(
    nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    step = await browser.consent_step(nest_home.base)

    async def forge(url: str) -> str:
        return str(URL(await person.accept(url)).update_query(code="forged-code-1234"))

    result = await browser.come_back(step, forge)
    assert (result["type"], result["reason"]) == ("abort", "refused")
    assert result["description_placeholders"] == {"message": "authorization code not found"}


async def test_a_home_that_is_linked_is_not_linked_twice(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    first = await browser.link(nest_home.base, person.accept)
    step = await browser.consent_step(nest_home.base)
    second = await browser.come_back(step, person.accept)
    assert (second["type"], second["reason"]) == ("abort", "already_configured")
    while await answer(step["url"]) != 400:
        await asyncio.sleep(0.05)
    assert await answer(nest_home.base, first["result"].data["token"]["access_token"]) == 200


async def test_removing_the_link_ends_it_on_the_server(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    entry = (await browser.link(nest_home.base, person.accept))["result"]
    token = entry.data["token"]["access_token"]
    assert await answer(nest_home.base, token) == 200
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert await answer(nest_home.base, token) == 401
    assert hass.states.async_entity_ids("climate") == []


async def end_on_the_server(nest_home: NestHomeServer, token: str) -> None:
    async with ClientSession() as session:
        response = await session.delete(f"{nest_home.base}/oauth2/access_tokens/{token}")
        assert response.status == 204


async def test_a_link_ended_on_the_server_is_down_within_a_second_and_any_member_can_link_it_again(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    entry = (await browser.link(nest_home.base, person.accept))["result"]
    await until(lambda: entry.runtime_data.live)
    before = {state.entity_id for state in hass.states.async_all()}
    await end_on_the_server(nest_home, entry.data["token"]["access_token"])
    await until(lambda: hass.states.get("binary_sensor.kitchen_nest_protect_smoke").state == "unavailable", 1.0)
    await until(hass.config_entries.flow.async_progress, 2.0)
    (flow,) = hass.config_entries.flow.async_progress()
    assert (flow["context"]["source"], flow["step_id"]) == (SOURCE_REAUTH, "reauth_confirm")
    async with NestPerson(nest_home.base, "ben", PASSWORD) as member:
        result = await browser.come_back(await browser.submit(flow, None), member.accept)
    assert (result["type"], result["reason"]) == ("abort", "reauth_successful")
    await hass.async_block_till_done()
    assert hass.states.get("binary_sensor.kitchen_nest_protect_smoke").state == "off"
    assert {state.entity_id for state in hass.states.async_all()} == before


async def test_linking_again_with_an_account_without_the_home_changes_nothing(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    person: NestPerson,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = (await browser.link(nest_home.base, person.accept))["result"]
    token = entry.data["token"]
    revoked: list[str] = []

    async def revoke(session: ClientSession, server: NestServer, access_token: str) -> None:
        revoked.append(access_token)
        await async_revoke(session, server, access_token)

    monkeypatch.setattr(tokens, "async_revoke", revoke)
    hass.config_entries.async_update_entry(entry, data={**entry.data, "homes": ["a home of somebody else"]})
    entry.async_start_reauth(hass)
    await until(hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    result = await browser.come_back(await browser.submit(flow, None), person.accept)
    assert (result["type"], result["reason"]) == ("abort", "wrong_home")
    assert result["description_placeholders"] == {"home": "Home"}
    assert entry.data["token"] == token
    assert await answer(nest_home.base, token["access_token"]) == 200
    # It goes on being asked for, once.
    await hass.async_block_till_done()
    (again,) = hass.config_entries.flow.async_progress()
    assert again["flow_id"] != flow["flow_id"]
    assert (again["context"]["source"], again["step_id"]) == (SOURCE_REAUTH, "reauth_confirm")
    # The token of the wrong account is not left behind.
    (new,) = revoked
    assert new != token["access_token"]
    assert await answer(nest_home.base, new) == 401


async def test_going_back_while_linking_again_keeps_the_link_as_it_is(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    entry = (await browser.link(nest_home.base, person.accept))["result"]
    entry.async_start_reauth(hass)
    await until(hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    result = await browser.come_back(await browser.submit(flow, None), person.decline)
    assert (result["type"], result["reason"]) == ("abort", "not_renewed")
    await asyncio.sleep(0.3)
    assert await answer(nest_home.base, entry.data["token"]["access_token"]) == 200
    (again,) = hass.config_entries.flow.async_progress()
    assert (again["context"]["source"], again["step_id"]) == (SOURCE_REAUTH, "reauth_confirm")


def announced(base: str, **changes: Any) -> ZeroconfServiceInfo:
    url = URL(base)
    values: dict[str, Any] = {
        "ip_address": ip_address(url.host or ""),
        "ip_addresses": [ip_address(url.host or "")],
        "port": url.port,
        "hostname": "nest.local.",
        "type": "_works-with-nest._tcp.local.",
        "name": "My Nest home._works-with-nest._tcp.local.",
        "properties": {"path": "/", "scheme": "http"},
    }
    return ZeroconfServiceInfo(**(values | changes))


async def test_a_found_server_is_linked_without_typing_its_address(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_ZEROCONF}, data=announced(nest_home.base)
    )
    assert (result["type"], result["step_id"]) == ("form", "share")
    assert result["description_placeholders"]["name"] == "My Nest home"
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["title_placeholders"] == {"name": "My Nest home"}
    result = await browser.come_back(await browser.submit(result, EVERYTHING), person.accept)
    assert result["type"] == "create_entry"
    again = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_ZEROCONF}, data=announced(nest_home.base)
    )
    assert (again["type"], again["reason"]) == ("abort", "already_configured")


async def test_an_announcement_that_leads_nowhere_is_passed_over(
    hass: HomeAssistant, unused_tcp_port: int, browser: Browser
) -> None:
    for found in (
        announced(f"http://127.0.0.1:{unused_tcp_port}"),
        announced(f"http://127.0.0.1:{unused_tcp_port}", properties={"scheme": "javascript"}),
        announced("http://8.8.8.8:9553"),
    ):
        result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_ZEROCONF}, data=found)
        assert (result["type"], result["reason"]) == ("abort", "not_works_with_nest")


async def test_two_servers_are_two_links(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser, tmp_path: Any
) -> None:
    other = NestHomeServer(tmp_path / "other", tmp_path / "other.log", "--name", "The cabin")
    await other.add_account("ada", PASSWORD)
    await other.start()
    try:
        await browser.link(nest_home.base, person.accept)
        async with NestPerson(other.base, "ada", PASSWORD) as same_person:
            await same_person.sign_in()
            result = await browser.link(other.base, same_person.accept)
        assert result["type"] == "create_entry"
        assert len(hass.states.async_entity_ids("climate")) == 4
    finally:
        await other.stop()


async def test_linking_a_home_that_was_left_out_keeps_the_link_it_was_left_out_of(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    first = (await browser.link(nest_home.base, person.accept))["result"]
    (home,) = first.data["homes"]
    # It held two homes, and is known by the one that is left out now.
    hass.config_entries.async_update_entry(
        first, data={**first.data, "homes": [home, "the cabin"]}, options={"homes": ["the cabin"], "test_months": 0}
    )
    second = (await browser.link(nest_home.base, person.accept))["result"]
    assert second.data["homes"] == [home]
    assert {entry.entry_id for entry in hass.config_entries.async_entries(DOMAIN)} == {first.entry_id, second.entry_id}
    assert second.unique_id == f"{first.unique_id}:2"
    assert first.state is ConfigEntryState.LOADED
    assert first.runtime_data.live
    assert await answer(nest_home.base, first.data["token"]["access_token"]) == 200


async def test_a_server_that_was_found_is_not_offered_once_it_is_linked_by_its_address(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_ZEROCONF}, data=announced(nest_home.base)
    )
    assert len(hass.config_entries.flow.async_progress()) == 1
    assert (await browser.link(nest_home.base, person.accept))["type"] == "create_entry"
    assert hass.config_entries.flow.async_progress() == []


async def test_who_comes_back_with_a_state_that_is_not_ours_moves_nothing(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    step = await browser.consent_step(nest_home.base)
    back = URL(await person.accept(step["url"]))
    for state in ("", "forged", f"{back.query['state'][:-4]}AAAA"):
        assert await browser.arrive(back.update_query(state=state)) == 400
    (flow,) = hass.config_entries.flow.async_progress()
    assert (flow["flow_id"], flow["step_id"]) == (step["flow_id"], "auth")
    assert hass.config_entries.async_entries(DOMAIN) == []
    assert await browser.arrive(back) == 200
    assert (await browser.submit(step, None))["type"] == "create_entry"
