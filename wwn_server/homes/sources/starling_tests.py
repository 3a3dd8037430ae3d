"""Tests of Protects behind a hub that is asked now and then: what they moved is held back for a while at most."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from wwn_server.document import ALARMS
from wwn_server.homes.base import AlarmKind, AlarmLevel
from wwn_server.homes.held import LONGEST, Levels, Test, followed, passed_on
from wwn_server.homes.source import Device

# During a test the hub says smoke, with the word for a warning.
_MOVED: Final = frozenset({AlarmLevel.WARNING})


@dataclass(frozen=True, slots=True)
class _Look:
    """What a Protect said when it was last read: when that was asked, what it senses, and what was told of it."""

    asked: datetime
    senses: Levels
    told: Levels
    test: Test | None


class Tests:
    """What is told of each Protect, by what it is called; one that can't be read stays what it was last read as."""

    # Test runners take whatever is called like this for one of theirs.
    __test__ = False

    def __init__(self) -> None:
        """Have read nothing."""
        self._looks: dict[str, _Look] = {}

    def heard(self, key: str, senses: Levels, *, testing: bool, asked: datetime) -> dict[AlarmKind, AlarmLevel]:
        """Return the levels to tell of a Protect that was read.

        A test that is new began at some time since it was read before; where it never was, nothing is held back.
        """
        last = self._looks.get(key)
        before = last.test if last else None
        test = followed(before, testing=testing, shown=last.told if last else {}, now=asked)
        if test is not None and before is None:
            test = replace(test, since=last.asked if last else asked - LONGEST)
        told = passed_on(senses, test, asked, _MOVED)
        self._looks[key] = _Look(asked, senses, told, test)
        return told

    def unheard(self, device: Device, now: datetime) -> Device:
        """Return a device that can't be asked, with what is no longer held back."""
        look = self._looks.get(device.key)
        if device.group != ALARMS or look is None or look.test is None:
            return device
        levels = passed_on(look.senses, look.test, now, _MOVED)
        # One that could not be read any more said nothing, and is not made to.
        known = {f"{kind}_alarm_state": level.value for kind, level in levels.items()} if device.fields else {}
        return replace(device, fields={**device.fields, **known})
