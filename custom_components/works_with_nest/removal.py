"""When a device is gone from its home, and not merely missing from what a server sent."""

from asyncio import TimerHandle
from typing import TYPE_CHECKING, Final

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr

from .const import DOMAIN, LOGGER
from .wwn import Document
from .wwn.models import Permission

if TYPE_CHECKING:
    from .coordinator import WwnCoordinator

# A document that lost a device must be confirmed by an answer to a question asked this much later, in seconds.
CONFIRMED_AFTER: Final = 60.0

# Any of these shows which devices a home has (protocol 2.2).
SHOW_DEVICES: Final = frozenset(Permission) - {
    Permission.ENERGY_READ,
    Permission.POSTAL_CODE_READ,
    Permission.STRUCTURE_READ_WRITE,
}


def is_missing(document: Document, structure_id: str, device_id: str) -> bool:
    """Whether a document says that a home does not have a device: it holds the home, and the device nowhere.

    A document without the home, with lists that cannot be read, or of a link that may not see them, says nothing.
    """
    named = _named(document, structure_id)
    return named is not None and device_id not in named


def _named(document: Document, structure_id: str) -> frozenset[str] | None:
    """Return all devices that a document names beside a home, None where it says nothing of what the home has."""
    home = document.structures.get(structure_id)
    if home is None or home.thermostat_ids is None or home.alarm_ids is None:
        return None
    if document.permissions is not None and not document.permissions & SHOW_DEVICES:
        return None
    return frozenset({*home.thermostat_ids, *home.alarm_ids, *document.thermostats, *document.alarms})


def _names_the_same(document: Document, other: Document) -> bool:
    """Whether two documents name the same devices; what these measure, in which most differ, is no matter."""
    groups = ((document.thermostats, other.thermostats), (document.alarms, other.alarms))
    return (
        document.structures is other.structures
        and document.permissions == other.permissions
        and all(each is last or each.keys() == last.keys() for each, last in groups)
    )


class WwnRemoval:
    """Takes a device out of the registry once two documents, far enough apart, say that its home does not have it.

    Every document in between has to say the same, and the last one must be the answer to a question: what was pushed
    may be a part.
    """

    def __init__(self, coordinator: WwnCoordinator) -> None:
        """Watch over the devices of one link."""
        self._coordinator = coordinator
        self._taken: Document | None = None
        # Since when each device is missing, by its id in the registry.
        self._missing: dict[str, float] = {}
        self._confirmation: TimerHandle | None = None

    @callback
    def async_take(self, document: Document, asked_at: float | None = None) -> None:
        """Take a document. asked_at: the loop's time at the question, where it is the answer to one."""
        last, self._taken = self._taken, document
        if last is not None and not self._missing and _names_the_same(document, last):
            # With 1,000 devices it takes 40 times as long as all else of a document to look through the registry.
            return
        missing = {device.id: device for device in self._registered(document)}
        now = self._coordinator.hass.loop.time()
        self._missing = {device_id: self._missing.get(device_id, now) for device_id in missing}
        for device_id, since in tuple(self._missing.items()):
            if asked_at is not None and asked_at - since >= CONFIRMED_AFTER:
                self._remove(missing[device_id])
        if self._missing and self._confirmation is None:
            self._confirmation = self._coordinator.hass.loop.call_later(CONFIRMED_AFTER + 1, self._confirm)

    @callback
    def async_stop(self) -> None:
        """Stop asking."""
        if self._confirmation:
            self._confirmation.cancel()
            self._confirmation = None

    def _confirm(self) -> None:
        self._confirmation = None
        self._coordinator.async_refresh_soon()

    def _registered(self, document: Document) -> list[dr.DeviceEntry]:
        """Return the devices in the registry that are missing from the home below which they stand there."""
        entry_id = self._coordinator.config_entry.entry_id
        entries = dr.async_entries_for_config_entry(dr.async_get(self._coordinator.hass), entry_id)
        named = {wire_id: _named(document, wire_id) for wire_id in document.structures}
        wire_ids = {entry.id: wire_id for entry in entries if (wire_id := self._wire_id(entry)) is not None}
        return [
            entry
            for entry in entries
            if (home := wire_ids.get(entry.via_device_id or "")) is not None
            and (wire_id := wire_ids.get(entry.id)) is not None
            and (held := named.get(home)) is not None
            and wire_id not in held
        ]

    def _wire_id(self, entry: dr.DeviceEntry) -> str | None:
        prefix = self._coordinator.unique_id("")
        found = (identifier for domain, identifier in entry.identifiers if domain == DOMAIN)
        return next((each.removeprefix(prefix) for each in found if each.startswith(prefix)), None)

    def _remove(self, entry: dr.DeviceEntry) -> None:
        LOGGER.info("A device of %s is gone from its home, so it is removed here", self._coordinator.name)
        LOGGER.debug("It is %s", entry.name_by_user or entry.name)
        del self._missing[entry.id]
        dr.async_get(self._coordinator.hass).async_remove_device(entry.id)
