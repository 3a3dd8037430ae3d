"""What a simulated home remembers over a restart, so that no alarm forgets what it sensed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
import logging
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson

from wwn_server.eta import Window
from wwn_server.temperatures import Temperature

from .alarm import Alarm, Reading
from .base import AlarmLevel, BatteryHealth, Presence, Sunlight
from .thermostat import FanTimer, Thermostat
from .world import World, next_moment

if TYPE_CHECKING:
    from .world import House

_LOGGER: Final = logging.getLogger(__name__)


class Memory(Protocol):
    """Where one text survives a restart."""

    def read(self) -> str | None:
        """Return the text that was written last."""

    def write(self, text: str) -> None:
        """Keep a text instead of the one before."""


class NoMemory:
    """The memory of a home that begins anew with every start."""

    def read(self) -> str | None:
        """Return nothing."""
        return None

    def write(self, text: str) -> None:
        """Forget it."""


NO_MEMORY: Final = NoMemory()


@dataclass(frozen=True, slots=True)
class Remembered:
    """A moment of a home, and when each device was last heard of."""

    world: World
    heard: Mapping[str, str]


def told(world: World, scale: str, heard: Mapping[str, str]) -> str:
    """Return a moment of a home as a text."""
    return orjson.dumps({"world": world, "scale": scale, "heard": heard}, default=_plain).decode()


def recalled(text: str | None, house: House, seed: int) -> Remembered:
    """Return what a text tells, or the first moment where it tells of another home, or of none."""
    first = Remembered(house.furnished(seed), {})
    if text is None:
        return first
    try:
        raw = orjson.loads(text)
        world = _world(raw["world"])
        # What can't be lived or shown is not what was told.
        house.groups(next_moment(world))
        same = (world.seed, raw["scale"]) == (seed, house.scale)
        return Remembered(world, dict(raw["heard"])) if same else first
    except (ValueError, TypeError, KeyError, AttributeError):
        _LOGGER.warning("What the simulated home was like before the restart can't be read: it begins anew")
        return first


def _plain(value: object) -> Any:
    if isinstance(value, Window):
        return list(value)
    raise TypeError(type(value))


def _world(raw: dict[str, Any]) -> World:
    own = {
        "presence": Presence(raw["presence"]),
        "alarms": {key: _alarm(each) for key, each in raw["alarms"].items()},
        "thermostats": {key: _thermostat(each) for key, each in raw["thermostats"].items()},
        "trips": {key: _window(each) for key, each in raw["trips"].items()},
        "rush_hour": _window(raw["rush_hour"]) if raw["rush_hour"] else None,
    }
    return World(**(raw | own))


def _alarm(raw: dict[str, Any]) -> Alarm:
    return Alarm(**(raw | {name: _reading(raw[name]) for name in ("sensed", "reported")}))


def _reading(raw: dict[str, Any]) -> Reading:
    levels = {name: AlarmLevel(raw[name]) for name in ("smoke", "co")}
    return Reading(**(raw | levels | {"battery": BatteryHealth(raw["battery"])}))


def _thermostat(raw: dict[str, Any]) -> Thermostat:
    own = {
        "temperatures": {stem: Temperature(**each) for stem, each in raw["temperatures"].items()},
        "fan": FanTimer(**raw["fan"]),
        "sunlight": Sunlight(raw["sunlight"]),
    }
    return Thermostat(**(raw | own))


def _window(raw: list[str]) -> Window:
    begin, end = raw
    return Window(datetime.fromisoformat(begin), datetime.fromisoformat(end))
