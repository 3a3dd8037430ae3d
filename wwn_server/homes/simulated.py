"""A simulated home: two thermostats, three alarms, and people who come and go.

Its state is a function of the seed, the number of steps and what was asked of it; only
``last_connection`` is taken from the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from wwn_server.document import ALARMS, DEVICE_GROUPS, STRUCTURES, THERMOSTATS, Document, Group, Thing
from wwn_server.temperatures import half_degrees

from . import happenings
from .alarm import Alarm
from .base import (
    AlarmKind,
    AlarmLevel,
    BatteryHealth,
    Listener,
    Presence,
    Sunlight,
    Surroundings,
    UnknownDeviceError,
    Unsubscribe,
    Write,
)
from .memory import NO_MEMORY, Memory, recalled, told
from .thermostat import STEP_SECONDS, Thermostat, settle
from .world import WHERES, House, World, next_moment, timestamp

# A fast clock is let in batches of steps, so that it never starves the streams.
_SHORTEST_TICK: Final = 0.2
# What our own clock brings, such as an arrival, is not missed for longer.
_LONGEST_TICK: Final = 10.0
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
        memory: Memory = NO_MEMORY,
    ) -> None:
        """Furnish the home, or find it as it was left; ids follow from the server's id."""
        self._speed = speed
        self._speed_changed = asyncio.Event()
        self._clock = clock
        self._house = House(server_id, scale)
        self._memory = memory
        remembered = recalled(memory.read(), self._house, seed)
        self._heard_before = remembered.heard
        self._world = self._all_timed(remembered.world)
        self._document = Document()
        self._surroundings = self._around()
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._publish()

    @property
    def document(self) -> Document:
        """The newest state."""
        return self._document

    @property
    def playable(self) -> SimulatedHome:
        """All of it."""
        return self

    @property
    def surroundings(self) -> Surroundings:
        """What is around it now."""
        return self._surroundings

    @property
    def rooms(self) -> tuple[str, ...]:
        """Where a device can be."""
        return WHERES

    @property
    def world(self) -> World:
        """The state behind the document, finer than what is told."""
        return self._world

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Call a listener after each change of the document, or of what is around it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def start(self) -> None:
        """Let time pass."""
        if self._task is None:
            self._task = asyncio.create_task(self._live(), name="simulated home")

    async def stop(self) -> None:
        """Stop time."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self._keep(self._world)

    async def write(self, write: Write) -> None:
        """Do what a hub wrote; simulated devices do it at once."""
        if write.group == STRUCTURES:
            self._become(_structure_written(self._world, write.fields))
            return
        self._thermostat(write.id, lambda each: self._timed(each.written(write.fields)))

    def advance(self, steps: int) -> None:
        """Let a number of steps of ten seconds pass at once."""
        world = self._world
        for _ in range(steps):
            world = next_moment(world)
        later = happenings.by_the_clock(world, self._clock())
        # What only time brings, such as a warmer room, may be lost.
        if _happened(later) != _happened(self._world):
            self._keep(later)
        self._world = later
        self._publish()

    def set_alarm_level(self, device_id: str, kind: AlarmKind, level: AlarmLevel) -> None:
        """Let an alarm sense this level of smoke or carbon monoxide."""
        self._alarm(device_id, lambda each: each.with_level(kind, level))

    def set_battery(self, device_id: str, health: BatteryHealth) -> None:
        """Drain or change an alarm's battery."""
        self._alarm(device_id, lambda each: each.with_battery(health))

    def set_manual_test(self, device_id: str, *, active: bool) -> None:
        """Press the test button of an alarm, or have its test end well at once."""
        now = timestamp(self._clock())
        self._alarm(device_id, lambda each: each.test_started() if active else each.test_ended(now))

    def set_online(self, device_id: str, *, online: bool) -> None:
        """Cut a device off, or bring it back to catch up with its home."""
        if online:
            self._become(self._all_timed(happenings.back(self._world, device_id)))
        else:
            self._become(happenings.cut_off(self._world, device_id))

    def set_lock(self, device_id: str, *, locked: bool) -> None:
        """Lock a thermostat to its range of targets, or unlock it."""
        self._thermostat(device_id, lambda each: replace(each, locked=locked))

    def set_emergency_heat(self, device_id: str, *, active: bool) -> None:
        """Let a thermostat use its auxiliary heating only, or no more."""
        self._thermostat(device_id, lambda each: settle(replace(each, emergency_heat=active)))

    def set_sunlight(self, device_id: str, sunlight: Sunlight) -> None:
        """Let the sun shine on a thermostat, or have it not mind."""
        self._thermostat(device_id, lambda each: replace(each, sunlight=sunlight))

    def set_presence(self, structure_id: str, presence: Presence) -> None:
        """Leave or come home; thermostats that are online follow."""
        if structure_id != self._house.structure_id:
            raise UnknownDeviceError(structure_id)
        self._become(happenings.presence(self._world, presence))

    def set_rush_hour(self, *, active: bool) -> None:
        """Let an energy rush hour begin, or end."""
        self._become(happenings.rush_hour(self._world, self._clock(), active=active))

    def set_outside(self, celsius: float | None) -> None:
        """Set the temperature outside, or leave it to the weather."""
        self._become(replace(self._world, outside_set=celsius))

    def set_speed(self, speed: float) -> None:
        """Let time pass so many times as fast as ours; 0 stands still."""
        self._speed = speed
        self._speed_changed.set()
        self._become(self._all_timed(self._world))

    def add_device(self, group: str, room: str) -> str:
        """Hang up a thermostat or an alarm and return its id."""
        if room not in WHERES:
            raise UnknownDeviceError(room)
        happenings.demand_room(len(self._document.group(group)))
        world, device_id = self._house.with_device(self._world, group, room)
        # A new device is told how things are, like one that was away.
        self._become(happenings.back(world, device_id))
        return device_id

    def remove_device(self, device_id: str) -> None:
        """Take a device down."""
        self._become(happenings.removed(self._world, device_id))

    def rename(self, structure_id: str, name: str) -> None:
        """Call the home what people call it."""
        if structure_id == self._house.structure_id:
            self._become(replace(self._world, name=name))

    async def _live(self) -> None:
        loop = asyncio.get_running_loop()
        done = loop.time()
        while True:
            speed = self._speed
            with suppress(TimeoutError):
                async with asyncio.timeout(_tick(speed)):
                    await self._speed_changed.wait()
            steps = int((loop.time() - done) * speed / STEP_SECONDS)
            # The rest of a step is not lived at another speed.
            done = done + steps * STEP_SECONDS / speed if speed == self._speed and speed else loop.time()
            self._speed_changed.clear()
            self.advance(min(steps, _MOST_STEPS_AT_ONCE))

    def _alarm(self, device_id: str, change: Callable[[Alarm], Alarm]) -> None:
        self._become(happenings.alarm(self._world, device_id, change))

    def _thermostat(self, device_id: str, change: Callable[[Thermostat], Thermostat]) -> None:
        self._become(happenings.thermostat(self._world, device_id, change))

    def _all_timed(self, world: World) -> World:
        return replace(world, thermostats={key: self._timed(each) for key, each in world.thermostats.items()})

    def _timed(self, thermostat: Thermostat) -> Thermostat:
        """Tell by our clock when a fan stops that runs in the home's time."""
        if not thermostat.fan.left:
            return thermostat
        left = timedelta(seconds=thermostat.fan.left / (self._speed or 1))
        return replace(thermostat, fan=replace(thermostat.fan, ends=timestamp(self._clock() + left)))

    def _become(self, world: World) -> None:
        # What can't be kept does not happen.
        self._keep(world)
        self._world = world
        self._publish()

    def _keep(self, world: World) -> None:
        devices = [each for group in DEVICE_GROUPS for each in self._document.group(group).items()]
        heard = {key: thing["last_connection"] for key, thing in devices}
        self._memory.write(told(world, self._house.scale, heard))

    def _publish(self) -> None:
        groups = self._house.groups(self._world)
        document = self._document.successor(groups | {name: self._heard(name, groups[name]) for name in DEVICE_GROUPS})
        around = self._around()
        if document is not self._document or around != self._surroundings:
            self._document, self._surroundings = document, around
            for listener in tuple(self._listeners):
                listener()

    def _around(self) -> Surroundings:
        return Surroundings(
            outside=half_degrees(self._world.outside),
            weather=self._world.outside_set is None,
            speed=self._speed,
            rush_hour=self._world.rush_hour is not None,
        )

    def _heard(self, group: str, devices: Group) -> Group:
        known = self._document.group(group)
        return {key: self._stamped(thing, known.get(key), _CHECK_IN[group]) for key, thing in devices.items()}

    def _stamped(self, thing: Thing, known: Thing | None, check_in: timedelta) -> Thing:
        """Add when a device was last heard, which for an offline one stays."""
        now = self._clock()
        before = self._heard_before.get(thing["device_id"], timestamp(now))
        stamp = before if known is None else known["last_connection"]
        silent = {**thing, "last_connection": stamp}
        quiet = known == silent and now - datetime.fromisoformat(stamp) < check_in
        if quiet or not thing["is_online"]:
            return silent
        return {**thing, "last_connection": timestamp(now)}


def _tick(speed: float) -> float:
    wanted = STEP_SECONDS / speed if speed else _LONGEST_TICK
    return min(max(_SHORTEST_TICK, wanted), _LONGEST_TICK)


def _happened(world: World) -> tuple[object, ...]:
    """Return what of a moment nobody would want to see undone by a restart."""
    return world.alarms, world.presence, world.trips, world.rush_hour


def _structure_written(world: World, fields: Mapping[str, Any]) -> World:
    world = replace(world, name=fields.get("name", world.name))
    if "eta" in fields:
        world = happenings.trip(world, fields["eta"])
    return happenings.presence(world, Presence(fields["away"])) if "away" in fields else world
