"""The changes that the check makes where devices of their own stand behind the home: there, and back from here."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Literal

from tools.errors import ToolError
from tools.home_assistant import HomeAssistantApi
from tools.nest_home import Document

from .changes import STEP, entity_of, picked
from .devices import KITCHEN, LIVING_ROOM, THERMOSTATS, Devices
from .measure import Change

AWAY: Final = {"away": ("manual-eco", "off", "eco"), "home": ("schedule", "on", "none")}


class DeviceChanges:
    """Changes to a home that is made of sources."""

    def __init__(
        self, document: Document, registry: Sequence[Mapping[str, Any]], devices: Devices, api: HomeAssistantApi
    ) -> None:
        """Take the home as it is, the registry's entities of the link, and what stands behind the home."""
        self._api = api
        self._devices = devices
        self._registry = registry
        self._structure_id = next(iter(document["structures"]))
        self._alarm_id = _id_of(document, "smoke_co_alarms", KITCHEN)
        self._thermostats = {serial: _id_of(document, "thermostats", name) for serial, (name, _) in THERMOSTATS.items()}

    def in_order(self) -> list[Change]:
        """Return the changes; each starts from what the one before it left."""
        return [
            self._smoke(is_on=True),
            self._smoke(is_on=False),
            self._setpoint(),
            self._presence("away"),
            self._presence("home"),
        ]

    def _smoke(self, *, is_on: bool) -> Change:
        level = "emergency" if is_on else "ok"
        detectors, said = self._devices.detectors, "smoke" if is_on else "that there is none"
        return Change(
            name=f"smoke {level}",
            action=f"On the MQTT broker: the detector in the {KITCHEN} says {said}",
            make=lambda: detectors.say(KITCHEN, smoke=is_on),
            device_fields=lambda: {f"zigbee2mqtt/{KITCHEN}": f"smoke {detectors.detectors[KITCHEN].state['smoke']}"},
            device_wanted={f"zigbee2mqtt/{KITCHEN}": f"smoke {is_on}"},
            nest_fields=lambda document: picked(
                document["devices"]["smoke_co_alarms"][self._alarm_id], ("smoke_alarm_state",)
            ),
            nest_wanted={"smoke_alarm_state": level},
            entities_wanted={
                self._entity("binary_sensor", self._alarm_id, "smoke"): {"state": "on" if is_on else "off"},
                self._entity("sensor", self._alarm_id, "smoke_level"): {"state": level},
            },
        )

    def _setpoint(self) -> Change:
        server, device_id = self._devices.thermostats, self._thermostats[LIVING_ROOM]
        climate = self._entity("climate", device_id, "climate")
        present = server.status(LIVING_ROOM)["target_temperature"]
        wanted = present + STEP
        return Change(
            name="setpoint",
            action=f"In Home Assistant: {climate} is set from {present} to {wanted} °C",
            make=self._call("climate", "set_temperature", {"entity_id": climate, "temperature": wanted}),
            device_fields=lambda: {"NoLongerEvil target_temperature": server.status(LIVING_ROOM)["target_temperature"]},
            device_wanted={"NoLongerEvil target_temperature": wanted},
            nest_fields=lambda document: picked(
                document["devices"]["thermostats"][device_id], ("target_temperature_c",)
            ),
            nest_wanted={"target_temperature_c": wanted},
            entities_wanted={climate: {"temperature": wanted}},
        )

    def _presence(self, away: Literal["home", "away"]) -> Change:
        eco, present, preset = AWAY[away]
        server = self._devices.thermostats
        select = self._entity("select", self._structure_id, "presence_mode")
        climates = [self._entity("climate", each, "climate") for each in self._thermostats.values()]
        return Change(
            name=away,
            action=f"In Home Assistant: the home is set to {away}",
            make=self._call("select", "select_option", {"entity_id": select, "option": away}),
            device_fields=lambda: {
                f"NoLongerEvil {name} eco_mode": server.status(serial)["eco_mode"]
                for serial, (name, _) in THERMOSTATS.items()
            },
            device_wanted={f"NoLongerEvil {name} eco_mode": eco for name, _ in THERMOSTATS.values()},
            nest_fields=lambda document: picked(document["structures"][self._structure_id], ("away",)),
            nest_wanted={"away": away},
            entities_wanted={
                self._entity("binary_sensor", self._structure_id, "presence"): {"state": present},
                select: {"state": away},
                **{climate: {"preset_mode": preset} for climate in climates},
            },
        )

    def _call(self, domain: str, service: str, data: Mapping[str, Any]) -> Callable[[], Awaitable[None]]:
        return lambda: self._api.call_service(domain, service, data)

    def _entity(self, domain: str, wire_id: str, key: str) -> str:
        return entity_of(self._registry, domain, wire_id, key)


def _id_of(document: Document, group: str, name: str) -> str:
    """Return the id of a device by its name. Raises ToolError where there is none."""
    for device_id, device in document["devices"].get(group, {}).items():
        if device["name"] == name:
            return str(device_id)
    msg = f"The home has no device called {name}: what stands behind it was not found."
    raise ToolError(msg)
