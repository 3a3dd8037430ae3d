"""What the alarm card and the dashboard are told of one link: how old its news is, its homes and their devices.

Entities are unavailable while nothing is heard. The card has to say more: what was last known, that it is only that,
and since when. So it is told of every alarm whether it is heard, and of the link how many seconds ago that was.

Nobody is told more than they may read. Of what is withheld from them they are told that, so that the rest is not taken
for the whole; as everywhere in Home Assistant, names are open to all users.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from homeassistant.auth.permissions import AbstractPermissions
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er

from .const import CONF_SERVER, DOMAIN, LIVE_FOR
from .coordinator import WwnConfigEntry, WwnCoordinator
from .entity import HOME_MODEL, WwnAlarmEntity, WwnThermostatEntity
from .home import Home, home_of
from .transitions import KnownAlarm
from .wwn.models import Alarm, AlarmLevel, Permission

type Json = dict[str, Any]

NOTHING_KNOWN: Final = KnownAlarm()

# The entities that say what is told of alarms. Whoever may not read all of these of a thing is told nothing of it.
TELLING: Final = frozenset(
    {
        "binary_sensor.alarm_monitoring",
        "binary_sensor.battery",
        "binary_sensor.carbon_monoxide",
        "binary_sensor.manual_test",
        "binary_sensor.online",
        "binary_sensor.smoke",
        "sensor.carbon_monoxide_level",
        "sensor.last_connection",
        "sensor.last_manual_test",
        "sensor.ring_colour",
        "sensor.smoke_level",
    }
)


class Heard(StrEnum):
    """Whether what is told of an alarm stands for the present, and if not, why."""

    LIVE = "live"
    UNCLEAR = "unclear"
    OFFLINE = "offline"
    MISSING = "missing"
    LINK_DOWN = "link_down"


@dataclass(frozen=True, slots=True)
class Thing:
    """A home or device of the registry, with its id on the wire."""

    device: dr.DeviceEntry
    wire_id: str


class LinkView:
    """One link as somebody may see it at this moment, loaded or not."""

    def __init__(self, hass: HomeAssistant, entry: WwnConfigEntry, permissions: AbstractPermissions) -> None:
        """Look at a link with the permissions of a user."""
        self._hass = hass
        self._entry = entry
        self._permissions = permissions
        # There is none before the first set-up, and none while the link is loaded anew.
        self._coordinator: WwnCoordinator | None = getattr(entry, "runtime_data", None)

    @property
    def is_known(self) -> bool:
        """Whether there is somebody who knows what was last heard."""
        coordinator = self._coordinator
        return coordinator is not None and (coordinator.has_document or coordinator.history.is_loaded)

    def freshness(self, homes: Iterable[Json]) -> Json:
        """Return how fresh the news of these homes is, to whoever may read anything of them.

        age: seconds since the last sign of life, None where there was none in this run; live_for: how old it may be
        and still stand for the present; last_contact: when it was, in an earlier run too, in seconds since 1970.
        """
        is_told = self._may_read_all or any(home["alarms"] or home["entities"] for home in homes)
        coordinator = self._coordinator if is_told else None
        return {
            "title": self._entry.title,
            "live": coordinator is not None and coordinator.live,
            "age": coordinator.age if coordinator else None,
            "live_for": LIVE_FOR,
            "last_contact": _epoch(coordinator.last_known_contact if coordinator else None),
        }

    def homes(self) -> list[Json]:
        """Return the homes of the link with their devices, by name; what names no home is shown with the first."""
        things = list(self._things())
        homes = [thing for thing in things if thing.device.model == HOME_MODEL]
        homes.sort(key=lambda home: (_name(home), home.wire_id))
        ids = [home.device.id for home in homes]
        inside: dict[str, list[Thing]] = {each: [] for each in ids}
        for thing in things:
            if ids and thing.device.model != HOME_MODEL:
                via = thing.device.via_device_id
                inside[via if via in inside else ids[0]].append(thing)
        return [self._home(home, inside[home.device.id]) for home in homes]

    def _things(self) -> Iterator[Thing]:
        prefix = f"{self._entry.data[CONF_SERVER]['server_id']}_"
        for device in dr.async_entries_for_config_entry(dr.async_get(self._hass), self._entry.entry_id):
            for domain, unique_id in device.identifiers:
                if domain == DOMAIN:
                    yield Thing(device, unique_id.removeprefix(prefix))

    def _home(self, thing: Thing, inside: list[Thing]) -> Json:
        """Return a home with the devices that are not turned off; withheld: the ids of what may not be told."""
        there = [each for each in inside if each.device.disabled_by is None]
        alarms = [each for each in there if each.device.model == WwnAlarmEntity.model]
        withheld = [each.device.id for each in (thing, *alarms) if self._is_withheld(each)]
        home = self._known_home(thing.wire_id)
        told = [self._alarm(each, home) for each in alarms if each.device.id not in withheld]
        own = self._said_by_home(home if thing.device.id not in withheld else None, {each.wire_id for each in inside})
        return {
            "id": thing.device.id,
            "name": _name(thing),
            **own,
            "entities": self._entities(thing),
            "alarms": told + own["alarms"],
            "thermostats": [self._device(each) for each in there if each.device.model == WwnThermostatEntity.model],
            "withheld": withheld,
        }

    def _said_by_home(self, home: Home | None, known: set[str]) -> Json:
        """Return what a home says itself: its levels, whether all of that is understood, and what else it lists."""
        return {
            "smoke": _word(home.structure.smoke if home else None),
            "carbon_monoxide": _word(home.structure.carbon_monoxide if home else None),
            "understood": home is not None and home.is_understood,
            "alarms": [self._alarm_without_device(each, home) for each in self._listed(home) if each not in known],
        }

    def _listed(self, home: Home | None) -> Iterable[str]:
        """Return the alarms that a home lists: to every link, also to one that may see none of them and misses none."""
        coordinator = self._coordinator
        may_see = coordinator is not None and Permission.SMOKE_CO_READ in coordinator.permissions
        return home.alarms if home and may_see else ()

    def _known_home(self, wire_id: str) -> Home | None:
        document = self._coordinator.data if self._coordinator else None
        structure = document.structures.get(wire_id) if document else None
        return home_of(document, structure) if document and structure else None

    def _device(self, thing: Thing) -> Json:
        """Return what people call a device, and its entities."""
        device = thing.device
        return {
            "id": device.id,
            "name": _name(thing),
            "named": device.name_by_user is not None,
            "room": self._room(device),
            "entities": self._entities(thing),
        }

    def _alarm(self, thing: Thing, home: Home | None) -> Json:
        """Return an alarm of the registry."""
        alarm, called = self._known_alarm(thing.wire_id, home), self._device(thing)
        # One that is called like its room needs no second name in a list of rooms.
        label = alarm.label if alarm and alarm.label != called["room"] else None
        return {**called, "label": label or None, **self._said_by(thing.wire_id, home)}

    def _alarm_without_device(self, wire_id: str, home: Home | None) -> Json:
        """Return an alarm that a home lists, and that was never seen."""
        nameless = {"id": wire_id, "name": "", "named": False, "room": None, "label": None, "entities": {}}
        return {**nameless, **self._said_by(wire_id, home)}

    def _said_by(self, wire_id: str, home: Home | None) -> Json:
        """Return what an alarm says, or said last.

        smoke, carbon_monoxide: the level that counts, None for unknown; since: when it was last heard of, in seconds
        since 1970, None where it is heard or nobody can say; tested: when it last passed a test, alike.
        """
        alarm = self._known_alarm(wire_id, home)
        known = self._coordinator.history.alarms.get(wire_id, NOTHING_KNOWN) if self._coordinator else NOTHING_KNOWN
        heard = self._heard(alarm)
        is_live = heard is Heard.LIVE and alarm is not None
        return {
            "heard": heard,
            "since": _epoch(self._since(wire_id, alarm, heard)),
            "smoke": _level(alarm.smoke if alarm else None, known.smoke, is_live=is_live),
            "carbon_monoxide": _level(alarm.carbon_monoxide if alarm else None, known.carbon_monoxide, is_live=is_live),
            "testing": is_live and alarm is not None and alarm.is_manual_test_active is True,
            "tested": _epoch((alarm.last_manual_test if alarm else None) or known.tested),
            "battery": _word(alarm.battery if alarm else None),
            "ring": _word(alarm.ring_colour if alarm else None),
        }

    def _known_alarm(self, wire_id: str, home: Home | None) -> Alarm | None:
        document = self._coordinator.data if self._coordinator else None
        if document is None:
            return None
        return document.alarms.get(wire_id) or (home.alarms.get(wire_id) if home else None)

    def _heard(self, alarm: Alarm | None) -> Heard:
        if self._coordinator is None or not self._coordinator.live:
            return Heard.LINK_DOWN
        if alarm is None:
            return Heard.MISSING
        if alarm.is_online is False:
            return Heard.OFFLINE
        words = (alarm.smoke, alarm.carbon_monoxide)
        is_clear = alarm.is_online is True and all(isinstance(word, AlarmLevel) for word in words)
        return Heard.LIVE if is_clear else Heard.UNCLEAR

    def _since(self, wire_id: str, alarm: Alarm | None, heard: Heard) -> datetime | None:
        """Return when an alarm was last heard of: when the link was, or earlier where it was silent before."""
        if self._coordinator is None or heard in {Heard.LIVE, Heard.UNCLEAR}:
            return None
        coordinator = self._coordinator
        silent = coordinator.history.missing_since(wire_id)
        if alarm is not None and alarm.is_online is False:
            silent = alarm.last_connection
        if heard is not Heard.LINK_DOWN and silent is None:
            return None
        return min((each for each in (silent, coordinator.last_known_contact) if each is not None), default=None)

    def _room(self, device: dr.DeviceEntry) -> str | None:
        area = ar.async_get(self._hass).async_get_area(device.area_id) if device.area_id else None
        return area.name if area else None

    @property
    def _may_read_all(self) -> bool:
        return self._permissions.access_all_entities(POLICY_READ)

    def _may_read(self, entity_id: str) -> bool:
        return self._may_read_all or self._permissions.check_entity(entity_id, POLICY_READ)

    def _is_withheld(self, thing: Thing) -> bool:
        """Whether something says of alarms what may not be told."""
        told = [entity.entity_id for key, entity in self._registered(thing) if key in TELLING]
        # Of an alarm without entities nobody can say who may read it.
        is_known = self._may_read_all or told or thing.device.model == HOME_MODEL
        return not is_known or not all(map(self._may_read, told))

    def _registered(self, thing: Thing) -> Iterator[tuple[str, er.RegistryEntry]]:
        """Yield the entities of a thing, each with its key: "sensor.smoke_level"."""
        registry = er.async_get(self._hass)
        for entity in er.async_entries_for_device(registry, thing.device.id, include_disabled_entities=True):
            if entity.platform == DOMAIN:
                yield f"{entity.domain}.{entity.unique_id.partition(f'{thing.wire_id}_')[2]}", entity

    def _entities(self, thing: Thing) -> dict[str, str]:
        """Return the ids of those entities of a thing that are neither turned off nor hidden, and may be read."""
        return {
            key: entity.entity_id
            for key, entity in self._registered(thing)
            if entity.disabled_by is None and entity.hidden_by is None and self._may_read(entity.entity_id)
        }


def _name(thing: Thing) -> str:
    return thing.device.name_by_user or thing.device.name or ""


def _word(word: object) -> str | None:
    """Return a word that is known, else None."""
    return word.value if isinstance(word, StrEnum) else None


def _level(said: object, known: AlarmLevel | None, *, is_live: bool) -> str | None:
    """Return the level that counts: of an alarm that fell silent, what was last told, for it has told nothing since."""
    return _word(said if is_live or known is None else known)


def _epoch(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
