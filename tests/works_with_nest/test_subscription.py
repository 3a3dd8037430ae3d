"""What the alarm card is told: who is heard, what was last known of who is not, and how old all of it is."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from .conftest import FixtureService, SetUp, until

KEEP_ALIVE = b"event: keep-alive\ndata: null\n\n"


class Browser:
    """A browser that keeps the picture it is told."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.messages: list[dict[str, Any]] = []
        self.links: dict[str, dict[str, Any]] = {}

    async def subscribe(self) -> None:
        await self._client.send_json({"id": 7, "type": "works_with_nest/subscribe"})
        assert (await self._client.receive_json())["success"]
        await self.take()

    async def take(self) -> dict[str, Any]:
        links = (await self._client.receive_json())["event"]["links"]
        self.messages.append(links)
        self.links = {entry_id: {**self.links.get(entry_id, {}), **link} for entry_id, link in links.items()}
        return links

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await self.take()

    @property
    def link(self) -> dict[str, Any]:
        return next(iter(self.links.values()))

    def alarm(self, room: str) -> dict[str, Any]:
        return next(alarm for home in self.link["homes"] for alarm in home["alarms"] if alarm["room"] == room)


type Look = Callable[[], Awaitable[Browser]]


@pytest.fixture
def look(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> Look:
    """Return a function that opens a browser which looks on."""

    async def look() -> Browser:
        # Before the first client, which lets nobody add an address any more.
        assert await async_setup_component(hass, "works_with_nest", {})
        browser = Browser(await hass_ws_client(hass))
        await browser.subscribe()
        return browser

    return look


def alarms(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {alarm["where_name"]: alarm for alarm in document["devices"]["smoke_co_alarms"].values()}


async def test_all_of_a_home_is_told_at_once(service: FixtureService, link: SetUp, look: Look) -> None:
    await link()
    browser = await look()
    assert (browser.link["live"], browser.link["live_for"]) == (True, 75)
    assert 0 <= browser.link["age"] < 30
    (home,) = browser.link["homes"]
    assert (home["name"], home["smoke"], home["carbon_monoxide"], home["understood"]) == ("Home", "warning", "ok", True)
    assert home["entities"]["select.presence_mode"] == "select.home_away_mode"
    assert len(home["thermostats"]) == len(home["alarms"]) == 2
    bedroom = browser.alarm("Bedroom")
    said = {key: bedroom[key] for key in ("heard", "smoke", "carbon_monoxide", "battery", "ring", "testing", "since")}
    assert said == {
        "heard": "live",
        "smoke": "ok",
        "carbon_monoxide": "ok",
        "battery": "ok",
        "ring": "green",
        "testing": False,
        "since": None,
    }
    assert bedroom["entities"]["sensor.smoke_level"] == "sensor.bedroom_nest_protect_smoke_level"


async def test_a_sign_of_life_is_told_without_the_homes(service: FixtureService, link: SetUp, look: Look) -> None:
    await link()
    browser = await look()
    service.send(KEEP_ALIVE)
    told = await browser.take()
    assert [link.keys() for link in told.values()] == [{"title", "live", "age", "live_for", "last_contact"}]


async def test_an_emergency_that_falls_silent_stays_one(service: FixtureService, link: SetUp, look: Look) -> None:
    await link()
    browser = await look()
    service.push(lambda document: alarms(document)["Bedroom"].update(smoke_alarm_state="emergency"))
    await browser.until(lambda: browser.alarm("Bedroom")["smoke"] == "emergency")
    assert browser.alarm("Bedroom")["heard"] == "live"

    def cut_off(document: dict[str, Any]) -> None:
        # The word of an alarm that is offline is the service's, and no news.
        said = {"is_online": False, "smoke_alarm_state": "ok", "last_connection": "2026-01-02T03:04:05.000Z"}
        alarms(document)["Bedroom"].update(said)

    service.push(cut_off)
    await browser.until(lambda: browser.alarm("Bedroom")["heard"] == "offline")
    assert (browser.alarm("Bedroom")["smoke"], browser.alarm("Bedroom")["since"]) == ("emergency", 1767323045.0)
    service.push(lambda document: alarms(document)["Bedroom"].update(is_online=True))
    await browser.until(lambda: browser.alarm("Bedroom")["heard"] == "live")
    assert browser.alarm("Bedroom")["smoke"] == "ok"


async def test_a_lost_link_is_told_with_what_was_last_known_and_since_when(
    service: FixtureService, link: SetUp, look: Look, short_clocks: None
) -> None:
    entry = await link()
    browser = await look()
    service.push(lambda document: alarms(document)["Bedroom"].update(co_alarm_state="emergency"))
    await browser.until(lambda: browser.alarm("Bedroom")["carbon_monoxide"] == "emergency")
    service.status = service.stream_status = 503
    await browser.until(lambda: not browser.link["live"])
    since = entry.runtime_data.last_contact.timestamp()
    assert {(alarm["heard"], alarm["since"]) for alarm in browser.link["homes"][0]["alarms"]} == {("link_down", since)}
    assert browser.alarm("Bedroom")["carbon_monoxide"] == "emergency"
    assert browser.link["last_contact"] == since


async def test_what_was_last_known_outlives_a_restart_in_which_nothing_answers(
    hass: HomeAssistant, service: FixtureService, link: SetUp, look: Look
) -> None:
    entry = await link()
    browser = await look()
    service.push(lambda document: alarms(document)["Bedroom"].update(smoke_alarm_state="emergency"))
    await browser.until(lambda: browser.alarm("Bedroom")["smoke"] == "emergency")
    service.status = service.stream_status = 503
    await hass.config_entries.async_reload(entry.entry_id)
    await browser.until(lambda: not browser.link["live"])
    newcomer = await look()
    for each in (browser, newcomer):
        bedroom = each.alarm("Bedroom")
        assert (bedroom["heard"], bedroom["smoke"]) == ("link_down", "emergency")
        assert bedroom["since"] == each.link["last_contact"] > 0


async def test_while_a_link_is_loaded_anew_nothing_that_was_told_is_taken_back(
    hass: HomeAssistant, service: FixtureService, link: SetUp, look: Look
) -> None:
    entry = await link()
    browser = await look()
    service.push(lambda document: alarms(document)["Bedroom"].update(smoke_alarm_state="emergency"))
    await browser.until(lambda: browser.alarm("Bedroom")["smoke"] == "emergency")
    seen = len(browser.messages)
    await hass.config_entries.async_reload(entry.entry_id)
    await browser.until(lambda: len(browser.messages) > seen and browser.link["live"])
    told = [link["homes"] for links in browser.messages[seen:] for link in links.values() if "homes" in link]
    levels = [alarm["smoke"] for homes in told for alarm in homes[0]["alarms"] if alarm["room"] == "Bedroom"]
    assert set(levels) <= {"emergency"}
    assert browser.alarm("Bedroom")["smoke"] == "emergency"


@pytest.mark.parametrize(
    "change", [{"is_online": None}, {"smoke_alarm_state": "burning"}, {"co_alarm_state": "perhaps"}]
)
async def test_what_is_not_understood_is_never_heard(
    service: FixtureService, link: SetUp, look: Look, change: dict[str, Any]
) -> None:
    await link()
    browser = await look()
    service.push(lambda document: alarms(document)["Bedroom"].update(change))
    await browser.until(lambda: browser.alarm("Bedroom")["heard"] != "live")
    assert browser.alarm("Bedroom")["heard"] == "unclear"


async def test_an_alarm_that_the_document_lacks_is_missing_since_it_was_last_there(
    service: FixtureService, link: SetUp, look: Look
) -> None:
    await link()
    browser = await look()

    def lose(document: dict[str, Any]) -> None:
        del document["devices"]["smoke_co_alarms"][alarms(document)["Bedroom"]["device_id"]]

    service.push(lose)
    await browser.until(lambda: browser.alarm("Bedroom")["heard"] == "missing")
    assert browser.alarm("Bedroom")["since"] <= browser.link["last_contact"]
    assert browser.alarm("Bedroom")["smoke"] == "ok"


async def test_alarms_that_the_link_may_not_see_are_not_missed(
    service: FixtureService, link: SetUp, look: Look
) -> None:
    # The lists of devices of a home are open to every link, the alarms themselves are not.
    service.document["devices"].pop("smoke_co_alarms")
    service.document["metadata"] = {**service.document["metadata"], "permissions": ["thermostat read"]}
    await link(["thermostat read"])
    browser = await look()
    (home,) = browser.link["homes"]
    assert (home["alarms"], len(home["thermostats"])) == ([], 2)


async def test_a_name_or_a_room_that_a_person_gives_is_told(
    hass: HomeAssistant, service: FixtureService, link: SetUp, look: Look
) -> None:
    await link()
    browser = await look()
    bedroom = browser.alarm("Bedroom")
    area = ar.async_get(hass).async_create("Nursery")
    dr.async_get(hass).async_update_device(bedroom["id"], name_by_user="Cot", area_id=area.id)
    await browser.until(lambda: any(alarm["room"] == "Nursery" for alarm in browser.link["homes"][0]["alarms"]))
    assert (browser.alarm("Nursery")["name"], browser.alarm("Nursery")["named"]) == ("Cot", True)


async def test_a_link_that_is_removed_or_turned_off_is_not_told_any_more(
    hass: HomeAssistant, service: FixtureService, link: SetUp, look: Look
) -> None:
    entry = await link()
    browser = await look()
    await hass.config_entries.async_remove(entry.entry_id)
    async with asyncio.timeout(10):
        while await browser.take():
            pass


async def test_nobody_is_told_after_leaving(
    hass: HomeAssistant, service: FixtureService, link: SetUp, hass_ws_client: WebSocketGenerator
) -> None:
    entry = await link()
    client = await hass_ws_client(hass)
    browser = Browser(client)
    await browser.subscribe()
    await client.send_json({"id": 8, "type": "unsubscribe_events", "subscription": 7})
    assert (await client.receive_json())["id"] == 8
    contact = entry.runtime_data.last_contact
    service.send(KEEP_ALIVE)
    await until(lambda: entry.runtime_data.last_contact != contact)
    await client.send_json({"id": 9, "type": "ping"})
    assert (await client.receive_json()) == {"id": 9, "type": "pong"}
