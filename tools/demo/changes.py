"""The changes that the check makes, with what both sides have to show after each."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from tools.errors import ToolError
from tools.home_assistant import HomeAssistantApi
from tools.nest_home import Document, NestPerson

from .measure import Change, Fields

# Within what every thermostat takes, and a step that it shows exactly.
WARMEST: Final = 28.0
STEP: Final = 0.5


class Changes:
    """Changes to one linked home."""

    def __init__(
        self,
        document: Document,
        registry: Sequence[Mapping[str, Any]],
        person: NestPerson,
        api: HomeAssistantApi,
    ) -> None:
        """Take the home as it is, the registry's entities of the link, and a person on either side."""
        self._person = person
        self._api = api
        self._registry = registry
        self._alarm = next(iter(document["devices"]["smoke_co_alarms"].values()))
        self._thermostats: dict[str, Any] = document["devices"]["thermostats"]
        self._structure_id = next(iter(document["structures"]))

    def in_order(self) -> list[Change]:
        """Return the changes; each starts from what the one before it left."""
        return [
            self._smoke("emergency", "on"),
            self._smoke("ok", "off"),
            self._presence("away", "off", "eco"),
            self._presence("home", "on", "none"),
            self._setpoint(),
        ]

    def _smoke(self, level: Literal["ok", "emergency"], state: str) -> Change:
        alarm_id, room = self._alarm["device_id"], self._alarm["where_name"]
        return Change(
            name=f"smoke {level}",
            action=f"On the Nest home's console: smoke in the {room} is set to {level}",
            make=lambda: self._person.set_alarm(alarm_id, smoke=level),
            nest_fields=lambda document: picked(
                document["devices"]["smoke_co_alarms"][alarm_id], ("smoke_alarm_state",)
            ),
            nest_wanted={"smoke_alarm_state": level},
            entities_wanted={
                self._entity("binary_sensor", alarm_id, "smoke"): {"state": state},
                self._entity("sensor", alarm_id, "smoke_level"): {"state": level},
            },
        )

    def _presence(self, away: Literal["home", "away"], state: str, preset: str) -> Change:
        climates = [self._entity("climate", each, "climate") for each in self._thermostats]
        modes = {
            f"{thermostat['where_name']} hvac_mode": "eco" if away == "away" else thermostat["hvac_mode"]
            for thermostat in self._thermostats.values()
        }
        return Change(
            name=away,
            action=f"On the Nest home's console: the home is set to {away}",
            make=lambda: self._person.set_away(away),
            nest_fields=self._presence_fields,
            nest_wanted={"away": away, **modes},
            entities_wanted={
                self._entity("binary_sensor", self._structure_id, "presence"): {"state": state},
                self._entity("select", self._structure_id, "presence_mode"): {"state": away},
                **{climate: {"preset_mode": preset} for climate in climates},
            },
        )

    def _setpoint(self) -> Change:
        thermostat = next((each for each in self._thermostats.values() if each["hvac_mode"] in {"heat", "cool"}), None)
        if thermostat is None:
            msg = "The Nest home has no thermostat that heats or cools to a single temperature."
            raise ToolError(msg)
        device_id, present = thermostat["device_id"], thermostat["target_temperature_c"]
        wanted = present + (STEP if present < WARMEST else -STEP)
        climate = self._entity("climate", device_id, "climate")
        return Change(
            name="setpoint",
            action=f"In Home Assistant: {climate} is set from {present} to {wanted} °C",
            make=lambda: self._api.call_service(
                "climate", "set_temperature", {"entity_id": climate, "temperature": wanted}
            ),
            nest_fields=lambda document: picked(
                document["devices"]["thermostats"][device_id], ("target_temperature_c",)
            ),
            nest_wanted={"target_temperature_c": wanted},
            entities_wanted={climate: {"temperature": wanted}},
        )

    def _presence_fields(self, document: Document) -> Fields:
        modes = {
            f"{thermostat['where_name']} hvac_mode": thermostat["hvac_mode"]
            for thermostat in document["devices"]["thermostats"].values()
        }
        return {"away": document["structures"][self._structure_id]["away"], **modes}

    def _entity(self, domain: str, wire_id: str, key: str) -> str:
        return entity_of(self._registry, domain, wire_id, key)


def entity_of(registry: Sequence[Mapping[str, Any]], domain: str, wire_id: str, key: str) -> str:
    """Return an entity of a structure or device. Raises ToolError where the link has none."""
    for entity in registry:
        entity_id: str = entity["entity_id"]
        if entity_id.startswith(f"{domain}.") and entity["unique_id"].endswith(f"_{wire_id}_{key}"):
            return entity_id
    msg = f"The link brought no {domain} entity for {key!r}."
    raise ToolError(msg)


def picked(fields: Fields, names: Sequence[str]) -> Fields:
    """Return some fields; one that is not there is nothing."""
    return {name: fields.get(name) for name in names}
