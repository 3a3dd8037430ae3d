"""Thermostats and Protects behind a Starling Home Hub, by its Developer Connect API.

Written from the vendor's documents and from what other clients expect of it; never run against a hub.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
import logging
from typing import Any, Final
from urllib.parse import quote

from wwn_server.document import ALARMS, THERMOSTATS
from wwn_server.homes.base import AlarmKind
from wwn_server.homes.source import Device, Failure, Report, refused, silent, unsupported
from wwn_server.rules import HIGH, LOW, TARGET

from .polled import Clock, Polled, now_in_utc
from .reach import Address, ReachError
from .starling_properties import (
    MODES_THERE,
    Properties,
    home_of,
    home_written,
    protect_fields,
    protect_levels,
    target_written,
    thermostat_fields,
)
from .starling_tests import Tests
from .web import Web

_LOGGER: Final = logging.getLogger(__name__)

KIND: Final = "starling"

_BASES: Final = ("/api/connect/v2", "/api/connect/v1")
_GROUPS: Final = {"thermostat": THERMOSTATS, "protect": ALARMS, "smoke_detector": ALARMS}
_HOME_AWAY: Final = "home_away_control"
_CONNECTED: Final = ("connectedToNest", "connectedToGoogleHome")
# A hub takes one write to a device in a second.
_WRITES_APART: Final = 1.1
# The hub says what it has heard, not when: an online device counts as heard with each change, and now and then.
_CHECK_IN: Final = timedelta(minutes=10)
_MOST: Final = 100
# How many devices are asked for at once, and how long all of them may take.
_AT_ONCE: Final = 8
_ALL_SECONDS: Final = 10.0
_SAYS_NO: Final = frozenset({Failure.REFUSED, Failure.NOT_IT, Failure.CREDENTIALS, Failure.REDIRECT})
_TAKEN: Final = frozenset({"hvac_mode", "fan_timer_active", TARGET, LOW, HIGH})


@dataclass(frozen=True, slots=True)
class StarlingSettings:
    """Where the hub is, and the key of its owner."""

    address: Address
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Listed:
    """A device of the hub's list, by its id there."""

    id: str
    type: str
    name: str
    room: str
    serial: str

    @property
    def key(self) -> str:
        """Return what it is called whatever becomes of the hub: its serial number, where that is told."""
        return self.serial or self.id


