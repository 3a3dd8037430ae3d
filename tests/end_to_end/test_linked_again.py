"""A link that is changed, moved, or linked again; and a PIN in place of the way back."""

import asyncio
from pathlib import Path
import re
from typing import Any

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
import pytest
from yarl import URL

from custom_components.works_with_nest import asking
from custom_components.works_with_nest.const import DOMAIN
from tests.certificates import Authority, fingerprint_of
from tools.nest_home import NestHomeServer, NestPerson

from .conftest import EVERYTHING, PASSWORD, Browser, until
from .test_linking import answer, end_on_the_server

SMOKE_ONLY: dict[str, Any] = {"thermostat": "nothing", "away": "nothing", "smoke_co": True}


async def reconfigure(hass: HomeAssistant, entry: ConfigEntry[Any]) -> ConfigFlowResult:
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )


def suggested(form: ConfigFlowResult) -> dict[str, Any]:
    """Return what a form holds before a person touches it."""
    return {str(key): key.description["suggested_value"] for key in form["data_schema"].schema}


def shown(hass: HomeAssistant, domain: str) -> set[str]:
    return {key for key in hass.states.async_entity_ids(domain) if hass.states.get(key).state != "unavailable"}


async def linked(browser: Browser, nest_home: NestHomeServer, person: NestPerson, share: Any) -> ConfigEntry[Any]:
    entry: ConfigEntry[Any] = (await browser.link(nest_home.base, person.accept, share))["result"]
    await until(lambda: entry.runtime_data.live)
    return entry


