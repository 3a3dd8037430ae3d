"""What a report of a link shows: enough to see what belongs to what, and nothing that tells who lives where."""

from collections.abc import Iterator
import json
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import JSONEncoder
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.works_with_nest.diagnostics import async_get_config_entry_diagnostics

from .conftest import SECRET, SERVER_ID, TOKEN, FixtureService, SetUp, until
from .test_init import HALLWAY, HOME, KITCHEN

# What is a name, a place or an id, wherever it stands in a document.
PRIVATE = {
    "access_token",
    "country_code",
    "device_id",
    "label",
    "name_long",
    "postal_code",
    "structure_id",
    "time_zone",
    "user_id",
    "where_id",
    "where_name",
}


async def report_of(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Return the report as it would be written to a file."""
    report = await async_get_config_entry_diagnostics(hass, entry)
    return json.loads(json.dumps(report, cls=JSONEncoder))


def private_values(value: Any) -> Iterator[str]:
    for key, each in value.items():
        if isinstance(each, dict):
            yield from private_values(each)
        elif key in PRIVATE and isinstance(each, str) and len(each) > 2:
            yield each
    yield from (key for key in value if len(key) > 30)


async def test_no_secret_no_id_and_no_name_is_in_it(hass: HomeAssistant, service: FixtureService, link: SetUp) -> None:
    service.document["structures"][HOME] |= {"street": "1 Elm Street", "trip_id": "trip-77", "eta": {"who": "Ada"}}
    entry = await link()
    text = json.dumps(await report_of(hass, entry))
    private = {*private_values(service.document), TOKEN, SECRET, SERVER_ID, service.base, "client-1"}
    assert {HOME, HALLWAY, KITCHEN, "94304", "America/Los_Angeles", "Kitchen"} <= private
    private |= {"Elm Street", "trip-77", "Ada", "A Nest home"}
    assert [value for value in sorted(private) if value in text] == []


async def test_what_belongs_together_can_still_be_seen(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    report = await report_of(hass, await link())
    document = report["document"]
    (home,) = document["structures"]
    assert report["link"]["homes"] == report["link"]["included"] == [home]
    alarms, thermostats = document["smoke_co_alarms"], document["thermostats"]
    assert set(document["structures"][home]["smoke_co_alarms"]) == set(alarms)
    assert set(document["structures"][home]["thermostats"]) == set(thermostats)
    for wire_id, device in (alarms | thermostats).items():
        assert (device["device_id"], device["structure_id"]) == (wire_id, home)
    levels = sorted(alarm["smoke_alarm_state"] for alarm in alarms.values())
    assert levels == sorted(
        alarm["smoke_alarm_state"] for alarm in service.document["devices"]["smoke_co_alarms"].values()
    )


async def test_the_stream_is_counted(hass: HomeAssistant, service: FixtureService, link: SetUp) -> None:
    entry = await link()
    await until(lambda: entry.runtime_data.statistics.puts == 1)
    service.send(b"event: keep-alive\ndata: null\n\n")
    await until(lambda: entry.runtime_data.statistics.keep_alives == 1)
    service.status, service.error = 429, {"error": "blocked"}
    await entry.runtime_data.async_refresh()
    stream = (await report_of(hass, entry))["stream"]
    assert (stream["connects"], stream["puts"], stream["keep_alives"]) == (1, 1, 1)
    assert stream["refusals"] == {"429": 1}
    # From the first answer to the first event.
    assert stream["open_gap"] is None
    assert [gap["start"] < gap["end"] for gap in stream["gaps"]] == [True]
    assert stream["last_put"] < stream["last_keep_alive"]


async def test_the_server_is_not_asked(hass: HomeAssistant, service: FixtureService, link: SetUp) -> None:
    entry = await link()
    await until(lambda: service.streams)
    asked = len(service.requests)
    await report_of(hass, entry)
    assert len(service.requests) == asked


@pytest.mark.parametrize("odd", [None, 3, "x", ["x", 3], {"who": "Ada"}])
async def test_what_cannot_be_read_is_shown_as_such(
    hass: HomeAssistant, service: FixtureService, link: SetUp, odd: Any
) -> None:
    for key in ("name", "thermostats", "wheres", "away"):
        service.document["structures"][HOME][key] = odd
    report = await report_of(hass, await link())
    (home,) = report["document"]["structures"].values()
    assert (
        home["name"] in (None, "**REDACTED**") or str(home["name"]).startswith("id-") or isinstance(home["name"], list)
    )
    assert "Ada" not in json.dumps(report)
