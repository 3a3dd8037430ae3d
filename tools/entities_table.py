"""Where every field of a document is shown, as a table in docs/entities.md, found by watching what the code reads.

Prints whether the document holds exactly that; with --write, makes it so.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
import importlib
from importlib import resources
import json
from pathlib import Path
import sys
from types import SimpleNamespace
from typing import Any, Final

from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_system import METRIC_SYSTEM

from custom_components.works_with_nest import PLATFORMS, entity as entities, event
from custom_components.works_with_nest.transitions import Known, KnownAlarm, Seen, transitions
from custom_components.works_with_nest.wwn import models
from tools.made import compare_or_write
from tools.paths import CHECKOUT
from tools.wire_fields import ALARM, REASONS, STRUCTURE, THERMOSTAT

DOCUMENT: Final = CHECKOUT / "docs" / "entities.md"
FIXTURE: Final = CHECKOUT / "tests" / "fixtures" / "everything_granted.json"
PACKAGE: Final = "custom_components.works_with_nest"
TEXTS: Final = json.loads((CHECKOUT / "custom_components" / "works_with_nest" / "translations" / "en.json").read_text())

KINDS: Final = {"structure": ("Home", STRUCTURE), "thermostat": ("Thermostat", THERMOSTAT), "alarm": ("Protect", ALARM)}
# What every entity asks, which says nothing about the single one.
COMMON: Final = frozenset({"available", "item"})
# States in which different fields are read.
MOMENTS: Final = (
    {"hvac_mode": "heat"},
    {"hvac_mode": "cool"},
    {"hvac_mode": "heat-cool"},
    {"hvac_mode": "off", "hvac_state": "off"},
    {"hvac_mode": "eco", "previous_hvac_mode": "heat-cool"},
    {"hvac_mode": "heat", "is_locked": True},
    # Room and name are then found in other fields.
    {"where_name": "", "name_long": ""},
    # Whether an alarm is online is only asked where none warns.
    {"smoke_alarm_state": "ok"},
)

HEAD: Final = """# Every field, and where it is shown

Made by `python -m tools.entities_table --write`, which watches what the code reads; a test holds it to that. The fields
are those of the Works with Nest protocol. A temperature stands once for its two twins in Celsius and Fahrenheit; the
one of the thermostat's own scale is read, and none is ever converted into the other.

What is missing is unknown. What is not the present, because the link or the device is silent, is unavailable. An entity
is there if the field was granted and the device has it."""

type Uses = dict[tuple[str, str], set[str]]


class Keys(dict[str, Any]):
    """A raw object that keeps which of its fields are read."""

    def __init__(self) -> None:
        """Start with nothing read."""
        super().__init__()
        self.read: list[str] = []

    def get(self, key: str, default: Any = None) -> Any:
        """Keep the name of the field."""
        self.read.append(key)
        return default


def wire_names(readers: Mapping[str, models.Reader]) -> dict[str, str]:
    """Return the field of the wire behind each field of a model."""
    names = {}
    for name, reader in readers.items():
        keys = Keys()
        reader(keys)
        names[name] = next(key for key in keys.read if key != "temperature_scale").removesuffix("_c")
    return names


NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "thermostat": wire_names(models.THERMOSTAT_FIELDS) | {"device_id": "device_id", "scale": "temperature_scale"},
    "alarm": wire_names(models.ALARM_FIELDS) | {"device_id": "device_id"},
    "structure": wire_names(models.STRUCTURE_FIELDS)
    | {
        "structure_id": "structure_id",
        "thermostat_ids": "thermostats",
        "alarm_ids": "smoke_co_alarms",
        "rooms": "wheres",
    },
}


class Watched:
    """A structure or device that tells which of its fields are read."""

    def __init__(self, kind: str, item: Any, tell: Callable[[str, str], None]) -> None:
        """Watch one item of a kind."""
        self._kind, self._item, self._tell = kind, item, tell

    def __getattr__(self, name: str) -> Any:
        """Tell of the field, and return it."""
        self._tell(self._kind, NAMES[self._kind].get(name, name))
        return getattr(self._item, name)


class Watchable:
    """As much of something as entities ask for what they show. Each is one of its own, whatever it holds."""

    def __init__(self, **parts: Any) -> None:
        """Start with its parts."""
        vars(self).update(parts)


class Stage:
    """A coordinator of nothing but documents, for entities that are only asked what they show."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self.read: set[tuple[str, str]] = set()
        self.uses: Uses = defaultdict(set)
        self.live, self.last_contact, self.gaps, self.open_gap = True, None, (), None
        self.permissions, self.changed = frozenset(models.Permission), None
        self.config_entry = SimpleNamespace(entry_id="1", options={}, runtime_data=self, async_on_unload=lambda _: None)
        device = SimpleNamespace(id="1", name="", name_by_user="")
        registry = SimpleNamespace(async_get_device_by_identifier=lambda *_: device)
        bus = SimpleNamespace(async_listen=lambda *_: None)
        config = SimpleNamespace(units=METRIC_SYSTEM)
        entities = SimpleNamespace(entities=SimpleNamespace(get_entries_for_config_entry_id=lambda _: ()))
        registries = {dr.DATA_REGISTRY: registry, er.DATA_REGISTRY: entities}
        self.hass: Any = Watchable(bus=bus, config=config, data=registries)
        self.asked_for: frozenset[models.Permission] = frozenset()
        self.server = SimpleNamespace(name="")
        self.moment: Mapping[str, Any] = {}
        self.homes = frozenset(self.data.structures)
        self.left_out: frozenset[str] = frozenset()

    @property
    def data(self) -> Any:
        """Return the document of a moment, watched."""
        raw = json.loads(FIXTURE.read_text(encoding="utf-8"))
        for thermostat in raw["devices"]["thermostats"].values():
            thermostat.update({"has_fan": True, "can_heat": True, "can_cool": True, **self.moment})
        for alarm in raw["devices"]["smoke_co_alarms"].values():
            alarm.update(self.moment)
        for structure in raw["structures"].values():
            structure.update({"rhr_enrollment": True, "smoke_alarm_state": "ok"})
        document = models.DocumentReader().read(raw)
        groups = {"structures": "structure", "thermostats": "thermostat", "alarms": "alarm"}
        watched = {
            group: {key: Watched(kind, item, self._tell) for key, item in getattr(document, group).items()}
            for group, kind in groups.items()
        }
        return Watchable(**watched, permissions=self.permissions)

    def _tell(self, kind: str, field: str) -> None:
        self.read.add((kind, field))

    def unique_id(self, wire_id: str) -> str:
        """Return the id itself."""
        return wire_id

    def async_add_listener(self, *_: Any) -> Callable[[], None]:
        """Nothing changes here."""
        return lambda: None

    def watch(self, shown_as: str, ask: Callable[[], object]) -> None:
        """Keep what is read while something is asked."""
        self.read.clear()
        ask()
        for key in self.read:
            self.uses[key].add(shown_as)


