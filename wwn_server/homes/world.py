"""What a simulated home is made of, and how one moment of it looks on the wire."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
import random
from typing import Any, Final

from wwn_server.document import ALARMS, STRUCTURES, THERMOSTATS, Group
from wwn_server.eta import Window
from wwn_server.temperatures import Temperature

from .alarm import Alarm, Reading, summary
from .base import AlarmKind, Presence
from .ids import DEVICE_ID_LENGTH, STRUCTURE_ID_LENGTH, opaque_id
from .thermostat import STEP_SECONDS, Thermostat, outside_temperature, settle, step

_SUFFIX: Final = {THERMOSTATS: "Thermostat", ALARMS: "Nest Protect"}

WHERES: Final = (
    "Basement",
    "Bathroom",
    "Bedroom",
    "Dining Room",
    "Entryway",
    "Hallway",
    "Kids Room",
    "Kitchen",
    "Living Room",
    "Office",
)

# Where a home that speaks this scale would stand.
_PLACES: Final = {
    "C": {
        "country_code": "GB",
        "postal_code": "W1A 1AA",
        "time_zone": "Europe/London",
        "locale": "en-GB",
    },
    "F": {
        "country_code": "US",
        "postal_code": "94304",
        "time_zone": "America/Los_Angeles",
        "locale": "en-US",
    },
}

# What a person would have set, in either scale.
_SETTINGS: Final[dict[str, dict[str, float]]] = {
    "C": {
        "target_temperature": 21,
        "target_temperature_low": 20,
        "target_temperature_high": 24.5,
        "eco_temperature_low": 15.5,
        "eco_temperature_high": 26.5,
        "away_temperature_low": 15.5,
        "away_temperature_high": 26.5,
        "locked_temp_min": 18.5,
        "locked_temp_max": 24,
    },
    "F": {
        "target_temperature": 70,
        "target_temperature_low": 68,
        "target_temperature_high": 76,
        "eco_temperature_low": 60,
        "eco_temperature_high": 80,
        "away_temperature_low": 60,
        "away_temperature_high": 80,
        "locked_temp_min": 65,
        "locked_temp_max": 75,
    },
}
_MAKE: Final = {"C": Temperature.from_celsius, "F": Temperature.from_fahrenheit}


# Room and mode; room and when the alarm was last tested by hand.
_THERMOSTATS: Final = (("Living Room", "heat-cool"), ("Bedroom", "heat"))
_ALARMS: Final = (
    ("Hallway", "2026-03-01T10:00:00.000Z"),
    ("Kitchen", "2026-03-01T10:04:00.000Z"),
    ("Bedroom", None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One moment of the simulated home; devices by id."""

    seed: int
    thermostats: Mapping[str, Thermostat]
    alarms: Mapping[str, Alarm]
    name: str = "Home"
    presence: Presence = Presence.HOME
    seconds: int = 0
    # By the hub's name for each; only while nobody is at home.
    trips: Mapping[str, Window] = field(default_factory=dict)
    rush_hour: Window | None = None
    outside_set: float | None = None

    @property
    def outside(self) -> float:
        """Degrees Celsius outside: what was set, or what the day brings."""
        return outside_temperature(self.seed, self.seconds) if self.outside_set is None else self.outside_set


def next_moment(world: World) -> World:
    """Return the world ten seconds of its own time later."""
    outside = world.outside
    thermostats = {key: step(thermostat, outside) for key, thermostat in world.thermostats.items()}
    alarms = {key: alarm.later(STEP_SECONDS) for key, alarm in world.alarms.items()}
    seconds = world.seconds + STEP_SECONDS
    return replace(world, thermostats=thermostats, alarms=alarms, seconds=seconds)


