import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import re
from typing import Any

from aiohttp import ClientSession, CookieJar
from aiohttp.test_utils import TestServer
import pytest
from yarl import URL

from wwn_server.app import create_app
from wwn_server.document import Document
from wwn_server.homes.base import Write
from wwn_server.settings import Settings
from wwn_server.store import Store

from .conftest import Running
from .hub import Events, Hub, refusal
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


async def thermostat(person: Person, room: str = "Living Room") -> dict[str, Any]:
    document = (await person.console())["document"]
    return dict(next(each for each in document["devices"]["thermostats"].values() if each["where_name"] == room))


async def post(person: Person, path: str, **form: str) -> int:
    csrf = (await person.console())["csrf"]
    return (await person.post(f"/console/{path}", {"csrf": csrf} | form)).status


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ({"is_locked": "true"}, {"is_locked": True}),
        ({"is_using_emergency_heat": "true"}, {"is_using_emergency_heat": True}),
        ({"sunlight": "on"}, {"sunlight_correction_enabled": True, "sunlight_correction_active": False}),
        ({"sunlight": "correcting"}, {"sunlight_correction_enabled": True, "sunlight_correction_active": True}),
        ({"is_online": "false"}, {"is_online": False}),
    ],
)
async def test_a_thermostat_can_be_put_into_any_state_and_back(
    owner: Person, form: dict[str, str], fields: dict[str, Any]
) -> None:
    before = await thermostat(owner)
    path = f"thermostats/{before['device_id']}"
    assert await post(owner, path, **form) == 303
    after = await thermostat(owner)
    assert {name: after[name] for name in fields} == fields
    (name,) = form
    back = {"sunlight": "off", "is_online": "true"}.get(name, "false")
    assert await post(owner, path, **{name: back}) == 303
    assert await thermostat(owner) == before


async def test_a_manual_test_is_started_and_ended(server: Running, owner: Person) -> None:
    await press(owner, "Bedroom", is_manual_test_active="true")
    bedroom = (await alarms(owner))["Bedroom"]
    assert (bedroom["is_manual_test_active"], bedroom["smoke_alarm_state"], bedroom["co_alarm_state"]) == (
        True,
        "ok",
        "ok",
    )
    assert "last_manual_test_time" not in bedroom
    server.clock.seconds += 30
    await press(owner, "Bedroom", is_manual_test_active="false")
    bedroom = (await alarms(owner))["Bedroom"]
    assert (bedroom["is_manual_test_active"], bedroom["last_manual_test_time"]) == (False, "2026-11-24T12:00:30.000Z")


async def test_the_surroundings_are_set_and_told(owner: Person) -> None:
    assert await post(owner, "home", outside_temperature="-7.5", speed="0.5", rush_hour="true") == 303
    assert (await owner.console())["surroundings"] == {
        "outside_temperature_c": -7.5,
        "outside_temperature_f": 19,
        "weather": False,
        "speed": 0.5,
        "rush_hour": True,
    }
    (structure,) = (await owner.console())["document"]["structures"].values()
    assert structure["rhr_enrollment"] is True
    assert (structure["peak_period_start_time"], structure["peak_period_end_time"]) == (
        "2026-11-24T12:00:00.000Z",
        "2026-11-24T13:00:00.000Z",
    )
    assert await post(owner, "home", outside_temperature="", speed="0", rush_hour="false") == 303
    surroundings = (await owner.console())["surroundings"]
    assert (surroundings["weather"], surroundings["speed"], surroundings["rush_hour"]) == (True, 0, False)
    (structure,) = (await owner.console())["document"]["structures"].values()
    assert "peak_period_start_time" not in structure


async def test_devices_are_hung_up_and_taken_down(server: Running, owner: Person) -> None:
    for number in (1, 2):
        assert await post(owner, "devices", group="smoke_co_alarms", room="Office") == 303
        assert len(await alarms(owner)) == 4
        assert len(server.home.document.group("smoke_co_alarms")) == 3 + number
    names = [each["name_long"] for each in server.home.document.group("smoke_co_alarms").values()]
    assert names[-2:] == ["Office Nest Protect", "Office Nest Protect (2)"]
    device_id = (await thermostat(owner, "Bedroom"))["device_id"]
    assert await post(owner, f"devices/{device_id}/remove") == 303
    assert device_id not in server.home.document.group("thermostats")
    assert await post(owner, f"devices/{device_id}/remove") == 404
    assert await post(owner, f"thermostats/{device_id}", is_locked="true") == 404


