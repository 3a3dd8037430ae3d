"""What the alarm card is told: who is heard, what was last known of who is not, and how old all of it is."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from homeassistant.auth.models import Group
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.works_with_nest import PLATFORMS

from .conftest import FixtureService, SetUp, until

KEEP_ALIVE = b"event: keep-alive\ndata: null\n\n"


class Browser:
    """A browser that keeps the picture it is told."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.messages: list[dict[str, Any]] = []
        self.sent: list[float] = []
        self.links: dict[str, dict[str, Any]] = {}

    async def subscribe(self) -> None:
        await self._client.send_json({"id": 7, "type": "works_with_nest/subscribe"})
        assert (await self._client.receive_json())["success"]
        await self.take()

    async def take(self) -> dict[str, Any]:
        news = (await self._client.receive_json())["event"]
        self.sent.append(news["sent"])
        links: dict[str, Any] = news["links"]
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

    @property
    def home(self) -> dict[str, Any]:
        (home,) = self.link["homes"]
        assert isinstance(home, dict)
        return home

    @property
    def rooms(self) -> list[str | None]:
        return [alarm["room"] for alarm in self.home["alarms"]]

    def alarm(self, room: str) -> dict[str, Any]:
        return next(alarm for home in self.link["homes"] for alarm in home["alarms"] if alarm["room"] == room)


class Look(Protocol):
    """Opens a browser which looks on, of the owner or with the token of somebody else."""

    async def __call__(self, *token: str) -> Browser: ...


