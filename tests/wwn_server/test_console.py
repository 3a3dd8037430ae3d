from typing import Any

from aiohttp import ClientSession, CookieJar
from aiohttp.test_utils import TestServer
import pytest

from wwn_server.app import create_app
from wwn_server.document import Document
from wwn_server.homes.base import Write
from wwn_server.settings import Settings
from wwn_server.store import Store

from .conftest import Running
from .hub import Hub, refusal
from .person import Person


@pytest.fixture
async def owner(person: Person) -> Person:
    person.be_signed_in()
    return person


async def alarms(person: Person) -> dict[str, dict[str, Any]]:
    document = (await person.console())["document"]
    return {each["where_name"]: each for each in document["devices"]["smoke_co_alarms"].values()}


async def press(person: Person, room: str, **form: str) -> int:
    csrf = (await person.console())["csrf"]
    device_id = (await alarms(person))[room]["device_id"]
    answer = await person.post(f"/console/alarms/{device_id}", {"csrf": csrf} | form)
    return answer.status


async def test_a_program_gets_the_whole_document(owner: Person) -> None:
    document = (await owner.console())["document"]
    assert set(document) == {"devices", "structures"}
    assert len(document["devices"]["thermostats"]) == 2
    assert len(document["devices"]["smoke_co_alarms"]) == 3
    (structure,) = document["structures"].values()
    assert structure["postal_code"] == "W1A 1AA"


async def test_a_program_that_is_not_signed_in_gets_nothing(server: Running, session: ClientSession) -> None:
    answer = await session.get(f"{server.base}/console", headers={"Accept": "application/json"})
    assert await refusal(answer) == (401, "auth-error")


async def test_a_token_opens_no_page(linked: Hub) -> None:
    answer = await linked.get("/console", allow_redirects=False)
    assert answer.headers["Location"].startswith("/sign-in")


async def test_the_page_shows_every_device_and_its_state(owner: Person) -> None:
    await press(owner, "Kitchen", smoke_alarm_state="warning")
    text = await (await owner.get("/console")).text()
    for part in ("Living Room Thermostat", "Bedroom Thermostat", "Hallway Nest Protect", "Kitchen Nest Protect"):
        assert part in text
    assert 'class="card yellow"' in text


@pytest.mark.parametrize("level", ["warning", "emergency"])
@pytest.mark.parametrize("field", ["smoke_alarm_state", "co_alarm_state"])
async def test_an_alarm_can_be_tripped_and_calmed(owner: Person, field: str, level: str) -> None:
    assert await press(owner, "Hallway", **{field: level}) == 303
    assert (await alarms(owner))["Hallway"][field] == level
    assert await press(owner, "Hallway", **{field: "ok"}) == 303
    assert (await alarms(owner))["Hallway"][field] == "ok"


async def test_several_things_can_be_said_at_once(owner: Person) -> None:
    form = {"smoke_alarm_state": "emergency", "battery_health": "replace", "is_online": "false"}
    assert await press(owner, "Kitchen", **form) == 303
    kitchen = (await alarms(owner))["Kitchen"]
    assert kitchen["smoke_alarm_state"] == "emergency"
    assert kitchen["battery_health"] == "replace"
    assert kitchen["is_online"] is False
    assert kitchen["ui_color_state"] == "gray"


async def test_an_offline_alarm_tells_what_it_senses_when_it_is_back(owner: Person) -> None:
    await press(owner, "Kitchen", is_online="false")
    await press(owner, "Kitchen", smoke_alarm_state="emergency")
    assert (await alarms(owner))["Kitchen"]["smoke_alarm_state"] == "ok"
    await press(owner, "Kitchen", is_online="true", co_alarm_state="warning")
    kitchen = (await alarms(owner))["Kitchen"]
    assert (kitchen["smoke_alarm_state"], kitchen["co_alarm_state"]) == ("emergency", "warning")


async def test_leaving_and_coming_home(owner: Person) -> None:
    csrf = (await owner.console())["csrf"]
    for away in ("away", "home"):
        assert (await owner.post("/console/home", {"csrf": csrf, "away": away})).status == 303
        (structure,) = (await owner.console())["document"]["structures"].values()
        assert structure["away"] == away


@pytest.mark.parametrize(
    "form",
    [{"smoke_alarm_state": "inferno"}, {"is_online": "yes"}, {"battery_health": "warning"}, {"co_alarm_state": ""}],
)
async def test_a_word_that_means_nothing_changes_nothing(owner: Person, form: dict[str, str]) -> None:
    before = await owner.console()
    assert await press(owner, "Kitchen", **({"co_alarm_state": "warning"} | form)) == 400
    assert await owner.console() == before


async def test_an_unknown_device_is_not_found(owner: Person) -> None:
    csrf = (await owner.console())["csrf"]
    answer = await owner.post("/console/alarms/unknown", {"csrf": csrf, "smoke_alarm_state": "ok"})
    assert answer.status == 404
    assert "no such device" in await answer.text()


@pytest.mark.parametrize("path", ["/console/home", "/console/alarms/x"])
async def test_a_form_without_our_token_does_nothing(owner: Person, path: str) -> None:
    before = await owner.console()
    assert (await owner.post(path, {"away": "away", "csrf": "wrong"})).status == 403
    assert await owner.console() == before


async def test_who_is_not_signed_in_changes_nothing(person: Person) -> None:
    assert (await person.post("/console/home", {"away": "away"})).status == 403


class RealHome:
    """A home whose devices can't be told what to sense."""

    document = Document()

    def subscribe(self, _: object) -> Any:
        return lambda: None

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def write(self, write: Write) -> None: ...


async def test_a_real_home_is_shown_without_buttons(settings: Settings, store: Store) -> None:
    store.accounts.add("anna", "x")
    async with (
        TestServer(create_app(settings, store, RealHome()), host="127.0.0.1") as server,
        ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser,
    ):
        person = Person(str(server.make_url("")).rstrip("/"), browser, store)
        person.be_signed_in()
        page = await person.get("/console")
        assert page.status == 200
        assert "/console/home" not in await page.text()
        csrf = (await person.console())["csrf"]
        assert (await person.post("/console/home", {"csrf": csrf, "away": "away"})).status == 404
