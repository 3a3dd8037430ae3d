"""A home of as many devices as wanted, which changes when its process is sent a signal, and writes down when."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
import signal
import time
from typing import Any, Final

from wwn_server.document import ALARMS, STRUCTURES, THERMOSTATS, Document, Group, Thing
from wwn_server.homes.base import Listener, Unsubscribe, Write
from wwn_server.homes.world import WHERES, House, timestamp

SERVER_ID: Final = "5f0c7ab0-2222-4000-8000-000000000000"
CHANGE_ONE: Final = signal.SIGUSR1
SOUND: Final = signal.SIGUSR2
# From then on everything changes each second, or no more.
CHANGE_ALL: Final = signal.SIGRTMIN
EVERY: Final = 1.0
# No hub shows this field, and every hub is sent it: the clock of the whole machine, as of the change.
STAMP: Final = "locale"
# As long as any stamp.
NO_STAMP: Final = f"{0:020.6f}"


class BenchHome:
    """Half thermostats and half alarms; a single device is a thermostat, unless it shall be an alarm."""

    def __init__(self, devices: int, *, alarm_first: bool = False) -> None:
        """Furnish it."""
        house = House(SERVER_ID, "C")
        self.home_id = house.structure_id
        self.document = Document(_furnished(house, devices, alarm_first=alarm_first), 1)
        self._listeners: list[Listener] = []
        self._turn = 0
        self._living: asyncio.Task[None] | None = None

    @property
    def playable(self) -> None:
        """Have nothing to play with."""

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Call a listener whenever the document has changed."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def start(self) -> None:
        """Listen to signals."""
        loop = asyncio.get_running_loop()
        for number, act in ((CHANGE_ONE, self.change_one), (SOUND, self.sound), (CHANGE_ALL, self._live_or_rest)):
            loop.add_signal_handler(number, act)

    async def stop(self) -> None:
        """End."""
        if self._living:
            self._living.cancel()

    def rename(self, structure_id: str, name: str) -> None:
        """Keep its name."""

    async def write(self, write: Write) -> None:
        """Take what a hub writes."""
        self._put(write.group, {write.id: {**self.document.group(write.group)[write.id], **write.fields}})

    def change_one(self) -> None:
        """Change one device in one field."""
        self._turn += 1
        group = next(name for name in (THERMOSTATS, ALARMS) if self.document.group(name))
        device_id, thing = next(iter(self.document.group(group).items()))
        self._put(group, {device_id: stamped(changed(thing, self._turn))})

    def sound(self) -> None:
        """Let the last alarm sound an emergency, or be calm again."""
        device_id, thing = list(self.document.group(ALARMS).items())[-1]
        level, colour = ("ok", "green") if thing["smoke_alarm_state"] == "emergency" else ("emergency", "red")
        self._put(ALARMS, {device_id: stamped({**thing, "smoke_alarm_state": level, "ui_color_state": colour})})

    def change_all(self) -> None:
        """Change every device."""
        self._turn += 1
        for group in (THERMOSTATS, ALARMS):
            changes = {key: changed(thing, self._turn) for key, thing in self.document.group(group).items()}
            self._put(group, changes, tell=group == ALARMS)

    def _live_or_rest(self) -> None:
        if self._living is None:
            self._living = asyncio.get_running_loop().create_task(self._live())
        else:
            self._living.cancel()
            self._living = None

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self.change_all()

    def _put(self, group: str, things: Group, *, tell: bool = True) -> None:
        """Replace things. Everything else is the same object as before, as it is with every home."""
        groups = {**self.document.groups, group: {**self.document.group(group), **things}}
        self.document = Document(groups, self.document.version + 1)
        for listener in self._listeners if tell else ():
            listener()


def changed(thing: Thing, turn: int) -> dict[str, Any]:
    """Return a device that measured something else."""
    if "humidity" in thing:
        # Never what it was furnished with.
        return {**thing, "humidity": 60 + 5 * (turn % 4)}
    return {**thing, "battery_health": "replace" if thing["battery_health"] == "ok" else "ok"}


def stamped(thing: Mapping[str, Any]) -> dict[str, Any]:
    """Return a device with the time of its change."""
    return {**thing, STAMP: f"{time.monotonic():020.6f}"}


def _furnished(house: House, devices: int, *, alarm_first: bool) -> dict[str, Group]:
    """Return all things of a home; a device is like one of the simulated home in all but its id and name."""
    patterns = house.groups(house.furnished(1))
    less, more = devices // 2, devices - devices // 2
    counts = {THERMOSTATS: less if alarm_first else more, ALARMS: more if alarm_first else less}
    groups: dict[str, Group] = {group: _copies(group, patterns[group], count) for group, count in counts.items()}
    home = dict(next(iter(patterns[STRUCTURES].values()))) | {name: list(each) for name, each in groups.items()}
    return {**groups, STRUCTURES: {house.structure_id: home}}


def _copies(group: str, patterns: Group, count: int) -> Group:
    kinds = list(patterns.values())
    heard = timestamp(datetime.now(UTC))
    return {
        (key := f"{group}-{number:04}-pneumatic-tube-device"): {
            **kinds[number % len(kinds)],
            "device_id": key,
            "name": f"{WHERES[number % len(WHERES)]} ({number})",
            "name_long": f"{WHERES[number % len(WHERES)]} device ({number})",
            "last_connection": heard,
            STAMP: NO_STAMP,
        }
        for number in range(count)
    }
