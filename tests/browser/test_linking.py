"""The ways into a link, in Home Assistant's own frontend and on the server's own pages."""

import json

from playwright.async_api import expect
import pytest

from tools.alone import run_alone, why_not
from tools.demo.servers import Servers
from tools.effort import BY_PIN, DOCUMENT, FOUND, OWN_CLIENT, TYPED, row, walk_own_client
from tools.hand import Hand
from tools.home_assistant import HomeAssistantApi
from tools.linking import DOMAIN
from tools.walks import (
    Walker,
    go_back,
    link_by_pin,
    link_typed,
    open_consent,
    open_device,
    open_integration,
)

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("socket_enabled", "unlinked")]


async def test_a_person_links_a_typed_address_and_sees_the_devices(walker: Walker, api: HomeAssistantApi) -> None:
    await link_typed(walker)
    await open_integration(walker)
    page = walker.page
    for name, count in (("Nest Protect", 3), ("Nest Thermostat", 2)):
        await expect(page.get_by_text(name, exact=True)).to_have_count(count)
    await expect(page.get_by_text("Protect • Kitchen")).to_be_visible()
    await expect(page.get_by_text("73 entities").first).to_be_visible()
    await open_device(walker.frontend, api, "Protect", "Kitchen")
    for text in ("Smoke level", "Carbon monoxide level", "Connectivity", "Battery"):
        await expect(page.get_by_text(text, exact=True).first).to_be_visible()
    await expect(page.get_by_text("Clear").first).to_be_visible()
    assert walker.linking.typed == len("Works with Nest") + len(walker.nest)
    assert walker.signing_in.typed == len(walker.name) + len(walker.password)
    assert row(TYPED, walker.linking, walker.signing_in) in DOCUMENT.read_text(encoding="utf-8")


async def test_a_person_links_by_pin(walker: Walker, api: HomeAssistantApi) -> None:
    await link_by_pin(walker)
    await open_integration(walker)
    await expect(walker.page.get_by_text("73 entities").first).to_be_visible()
    assert [entry["state"] for entry in await api.entries(DOMAIN)] == ["loaded"]
    assert row(BY_PIN, walker.linking, walker.signing_in) in DOCUMENT.read_text(encoding="utf-8")


async def test_a_person_links_by_a_client_of_their_own(walker: Walker, api: HomeAssistantApi) -> None:
    await walk_own_client(walker)
    # What such a service does not tell is offered until it is refused: arrival times too.
    await expect(walker.page.get_by_text("74 entities").first).to_be_visible()
    (entry,) = await api.entries(DOMAIN)
    assert entry["state"] == "loaded"
    assert row(OWN_CLIENT, walker.linking, walker.signing_in) in DOCUMENT.read_text(encoding="utf-8")


async def test_what_happens_in_the_home_is_seen_on_the_open_page(
    linked: str, walker: Walker, servers: Servers, api: HomeAssistantApi
) -> None:
    frontend = walker.frontend
    await open_device(frontend, api, "Protect", "Kitchen")
    await frontend.wait_for_text("Clear")
    async with servers.person() as person:
        await person.sign_in()
        alarms = (await person.document())["devices"]["smoke_co_alarms"]
        kitchen = next(key for key, alarm in alarms.items() if alarm["where_name"] == "Kitchen")
        await person.set_alarm(kitchen, smoke="emergency")
        await frontend.wait_for_text("Emergency")
        await frontend.wait_for_text("Detected")
        await person.set_alarm(kitchen, smoke="ok")


async def test_going_back_is_said_and_creates_nothing(walker: Walker, api: HomeAssistantApi) -> None:
    await go_back(walker, await open_consent(walker))
    await walker.frontend.wait_for_text(
        "You went back instead of accepting, so My Nest home shares nothing new with Home Assistant."
    )
    assert await api.entries(DOMAIN) == []


async def test_a_wrong_address_is_said_on_the_form_which_keeps_it(walker: Walker, api: HomeAssistantApi) -> None:
    await walker.frontend.choose_integration()
    # Home Assistant itself answers there, which is no Works with Nest server.
    await walker.frontend.type_address(api.base)
    await walker.frontend.wait_for_text("A server answers at this address, but it is not a Works with Nest server.")
    await expect(walker.page.locator("step-flow-form input").first).to_have_value(api.base)


async def test_a_server_that_announces_itself_is_found_and_linked_with_nothing_typed() -> None:
    if reason := await why_not():
        pytest.skip(f"no network namespace can be made here: {reason}")
    *_, done = (await run_alone("tools.found")).splitlines()
    walked = json.loads(done)
    assert walked["linking"]["typed"] == 0
    told = row(FOUND, Hand(**walked["linking"]), Hand(**walked["signing_in"]))
    assert told in DOCUMENT.read_text(encoding="utf-8")
    assert (walked["links"], walked["entities"]) == (["Home"], 73)
