"""Words for a level that this version does not know: each is a repair that names it, for as long as it is said."""

from collections.abc import Iterator
from typing import Final

from homeassistant.core import callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .coordinator import WwnCoordinator
from .entity import alarm_name, included
from .wwn.models import Alarm, Structure, UnknownWord

# A word of the wire may be of any length.
LONGEST_WORD: Final = 40


def unknown_words(coordinator: WwnCoordinator) -> Iterator[tuple[str, str, str]]:
    """Yield the id of a repair, who says a word that is not known, and the word."""
    document, entry_id = coordinator.data, coordinator.config_entry.entry_id
    homes, alarms = included(coordinator, document.structures), included(coordinator, document.alarms)
    said: tuple[tuple[str, Structure | Alarm], ...] = (*homes.items(), *alarms.items())
    for wire_id, item in said:
        for field, level in (("smoke", item.smoke), ("carbon_monoxide", item.carbon_monoxide)):
            if isinstance(level, UnknownWord):
                name = _name(coordinator, wire_id, item)
                yield f"unknown_level_{entry_id}_{wire_id}_{field}", name, level[:LONGEST_WORD]


def _name(coordinator: WwnCoordinator, wire_id: str, item: Structure | Alarm) -> str:
    if isinstance(item, Structure):
        return item.name or coordinator.server.name
    return alarm_name(coordinator, wire_id, item)


@callback
def async_watch_words(coordinator: WwnCoordinator) -> None:
    """Raise a repair for each word that is not known, and take it back when nobody says it any more."""
    raised: dict[str, tuple[str, str]] = {}

    @callback
    def watch() -> None:
        said = {issue_id: (name, word) for issue_id, name, word in unknown_words(coordinator)}
        for issue_id in raised.keys() - said.keys():
            ir.async_delete_issue(coordinator.hass, DOMAIN, issue_id)
        for issue_id, (name, word) in said.items():
            if raised.get(issue_id) != (name, word):
                _raise(coordinator, issue_id, name, word)
        raised.clear()
        raised.update(said)

    @callback
    def take_back() -> None:
        for issue_id in raised:
            ir.async_delete_issue(coordinator.hass, DOMAIN, issue_id)

    watch()
    coordinator.config_entry.async_on_unload(coordinator.async_add_listener(watch))
    coordinator.config_entry.async_on_unload(take_back)


def _raise(coordinator: WwnCoordinator, issue_id: str, name: str, word: str) -> None:
    ir.async_create_issue(
        coordinator.hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key="unknown_level",
        translation_placeholders={"alarm": name, "word": word},
    )
