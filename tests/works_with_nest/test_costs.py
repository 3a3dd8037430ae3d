"""What one change costs, counted and not timed: the same with 20 devices as with 100, so it follows the change."""

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
import pytest

from custom_components.works_with_nest import entity, removal
from custom_components.works_with_nest.coordinator import WwnCoordinator
from custom_components.works_with_nest.wwn import client, models

from .conftest import FixtureService, SetUp, until

THERMOSTATS, ALARMS = "thermostats", "smoke_co_alarms"
SIZES = (20, 100)
# Nothing of it depends on how many others there are; looking through the registry for what is gone has no part in it.
ONE_DEVICE = {"documents parsed": 1, "models made": 1, "devices looked up": 1}

type Counts = Counter[str]


def many(document: dict[str, Any], devices: int) -> None:
    """Fill a home with copies of the devices it has."""
    (home,) = document["structures"].values()
    for group in (THERMOSTATS, ALARMS):
        patterns = list(document["devices"][group].values())
        copies = {
            (key := f"{group}-{number}"): {
                **deepcopy(patterns[0]),
                "device_id": key,
                "name": key,
                "name_long": key,
                "structure_id": home["structure_id"],
            }
            for number in range(devices // 2)
        }
        document["devices"][group] = copies
        home[group] = list(copies)


def is_put(content: str | bytes | bytearray) -> bool:
    """Whether it is what a put holds: a document that is polled comes without a path around it."""
    return not isinstance(content, str) and content.startswith(b'{"path"')


@pytest.fixture
def counts(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Counts:
    """Count what is done from now on."""
    counts: Counts = Counter()

    def counted(target: Any, name: str, what: str, is_meant: Callable[..., bool] | None = None) -> None:
        done = getattr(target, name)

        def count(*args: Any, **kwargs: Any) -> Any:
            if is_meant is None or is_meant(*args):
                counts[what] += 1
            return done(*args, **kwargs)

        monkeypatch.setattr(target, name, count)

    for name in ("_thermostat", "_alarm", "_structure"):
        counted(models, name, "models made")
    # Of those that are pushed: a machine that was held up takes that for a sleep, and asks what it missed.
    counted(client.orjson, "loads", "documents parsed", is_put)
    counted(WwnCoordinator, "_tell", "listeners called")
    counted(entity, "device_fields", "devices looked up")
    counted(removal.dr, "async_entries_for_config_entry", "looks through the registry")
    counted(dr.DeviceRegistry, "async_get_or_create", "devices registered")

    @callback
    def written(event: Event[Any]) -> None:
        counts["states written"] += 1

    hass.bus.async_listen("state_changed", written)
    hass.bus.async_listen("state_reported", written, event_filter=callback(lambda _: True))
    return counts


def of_a_thermostat(document: dict[str, Any]) -> None:
    things = document["devices"][THERMOSTATS]
    things[f"{THERMOSTATS}-3"]["humidity"] = 65 if things[f"{THERMOSTATS}-3"]["humidity"] != 65 else 70


def of_an_alarm(document: dict[str, Any]) -> None:
    document["devices"][ALARMS][f"{ALARMS}-3"]["battery_health"] = "replace"


def of_nothing(document: dict[str, Any]) -> None:
    document["devices"] = {group: dict(reversed(things.items())) for group, things in document["devices"].items()}


@pytest.fixture(params=SIZES)
def devices(request: pytest.FixtureRequest, service: FixtureService) -> int:
    """Fill the home."""
    many(service.document, request.param)
    return request.param


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            of_a_thermostat,
            ONE_DEVICE | {"states written": 2, "listeners called": 26},
            id="a thermostat",
        ),
        pytest.param(
            of_an_alarm,
            ONE_DEVICE | {"states written": 2, "listeners called": 24},
            id="an alarm",
        ),
        pytest.param(of_nothing, {"documents parsed": 1}, id="nothing, told in another order"),
    ],
)
async def test_a_change_costs_the_same_whatever_else_there_is(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    devices: int,
    counts: Counts,
    change: Callable[[dict[str, Any]], None],
    expected: dict[str, int],
) -> None:
    entry = await link()
    await until(lambda: entry.runtime_data.statistics.puts == 1)
    await hass.async_block_till_done()
    counts.clear()
    service.push(change)
    await until(lambda: entry.runtime_data.statistics.puts == 2)
    assert counts == expected


async def test_the_very_bytes_of_the_newest_document_are_not_parsed_again(
    hass: HomeAssistant, service: FixtureService, link: SetUp, devices: int, counts: Counts
) -> None:
    entry = await link()
    await until(lambda: entry.runtime_data.statistics.puts == 1)
    await hass.async_block_till_done()
    counts.clear()
    service.push()
    await until(lambda: entry.runtime_data.statistics.puts == 2)
    assert counts == {}
