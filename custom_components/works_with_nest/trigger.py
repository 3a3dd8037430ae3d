"""Triggers of our own, where Home Assistant's cannot say it: fed by what was compared, not by states.

They fire once for each thing that happened, also for what happened while nobody was listening, which is then marked as
late. Triggers made of states are silent when something comes from or goes to unavailable.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final, cast, override

from homeassistant.const import CONF_OPTIONS, CONF_TARGET
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.trigger import (
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .const import SIGNAL_LINK, SIGNAL_TRANSITION
from .gaps import Gap, LinkChange, LinkChangeKind
from .targets import device_id_of, device_ids, name_of
from .transitions import Kind, Transition
from .wwn.models import AlarmLevel, Presence

CONF_SENSOR: Final = "sensor"
EITHER: Final = "either"
KINDS_OF_SENSOR: Final[Mapping[str, frozenset[Kind]]] = {
    EITHER: frozenset({Kind.SMOKE, Kind.CARBON_MONOXIDE}),
    "smoke": frozenset({Kind.SMOKE}),
    "carbon_monoxide": frozenset({Kind.CARBON_MONOXIDE}),
}

TARGET_SCHEMA: Final = vol.Schema({vol.Required(CONF_TARGET): cv.TARGET_FIELDS, vol.Optional(CONF_OPTIONS): {}})
ALARM_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_TARGET): cv.TARGET_FIELDS,
        vol.Required(CONF_OPTIONS, default={}): {
            vol.Required(CONF_SENSOR, default=EITHER): vol.In(list(KINDS_OF_SENSOR))
        },
    }
)


def gap_variables(gap: Gap | None) -> dict[str, Any] | None:
    """Return what templates can ask of a gap."""
    return {"from": gap.start, "to": gap.end} if gap else None


class WwnTrigger(Trigger):
    """A trigger on what happens to homes and alarms of ours, those that its target names when it happens."""

    schema: ClassVar[vol.Schema] = TARGET_SCHEMA
    signal: ClassVar[str] = SIGNAL_TRANSITION

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check target and options."""
        return cast("ConfigType", cls.schema(config))

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take target and options."""
        super().__init__(hass, config)
        self._target = config.target or {}
        self._options = config.options or {}

    @override
    async def async_attach_runner(
        self, run_action: TriggerActionRunner, did_not_trigger: TriggerNotTriggeredReporter | None = None
    ) -> CALLBACK_TYPE:
        """Listen until detached."""

        @callback
        def take(entry_id: str, happened: Any) -> None:
            if self.is_meant(happened) and self.is_targeted(entry_id, happened):
                variables = self.variables(entry_id, happened)
                run_action(variables, self.description(variables))

        return async_dispatcher_connect(self._hass, self.signal, take)

    @abstractmethod
    def is_meant(self, happened: Any) -> bool:
        """Whether it is for this kind of thing."""

    def is_targeted(self, entry_id: str, happened: Any) -> bool:
        """Whether the target names the thing, or its home."""
        of = (happened.thing_id, happened.home_id)
        ids = {device_id_of(self._hass, entry_id, wire_id) for wire_id in of}
        return not ids.isdisjoint(device_ids(self._hass, self._target))

    @abstractmethod
    def variables(self, entry_id: str, happened: Any) -> dict[str, Any]:
        """Return what automations can ask of what happened."""

    @abstractmethod
    def description(self, variables: Mapping[str, Any]) -> str:
        """Return what the trace says."""


class WwnTransitionTrigger(WwnTrigger):
    """A trigger on a home or an alarm. after: what it has become."""

    after: ClassVar[str]

    @override
    def variables(self, entry_id: str, happened: Transition) -> dict[str, Any]:
        """Return which home, from what to what, when, and whether that was seen late."""
        home = device_id_of(self._hass, entry_id, happened.home_id)
        return {
            "home": name_of(self._hass, home),
            "device_id": device_id_of(self._hass, entry_id, happened.thing_id),
            "from": happened.before,
            "to": happened.after,
            "at": happened.at,
            "late": happened.late,
            "gap": gap_variables(happened.gap),
        }


class HomeTrigger(WwnTransitionTrigger):
    """A trigger on whether somebody is at home."""

    @override
    def is_meant(self, happened: Transition) -> bool:
        """Whether a home became what this waits for."""
        return happened.kind is Kind.PRESENCE and happened.after == self.after

    @override
    def description(self, variables: Mapping[str, Any]) -> str:
        """Return what the trace says."""
        return f"{variables['home']} became {variables['to']}"


class HomeBecameAway(HomeTrigger):
    """Nobody is at home any more."""

    after = Presence.AWAY.value


class HomeBecameHome(HomeTrigger):
    """Somebody is at home again."""

    after = Presence.HOME.value


class AlarmTrigger(WwnTransitionTrigger):
    """A trigger on the level of smoke, carbon monoxide or either."""

    schema = ALARM_SCHEMA

    @override
    def is_meant(self, happened: Transition) -> bool:
        """Whether an alarm reached what this waits for."""
        return happened.kind in KINDS_OF_SENSOR[self._options[CONF_SENSOR]] and happened.after == self.after

    @override
    def variables(self, entry_id: str, happened: Transition) -> dict[str, Any]:
        """Return also which alarm, and which of its sensors."""
        variables = super().variables(entry_id, happened)
        return {"alarm": name_of(self._hass, variables["device_id"]), "sensor": happened.kind.value, **variables}

    @override
    def description(self, variables: Mapping[str, Any]) -> str:
        """Return what the trace says."""
        return f"{variables['sensor']} of {variables['alarm']} reached {variables['to']}"


class AlarmReachedWarning(AlarmTrigger):
    """The spoken heads-up."""

    after = AlarmLevel.WARNING


class AlarmReachedEmergency(AlarmTrigger):
    """The sounding alarm."""

    after = AlarmLevel.EMERGENCY


class AlarmCleared(AlarmTrigger):
    """The alarm itself says that it is over."""

    after = AlarmLevel.OK


class LinkTrigger(WwnTrigger):
    """A trigger on the link to a home."""

    signal = SIGNAL_LINK
    kind: ClassVar[LinkChangeKind]

    @override
    def is_meant(self, happened: LinkChange) -> bool:
        """Whether the link was lost, or is back."""
        return happened.kind is self.kind

    @override
    def is_targeted(self, entry_id: str, happened: LinkChange) -> bool:
        """Whether the target names anything that the link brings."""
        devices = dr.async_get(self._hass)
        targeted = (devices.async_get(device_id) for device_id in device_ids(self._hass, self._target))
        return any(device is not None and device.config_entry_id == entry_id for device in targeted)

    @override
    def variables(self, entry_id: str, happened: LinkChange) -> dict[str, Any]:
        """Return which link, when, and since when it was lost."""
        entry = self._hass.config_entries.async_get_entry(entry_id)
        return {"home": entry.title if entry else None, "at": happened.at, "gap": gap_variables(happened.gap)}

    @override
    def description(self, variables: Mapping[str, Any]) -> str:
        """Return what the trace says."""
        return f"link to {variables['home']} {self.kind}"


class LinkLost(LinkTrigger):
    """Nothing was heard of the home for too long."""

    kind = LinkChangeKind.LOST


class LinkRestored(LinkTrigger):
    """The home is heard of again."""

    kind = LinkChangeKind.RESTORED


TRIGGERS: Final[dict[str, type[Trigger]]] = {
    "home_became_away": HomeBecameAway,
    "home_became_home": HomeBecameHome,
    "alarm_reached_warning": AlarmReachedWarning,
    "alarm_reached_emergency": AlarmReachedEmergency,
    "alarm_cleared": AlarmCleared,
    "link_lost": LinkLost,
    "link_restored": LinkRestored,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers."""
    return TRIGGERS
