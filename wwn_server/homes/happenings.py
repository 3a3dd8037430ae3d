"""What can happen in a simulated home: functions from one moment to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from wwn_server.eta import Trip, Window

from .alarm import Alarm
from .base import AlarmLevel, FullHomeError, Presence, UnknownDeviceError
from .thermostat import Thermostat
from .world import World, timestamp

RUSH_HOUR: Final = timedelta(hours=1)
# What a hub may have on the way at once; the one that arrives last gives way.
_MOST_TRIPS: Final = 20
# What one structure of Google's service is said to have held at most (protocol 3.1).
MOST_DEVICES: Final = 20


def alarm(world: World, device_id: str, change: Callable[[Alarm], Alarm]) -> World:
    """Let something happen to an alarm; thermostats obey what it reports."""
    changed = {**world.alarms, device_id: change(_known(world.alarms, device_id))}
    return _obeying(replace(world, alarms=changed))


def thermostat(world: World, device_id: str, change: Callable[[Thermostat], Thermostat]) -> World:
    """Let something happen to a thermostat."""
    changed = change(_known(world.thermostats, device_id))
    return replace(world, thermostats={**world.thermostats, device_id: changed})


def cut_off(world: World, device_id: str) -> World:
    """Cut a device off from the service."""
    if device_id in world.thermostats:
        return thermostat(world, device_id, lambda each: replace(each, online=False))
    return alarm(world, device_id, lambda each: each.connect(online=False))


def back(world: World, device_id: str) -> World:
    """Bring a device back, to catch up with its home."""
    if device_id in world.thermostats:
        reached = thermostat(world, device_id, lambda each: replace(each, online=True).when(world.presence))
        return _obeying(reached)
    return alarm(world, device_id, lambda each: each.connect(online=True))


def presence(world: World, present: Presence) -> World:
    """Leave or come home; thermostats that are online follow."""
    thermostats = {key: each.when(present) if each.online else each for key, each in world.thermostats.items()}
    trips = world.trips if present is Presence.AWAY else {}
    return replace(world, presence=present, thermostats=thermostats, trips=trips)


def trip(world: World, told: Trip) -> World:
    """Note when somebody arrives, or that they do not come after all."""
    trips = {key: window for key, window in world.trips.items() if key != told.id}
    if told.window is not None:
        trips[told.id] = told.window
        first = sorted(trips.items(), key=lambda each: each[1].begin)
        trips = dict(first[:_MOST_TRIPS])
    return replace(world, trips=trips)


def rush_hour(world: World, now: datetime, *, active: bool) -> World:
    """Let an energy rush hour begin, or end."""
    return replace(world, rush_hour=Window(now, now + RUSH_HOUR) if active else None)


def removed(world: World, device_id: str) -> World:
    """Take a device down. What only it sensed is over with it."""
    if device_id in world.thermostats:
        return replace(world, thermostats=_without(world.thermostats, device_id))
    _known(world.alarms, device_id)
    return _obeying(replace(world, alarms=_without(world.alarms, device_id)))


def by_the_clock(world: World, now: datetime) -> World:
    """Return what our own clock makes of a moment: arrivals, ends of tests and of rush hours."""
    alarms = {key: _tested(each, now) for key, each in world.alarms.items()}
    over = world.rush_hour is not None and world.rush_hour.end <= now
    after = replace(world, alarms=alarms, rush_hour=None if over else world.rush_hour)
    # Whoever may be there already finds the home as it is when somebody is there (protocol 8.1).
    arrived = any(window.begin <= now for window in world.trips.values())
    return presence(after, Presence.HOME) if arrived else after


def demand_room(devices: int) -> None:
    """Raise ``FullHomeError`` where one more device is too many."""
    if devices >= MOST_DEVICES:
        raise FullHomeError


def _tested(each: Alarm, now: datetime) -> Alarm:
    return each.test_ended(timestamp(now)) if each.sensed.testing and not each.test_left else each


def _obeying(world: World) -> World:
    """Shut thermostats off, or let them go on, as the alarms report."""
    shut_off = any(each.reported.worst is AlarmLevel.EMERGENCY for each in world.alarms.values())
    thermostats = {
        key: each.protected(shut_off=shut_off) if each.online and each.shut_off is not shut_off else each
        for key, each in world.thermostats.items()
    }
    return replace(world, thermostats=thermostats)


def _known[Device](devices: Mapping[str, Device], device_id: str) -> Device:
    try:
        return devices[device_id]
    except KeyError:
        raise UnknownDeviceError(device_id) from None


def _without[Device](devices: Mapping[str, Device], device_id: str) -> dict[str, Device]:
    return {key: device for key, device in devices.items() if key != device_id}