@pytest.fixture
def look(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> Look:
    async def look(*token: str) -> Browser:
        # Before the first client, which lets nobody add an address any more.
        assert await async_setup_component(hass, "works_with_nest", {})
        browser = Browser(await hass_ws_client(hass, *token))
        await browser.subscribe()
        return browser

    return look


async def token_of_somebody_who_may_read(hass: HomeAssistant, what: Any) -> str:
    """Add a user to whom a policy leaves so much and nothing else; return a token of theirs."""
    store = hass.auth._store
    store._groups["some"] = Group(name="Some", policy={"entities": what}, id="some")
    user = await hass.auth.async_create_user("Somebody", group_ids=["some"])
    refresh = await hass.auth.async_create_refresh_token(user, "http://127.0.0.1/")
    return hass.auth.async_create_access_token(refresh)


def readable(*entity_ids: str) -> dict[str, Any]:
    return {"entity_ids": {entity_id: {"read": True} for entity_id in entity_ids}}


def entities_of(hass: HomeAssistant, *names: str) -> list[str]:
    """Return the ids of all entities whose ids begin so, after their platform."""
    return [each for each in er.async_get(hass).entities if each.partition(".")[2].startswith(names)]


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


async def test_what_a_home_calls_an_alarm_is_told_unless_that_is_its_room(
    service: FixtureService, link: SetUp, look: Look
) -> None:
    await link()
    browser = await look()
    for label, told in (("By the window", "By the window"), ("Bedroom", None)):
        service.push(lambda document, label=label: alarms(document)["Bedroom"].update(label=label))
        await browser.until(lambda told=told: browser.alarm("Bedroom")["label"] == told)


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


async def test_what_is_sent_later_says_so(service: FixtureService, link: SetUp, look: Look) -> None:
    await link()
    browser = await look()
    for _ in range(2):
        service.send(KEEP_ALIVE)
        await browser.take()
    assert sorted(set(browser.sent)) == browser.sent


async def test_a_user_is_told_of_no_alarm_that_they_may_not_read_and_that_there_is_more(
    hass: HomeAssistant, service: FixtureService, link: SetUp, look: Look
) -> None:
    entry = await link()
    owner = await look()
    kitchen = next(alarm["id"] for alarm in owner.home["alarms"] if alarm["room"] != "Bedroom")
    bedroom = entities_of(hass, "bedroom_nest_protect")
    browser = await look(await token_of_somebody_who_may_read(hass, readable(*bedroom)))
    assert browser.rooms == ["Bedroom"]
    assert set(browser.alarm("Bedroom")["entities"].values()) <= set(bedroom)
    assert set(browser.home["withheld"]) == {browser.home["id"], kitchen}
    said = {key: browser.home[key] for key in ("smoke", "carbon_monoxide", "understood", "entities")}
    assert said == {"smoke": None, "carbon_monoxide": None, "understood": False, "entities": {}}
    assert [thermostat["entities"] for thermostat in browser.home["thermostats"]] == [{}, {}]
    assert (browser.link["live"], owner.home["withheld"]) == (True, [])
    seen = len(browser.messages)
    service.push(lambda document: alarms(document)["Kitchen"].update(smoke_alarm_state="emergency"))
    device_id = alarms(service.document)["Kitchen"]["device_id"]
    await until(lambda: entry.runtime_data.data.alarms[device_id].smoke == "emergency")
    await browser.until(lambda: len(browser.messages) > seen)
    assert [link for links in browser.messages[seen:] for link in links.values() if "homes" in link] == []


async def test_an_alarm_of_which_anything_may_not_be_read_is_not_told(
    hass: HomeAssistant, link: SetUp, look: Look
) -> None:
    await link()
    most = set(entities_of(hass, "bedroom_nest_protect")) - {"sensor.bedroom_nest_protect_ring_colour"}
    browser = await look(await token_of_somebody_who_may_read(hass, readable(*most)))
    assert browser.rooms == []


async def test_a_user_who_may_read_nothing_is_told_nothing(hass: HomeAssistant, link: SetUp, look: Look) -> None:
    await link()
    browser = await look(await token_of_somebody_who_may_read(hass, {"domains": {"light": True}}))
    assert (browser.home["alarms"], browser.home["entities"], len(browser.home["withheld"])) == ([], {}, 3)
    assert (browser.link["live"], browser.link["age"], browser.link["last_contact"]) == (False, None, None)


@pytest.mark.parametrize("policy", [True, {"all": {"read": True}}, {"domains": dict.fromkeys(PLATFORMS, True)}])
async def test_a_user_who_may_read_all_of_it_is_told_all_of_it(
    hass: HomeAssistant, link: SetUp, look: Look, policy: Any
) -> None:
    await link()
    owner = await look()
    browser = await look(await token_of_somebody_who_may_read(hass, policy))
    assert browser.link["homes"] == owner.link["homes"]


async def test_what_a_user_may_read_no_more_is_withdrawn(
    hass: HomeAssistant, service: FixtureService, link: SetUp, look: Look
) -> None:
    await link()
    browser = await look(await token_of_somebody_who_may_read(hass, {"all": {"read": True}}))
    assert len(browser.rooms) == 2
    (user,) = (user for user in await hass.auth.async_get_users() if user.name == "Somebody")
    hass.auth._store._groups["none"] = Group(name="None", policy={}, id="none")
    await hass.auth.async_update_user(user, group_ids=["none"])
    service.send(KEEP_ALIVE)
    await browser.until(lambda: browser.rooms == [])


async def test_an_alarm_whose_device_is_turned_off_is_left_out(
    hass: HomeAssistant, service: FixtureService, link: SetUp, look: Look
) -> None:
    await link()
    browser = await look()
    bedroom = browser.alarm("Bedroom")
    dr.async_get(hass).async_update_device(bedroom["id"], disabled_by=dr.DeviceEntryDisabler.USER)
    await browser.until(lambda: browser.rooms == ["Kitchen"])
    # What it tells is still told by the home, as the home itself says it.
    service.push(lambda document: next(iter(document["structures"].values())).update(smoke_alarm_state="emergency"))
    await browser.until(lambda: browser.home["smoke"] == "emergency")
    dr.async_get(hass).async_update_device(bedroom["id"], disabled_by=None)
    await browser.until(lambda: set(browser.rooms) == {"Bedroom", "Kitchen"})
