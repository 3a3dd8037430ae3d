"""Smoke and carbon monoxide detectors on an MQTT broker: those of Zigbee2MQTT, or any at topics that are named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
import logging
from typing import Any, Final, TypeGuard

from wwn_server.homes.base import Listener, Unsubscribe
from wwn_server.homes.source import Device, Failure, Listeners, Report, unsupported

from .broker import Broker, Login
from .detector import REPEATS, SILENCE, Detector, Profile, parsed, state_of

_LOGGER: Final = logging.getLogger(__name__)

KIND: Final = "mqtt"
BASE_TOPIC: Final = "zigbee2mqtt"

_AVAILABILITY: Final = "/availability"
_ONLINE: Final = "online"
# Where Home Assistant says that it has started, upon which Zigbee2MQTT says again all it knows.
_HOME_ASSISTANT: Final = ("homeassistant/status", "hass/status")
_SENSED: Final = ("smoke", "carbon_monoxide")
# How deep parts of a device have parts of their own.
_DEEPEST: Final = 4
# What a topic that is followed can't hold, whoever names it.
_WILD: Final = frozenset("+#\0")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSettings:
    """Which detectors, and where. With ``topics`` these are followed, and not what Zigbee2MQTT lists.

    ``smoke``, ``co`` and ``battery`` name the fields of messages at those topics, empty for what there is not.
    """

    login: Login
    base: str = BASE_TOPIC
    topics: tuple[str, ...] = ()
    smoke: str = "smoke"
    co: str = ""
    battery: str = "battery_low"
    silence: timedelta = SILENCE


class MqttAlarms:
    """All detectors of a broker. Without its bridge, or the broker, none of them is online."""

    kind = KIND
    takes: frozenset[str] = frozenset()
    playable = None

    def __init__(self, settings: AlarmSettings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Know the topics; nothing is connected yet."""
        self._settings = settings
        self._clock = clock
        self._listeners = Listeners()
        self._broker = Broker(settings.login, self)
        self._connected = False
        self._bridge: bool | None = None
        # Since when nothing but what the broker kept says that the bridge is there.
        self._unproven: datetime | None = None
        self._repeats_until: datetime | None = None
        self._detectors: dict[str, Detector] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._odd: set[str] = set()
        self._trouble: Failure | None = None
        if settings.topics:
            profiles = [self._profile(topic) for topic in settings.topics]
            self._detectors = {each.key: Detector(profile=each) for each in profiles}
        self.report = self._new_report()
        self._follow()

    def subscribe(self, listener: Listener) -> Unsubscribe:
        """Call a listener whenever a detector says something else, or can't be heard."""
        return self._listeners.add(listener)

    async def start(self) -> None:
        """Begin to listen."""
        await self._broker.start()

    async def stop(self) -> None:
        """Listen no more."""
        if self._timer is not None:
            self._timer.cancel()
        await self._broker.stop()

    def rename(self, name: str) -> None:
        """Detectors do not care what the home is called."""

    async def write(self, _: str, fields: Mapping[str, Any]) -> None:
        """Refuse: nothing of a detector can be set."""
        raise unsupported(next(iter(fields)))

    async def write_home(self, fields: Mapping[str, Any]) -> None:
        """Refuse: detectors take nothing of a home."""
        raise unsupported(next(iter(fields)))

    def connected(self) -> None:
        """Hear that the broker is there."""
        self._connected, self._trouble, self._unproven = True, None, self._clock()
        # The bridge may have started just before, and nobody told us.
        self._expect_repeats()
        self._changed()

    def lost(self, failure: Failure) -> None:
        """Hear that the broker is gone: whatever was said since is missed."""
        self._connected, self._trouble, self._bridge = False, failure, None
        self._miss()
        self._changed()

    def heard(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Hear a message of the bridge or of a detector."""
        if not retained and topic.startswith(f"{self._settings.base}/"):
            self._unproven = None
        if topic == f"{self._settings.base}/bridge/state":
            self._hear_bridge(state_of(payload), retained=retained)
        elif topic == f"{self._settings.base}/bridge/devices":
            self._hear_list(parsed(payload))
        elif topic in _HOME_ASSISTANT:
            if state_of(payload).lower() == _ONLINE:
                self._expect_repeats()
        elif topic != f"{self._settings.base}/bridge/health":
            self._hear_detector(topic, payload, retained=retained)
        self._changed()

    def look(self) -> None:
        """See what time alone has changed."""
        self._changed()

    def _hear_bridge(self, state: str, *, retained: bool) -> None:
        is_online = state == _ONLINE
        if not is_online:
            self._miss(f"{self._settings.base}/")
        elif not retained:
            self._expect_repeats()
        self._trouble = None if is_online else Failure.BRIDGE
        self._bridge = is_online

    def _hear_list(self, listed: Any) -> None:
        if not isinstance(listed, list):
            _LOGGER.warning("The list of devices at %s can't be read; the last one stays", self._settings.base)
            return
        known = self._detectors or {}
        profiles = {each.key: each for each in profiles_of(listed, self._settings.base)}
        if any(key in known and known[key].profile.topic != each.topic for key, each in profiles.items()):
            # Under its new name the bridge says again what it knows.
            self._expect_repeats()
        self._detectors = {
            key: replace(known.get(key) or Detector(profile=profile), profile=profile)
            for key, profile in profiles.items()
        }
        self._follow()

    def _hear_detector(self, topic: str, payload: bytes, *, retained: bool) -> None:
        about = topic.removesuffix(_AVAILABILITY)
        known = next((each for each in (self._detectors or {}).values() if each.profile.topic in {topic, about}), None)
        if known is None or self._detectors is None:
            return
        if topic != known.profile.topic:
            self._detectors[known.profile.key] = known.reachable(state_of(payload))
            return
        message = parsed(payload)
        if not isinstance(message, dict):
            self._say_odd(topic, payload)
            return
        if self._bridge is None and not retained and not self._settings.topics:
            # Who passes on what a detector says is there.
            self._bridge = True
        self._detectors[known.profile.key] = known.told(
            message, self._clock(), retained=retained, repeated=self._may_be_repeated(known)
        )

    def _expect_repeats(self) -> None:
        self._repeats_until = self._clock() + REPEATS

    def _may_be_repeated(self, detector: Detector) -> bool:
        """Say whether what comes now may be what the bridge knew before, and no word of the detector."""
        if not self._is_of_bridge(detector):
            return False
        return self._bridge is False or (self._repeats_until is not None and self._clock() < self._repeats_until)

    def _is_of_bridge(self, detector: Detector) -> bool:
        return detector.profile.topic.startswith(f"{self._settings.base}/")

    def _say_odd(self, topic: str, payload: bytes) -> None:
        # Nothing at all is how a message that was kept is taken back.
        if payload and topic not in self._odd:
            self._odd.add(topic)
            _LOGGER.warning("What is said at %s is not an object of JSON, and is not heard", topic)

    def _miss(self, below: str = "") -> None:
        self._detectors = self._detectors and {
            key: each.missed() if each.profile.topic.startswith(below) else each
            for key, each in self._detectors.items()
        }

    def _follow(self) -> None:
        """Listen where the detectors are, and where the bridge says which there are."""
        known = (self._detectors or {}).values()
        own = [each.profile.topic for each in known]
        said = ["devices"] if not self._settings.topics else []
        if said or any(self._is_of_bridge(each) for each in known):
            said += ["state", "health"]
        bridge = [f"{self._settings.base}/bridge/{each}" for each in said] + list(_HOME_ASSISTANT if said else ())
        self._broker.follow([*bridge, *own, *(f"{each}{_AVAILABILITY}" for each in own)])

    def _new_report(self) -> Report:
        reachable = self._connected and self._is_bridge_there()
        trouble = None if reachable else self._trouble or (Failure.BRIDGE if self._is_bridge_forgotten() else None)
        if self._detectors is None:
            return Report(reachable=reachable, trouble=trouble)
        devices = tuple(map(self._device, self._detectors.values()))
        return Report(reachable=reachable, devices=devices, trouble=trouble)

    def _is_bridge_there(self) -> bool:
        """Say whether somebody passes on what detectors say; topics that are not the bridge's need none."""
        if not self._settings.topics:
            return self._bridge is True and not self._is_bridge_forgotten()
        return self._may_bridge_be_there() or not all(map(self._is_of_bridge, (self._detectors or {}).values()))

    def _may_bridge_be_there(self) -> bool:
        return self._bridge is not False and not self._is_bridge_forgotten()

    def _is_bridge_forgotten(self) -> bool:
        """Say whether the broker alone keeps saying that the bridge is there, for longer than one is silent.

        A broker that ends with everything else on its machine never says that the bridge is gone.
        """
        return self._unproven is not None and self._clock() >= self._unproven + self._longest_silence

    @property
    def _longest_silence(self) -> timedelta:
        return max(self._settings.silence, SILENCE)

    def _device(self, detector: Detector) -> Device:
        device = detector.device(self._clock(), self._settings.silence)
        is_heard = self._may_bridge_be_there() or not self._is_of_bridge(detector)
        return replace(device, online=device.online and is_heard)

    def _changed(self) -> None:
        self.report = self._new_report()
        self._set_timer()
        self._listeners.call()

    def _set_timer(self) -> None:
        """Look again when time alone changes something next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock()
        soon = [each.until(now, self._settings.silence) for each in (self._detectors or {}).values()]
        forgotten = self._unproven + self._longest_silence if self._unproven else None
        moments = [each for each in (*soon, forgotten) if each is not None and each > now]
        if moments:
            self._timer = asyncio.get_running_loop().call_later((min(moments) - now).total_seconds(), self.look)

    def _profile(self, topic: str) -> Profile:
        settings = self._settings
        name = topic.rpartition("/")[2]
        return Profile(
            key=f"{settings.login.address} {topic}",
            topic=topic,
            name=name,
            smoke=settings.smoke,
            co=settings.co,
            battery=settings.battery,
        )


def profiles_of(listed: Iterable[Any], base: str) -> Iterator[Profile]:
    """Yield the detectors among the devices that Zigbee2MQTT lists, whatever else is in the list."""
    for raw in map(_dict, listed):
        key, name = raw.get("ieee_address"), raw.get("friendly_name")
        exposed = set(_exposed(_dict(raw.get("definition")).get("exposes"), _DEEPEST))
        if not (_is_word(key) and _is_word(name)) or raw.get("disabled") is True or _WILD.intersection(name):
            continue
        if exposed.intersection(_SENSED):
            smoke, co = (each if each in exposed else "" for each in _SENSED)
            yield Profile(key=key, topic=f"{base}/{name}", name=name, smoke=smoke, co=co)


def _exposed(exposes: Any, depth: int) -> Iterator[str]:
    """Yield the properties of a device, those of its parts included."""
    for each in map(_dict, exposes if isinstance(exposes, list) and depth else ()):
        if _is_word(each.get("property")):
            yield each["property"]
        yield from _exposed(each.get("features"), depth - 1)


def _is_word(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