async def test_more_data_is_accepted_again_and_appears_without_a_restart(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    entry = await linked(browser, nest_home, person, SMOKE_ONLY)
    old_token = entry.data["token"]["access_token"]
    assert shown(hass, "climate") == set()
    form = await reconfigure(hass, entry)
    assert suggested(form) == {
        "address": nest_home.base,
        "thermostat": "nothing",
        "away": "nothing",
        "smoke_co": True,
        "arrivals": False,
        "by_pin": False,
    }
    step = await browser.submit(form, {"address": nest_home.base, **EVERYTHING})
    assert step["type"] == "external"
    result = await browser.come_back(step, person.accept)
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    await until(lambda: len(shown(hass, "climate")) == 2 and len(shown(hass, "select")) == 1)
    await hass.async_block_till_done()
    assert entry.data["client"]["version"] == 2
    assert await answer(nest_home.base, old_token) == 401
    assert await answer(nest_home.base, entry.data["token"]["access_token"]) == 200
    assert not any(flow["context"]["source"] == "reauth" for flow in hass.config_entries.flow.async_progress())


async def test_less_data_is_accepted_again_and_its_entities_and_devices_go(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    person: NestPerson,
    browser: Browser,
    entity_registry: er.EntityRegistry,
    device_registry: dr.DeviceRegistry,
) -> None:
    entry = await linked(browser, nest_home, person, None)
    step = await browser.submit(await reconfigure(hass, entry), {"address": nest_home.base, **SMOKE_ONLY})
    result = await browser.come_back(step, person.accept)
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    await hass.async_block_till_done()
    ours = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    assert {each.domain for each in ours} == {"binary_sensor", "event", "sensor"}
    models = {each.model for each in dr.async_entries_for_config_entry(device_registry, entry.entry_id)}
    assert models == {"Home", "Protect"}
    assert shown(hass, "event") != set()


async def test_going_back_leaves_the_link_and_what_it_asks_for_as_they_were(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    entry = await linked(browser, nest_home, person, SMOKE_ONLY)
    before = dict(entry.data)
    step = await browser.submit(await reconfigure(hass, entry), {"address": nest_home.base, **EVERYTHING})
    assert "temperatures" in await person.read(step["url"])
    result = await browser.come_back(step, person.decline)
    assert (result["type"], result["reason"]) == ("abort", "not_changed")
    await hass.async_block_till_done()
    assert dict(entry.data) == before
    assert await answer(nest_home.base, before["token"]["access_token"]) == 200
    async with asyncio.timeout(10):
        while "temperatures" in (page := await person.read(step["url"])):
            await asyncio.sleep(0.05)
    assert "carbon monoxide level" in page


async def test_a_link_removed_on_the_page_that_asks_again_is_asked_for_once_the_dialogue_ends(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    entry = await linked(browser, nest_home, person, SMOKE_ONLY)
    step = await browser.submit(await reconfigure(hass, entry), {"address": nest_home.base, **EVERYTHING})
    back = await person.remove(step["url"])
    await until(lambda: not entry.runtime_data.live)
    assert asked_to_link_again(hass) == []

    async def removed(_url: str) -> str:
        return back

    result = await browser.come_back(step, removed)
    assert (result["type"], result["reason"]) == ("abort", "not_changed")
    await until(lambda: asked_to_link_again(hass))
    assert asked_to_link_again(hass) == [entry.entry_id]


async def test_a_forgotten_dialogue_does_not_keep_an_ended_link_from_being_asked_for(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    person: NestPerson,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "FORGOTTEN_AFTER", 0.0)
    entry = await linked(browser, nest_home, person, SMOKE_ONLY)
    form = await reconfigure(hass, entry)
    step = await browser.submit(await browser.start(), {"address": nest_home.base})
    await end_on_the_server(nest_home, entry.data["token"]["access_token"])
    await until(lambda: asked_to_link_again(hass))
    assert asked_to_link_again(hass) == [entry.entry_id]
    open_now = {flow["flow_id"] for flow in hass.config_entries.flow.async_progress()}
    assert form["flow_id"] not in open_now
    # A dialogue that is about another link is not in the way.
    assert step["flow_id"] in open_now


@pytest.mark.parametrize("is_forgotten", [True, False])
async def test_an_ended_link_that_is_loaded_anew_behind_an_open_dialogue_is_still_asked_for(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    person: NestPerson,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_forgotten: bool,
) -> None:
    entry = await linked(browser, nest_home, person, SMOKE_ONLY)
    form = await reconfigure(hass, entry)
    await end_on_the_server(nest_home, entry.data["token"]["access_token"])
    await until(lambda: waits_to_ask(entry))
    monkeypatch.setattr(asking, "FORGOTTEN_AFTER", 0.05 if is_forgotten else 3600.0)
    assert await hass.config_entries.async_reload(entry.entry_id)
    if not is_forgotten:
        assert asked_to_link_again(hass) == []
        hass.config_entries.flow.async_abort(form["flow_id"])
    await until(lambda: asked_to_link_again(hass))
    assert asked_to_link_again(hass) == [entry.entry_id]


async def test_a_dialogue_that_links_again_by_itself_is_followed_by_no_question(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    entry = await linked(browser, nest_home, person, SMOKE_ONLY)
    form = await reconfigure(hass, entry)
    await end_on_the_server(nest_home, entry.data["token"]["access_token"])
    await until(lambda: waits_to_ask(entry))
    step = await browser.submit(form, {"address": nest_home.base, **SMOKE_ONLY})
    result = await browser.come_back(step, person.accept)
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    await until(lambda: not waits_to_ask(entry))
    await hass.async_block_till_done()
    assert asked_to_link_again(hass) == []
    assert entry.state is ConfigEntryState.LOADED


def waits_to_ask(entry: ConfigEntry[Any]) -> bool:
    """Whether a question waits for a dialogue to end."""
    return any(task.get_name() == f"{DOMAIN} asking {entry.entry_id}" for task in asyncio.all_tasks())


def asked_to_link_again(hass: HomeAssistant) -> list[str]:
    """Return which links a person is asked to link again, one id for each time."""
    flows = hass.config_entries.flow.async_progress()
    return [flow["context"]["entry_id"] for flow in flows if flow["context"]["source"] == SOURCE_REAUTH]


async def test_another_address_of_the_same_server_needs_no_new_acceptance(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    entry = await linked(browser, nest_home, person, None)
    token = entry.data["token"]
    await nest_home.stop()
    moved = await nest_home.start()
    result = await browser.submit(await reconfigure(hass, entry), {"address": moved, **EVERYTHING})
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    await hass.async_block_till_done()
    assert entry.data["server"]["base"].rstrip("/") == moved
    assert entry.data["token"] == token
    assert entry.state is ConfigEntryState.LOADED
    await until(lambda: entry.runtime_data.live)


async def test_another_server_is_not_taken_for_this_one(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser, tmp_path: Any
) -> None:
    entry = await linked(browser, nest_home, person, None)
    other = NestHomeServer(tmp_path / "other", tmp_path / "other.log")
    await other.start()
    try:
        form = await reconfigure(hass, entry)
        for address, errors in (
            (other.base, {"address": "other_server"}),
            ("home.nest.com", {"address": "address_google"}),
            (f"{nest_home.base}", {"base": "nothing_chosen"}),
        ):
            share = {**EVERYTHING, **({} if address != nest_home.base else {**SMOKE_ONLY, "smoke_co": False})}
            form = await browser.submit(form, {"address": address, **share})
            assert (form["step_id"], form["errors"]) == ("reconfigure", errors)
    finally:
        await other.stop()
    form = await browser.submit(form, {"address": other.base, **EVERYTHING})
    assert form["errors"] == {"base": "cannot_connect"}


async def pin_of(person: NestPerson, url: str) -> str:
    """Accept on the server's page and read the PIN that it then shows."""
    (pin,) = re.findall(r"<code>(\w+)</code>", await person.read(await person.accept(url)))
    return str(pin)


async def test_a_pin_takes_the_way_back(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    form = await browser.submit(await browser.start(), {"address": nest_home.base})
    step = await browser.submit(form, {**EVERYTHING, "by_pin": True})
    assert (step["type"], step["step_id"]) == ("form", "pin")
    url = step["description_placeholders"]["url"]
    assert URL(url).query.keys() == {
        "response_type",
        "client_id",
        "state",
        "code_challenge",
        "code_challenge_method",
    }
    pin = await pin_of(person, url)
    assert len(pin) == 8
    step = await browser.submit(step, {"pin": "WRONGPIN"})
    assert (step["step_id"], step["errors"]) == ("pin", {"pin": "pin_refused"})
    result = await browser.submit(step, {"pin": f" {pin.lower()} "})
    assert result["type"] == "create_entry", result
    await hass.async_block_till_done()
    entry = result["result"]
    assert entry.data["by_pin"] is True
    assert entry.state is ConfigEntryState.LOADED
    assert len(shown(hass, "climate")) == 2


@pytest.mark.parametrize("return_to", [None, "http://home-assistant.example.com/auth/external/callback"])
async def test_where_no_browser_can_be_sent_back_a_pin_does_it(
    nest_home: NestHomeServer,
    person: NestPerson,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
    return_to: str | None,
) -> None:
    form = await browser.submit(await browser.start(), {"address": nest_home.base})
    monkeypatch.setattr("custom_components.works_with_nest.config_flow.redirect_uri", lambda: return_to)
    step = await browser.submit(form, EVERYTHING)
    assert (step["type"], step["step_id"]) == ("form", "pin")
    pin = await pin_of(person, step["description_placeholders"]["url"])
    assert (await browser.submit(step, {"pin": pin}))["type"] == "create_entry"


async def test_a_server_that_goes_down_before_the_pin_is_said_on_the_form(
    nest_home: NestHomeServer, browser: Browser
) -> None:
    form = await browser.submit(await browser.start(), {"address": nest_home.base})
    step = await browser.submit(form, {**EVERYTHING, "by_pin": True})
    await nest_home.stop()
    step = await browser.submit(step, {"pin": "ACDEFGHJ"})
    assert (step["step_id"], step["errors"]) == ("pin", {"base": "cannot_connect"})


async def test_what_is_taken_back_on_the_server_is_a_repair_that_asks_for_it_again(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    person: NestPerson,
    browser: Browser,
    issue_registry: ir.IssueRegistry,
) -> None:
    entry = await linked(browser, nest_home, person, None)
    issue_id = f"permissions_missing_{entry.entry_id}"
    assert issue_registry.async_get_issue(DOMAIN, issue_id) is None
    await person.take_back("thermostat read/write")
    await until(lambda: issue_registry.async_get_issue(DOMAIN, issue_id))
    assert issue_registry.async_get_issue(DOMAIN, issue_id).translation_placeholders == {
        "home": "Home",
        "data": "Thermostats",
    }
    step = await browser.submit(await reconfigure(hass, entry), {"address": nest_home.base, **EVERYTHING})
    assert step["type"] == "external"
    result = await browser.come_back(step, person.accept)
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    await until(lambda: issue_registry.async_get_issue(DOMAIN, issue_id) is None)
    await until(lambda: len(shown(hass, "climate")) == 2)


async def test_a_certificate_signed_by_itself_is_asked_about_when_a_link_moves_to_it(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser, tmp_path: Path
) -> None:
    entry = await linked(browser, nest_home, person, None)
    await nest_home.stop()
    pair = Authority("nest").pair(tmp_path / "pairs")
    secure = NestHomeServer(tmp_path / "nest", tmp_path / "nest.log", "--seed", "7", *pair.options)
    await secure.start()
    try:
        fields = {"address": secure.base, **EVERYTHING}
        form = await browser.submit(await reconfigure(hass, entry), fields)
        assert form["step_id"] == "certificate"
        result = await browser.submit(form, {"same": True})
        assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
        await hass.async_block_till_done()
        assert entry.data["server"]["fingerprint"] == fingerprint_of(pair.certificate).replace(":", "").lower()
        assert entry.state is ConfigEntryState.LOADED
    finally:
        await hass.config_entries.async_unload(entry.entry_id)
        await secure.stop()


async def test_a_link_whose_token_ended_is_accepted_again_when_it_is_changed(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    entry = await linked(browser, nest_home, person, None)
    data = {**entry.data, "token": {**entry.data["token"], "access_token": "c.ended"}}
    hass.config_entries.async_update_entry(entry, data=data)
    step = await browser.submit(await reconfigure(hass, entry), {"address": nest_home.base, **EVERYTHING})
    result = await browser.come_back(step, person.accept)
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def test_a_server_that_goes_down_while_a_link_is_put_back_changes_nothing(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    entry = await linked(browser, nest_home, person, SMOKE_ONLY)
    before = dict(entry.data)
    step = await browser.submit(await reconfigure(hass, entry), {"address": nest_home.base, **EVERYTHING})
    await nest_home.stop()
    hass.config_entries.flow.async_abort(step["flow_id"])
    await hass.async_block_till_done()
    assert dict(entry.data) == before


async def reauth_form(hass: HomeAssistant, entry: ConfigEntry[Any]) -> Any:
    entry.async_start_reauth(hass)
    await until(hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    return flow


async def test_linking_again_while_the_server_is_down_is_said_on_the_form(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    entry = await linked(browser, nest_home, person, None)
    form = await reauth_form(hass, entry)
    await nest_home.stop()
    form = await browser.submit(form, None)
    assert (form["step_id"], form["errors"]) == ("reauth_confirm", {"base": "cannot_connect"})


async def test_a_client_that_the_server_forgot_is_registered_anew(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    entry = await linked(browser, nest_home, person, None)
    client = {**entry.data["client"], "client_id": "forgotten"}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "client": client})
    step = await browser.submit(await reauth_form(hass, entry), None)
    result = await browser.come_back(step, person.accept)
    assert (result["type"], result["reason"]) == ("abort", "reauth_successful")
    await hass.async_block_till_done()
    assert entry.data["client"]["client_id"] not in {"forgotten", ""}
    assert entry.state is ConfigEntryState.LOADED


async def test_a_registration_that_is_refused_is_said_in_the_servers_words(
    nest_home: NestHomeServer, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.works_with_nest.config_flow.CLIENT_NAME", "")
    form = await browser.submit(await browser.start(), {"address": nest_home.base})
    form = await browser.submit(form, EVERYTHING)
    assert (form["step_id"], form["errors"]) == ("share", {"base": "refused"})
    assert form["description_placeholders"]["message"]


async def test_linking_again_by_a_pin_where_nobody_can_be_sent_back(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    entry = await linked(browser, nest_home, person, None)
    old = entry.data["token"]["access_token"]
    form = await hass.config_entries.flow.async_configure((await reauth_form(hass, entry))["flow_id"])
    assert suggested(form) == {"by_pin": False}
    step = await browser.submit(form, {"by_pin": True})
    assert (step["type"], step["step_id"]) == ("form", "pin")
    pin = await pin_of(person, step["description_placeholders"]["url"])
    result = await browser.submit(step, {"pin": pin})
    assert (result["type"], result["reason"]) == ("abort", "reauth_successful")
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data["token"]["access_token"] != old
    # It is what is offered the next time.
    form = await hass.config_entries.flow.async_configure((await reauth_form(hass, entry))["flow_id"])
    assert suggested(form) == {"by_pin": True}


async def test_more_data_is_accepted_again_by_a_pin(
    hass: HomeAssistant, nest_home: NestHomeServer, person: NestPerson, browser: Browser
) -> None:
    entry = await linked(browser, nest_home, person, SMOKE_ONLY)
    fields = {"address": nest_home.base, **EVERYTHING, "by_pin": True}
    step = await browser.submit(await reconfigure(hass, entry), fields)
    assert (step["type"], step["step_id"]) == ("form", "pin")
    pin = await pin_of(person, step["description_placeholders"]["url"])
    result = await browser.submit(step, {"pin": pin})
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    await until(lambda: len(shown(hass, "climate")) == 2)
    assert entry.data["by_pin"] is True
    # Where nothing has to be accepted, the choice is kept all the same.
    result = await browser.submit(await reconfigure(hass, entry), {"address": nest_home.base, **EVERYTHING})
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    await hass.async_block_till_done()
    assert entry.data["by_pin"] is False


async def test_what_should_be_known_of_a_new_address_is_said_before_the_link_moves_there(
    hass: HomeAssistant,
    nest_home: NestHomeServer,
    person: NestPerson,
    browser: Browser,
    tmp_path: Path,
    elsewhere: str,
) -> None:
    entry = await linked(browser, nest_home, person, SMOKE_ONLY)
    before = dict(entry.data)
    await nest_home.stop()
    there = NestHomeServer(tmp_path / "nest", tmp_path / "nest.log", "--seed", "7", "--host", elsewhere)
    moved = await there.start()
    form = await reconfigure(hass, entry)
    assert form["description_placeholders"]["notice"].startswith("The page that opens is at 127.0.0.1, which")
    form = await browser.submit(form, {"address": moved, **EVERYTHING})
    assert (form["type"], form["step_id"], form["errors"]) == ("form", "new_address", {})
    assert form["description_placeholders"]["address"] == moved
    assert form["description_placeholders"]["notice"].startswith(f"The page that opens is at {elsewhere}, which")
    assert dict(entry.data) == before
    # It is said once, and what it advises can be done there.
    step = await browser.submit(form, {"by_pin": True})
    assert (step["type"], step["step_id"]) == ("form", "pin")
    async with NestPerson(moved, "ada", PASSWORD) as member:
        pin = await pin_of(member, step["description_placeholders"]["url"])
    result = await browser.submit(step, {"pin": pin})
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    await until(lambda: len(shown(hass, "climate")) == 2)
    assert entry.data["server"]["base"].rstrip("/") == moved
    await hass.config_entries.async_unload(entry.entry_id)
    await there.stop()


async def test_a_confirmed_certificate_is_not_asked_about_again_until_it_is_another(
    hass: HomeAssistant,
    secure_home: NestHomeServer,
    secure_link: ConfigEntry[Any],
    browser: Browser,
    tmp_path: Path,
) -> None:
    entry, fields = secure_link, {"address": secure_home.base, **EVERYTHING}
    first = entry.data["server"]["fingerprint"]
    result = await browser.submit(await reconfigure(hass, entry), fields)
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    await hass.async_block_till_done()
    port = URL(secure_home.base).port or 0
    await secure_home.stop()
    renewed = Authority("nest").pair(tmp_path / "pairs")
    await secure_home.start(port)
    form = await browser.submit(await reconfigure(hass, entry), fields)
    assert form["step_id"] == "certificate"
    assert form["description_placeholders"]["fingerprint"] == fingerprint_of(renewed.certificate)
    assert entry.data["server"]["fingerprint"] == first
    result = await browser.submit(form, {"same": True})
    assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
    await hass.async_block_till_done()
    assert entry.data["server"]["fingerprint"] == fingerprint_of(renewed.certificate).replace(":", "").lower()
    assert entry.state is ConfigEntryState.LOADED
