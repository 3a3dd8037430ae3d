"""What the console shows: each home and device as a part of the page that can change alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import orjson

from wwn_server.document import ALARMS, DEVICE_GROUPS, STRUCTURES, THERMOSTATS
from wwn_server.homes.base import AlarmLevel, BatteryHealth, Presence, Sunlight, Surroundings
from wwn_server.rules import shut_off
from wwn_server.streams import Feed
from wwn_server.temperatures import Temperature

from .rendering import fragment
from .session import session_of
from .times import Moment, moment, zone_of

if TYPE_CHECKING:
    from aiohttp import web

    from wwn_server.document import Thing
    from wwn_server.homes.base import Home

# How much faster than ours a home's time can be made to pass with a button.
SPEEDS: Final = (0, 1, 10, 60, 600, 3600)
_GOODBYE: Final = b"event: signed-out\ndata: null\n\n"

_WORDS: Final[dict[str, object]] = {
    "levels": list(AlarmLevel),
    "battery": list(BatteryHealth),
    "presence": list(Presence),
    "sunlight": list(Sunlight),
    "speeds": SPEEDS,
}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page: its id there, and its HTML."""

    id: str
    html: str


@dataclass(frozen=True, slots=True)
class View:
    """All parts, in their order."""

    homes: tuple[Part, ...]
    devices: tuple[Part, ...]


def view_of(home: Home) -> View:
    """Return what there is to see of a home, in the language of the request."""
    structures = home.document.group(STRUCTURES)
    zone = zone_of(each.get("time_zone") for each in structures.values())
    played = home.playable
    values = _WORDS | {
        "playable": played is not None,
        "around": around(played.surroundings) if played is not None else None,
        "at": partial(_moment, zone),
    }
    in_play = frozenset[str]().union(*(played.document.group(each) for each in DEVICE_GROUPS) if played else ())
    return View(
        homes=tuple(_part("home", key, each, each, values) for key, each in structures.items()),
        devices=tuple(
            _part(template, key, each, structures[each["structure_id"]], values | {"playable": key in in_play})
            for group, template in ((ALARMS, "alarm"), (THERMOSTATS, "thermostat"))
            for key, each in home.document.group(group).items()
        ),
    )


def around(surroundings: Surroundings) -> dict[str, Any]:
    """Return a home's surroundings as pages and programs are told."""
    return {
        **Temperature.from_celsius(surroundings.outside).fields("outside_temperature"),
        "weather": surroundings.weather,
        "speed": surroundings.speed,
        "rush_hour": surroundings.rush_hour,
    }


class ConsoleFeed(Feed):
    """One open console page, for as long as its person is signed in."""

    def __init__(self, request: web.Request, home: Home) -> None:
        """Prepare to serve; nothing is sent yet."""
        super().__init__(request)
        self._home = home
        self._seen: View | None = None

    def news(self) -> bytes | None:
        """Return the page's parts, unless it shows them already."""
        if session_of(self._request) is None:
            self.end(_GOODBYE)
            return None
        view = view_of(self._home)
        if view == self._seen:
            return None
        self._seen = view
        return b"event: home\ndata: %b\n\n" % orjson.dumps(view)


def _part(template: str, key: str, thing: Thing, structure: Thing, values: dict[str, Any]) -> Part:
    part_id = f"{template}-{key}"
    own = {"id": part_id, "thing": thing, "shut_off": shut_off(structure)}
    return Part(part_id, fragment(f"console_{template}.html", values | own))


def _moment(zone: tzinfo, timestamp: str) -> Moment:
    return moment(datetime.fromisoformat(timestamp).timestamp(), zone)
