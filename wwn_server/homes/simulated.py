"""A simulated home: two thermostats, three alarms, and people who come and go.

Its state is a function of the seed, the number of steps and what was asked of it; only
``last_connection`` is taken from the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from wwn_server.document import ALARMS, DEVICE_GROUPS, STRUCTURES, THERMOSTATS, Document, Group, Thing

from .alarm import Alarm
from .base import AlarmKind, AlarmLevel, BatteryHealth, Listener, Presence, UnknownDeviceError, Unsubscribe, Write
from .thermostat import STEP_SECONDS, Thermostat
from .world import House, World, next_moment

# A fast clock is let in batches of steps, so that it never starves the streams.
_SHORTEST_TICK: Final = 0.2
# After a machine slept, the home does not relive the whole night at once.
_MOST_STEPS_AT_ONCE: Final = 1000

# How long an online device of a group stays silent when nothing happens.
_CHECK_IN: Final = {THERMOSTATS: timedelta(minutes=10), ALARMS: timedelta(hours=1)}


class SimulatedHome:
    """A home that needs no devices. ``speed`` is its time over ours; 0 stands still."""

    def __init__(
        self,
        server_id: str,
        *,
        seed: int = 1,
        speed: float = 1.0,
        scale: str = "C",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Furnish the home; ids follow from the server's id."""
        self._speed = speed
        self._clock = clock
        self._house = House(server_id, scale)
        self._world = self._house.furnished(seed)
        self._document = Document()
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._publish()

    @property
    def document(self) -> Document:
        """The newest state."""
        return self._document

    @property
    def world(self) -> World:
        """The state behind the document, finer than what is told."""
        return self._world

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Call a listener after each change of the document."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def start(self) -> None:
        """Let time pass."""
        if self._speed and self._task is None:
            self._task = asyncio.create_task(self._live(), name="simulated home")

    async def stop(self) -> None:
        """Stop time."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def write(self, write: Write) -> None:
        """Do what a hub wrote; simulated devices do it at once."""
        if write.group == STRUCTURES:
            self.set_presence(write.id, Presence(write.fields["away"]))
            return
        thermostat = self._world.thermostats[write.id].written(write.fields)
        self._replace_thermostat(write.id, thermostat)

    def advance(self, steps: int) -> None:
        """Let a number of steps of ten seconds pass at once."""
        for _ in range(steps):
            self._world = next_moment(self._world)
        self._publish()

    def set_alarm_level(self, device_id: str, kind: AlarmKind, level: AlarmLevel) -> None:
        """Let an alarm sense this level of smoke or carbon monoxide."""
        self._replace_alarm(device_id, self._alarm(device_id).with_level(kind, level))

    def set_battery(self, device_id: str, health: BatteryHealth) -> None:
        """Drain or change an alarm's battery."""
        self._replace_alarm(device_id, self._alarm(device_id).with_battery(health))

    def set_online(self, device_id: str, *, online: bool) -> None:
        """Cut a device off, or bring it back to catch up with its home."""
        if device_id in self._world.thermostats:
            thermostat = replace(self._world.thermostats[device_id], online=online)
            back = thermostat.when(self._world.presence) if online else thermostat
            self._replace_thermostat(device_id, back)
            return
        alarm = self._alarm(device_id).connect(online=online)
        self._replace_alarm(device_id, alarm)

    def set_presence(self, structure_id: str, presence: Presence) -> None:
        """Leave or come home; thermostats that are online follow."""
        if structure_id != self._house.structure_id:
            raise UnknownDeviceError(structure_id)
        thermostats = {
            key: thermostat.when(presence) if thermostat.online else thermostat
            for key, thermostat in self._world.thermostats.items()
        }
        self._world = replace(self._world, presence=presence, thermostats=thermostats)
        self._publish()

    def rename(self, structure_id: str, name: str) -> None:
        """Call the home what people call it."""
        if structure_id == self._house.structure_id:
            self._world = replace(self._world, name=name)
            self._publish()

    async def _live(self) -> None:
        loop = asyncio.get_running_loop()
        tick = max(_SHORTEST_TICK, STEP_SECONDS / self._speed)
        done = loop.time()
        while True:
            await asyncio.sleep(tick)
            steps = int((loop.time() - done) * self._speed / STEP_SECONDS)
            done += steps * STEP_SECONDS / self._speed
            self.advance(min(steps, _MOST_STEPS_AT_ONCE))

    def _alarm(self, device_id: str) -> Alarm:
        try:
            return self._world.alarms[device_id]
        except KeyError:
            raise UnknownDeviceError(device_id) from None

    def _replace_alarm(self, device_id: str, alarm: Alarm) -> None:
        alarms = {**self._world.alarms, device_id: alarm}
        self._world = replace(self._world, alarms=alarms)
        self._publish()

    def _replace_thermostat(self, device_id: str, thermostat: Thermostat) -> None:
        thermostats = {**self._world.thermostats, device_id: thermostat}
        self._world = replace(self._world, thermostats=thermostats)
        self._publish()

    def _publish(self) -> None:
        groups = self._house.groups(self._world)
        document = self._document.successor(groups | {name: self._heard(name, groups[name]) for name in DEVICE_GROUPS})
        if document is not self._document:
            self._document = document
            for listener in tuple(self._listeners):
                listener()

    def _heard(self, group: str, devices: Group) -> Group:
        known = self._document.group(group)
        return {key: self._stamped(thing, known.get(key), _CHECK_IN[group]) for key, thing in devices.items()}

    def _stamped(self, thing: Thing, known: Thing | None, check_in: timedelta) -> Thing:
        """Add when a device was last heard, which for an offline one stays."""
        now = self._clock()
        stamp = _timestamp(now) if known is None else known["last_connection"]
        silent = {**thing, "last_connection": stamp}
        quiet = known == silent and now - datetime.fromisoformat(stamp) < check_in
        if quiet or not thing["is_online"]:
            return silent
        return {**thing, "last_connection": _timestamp(now)}


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