async def test_a_home_is_full_at_twenty(server: Running, owner: Person) -> None:
    for _ in range(18):
        assert await post(owner, "devices", group="thermostats", room="Office") == 303
    before = server.home.document
    assert await post(owner, "devices", group="thermostats", room="Office") == 409
    assert server.home.document is before


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("home", {"outside_temperature": "51"}),
        ("home", {"outside_temperature": "nan"}),
        ("home", {"outside_temperature": "warm"}),
        ("home", {"speed": "-1"}),
        ("home", {"speed": "3601"}),
        ("home", {"speed": "inf"}),
        ("home", {"rush_hour": "yes"}),
        ("home", {"away": "away", "speed": "fast"}),
        ("devices", {}),
        ("devices", {"group": "structures", "room": "Office"}),
        ("devices", {"group": "thermostats", "room": "Dungeon"}),
    ],
)
async def test_a_form_that_means_nothing_changes_nothing(owner: Person, path: str, form: dict[str, str]) -> None:
    before = await owner.console()
    assert await post(owner, path, **form) == 400
    assert await owner.console() == before


@asynccontextmanager
async def console_events(person: Person) -> AsyncIterator[Events]:
    async with person.browser.get(f"{person.base}/console/events") as response:
        assert response.status == 200
        yield Events(response)


async def shown(events: Events) -> dict[str, str]:
    """Return the parts of the next event, by the name of the room or home."""
    name, data = await events.next()
    assert name == "home"
    return {
        re.findall(r"<h2[^>]*>(.*?)</h2>", each["html"])[0]: each["html"] for each in data["homes"] + data["devices"]
    }


async def test_an_open_page_is_told_what_changes(server: Running, owner: Person) -> None:
    async with console_events(owner) as events:
        first = await shown(events)
        assert set(first) == {
            "Home",
            "Hallway Nest Protect",
            "Kitchen Nest Protect",
            "Bedroom Nest Protect",
            "Living Room Thermostat",
            "Bedroom Thermostat",
        }
        page = await (await owner.get("/console")).text()
        assert all(html in page for html in first.values())
        await press(owner, "Kitchen", smoke_alarm_state="emergency")
        second = await shown(events)
        assert 'data-say="Kitchen Nest Protect: smoke Emergency, carbon monoxide OK."' in second["Kitchen Nest Protect"]
        assert {name for name in first if first[name] != second[name]} == {
            "Home",
            "Kitchen Nest Protect",
            "Living Room Thermostat",
            "Bedroom Thermostat",
        }
        await post(owner, "home", outside_temperature="-20")
        assert "-20.0 °C (-4 °F), as it was set" in (await shown(events))["Home"]


async def test_a_page_in_a_browser_that_is_not_signed_in_is_told_nothing(person: Person) -> None:
    answer = await person.get("/console/events")
    assert await refusal(answer) == (401, "auth-error")


async def test_the_head_of_what_never_ends_is_not_to_be_had(server: Running, owner: Person) -> None:
    cookie = owner.browser.cookie_jar.filter_cookies(URL(server.base))["wwn_session"].value
    reader, writer = await asyncio.open_connection(URL(server.base).host, URL(server.base).port)
    writer.write(
        b"HEAD /console/events HTTP/1.1\r\nHost: nas\r\nConnection: close\r\nCookie: wwn_session=%b\r\n\r\n"
        % cookie.encode()
    )
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 405")
    assert answer.endswith(b"\r\n\r\n")


async def test_signing_out_ends_the_open_page_before_it_is_told_more(server: Running, owner: Person) -> None:
    async with console_events(owner) as events:
        await shown(events)
        csrf = (await owner.console())["csrf"]
        assert (await owner.post("/sign-out", {"csrf": csrf})).status == 303
        server.home.set_speed(5)
        assert await events.next() == ("signed-out", None)
        with pytest.raises(EOFError):
            await events.next()


async def test_the_page_may_load_its_script_and_listen_and_runs_nothing_inline(owner: Person) -> None:
    answer = await owner.get("/console")
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'"} <= set(policy)
    other = (await owner.get("/connections")).headers["Content-Security-Policy"]
    assert "script-src" not in other
    assert "connect-src" not in other
    text = await answer.text()
    assert re.findall(r"<script[^>]*>[^<]*</script>", text) == [
        '<script type="module" src="/static/console.js"></script>'
    ]
    assert not re.search(r"\son\w+=|style=", text)
    script = await owner.get("/static/console.js")
    assert (script.status, script.content_type) == (200, "text/javascript")


class RealHome:
    """A home whose devices can't be told what to sense."""

    document = Document()
    playable = None

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
