"""All kinds of sources and what can be set of each: file, page and documents are made from this table.

To add a setting, add a row to its kind; the function of a row takes text and returns the value, or raises
``ValueRefusedError``. To add a kind, add its rows and the function that makes a source of their values to ``KINDS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
import math
from typing import TYPE_CHECKING, Any, Final

from wwn_server.refused import ValueRefusedError

from . import mqtt_alarms, nolongerevil, starling
from .broker import Login
from .reach import MQTT, WEB, Address, ReachError, address

if TYPE_CHECKING:
    from wwn_server.homes.source import Source

# The one kind that is not real: the simulated home, kept beside what is.
SIMULATED: Final = "simulated"

_LONGEST: Final = 256
_HOURS: Final = timedelta(days=30) / timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set of a source. A ``secret`` is never shown, and stands in a file of its own.

    Where it ``tells_apart``, two sources at one address that differ in it are two.
    """

    name: str
    take: Callable[[str], Any]
    metavar: str
    help: str
    default: str = ""
    required: bool = False
    secret: bool = False
    many: bool = False
    tells_apart: bool = False

    @property
    def in_file(self) -> str:
        """Return what it is called in the file: for a secret the file that holds it is named."""
        return f"{self.name}-file" if self.secret else self.name


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be set of a kind of source, and how one is made of it."""

    settings: tuple[Setting, ...]
    make: Callable[[Mapping[str, Any]], Source]

    def named(self, name: str) -> Setting | None:
        """Return the setting of a name in the file."""
        return next((each for each in self.settings if each.in_file == name), None)


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """A source that somebody wants: its kind, and what was said of it, as texts by name."""

    kind: str
    said: Mapping[str, Any] = field(repr=False)

    @property
    def place(self) -> str:
        """Return where it listens, as one text: two sources of one kind that have this in common are the same."""
        if self.kind == SIMULATED:
            return self.kind
        own = [name for each in KINDS[self.kind].settings if each.tells_apart for name in _other(each, self.said)]
        return " ".join([f"{self.kind} {self.said.get('address')}", *own])

    def make(self) -> Source:
        """Return the source. Raises ``ValueRefusedError``."""
        kind = KINDS[self.kind]
        return kind.make({each.name: _value(each, self.said.get(each.name)) for each in kind.settings})


def _other(setting: Setting, said: Mapping[str, Any]) -> list[str]:
    """Return what was said of a setting, if that is not what it is anyway, in an order of its own."""
    value = said.get(setting.name)
    return sorted(value) if setting.many and value else [value] if value not in (None, setting.default, []) else []


def _value(setting: Setting, said: Any) -> Any:
    if setting.many:
        return tuple(setting.take(each) for each in said or ())
    if said in (None, "") and setting.required:
        msg = f"{setting.name} is missing"
        raise ValueRefusedError(msg)
    # What is said to be empty is empty: a detector without such a field, for one.
    return setting.take(setting.default if said is None else said)


def _address(schemes: Mapping[str, int], *, required: bool = True) -> Callable[[str], Address | None]:
    shown = " or ".join(f"{scheme}://" for scheme in schemes)

    def take(value: str) -> Address | None:
        if not value and not required:
            return None
        try:
            return address(value, schemes)
        except ReachError:
            # What was typed may hold a password, so it is not said again.
            msg = f"this is not an address such as {shown}nas.lan, without user, path and password, of a device at home"
            raise ValueRefusedError(msg) from None

    return take


def _text(value: str) -> str:
    if len(value) > _LONGEST or not value.isprintable() or value != value.strip():
        msg = f"this is not a text of at most {_LONGEST} characters on one line, without spaces around it"
        raise ValueRefusedError(msg)
    return value


def _topic(value: str) -> str:
    if not value or any(each in value for each in "+#\0") or value != value.strip("/"):
        msg = f"{value!r} is not a topic such as house/hall, without + and #"
        raise ValueRefusedError(msg)
    return _text(value)


def _hours(value: str) -> timedelta:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 1 <= number <= _HOURS:
        msg = f"{value!r} is not a number of hours from 1 to {_HOURS:.0f}: it can't be switched off"
        raise ValueRefusedError(msg)
    return timedelta(hours=number)


def _mqtt(values: Mapping[str, Any]) -> Source:
    login = Login(values["address"], values["username"], values["password"])
    return mqtt_alarms.MqttAlarms(
        mqtt_alarms.AlarmSettings(
            login=login,
            base=values["base-topic"],
            topics=values["topic"],
            smoke=values["smoke-field"],
            co=values["co-field"],
            battery=values["battery-field"],
            silence=values["silent-hours"],
        )
    )


def _nolongerevil(values: Mapping[str, Any]) -> Source:
    broker = values["broker"]
    login = Login(broker, values["username"], values["password"]) if broker else None
    settings = nolongerevil.NoLongerEvilSettings(address=values["address"], broker=login, prefix=values["topic-prefix"])
    return nolongerevil.NoLongerEvil(settings)


def _starling(values: Mapping[str, Any]) -> Source:
    return starling.Starling(starling.StarlingSettings(values["address"], values["key"]))


_USERNAME: Final = Setting("username", _text, "NAME", "as whom to be at the broker")
_PASSWORD: Final = Setting("password", _text, "FILE", "the password there, in a file only you can read", secret=True)

KINDS: Final[dict[str, Kind]] = {
    mqtt_alarms.KIND: Kind(
        (
            Setting("address", _address(MQTT), "URL", "the broker, such as mqtt://nas.lan", required=True),
            _USERNAME,
            _PASSWORD,
            Setting(
                "base-topic", _topic, "TOPIC", "where Zigbee2MQTT speaks", mqtt_alarms.BASE_TOPIC, tells_apart=True
            ),
            Setting(
                "topic",
                _topic,
                "TOPIC",
                "a detector that is not Zigbee2MQTT's; then only these count",
                many=True,
                tells_apart=True,
            ),
            Setting("smoke-field", _text, "NAME", "there, the field for smoke, empty if it has none", "smoke"),
            Setting("co-field", _text, "NAME", "there, the field for carbon monoxide, empty if it has none"),
            Setting("battery-field", _text, "NAME", "there, the field for a low battery", "battery_low"),
            Setting("silent-hours", _hours, "HOURS", "without word of its availability, offline after this long", "25"),
        ),
        _mqtt,
    ),
    nolongerevil.KIND: Kind(
        (
            Setting("address", _address(WEB), "URL", "its control port, such as http://nas.lan:8082", required=True),
            Setting("broker", _address(MQTT, required=False), "URL", "the broker it speaks on, if there is one"),
            _USERNAME,
            _PASSWORD,
            Setting("topic-prefix", _topic, "TOPIC", "where it speaks there", nolongerevil.PREFIX, tells_apart=True),
        ),
        _nolongerevil,
    ),
    starling.KIND: Kind(
        (
            Setting("address", _address(WEB), "URL", "the hub, such as http://hub.lan:3080", required=True),
            Setting("key", _text, "FILE", "its key, in a file only you can read", required=True, secret=True),
        ),
        _starling,
    ),
}
