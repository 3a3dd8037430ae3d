"""A device is removed when its home does not have it any more, and never because of a partial document."""

from collections.abc import Callable
from copy import deepcopy
import logging
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.works_with_nest import removal
from custom_components.works_with_nest.const import DOMAIN
from custom_components.works_with_nest.removal import is_missing
from custom_components.works_with_nest.wwn.models import DocumentReader

from .conftest import SERVER_ID, FixtureService, SetUp, until
from .test_diagnostics import private_values

BEDROOM = "Kas1VOqg6YYZYn9ZhyiA4uoRgnatmUdj"
KITCHEN = "AWtGSU8po-799NksnRH9ucAUsdMlHUvT"
HOME = "PtYgjmUhBel31iEl2hpChYgCfrL1spNxnyVmihA_2O76UMFxFkM_Rw"

type Change = Callable[[dict[str, Any]], object]


def sold(document: dict[str, Any]) -> None:
    """Take the bedroom's alarm out of the home, as a server does when it was removed from the account."""
    del document["devices"]["smoke_co_alarms"][BEDROOM]
    document["structures"][HOME]["smoke_co_alarms"].remove(BEDROOM)


def only_alarm_sold(document: dict[str, Any]) -> None:
    """Leave no alarm at all: then neither the group nor the list is there."""
    del document["devices"]["smoke_co_alarms"]
    del document["structures"][HOME]["smoke_co_alarms"]


def is_registered(hass: HomeAssistant, entry: MockConfigEntry, wire_id: str) -> bool:
    identifier = (DOMAIN, f"{SERVER_ID}_{wire_id}")
    return dr.async_get(hass).async_get_device_by_identifier(identifier, entry.entry_id) is not None


def changed(document: dict[str, Any], *changes: Change) -> Any:
    document = deepcopy(document)
    for change in changes:
        change(document)
    return DocumentReader().read(document)


@pytest.mark.parametrize("change", [sold, only_alarm_sold])
def test_a_home_that_shows_the_device_nowhere_does_not_have_it(
    everything_granted: dict[str, Any], change: Change
) -> None:
    assert is_missing(changed(everything_granted, change), HOME, BEDROOM)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: d["devices"]["smoke_co_alarms"].pop(BEDROOM), id="listed and not shown"),
        pytest.param(lambda d: d["structures"][HOME]["smoke_co_alarms"].remove(BEDROOM), id="shown and not listed"),
        pytest.param(lambda d: (sold(d), d.pop("structures")), id="no homes"),
        pytest.param(lambda d: (sold(d), d["structures"].pop(HOME)), id="not this home"),
        pytest.param(lambda d: d.clear(), id="nothing at all"),
        pytest.param(
            lambda d: (sold(d), d["structures"][HOME].update(smoke_co_alarms="none")), id="a list that cannot be read"
        ),
        pytest.param(
            lambda d: (sold(d), d["structures"][HOME].update(smoke_co_alarms=[5])), id="a list with what is no id"
        ),
        pytest.param(
            lambda d: (only_alarm_sold(d), d["metadata"].update(permissions=["postal code read"])),
            id="a link that may not see devices",
        ),
    ],
)
def test_a_partial_document_says_nothing_of_the_device(everything_granted: dict[str, Any], change: Change) -> None:
    assert not is_missing(changed(everything_granted, change), HOME, BEDROOM)


async def test_a_device_that_is_gone_is_removed_and_all_others_keep_their_places(
    hass: HomeAssistant, service: FixtureService, link: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "CONFIRMED_AFTER", 0.1)
    entry = await link()
    await until(lambda: entry.runtime_data.open_gap is None)
    registry = dr.async_get(hass)
    kitchen = registry.async_get_device_by_identifier((DOMAIN, f"{SERVER_ID}_{KITCHEN}"), entry.entry_id)
    assert kitchen is not None
    cellar = ar.async_get(hass).async_create("Cellar")
    registry.async_update_device(kitchen.id, name_by_user="Mine", area_id=cellar.id)
    asked = service.count("GET")
    service.push(sold)
    await until(lambda: not is_registered(hass, entry, BEDROOM))
    assert service.count("GET") > asked
    kept = registry.async_get(kitchen.id)
    assert kept is not None
    assert (kept.name_by_user, kept.area_id) == ("Mine", cellar.id)
    assert hass.states.get("binary_sensor.bedroom_nest_protect_smoke") is None


async def test_a_device_that_was_removed_can_come_back(
    hass: HomeAssistant, service: FixtureService, link: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "CONFIRMED_AFTER", 0.1)
    everything = deepcopy(service.document)
    entry = await link()
    await until(lambda: entry.runtime_data.open_gap is None)
    service.push(sold)
    await until(lambda: not is_registered(hass, entry, BEDROOM))
    service.push(lambda document: document.update(everything))
    await until(lambda: is_registered(hass, entry, BEDROOM))
    await until(lambda: hass.states.is_state("binary_sensor.bedroom_nest_protect_smoke", "off"))


async def test_one_document_removes_nothing(hass: HomeAssistant, service: FixtureService, link: SetUp) -> None:
    entry = await link()
    await until(lambda: entry.runtime_data.open_gap is None)
    service.push(sold)
    await until(lambda: hass.states.is_state("binary_sensor.bedroom_nest_protect_smoke", "unavailable"))
    await entry.runtime_data.async_refresh()
    assert is_registered(hass, entry, BEDROOM)


async def test_a_device_that_was_there_in_between_is_not_gone(
    hass: HomeAssistant, service: FixtureService, link: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "CONFIRMED_AFTER", 1.0)
    everything = deepcopy(service.document)
    entry = await link()
    await until(lambda: entry.runtime_data.open_gap is None)
    for _ in range(8):
        service.push(sold)
        await until(lambda: BEDROOM not in entry.runtime_data.data.alarms)
        await entry.runtime_data.async_refresh()
        service.push(lambda document: document.update(deepcopy(everything)))
        await until(lambda: BEDROOM in entry.runtime_data.data.alarms)
    assert is_registered(hass, entry, BEDROOM)


def test_the_second_look_comes_a_minute_later() -> None:
    assert removal.CONFIRMED_AFTER == 60


async def test_no_name_and_no_id_is_logged_but_for_those_who_look_closely(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    short_clocks: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "custom_components.works_with_nest")
    monkeypatch.setattr(removal, "CONFIRMED_AFTER", 0.1)
    entry = await link()
    await until(lambda: entry.runtime_data.open_gap is None)
    private = {*private_values(service.document), "Hallway (Downstairs)", SERVER_ID, entry.unique_id}
    service.push(sold)
    await until(lambda: not is_registered(hass, entry, BEDROOM))
    service.status = service.stream_status = 503
    service.send(None)
    await until(lambda: not entry.runtime_data.live)
    await hass.config_entries.async_remove(entry.entry_id)
    ours = [each for each in caplog.records if each.name.startswith("custom_components.works_with_nest")]
    loud = "\n".join(each.getMessage() for each in ours if each.levelno > logging.DEBUG)
    for said in ("is gone from its home", "Lost the link to", "Could not end the link"):
        assert said in loud
    assert [value for value in sorted(private) if value in loud] == []
    assert not re.search(r"\bHome\b(?! Assistant)", loud)
    # What it was called is for those who do.
    assert "It is Nest Protect" in [each.getMessage() for each in ours]
