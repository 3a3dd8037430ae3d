"""What a home needs of a source: devices with times of their own, and commands back.

A source never repeats what it knew as news. When it can't reach its devices it says so by ``reachable``; the home then
shows each of them as offline, with the time at which it was last heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
import logging
from typing import Any, Final, Protocol

from wwn_server.errors import Anchor, WireError
from wwn_server.texts import t

from .base import AlarmKind, AlarmLevel, Listener, PlayableHome, Unsubscribe

_LOGGER: Final = logging.getLogger(__name__)

_LONGEST_WORD: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One thermostat or alarm as its source knows it now.

    ``key`` is what it is always called by those who made it, such as a serial number. ``fields`` are those of
    protocol 3.3 or 3.4 that are its own; what is not known is not among them. ``heard`` is when it was last heard
    itself, ``None`` where it was not since the start. ``senses`` are the kinds of alarm it looks out for. ``id`` is
    there where the source has one for the wire already.
    """

    key: str
    group: str
    fields: Mapping[str, Any]
    online: bool
    heard: datetime | None
    name: str = ""
    room: str = ""
    senses: frozenset[AlarmKind] = frozenset()
    id: str | None = None


class Failure(StrEnum):
    """Why something behind a home can't be reached, or is not what it should be."""

    ADDRESS = "address"
    FORBIDDEN = "forbidden"
    UNKNOWN_NAME = "unknown_name"
    NOBODY = "nobody"
    TOO_SLOW = "too_slow"
    CERTIFICATE = "certificate"
    CREDENTIALS = "credentials"
    REDIRECT = "redirect"
    TOO_LARGE = "too_large"
    FAULT = "fault"
    NOT_IT = "not_it"
    REFUSED = "refused"
    LOST = "lost"
    BRIDGE = "bridge"


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether something can be reached, and why it can't, if that is known."""

    reachable: bool = False
    trouble: Failure | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a source knows at one moment.

    ``devices`` is ``None`` until it has once been able to tell which there are. ``home`` has those fields of
    protocol 3.5 that it can tell; as ``away`` it tells ``unknown`` where it otherwise could and now can't. ``trouble``
    is why it is not reachable, if that is known. ``broker`` is how it stands with the broker that a source has beside
    what it asks, if it has one.
    """

    reachable: bool = False
    devices: tuple[Device, ...] | None = None
    home: Mapping[str, Any] = field(default_factory=dict)
    trouble: Failure | None = None
    broker: Reach | None = None


class Source(Protocol):
    """Something that devices stand behind. Its ids are those of its ``kind`` and of the devices' keys."""

    @property
    def kind(self) -> str:
        """Return what sort of source it is: two of a sort that know the same device mean the same."""

    @property
    def report(self) -> Report:
        """Return what it knows now; replaced as a whole."""

    @property
    def takes(self) -> frozenset[str]:
        """Return which fields of a home can be written to it."""

    @property
    def playable(self) -> PlayableHome | None:
        """Return the home that its devices are played in, if they are not real."""

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Call a listener whenever ``report`` has changed."""

    async def start(self) -> None:
        """Begin to follow the devices. It neither waits for them nor raises because of them."""

    async def stop(self) -> None:
        """Let go of the devices."""

    def rename(self, name: str) -> None:
        """Hear what people call the home."""

    async def write(self, key: str, fields: Mapping[str, Any]) -> None:
        """Pass fields on to a thermostat, all of them or none. Raises ``WireError``."""

    async def write_home(self, fields: Mapping[str, Any]) -> None:
        """Pass fields of the home on, of those it ``takes``. Raises ``WireError``."""


class Listeners:
    """Those who want to know of each change."""

    def __init__(self) -> None:
        """Know nobody yet."""
        self._listeners: set[Listener] = set()

    def add(self, listener: Listener) -> Unsubscribe:
        """Call a listener from now on."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def call(self) -> None:
        """Tell everybody, also after one who could not hear it: a source must live on, or what it told grows old."""
        for listener in tuple(self._listeners):
            try:
                listener()
            except Exception:
                _LOGGER.exception("Somebody could not be told of a change")


def unsupported(name: str) -> WireError:
    """Return the refusal of a field that a source can't set."""
    return WireError(400, Anchor.NOT_WRITABLE, t("refusal.source_can_not", field=name), {"field_name": name})


def silent() -> WireError:
    """Return the refusal of a command that nobody took, because the source does not answer."""
    return WireError(503, Anchor.SOURCE_SILENT, t("refusal.source_silent"))


def refused() -> WireError:
    """Return the refusal of a command that the source itself would not do."""
    return WireError(400, Anchor.SOURCE_REFUSED, t("refusal.source_refused"))


class AlarmWords:
    """What the words of a source for a level of smoke or carbon monoxide mean.

    One that nobody knows is a warning, and is logged once: it may mean anything but never passes for ``ok``.
    """

    def __init__(self, words: Mapping[str, AlarmLevel]) -> None:
        """Know these words, in lower case."""
        self._words = words
        self._logged: set[tuple[str, str]] = set()

    def level(self, said: object, device: str) -> AlarmLevel | None:
        """Return the level that a device means, nothing where it said nothing."""
        if said is None or said == "":
            return None
        word = str(said).strip().lower()[:_LONGEST_WORD]
        known = self._words.get(word)
        if known is None and (device, word) not in self._logged:
            self._logged.add((device, word))
            _LOGGER.warning("%s says %r of smoke or carbon monoxide, which nobody knows: a warning", device, word)
        return known or AlarmLevel.WARNING
