"""What happened to an alarm, one after another, with what was seen too late marked as late."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import SIGNAL_TRANSITION
from .coordinator import WwnConfigEntry, WwnCoordinator
from .entity import Table, WwnAlarmEntity, always, async_add_dynamically
from .transitions import Kind, ManualTest, Transition
from .wwn.models import Alarm, AlarmLevel, Permission

PARALLEL_UPDATES = 0

EVENT_OF: Final[Mapping[tuple[Kind, str], str]] = {
    (Kind.SMOKE, AlarmLevel.WARNING): "smoke_warning",
    (Kind.SMOKE, AlarmLevel.EMERGENCY): "smoke_emergency",
    (Kind.SMOKE, AlarmLevel.OK): "smoke_cleared",
    (Kind.CARBON_MONOXIDE, AlarmLevel.WARNING): "carbon_monoxide_warning",
    (Kind.CARBON_MONOXIDE, AlarmLevel.EMERGENCY): "carbon_monoxide_emergency",
    (Kind.CARBON_MONOXIDE, AlarmLevel.OK): "carbon_monoxide_cleared",
    (Kind.TEST, ManualTest.STARTED): "test_started",
    (Kind.TEST, ManualTest.PASSED): "test_passed",
}


@dataclass(frozen=True, kw_only=True)
class WwnEventDescription(EventEntityDescription):
    """A row of this platform."""

    exists_fn: Callable[[Alarm, frozenset[Permission]], bool] = always


ALARMS: Final = (
    WwnEventDescription(key="alarm", translation_key="alarm", event_types=list(dict.fromkeys(EVENT_OF.values()))),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: WwnConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the events of one link."""
    async_add_dynamically(entry.runtime_data, async_add_entities, Table(WwnAlarmEvent, ALARMS))


def attributes_of(transition: Transition) -> dict[str, Any]:
    """Return what is told beside the kind of an event."""
    gap = transition.gap
    return {
        "level_before": transition.before,
        "time": transition.at.isoformat(),
        "late": transition.late,
        "gap_from": gap.start.isoformat() if gap else None,
        "gap_to": gap.end.isoformat() if gap else None,
    }


class WwnAlarmEvent(WwnAlarmEntity, EventEntity):
    """What last happened to an alarm. It tells of the past, which stays true whatever becomes of the link."""

    needs_no_document = True
    needs_permission = Permission.SMOKE_CO_READ

    def __init__(self, coordinator: WwnCoordinator, wire_id: str, description: EntityDescription) -> None:
        """Listen from the start: what brought a new alarm may be that it sounds, before this is added."""
        super().__init__(coordinator, wire_id, description)
        self._is_added = False
        self._waiting: list[Transition] = []
        self.async_on_remove(async_dispatcher_connect(coordinator.hass, SIGNAL_TRANSITION, self._async_take))

    @property
    @override
    def available(self) -> bool:
        """Always, as the past is."""
        return True

    @override
    def shown(self) -> tuple[object, ...]:
        """Return nothing: what it shows is what it was told, never what is so now."""
        return ()

    @override
    async def async_added_to_hass(self) -> None:
        """Tell what happened since it was made."""
        await super().async_added_to_hass()
        self._is_added = True
        for transition in self._waiting:
            self._tell(transition)
        self._waiting.clear()

    @callback
    def _async_take(self, entry_id: str, transition: Transition) -> None:
        if (entry_id, transition.thing_id) != (self.coordinator.config_entry.entry_id, self.wire_id):
            return
        if self._is_added:
            self._tell(transition)
        else:
            self._waiting.append(transition)

    def _tell(self, transition: Transition) -> None:
        self._trigger_event(EVENT_OF[transition.kind, transition.after], attributes_of(transition))
        self.async_write_ha_state()