class Starling(Polled):
    """All thermostats and Protects of one hub, and its home or away."""

    kind = KIND
    interval = 5.0

    def __init__(self, settings: StarlingSettings, clock: Clock = now_in_utc) -> None:
        """Know where the hub is; nothing is asked yet."""
        super().__init__(str(settings.address), clock)
        # Before it answers, nobody knows whether it can tell.
        self.report = Report(home={"away": "unknown"})
        self._web = Web(settings.address, query={"key": settings.key})
        self._base: str | None = None
        self._ids: dict[str, str] = {}
        self._said: dict[str, Properties] = {}
        self._home_away: tuple[str, Properties] | None = None
        self._tests = Tests()
        self._before: dict[str, Device] = {}
        self._written: dict[str, float] = {}
        self._turn = asyncio.Lock()

    @property
    def takes(self) -> frozenset[str]:
        """Home or away, until the hub says that it has none."""
        return frozenset(self.report.home)

    async def stop(self) -> None:
        """Ask no more."""
        await super().stop()
        await self._web.close()

    async def write(self, key: str, fields: Mapping[str, Any]) -> None:
        """Pass fields on to a thermostat, all in one write."""
        if not self.report.reachable or key not in self._ids:
            raise silent()
        await self._send(self._ids[key], _written(self._said[key], fields))

    async def write_home(self, fields: Mapping[str, Any]) -> None:
        """Leave or come home."""
        if not self.report.reachable or self._home_away is None:
            raise silent()
        device_id, said = self._home_away
        await self._send(device_id, home_written(said, fields["away"]))

    async def _asked(self) -> Report:
        base = await self._ready()
        answer = await self._fine(f"{base}/devices")
        listed = _named_apart(list(_listed(answer.get("devices")))[:_MOST])
        devices: list[Device] = []
        ids, home = {}, None
        for each, (asked, said) in zip(listed, await self._all_properties(base, listed), strict=True):
            if each.type == _HOME_AWAY:
                home = (each.id, said)
            else:
                ids[each.key] = each.id
                self._said[each.key] = said
                devices.append(self._device(each, said, asked))
        self._ids, self._home_away = ids, home
        self._before = {each.key: each for each in devices}
        return Report(reachable=True, devices=tuple(devices), home=self._home(home))

    async def _all_properties(self, base: str, listed: Iterable[_Listed]) -> list[tuple[datetime, Properties]]:
        """Return what each says and when it was asked, a few at once. Raises ``ReachError``, also for all too slow."""
        turns = asyncio.Semaphore(_AT_ONCE)

        async def one(each: _Listed) -> tuple[datetime, Properties]:
            async with turns:
                return self._clock(), await self._properties(base, each)

        asking = [asyncio.create_task(one(each)) for each in listed]
        try:
            async with asyncio.timeout(_ALL_SECONDS):
                return await asyncio.gather(*asking)
        except TimeoutError:
            raise ReachError(Failure.TOO_SLOW) from None
        finally:
            for each in asking:
                each.cancel()
            await asyncio.gather(*asking, return_exceptions=True)

    def _home(self, home: tuple[str, Properties] | None) -> Mapping[str, str]:
        """Return whether somebody is at home. A hub that once could tell does not fall back to what was written."""
        if home is not None:
            return home_of(home[1])
        has_told = self.report.devices is not None and self.report.home
        return {"away": "unknown"} if has_told else {}

    async def _ready(self) -> str:
        """Return the base of the version that this hub speaks. Raises ``ReachError`` unless it is connected itself."""
        if self._base != _BASES[0]:
            # One odd answer does not make it an older one for good.
            self._base = await self._newest()
        status = await self._fine(f"{self._base}/status")
        if status.get("apiReady") is not True or not any(status.get(each) is True for each in _CONNECTED):
            # What it would tell is what it knew before.
            raise ReachError(Failure.FAULT)
        return self._base

    async def _newest(self) -> str:
        newest, older = _BASES
        try:
            await self._fine(f"{newest}/status")
        except ReachError as error:
            if error.failure is not Failure.NOT_IT:
                raise
            return older
        return newest

    async def _fine(self, path: str) -> dict[str, Any]:
        answer = await self._web.get(path)
        if not isinstance(answer, dict) or answer.get("status") != "OK":
            raise ReachError(Failure.NOT_IT)
        return answer

    async def _properties(self, base: str, listed: _Listed) -> Properties:
        """Return what a device says; one that the hub can't tell of says nothing."""
        try:
            said = (await self._fine(f"{base}/devices/{quote(listed.id, safe='')}")).get("properties")
        except ReachError as error:
            if error.failure is not Failure.NOT_IT:
                raise
            return {}
        return said if isinstance(said, dict) else {}

    def _device(self, listed: _Listed, said: Properties, asked: datetime) -> Device:
        group = _GROUPS[listed.type]
        is_alarm = group == ALARMS
        fields = self._alarm(listed, said, asked) if is_alarm else thermostat_fields(said)
        device = Device(
            key=listed.key,
            group=group,
            fields=fields,
            online=said.get("isOnline") is True,
            heard=None,
            name=listed.name,
            room=listed.room,
            senses=frozenset(AlarmKind) if is_alarm else frozenset(),
        )
        return replace(device, heard=self._heard(device, asked))

    def _alarm(self, listed: _Listed, said: Properties, asked: datetime) -> dict[str, Any]:
        if not said:
            return {}
        testing, senses = said.get("manualTestActive") is True, protect_levels(said, listed.name)
        return protect_fields(said, self._tests.heard(listed.key, senses, testing=testing, asked=asked))

    def _failed(self, failure: Failure) -> Report:
        """Say that the hub is gone; what was held back during a test is passed on in time all the same."""
        report = super()._failed(failure)
        devices, now = report.devices, self._clock()
        if devices is None:
            return report
        return replace(report, devices=tuple(self._tests.unheard(each, now) for each in devices))

    def _heard(self, device: Device, now: datetime) -> datetime | None:
        before = self._before.get(device.key)
        last = before.heard if before else None
        is_quiet = before is not None and before.online and before.fields == device.fields
        if not device.online or (is_quiet and last is not None and now - last < _CHECK_IN):
            return last
        return now

    async def _send(self, device_id: str, properties: Mapping[str, Any]) -> None:
        async with self._turn:
            loop = asyncio.get_running_loop()
            await asyncio.sleep(max(0.0, self._written.get(device_id, 0.0) + _WRITES_APART - loop.time()))
            try:
                answer = await self._web.post(f"{self._base}/devices/{quote(device_id, safe='')}", properties)
            except ReachError as error:
                _LOGGER.warning("%s: a write was not taken (%s)", self._named, error.failure.value)
                # It may be gone, which its devices shall not be the last to show.
                self._news.set()
                raise (refused() if error.failure in _SAYS_NO else silent()) from None
            finally:
                self._written[device_id] = loop.time()
        verdicts = answer.get("setStatus") if isinstance(answer, dict) else None
        if not isinstance(verdicts, dict) or any(verdicts.get(name) != "OK" for name in properties):
            raise refused()
        self._news.set()


def _listed(devices: Any) -> Iterator[_Listed]:
    """Yield the devices of a list that this home can have, whatever else is in it."""
    for each in devices if isinstance(devices, list) else ():
        if not isinstance(each, dict):
            continue
        kind, device_id = each.get("type"), each.get("id")
        if isinstance(device_id, str) and device_id and isinstance(kind, str) and kind in {*_GROUPS, _HOME_AWAY}:
            words = (each.get("name"), each.get("roomName", each.get("where")), each.get("serialNumber"))
            yield _Listed(device_id, kind, *(word.strip()[:60] if isinstance(word, str) else "" for word in words))


def _named_apart(listed: list[_Listed]) -> list[_Listed]:
    """Return the devices, those without a serial number that share what stands in its place."""
    times = Counter(each.serial for each in listed)
    return [each if times[each.serial] == 1 else replace(each, serial="") for each in listed]


def _written(said: Properties, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to write to a thermostat. Raises ``WireError`` for what the hub has no property for."""
    for name in fields:
        if name.removesuffix("_c").removesuffix("_f") not in _TAKEN:
            raise unsupported(name)
    properties: dict[str, Any] = dict(target_written(fields))
    mode = fields.get("hvac_mode")
    if mode == "eco":
        properties["ecoMode"] = True
    elif mode is not None:
        properties |= {"hvacMode": MODES_THERE[mode]} | ({"ecoMode": False} if said.get("ecoMode") is True else {})
    if "fan_timer_active" in fields:
        properties["fanRunning"] = fields["fan_timer_active"]
    return properties
