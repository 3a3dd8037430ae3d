"""Zigbee2MQTT as it is heard on a broker: its own state, the list of its devices, and what each of them says."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
import json
from types import TracebackType
from typing import Any, Final, Self

import aiomqtt

from .broker import Broker
from .mqtt import Client

# What a property means to Zigbee2MQTT: the kind, and whether it is a device's own state or about its upkeep.
PROPERTIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "smoke": {"type": "binary", "value_on": True, "value_off": False},
    "carbon_monoxide": {"type": "binary", "value_on": True, "value_off": False},
    "gas": {"type": "binary", "value_on": True, "value_off": False},
    "battery_low": {"type": "binary", "value_on": True, "value_off": False, "category": "diagnostic"},
    "test": {"type": "binary", "value_on": True, "value_off": False},
    "tamper": {"type": "binary", "value_on": True, "value_off": False},
    "battery": {"type": "numeric", "unit": "%", "value_min": 0, "value_max": 100, "category": "diagnostic"},
    "linkquality": {"type": "numeric", "unit": "lqi", "value_min": 0, "value_max": 255, "category": "diagnostic"},
    "temperature": {"type": "numeric", "unit": "°C"},
    "contact": {"type": "binary", "value_on": False, "value_off": True},
}
SMOKE_DETECTOR: Final = ("smoke", "battery_low", "battery", "test", "tamper", "linkquality")
CO_DETECTOR: Final = ("carbon_monoxide", "battery_low", "battery", "test", "linkquality")

# Where Home Assistant says that it has started.
HOME_ASSISTANT: Final = "homeassistant/status"


class Form(StrEnum):
    """How a state is written: as an object since 2.0, or as the bare word of older versions and settings."""

    OBJECT = "object"
    WORD = "word"


@dataclass(slots=True)
class Detector:
    """A device of the Zigbee network.

    ``name``: the friendly name, which may hold slashes. ``state``: what it said so far; a property that it exposes and
    never said is null there. ``retained``: whether its messages stay on the broker.
    """

    name: str
    ieee: str
    properties: Sequence[str] = SMOKE_DETECTOR
    model: str = "HS1SA"
    vendor: str = "Heiman"
    state: dict[str, Any] = field(default_factory=dict)
    is_available: bool = True
    retained: bool = False
    disabled: bool = False

    def as_listed(self) -> dict[str, Any]:
        """Return it as in the list of devices."""
        return {
            "ieee_address": self.ieee,
            "type": "EndDevice",
            "network_address": int(self.ieee[-4:], 16),
            "supported": True,
            "disabled": self.disabled,
            "friendly_name": self.name,
            "definition": {
                "model": self.model,
                "vendor": self.vendor,
                "description": "Detector",
                "exposes": [_exposed(each) for each in self.properties],
                "options": [],
            },
            "power_source": "Battery",
            "model_id": self.model,
            "manufacturer": self.vendor,
            "interviewing": False,
            "interview_completed": True,
            "endpoints": {"1": {"bindings": [], "clusters": {"input": ["ssIasZone"], "output": []}}},
        }


def _exposed(name: str) -> dict[str, Any]:
    return {"name": name, "property": name, "label": name.replace("_", " ").capitalize(), "access": 1} | dict(
        PROPERTIES[name]
    )


COORDINATOR: Final = {
    "ieee_address": "0x00124b0024c1a2b3",
    "type": "Coordinator",
    "network_address": 0,
    "supported": True,
    "disabled": False,
    "friendly_name": "Coordinator",
    "definition": None,
    "interviewing": False,
    "interview_completed": True,
    "endpoints": {"1": {"bindings": [], "clusters": {"input": [], "output": []}}},
}


class Zigbee2Mqtt:
    """The bridge with its detectors.

    ``has_availability``: whether its availability feature is on, which is not so unless a person asked for it.
    ``repeats_after``: for how long it waits when Home Assistant says that it has started, before it says again all it
    knows, as if it were new.
    """

    def __init__(
        self,
        broker: Broker,
        *detectors: Detector,
        base: str = "zigbee2mqtt",
        form: Form = Form.OBJECT,
        has_availability: bool = True,
    ) -> None:
        """Know some detectors already."""
        self.detectors: dict[str, Detector] = {each.name: each for each in detectors}
        self.base = base
        self.form = form
        self.has_availability = has_availability
        self.repeats_after = 30.0
        self._is_up = False
        will = aiomqtt.Will(f"{base}/bridge/state", self._word("offline"), qos=1, retain=True)
        self._client = Client(
            broker, subscribe=(HOME_ASSISTANT,), heard=self._home_assistant_says, connected=self._greet, will=will
        )
        self._repeating: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start, and have said all there is to say."""
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop in order: the last word is that it goes."""
        await self._client.publish(f"{self.base}/bridge/state", self._word("offline"), retain=True, qos=1)
        await self._client.__aexit__(kind, error, trace)
        await self._end_repeating()
        self._is_up = False

    async def end(self) -> None:
        """End in order, until it comes back."""
        await self.__aexit__(None, None, None)

    async def crash(self) -> None:
        """End without a word; the broker says the last one."""
        await self._client.crash()
        await self._end_repeating()
        self._is_up = False

    async def come_back(self) -> None:
        """Start again after it ended."""
        await self._client.__aenter__()

    async def say(self, name: str, **values: Any) -> None:
        """Let a detector say something; what it said before is said again with it, as Zigbee2MQTT does."""
        detector = self.detectors[name]
        detector.state.update(values)
        await self._publish_state(detector)

    async def set_available(self, name: str, *, is_available: bool) -> None:
        """Let Zigbee2MQTT find out whether a detector still answers."""
        detector = self.detectors[name]
        detector.is_available = is_available
        await self._publish_availability(detector)

    async def add(self, detector: Detector) -> None:
        """Let a detector join."""
        self.detectors[detector.name] = detector
        await self._publish_devices()
        await self._publish_availability(detector)

    async def remove(self, name: str) -> None:
        """Let a detector leave; what the broker kept of it is cleared."""
        await self._clear(self.detectors.pop(name))
        await self._publish_devices()

    async def rename(self, old: str, new: str) -> None:
        """Call a detector otherwise: the same device, and other topics."""
        detector = self.detectors.pop(old)
        await self._clear(detector)
        detector.name = new
        self.detectors[new] = detector
        await self._publish_devices()
        await self._publish_availability(detector)
        await self._publish_state(detector)

    async def replace(self, name: str, ieee: str) -> None:
        """Put another device in the place and under the name of one: nothing of the old is true of it."""
        self.detectors[name].ieee = ieee
        self.detectors[name].state.clear()
        await self._publish_devices()

    async def publish_raw(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        """Publish anything below the base, be it nonsense."""
        await self._client.publish(f"{self.base}/{topic}", payload, retain=retain)

    async def _greet(self) -> None:
        """Say everything at a start: state of the bridge, devices, availability, and what is known of each.

        To a broker that comes back it says anew only what a broker keeps.
        """
        is_start, self._is_up = not self._is_up, True
        await self._client.publish(f"{self.base}/bridge/state", self._word("online"), retain=True, qos=1)
        await self._publish_devices()
        for detector in self.detectors.values():
            await self._publish_availability(detector)
            if detector.state and (is_start or detector.retained):
                await self._publish_state(detector)

    async def _home_assistant_says(self, _topic: str, payload: bytes) -> None:
        if payload.lower() == b"online":
            self._repeating = asyncio.create_task(self._repeat(self.repeats_after))

    async def _end_repeating(self) -> None:
        if self._repeating:
            self._repeating.cancel()
            await asyncio.gather(self._repeating, return_exceptions=True)

    async def _repeat(self, after: float) -> None:
        await asyncio.sleep(after)
        for detector in self.detectors.values():
            if detector.state:
                await self._publish_state(detector)

    async def _publish_devices(self) -> None:
        listed = [COORDINATOR, *(each.as_listed() for each in self.detectors.values())]
        await self._client.publish(f"{self.base}/bridge/devices", json.dumps(listed), retain=True)

    async def _publish_state(self, detector: Detector) -> None:
        said = dict.fromkeys(detector.properties) | detector.state
        # Acknowledged, so that whoever subscribes after this finds what is kept as kept.
        await self._client.publish(f"{self.base}/{detector.name}", json.dumps(said), retain=detector.retained, qos=1)

    async def _publish_availability(self, detector: Detector) -> None:
        if self.has_availability and not detector.disabled:
            word = self._word("online" if detector.is_available else "offline")
            await self._client.publish(f"{self.base}/{detector.name}/availability", word, retain=True, qos=1)

    async def _clear(self, detector: Detector) -> None:
        for topic in (detector.name, f"{detector.name}/availability"):
            await self._client.publish(f"{self.base}/{topic}", b"", retain=True)

    def _word(self, word: str) -> str:
        return json.dumps({"state": word}) if self.form is Form.OBJECT else word
