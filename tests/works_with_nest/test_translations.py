"""The languages of the integration, as a real Home Assistant reads them from its files."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_get_translations
import pytest

from custom_components.works_with_nest.const import DOMAIN

from .conftest import SetUp

TITLE = f"component.{DOMAIN}.config.step.user.title"


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("en", "Presence"),
        ("de", "Anwesenheit"),
        ("ja", "在宅状況"),
        ("pl", "Obecność"),
    ],
)
async def test_an_entity_is_named_in_the_language_of_home_assistant(
    hass: HomeAssistant, link: SetUp, language: str, name: str
) -> None:
    hass.config.language = language
    entry = await link()
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    [presence] = [each for each in entities if each.translation_key == "presence"]
    state = hass.states.get(presence.entity_id)
    assert state
    assert state.name == f"Home {name}"


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Find your Works with Nest server"),
        ("de", "Works-with-Nest-Server finden"),
        ("ja", "Works with Nestサーバーの検索"),
        ("zh-Hans", "查找您的 Works with Nest 服务器"),
    ],
)
async def test_a_person_is_asked_for_the_server_in_their_language(
    hass: HomeAssistant, language: str, title: str
) -> None:
    texts = await async_get_translations(hass, language, "config", [DOMAIN])
    assert texts[TITLE] == title
