"""A word for a level that is not known: a repair that names it."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.works_with_nest.const import DOMAIN

from .conftest import FixtureService, SetUp, until
from .test_home_and_alarms import HOME
from .test_push import BEDROOM, alarm


def raised(hass: HomeAssistant) -> list[dict[str, Any]]:
    issues = [issue for (domain, _), issue in ir.async_get(hass).issues.items() if domain == DOMAIN]
    return [issue.translation_placeholders or {} for issue in issues if issue.translation_key == "unknown_level"]


async def test_a_word_that_is_not_known_raises_a_repair_that_goes_by_itself(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    await link()
    await until(lambda: service.streams)
    assert raised(hass) == []
    service.push(lambda document: alarm(document, BEDROOM).update(smoke_alarm_state="smouldering"))
    await until(lambda: raised(hass))
    assert raised(hass) == [{"alarm": "Bedroom Nest Protect", "word": "smouldering"}]
    service.push(lambda document: alarm(document, BEDROOM).update(smoke_alarm_state="glowing" * 20))
    await until(lambda: raised(hass)[0]["word"] != "smouldering")
    assert raised(hass) == [{"alarm": "Bedroom Nest Protect", "word": ("glowing" * 20)[:40]}]
    service.push(lambda document: alarm(document, BEDROOM).update(smoke_alarm_state="ok"))
    await until(lambda: raised(hass) == [])


async def test_each_who_says_such_a_word_is_named(hass: HomeAssistant, service: FixtureService, link: SetUp) -> None:
    service.document["structures"][HOME]["co_alarm_state"] = "dizzy"
    alarm(service.document, BEDROOM)["co_alarm_state"] = "dizzy"
    await link()
    assert sorted(each["alarm"] for each in raised(hass)) == ["Bedroom Nest Protect", "Home"]


@pytest.mark.parametrize("word", ["ok", "warning", "emergency", "", None, 3])
async def test_known_words_and_no_words_raise_nothing(
    hass: HomeAssistant, service: FixtureService, link: SetUp, word: object
) -> None:
    alarm(service.document, BEDROOM)["smoke_alarm_state"] = word
    await link()
    assert raised(hass) == []


async def test_a_link_that_goes_takes_its_repairs_along(
    hass: HomeAssistant, service: FixtureService, link: SetUp
) -> None:
    alarm(service.document, BEDROOM)["smoke_alarm_state"] = "smouldering"
    entry = await link()
    assert raised(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert raised(hass) == []
