"""Home Assistant's own triggers work on our entities, and where they fall short is true."""

from collections.abc import Callable
from typing import Any

from homeassistant.core import Event, HomeAssistant
import pytest

from .automations import fired_by
from .conftest import FixtureService, SetUp, until
from .test_climate import HALLWAY_CLIMATE
from .test_home_and_alarms import HOME
from .test_push import BEDROOM, alarm
from .test_snapshots import bedroom, thermostat

type StateOf = Callable[[str], str | None]
type Change = Callable[[dict[str, Any]], object]

SMOKE = "binary_sensor.bedroom_nest_protect_smoke"
CO = "binary_sensor.bedroom_nest_protect_carbon_monoxide"
BATTERY = "binary_sensor.bedroom_nest_protect_battery"
PRESENCE = "binary_sensor.home_presence"

WARNING = bedroom(smoke_alarm_state="warning")
IDLE = thermostat(hvac_state="off")


def away(word: str) -> Change:
    return lambda document: document["structures"][HOME].update(away=word)


async def fired(
    hass: HomeAssistant, trigger: str, entity_id: str, options: dict[str, Any] | None = None
) -> list[Event]:
    config = {"trigger": trigger, "target": {"entity_id": entity_id}, **({"options": options} if options else {})}
    return await fired_by(hass, config)


@pytest.mark.parametrize(
    ("trigger", "entity_id", "before", "after", "options"),
    [
        ("air_quality.smoke_detected", SMOKE, {}, WARNING, None),
        (
            "air_quality.smoke_cleared",
            SMOKE,
            bedroom(smoke_alarm_state="warning"),
            bedroom(smoke_alarm_state="ok"),
            None,
        ),
        ("air_quality.co_detected", CO, {}, bedroom(co_alarm_state="emergency"), None),
        ("air_quality.co_cleared", CO, bedroom(co_alarm_state="emergency"), bedroom(co_alarm_state="ok"), None),
        ("air_quality.smoke_detected", "binary_sensor.home_smoke", {}, bedroom(smoke_alarm_state="warning"), None),
        ("battery.became_low", BATTERY, {}, bedroom(battery_health="replace"), None),
        ("battery.no_longer_low", BATTERY, bedroom(battery_health="replace"), bedroom(battery_health="ok"), None),
        ("occupancy.cleared", PRESENCE, {}, away("away"), None),
        ("occupancy.detected", PRESENCE, away("away"), away("home"), None),
        ("climate.turned_off", HALLWAY_CLIMATE, {}, thermostat(hvac_mode="off"), None),
        ("climate.turned_on", HALLWAY_CLIMATE, thermostat(hvac_mode="off"), thermostat(hvac_mode="heat"), None),
        ("climate.started_cooling", HALLWAY_CLIMATE, {}, thermostat(hvac_state="cooling"), None),
        (
            "climate.started_heating",
            HALLWAY_CLIMATE,
            thermostat(hvac_state="off"),
            thermostat(hvac_state="heating"),
            None,
        ),
        (
            "climate.hvac_mode_changed",
            HALLWAY_CLIMATE,
            {},
            thermostat(hvac_mode="cool"),
            {"hvac_mode": ["cool"]},
        ),
        ("select.selection_changed", "select.home_away_mode", {}, away("away"), None),
        (
            "event.received",
            "event.bedroom_nest_protect_alarm",
            {},
            bedroom(smoke_alarm_state="emergency"),
            {"event_type": ["smoke_emergency"]},
        ),
    ],
)
async def test_a_trigger_of_home_assistant_fires_on_our_entity(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    trigger: str,
    entity_id: str,
    before: Change,
    after: Change,
    options: dict[str, Any] | None,
) -> None:
    # With all else quiet, so that the home is, too.
    service.document["structures"][HOME]["smoke_alarm_state"] = "ok"
    service.document["devices"]["smoke_co_alarms"] = {BEDROOM: alarm(service.document, BEDROOM)}
    service.document["structures"][HOME]["smoke_co_alarms"] = [BEDROOM]
    if before:
        before(service.document)
    await link()
    await until(lambda: service.streams)
    events = await fired(hass, trigger, entity_id, options)
    service.push(after)
    await until(lambda: events)
    await hass.async_block_till_done()
    assert len(events) == 1


async def test_the_smoke_trigger_is_silent_when_a_warning_becomes_an_emergency(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    bedroom(smoke_alarm_state="warning")(service.document)
    await link()
    await until(lambda: service.streams)
    events = await fired(hass, "air_quality.smoke_detected", SMOKE)
    service.push(bedroom(smoke_alarm_state="emergency"))
    await until(lambda: state_of("sensor.bedroom_nest_protect_smoke_level") == "emergency")
    await hass.async_block_till_done()
    assert events == []


async def test_the_smoke_trigger_is_silent_for_what_comes_from_unavailable(
    hass: HomeAssistant, service: FixtureService, link: SetUp, state_of: StateOf
) -> None:
    await link()
    await until(lambda: service.streams)
    events = await fired(hass, "air_quality.smoke_detected", SMOKE)
    service.push(bedroom(is_online=False))
    await until(lambda: state_of(SMOKE) == "unavailable")
    service.push(bedroom(is_online=True, smoke_alarm_state="emergency"))
    await until(lambda: state_of(SMOKE) == "on")
    await hass.async_block_till_done()
    assert events == []