class House:
    """What never changes: where the home stands, and what its parts are called.

    Ids follow from the server's id and the names of rooms, so they outlive a restart.
    """

    def __init__(self, server_id: str, scale: str) -> None:
        """Build it for thermostats of a scale, ``C`` or ``F``."""
        self._server_id = server_id
        self.scale = scale
        self._place = _PLACES[scale]
        self._wheres = {name: self._id(STRUCTURE_ID_LENGTH, "where", name) for name in WHERES}
        self.structure_id = self._id(STRUCTURE_ID_LENGTH, "structure")

    def furnished(self, seed: int) -> World:
        """Return the first moment of the home, as a seed makes it."""
        chance = random.Random(seed)  # noqa: S311
        return World(
            seed=seed,
            thermostats={
                self._id(DEVICE_ID_LENGTH, THERMOSTATS, room): _thermostat(room, self.scale, chance, mode)
                for room, mode in _THERMOSTATS
            },
            alarms={self._id(DEVICE_ID_LENGTH, ALARMS, room): _tested_alarm(room, tested) for room, tested in _ALARMS},
        )

    def with_device(self, world: World, group: str, room: str) -> tuple[World, str]:
        """Return the world with one more device in a room, and the device's id.

        A second one in a room is told apart by its number. One that was taken down and is
        hung up again has the id it had.
        """
        held: Mapping[str, object] = world.thermostats if group == THERMOSTATS else world.alarms
        number, device_id = next(each for each in self._free_ids(group, room) if each[1] not in held)
        label = "" if number == 1 else str(number)
        if group == THERMOSTATS:
            chance = random.Random(f"{world.seed} {device_id}")  # noqa: S311
            new = replace(_thermostat(room, self.scale, chance, "heat"), label=label)
            return replace(world, thermostats={**world.thermostats, device_id: new}), device_id
        return replace(world, alarms={**world.alarms, device_id: Alarm(room=room, label=label)}), device_id

    def _free_ids(self, group: str, room: str) -> Iterator[tuple[int, str]]:
        yield 1, self._id(DEVICE_ID_LENGTH, group, room)
        for number in count(2):
            yield number, self._id(DEVICE_ID_LENGTH, group, room, str(number))

    def groups(self, world: World) -> dict[str, Group]:
        """Return the things of a document, all but when each was last heard of."""
        return {
            THERMOSTATS: self._devices(THERMOSTATS, world.thermostats),
            ALARMS: self._devices(ALARMS, world.alarms),
            STRUCTURES: {self.structure_id: self._structure(world)},
        }

    def _devices(self, group: str, devices: Mapping[str, Thermostat] | Mapping[str, Alarm]) -> Group:
        return {
            device_id: self._identity(group, device_id, device.room, device.label) | device.fields()
            for device_id, device in devices.items()
        }

    def _identity(self, group: str, device_id: str, room: str, label: str) -> dict[str, Any]:
        suffix = f" ({label})" if label else ""
        return {
            "device_id": device_id,
            "locale": self._place["locale"],
            "structure_id": self.structure_id,
            "where_id": self._wheres[room],
            "where_name": room,
            "name": f"{room}{suffix}",
            "name_long": f"{room} {_SUFFIX[group]}{suffix}",
        }

    def _structure(self, world: World) -> dict[str, Any]:
        devices = {THERMOSTATS: list(world.thermostats), ALARMS: list(world.alarms)}
        return (
            {
                "structure_id": self.structure_id,
                "name": world.name,
                "country_code": self._place["country_code"],
                "postal_code": self._place["postal_code"],
                "time_zone": self._place["time_zone"],
                "away": world.presence.value if any(devices.values()) else "unknown",
                "rhr_enrollment": world.rush_hour is not None,
                "wheres": {where_id: {"where_id": where_id, "name": name} for name, where_id in self._wheres.items()},
            }
            | {group: ids for group, ids in devices.items() if ids}
            | _levels(world.alarms.values())
            | _times(world)
        )

    def _id(self, length: int, *words: str) -> str:
        return opaque_id(length, self._server_id, *words)


def _levels(alarms: Collection[Alarm]) -> dict[str, str]:
    levels = {f"{kind}_alarm_state": summary(alarms, kind) for kind in AlarmKind}
    return {name: level.value for name, level in levels.items() if level is not None}


def _times(world: World) -> dict[str, str]:
    """Return what somebody announced; nothing stands for nothing announced."""
    times: dict[str, str] = {}
    if world.trips:
        times["eta_begin"] = timestamp(min(window.begin for window in world.trips.values()))
    if world.rush_hour:
        times["peak_period_start_time"] = timestamp(world.rush_hour.begin)
        times["peak_period_end_time"] = timestamp(world.rush_hour.end)
    return times


def timestamp(moment: datetime) -> str:
    """Return a moment as the wire has it (protocol 3.1)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _tested_alarm(room: str, tested: str | None) -> Alarm:
    reading = Reading(tested=tested)
    return Alarm(room=room, sensed=reading, reported=reading)


def _thermostat(room: str, scale: str, chance: random.Random, mode: str) -> Thermostat:
    make = _MAKE[scale]
    both = mode == "heat-cool"
    return settle(
        Thermostat(
            room=room,
            scale=scale,
            can_cool=both,
            has_fan=both,
            mode=mode,
            temperatures={stem: make(it) for stem, it in _SETTINGS[scale].items()},
            ambient=chance.uniform(19.5, 21.5),
            humidity=chance.uniform(40, 50),
        )
    )
