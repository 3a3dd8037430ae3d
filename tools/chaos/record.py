"""What was true at the Nest home and what Home Assistant showed, each with its time."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

SMOKE_LEVEL: Final = "smoke_level"
CO_LEVEL: Final = "carbon_monoxide_level"
PRESENCE: Final = "presence"
MONITORING: Final = "alarm_monitoring"

# What a level entity shows that says nothing about the present.
NOT_SAID: Final = frozenset({"unavailable", "unknown"})

# What a key of the campaign is called in an alarm's document.
FIELD_OF_KEY: Final = {SMOKE_LEVEL: "smoke_alarm_state", CO_LEVEL: "co_alarm_state"}
# The same as yes or no.
YES_OR_NO: Final = {"ok": "off", "warning": "on", "emergency": "on"}
BINARY_OF_KEY: Final = {SMOKE_LEVEL: "smoke", CO_LEVEL: "carbon_monoxide"}
ON_OR_OFF_OF_AWAY: Final = {"home": "on", "away": "off"}

# What a home may show of all its alarms. Of one that fell silent nobody can say that it is over, or that all is well.
FITS: Final[Mapping[str, frozenset[str]]] = {
    "ok": frozenset({"off"}),
    "an alarm": frozenset({"on"}),
    "silent": frozenset({"on"}),
    "something wrong": frozenset({"on"}),
    # That the link is down is something wrong, too.
    "all well": frozenset({"on", "off"}),
}

type Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """What something became, somewhere between two moments."""

    value: str
    begun: float
    done: float


@dataclass(frozen=True, slots=True)
class Shown:
    """What an entity became, at a moment; None while there is no Home Assistant."""

    value: str | None
    at: float


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when."""

    begun: float
    done: float

    def touches(self, change: Change) -> bool:
        """Whether a change may lie in it."""
        return self.begun <= change.done and change.begun <= self.done


class History[T: Hashable, E]:
    """For each of several things what became of it, in order."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self._entries: dict[T, list[E]] = {}

    def add(self, key: T, entry: E) -> None:
        """Note an entry."""
        self._entries.setdefault(key, []).append(entry)

    def of(self, key: T) -> Sequence[E]:
        """Return the entries of one thing."""
        return self._entries.get(key, ())

    def last(self, key: T) -> E | None:
        """Return the newest entry of one thing."""
        entries = self._entries.get(key)
        return entries[-1] if entries else None

    def trim(self) -> None:
        """Keep only the newest entry of each thing."""
        for entries in self._entries.values():
            del entries[:-1]

    def things(self) -> Iterable[T]:
        """Return all things of which something is known."""
        return tuple(self._entries)


class Truth:
    """What the home's own console says.

    heard: levels as alarms reported them. news: the same, without warnings while a manual test runs. fit: what may be
    shown of each. homes: of each home what its alarms make it, and whether one of them may not be heard.
    """

    def __init__(self) -> None:
        """Start with nothing known."""
        self.heard: History[Key, Change] = History()
        self.news: History[Key, Change] = History()
        self.fit: History[Key, Change] = History()
        self.homes: History[Key, Change] = History()

    def learn(self, document: dict[str, Any], begun: float, done: float) -> None:
        """Take what the console says after something was done, begun and done at these moments."""
        for wire_id, alarm in document["devices"]["smoke_co_alarms"].items():
            is_online = alarm["is_online"] is True
            for key, field in FIELD_OF_KEY.items():
                _note(self.fit, (wire_id, key), alarm[field] if is_online else "unavailable", begun, done)
                if is_online:
                    _note(self.heard, (wire_id, key), alarm[field], begun, done)
                if is_online and not (alarm["is_manual_test_active"] and alarm[field] == "warning"):
                    _note(self.news, (wire_id, key), alarm[field], begun, done)
        for wire_id, structure in document["structures"].items():
            word = ON_OR_OFF_OF_AWAY[structure["away"]]
            _note(self.fit, (wire_id, PRESENCE), word, begun, done)
            _note(self.heard, (wire_id, PRESENCE), word, begun, done)
            _note(self.news, (wire_id, PRESENCE), word, begun, done)
            self._learn_home(wire_id, document["devices"]["smoke_co_alarms"].values(), begun, done)

    def _learn_home(self, home: str, alarms: Iterable[dict[str, Any]], begun: float, done: float) -> None:
        alarms = [alarm for alarm in alarms if alarm["structure_id"] == home]
        for key, field in FIELD_OF_KEY.items():
            _note(self.homes, (home, BINARY_OF_KEY[key]), _summed_up(alarms, field), begun, done)
        is_wrong = any(alarm["is_online"] is not True or alarm["battery_health"] != "ok" for alarm in alarms)
        _note(self.homes, (home, MONITORING), "something wrong" if is_wrong else "all well", begun, done)

    def now(self) -> dict[Key, str]:
        """Return what should be shown now."""
        return {key: last.value for key in self.fit.things() if (last := self.fit.last(key)) is not None}


def fits_home(shown: str, truth: str) -> bool:
    """Whether a home may show this in the calm; of silent alarms also that nobody knows."""
    return shown in FITS[truth] or (truth == "silent" and shown == "unknown")


def _summed_up(alarms: Sequence[dict[str, Any]], field: str) -> str:
    online = [alarm[field] for alarm in alarms if alarm["is_online"] is True]
    if any(level != "ok" for level in online):
        return "an alarm"
    return "ok" if len(online) == len(alarms) else "silent"


def _note(history: History[Key, Change], key: Key, value: str, begun: float, done: float) -> None:
    last = history.last(key)
    if last is None or last.value != value:
        history.add(key, Change(value, begun, done))