def uses() -> Uses:
    """Return, for each field of each kind of thing, what shows it."""
    stage = Stage()
    for moment in MOMENTS:
        stage.moment = moment
        for shown_as, entity in every_entity(stage):
            stage.watch(shown_as, lambda entity=entity: ask(entity))  # type: ignore[misc]
        stage.watch("device in the registry", lambda: list(entities.registered(stage)))  # type: ignore[arg-type]
    stage.watch(label("event", event.ALARMS[0]), lambda: compare(stage))
    return stage.uses


def every_entity(stage: Stage) -> Iterator[tuple[str, Any]]:
    """Yield every entity that the document of a moment brings, and how people find it."""
    for platform in PLATFORMS:
        # Events are told by comparing documents, and read none themselves.
        if platform != "event":
            module = importlib.import_module(f"{PACKAGE}.{platform}")
            added: list[Any] = []
            asyncio.run(module.async_setup_entry(stage.hass, stage.config_entry, added.extend))
            for each in added:
                each.hass = stage.hass
            yield from ((label(platform, each.entity_description), each) for each in added)


def ask(entity: Any) -> None:
    """Ask an entity for everything that it shows."""
    for kind in type(entity).__mro__:
        if kind.__module__.startswith(PACKAGE):
            for name, value in vars(kind).items():
                if isinstance(value, property) and name not in COMMON:
                    getattr(entity, name)


def compare(stage: Stage) -> None:
    """Compare a document with one in which nothing was known of its alarms."""
    document = stage.data
    known = Known(alarms={key: KnownAlarm() for key in document.alarms}, homes={})
    alarms = SimpleNamespace(alarms=document.alarms, structures={})
    transitions(known, alarms, stage.homes, Seen(at=dt_util.utcnow()))  # type: ignore[arg-type]


def label(platform: str, description: Any) -> str:
    """Return how people find an entity: its platform and its name."""
    words = platform.replace("_", " ")
    if description.name is None:
        return words
    if description.translation_key:
        return f"{words} *{TEXTS['entity'][platform][description.translation_key]['name']}*"
    folder = resources.files("homeassistant") / "components" / platform / "translations"
    names = json.loads((folder / "en.json").read_text())["entity_component"]
    return f"{words} *{names[description.device_class]['name']}*"


def rows(kind: str, found: Uses) -> Iterator[tuple[str, str]]:
    """Yield each field of a kind of thing with what shows it, or with the reason why nothing does."""
    for field in KINDS[kind][1]:
        shown = ", ".join(sorted(found.get((kind, field), ())))
        reason = REASONS[kind].get(field, "")
        if bool(shown) is bool(reason):
            msg = f"{field} of a {kind} is to be shown or has a reason not to be, and not both: {shown or reason!r}"
            raise ValueError(msg)
        yield f"`{field}`", shown or f"Not shown. {reason}"


def text(found: Uses) -> str:
    """Return the document."""
    parts = [HEAD]
    for kind, (title, _) in KINDS.items():
        lines = [f"| {field} | {shown} |" for field, shown in rows(kind, found)]
        parts += [f"## {title}", "\n".join(["| Field | Shown by |", "|---|---|", *lines])]
    return "\n\n".join(parts) + "\n"


def main(arguments: list[str] | None = None, file: Path = DOCUMENT) -> int:
    """Compare, or write."""
    return compare_or_write("entities_table", __doc__, file, lambda _: text(uses()), arguments)


if __name__ == "__main__":
    sys.exit(main())
