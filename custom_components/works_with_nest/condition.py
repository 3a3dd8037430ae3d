"""Conditions of our own: whether a home is away or home, and whether an alarm is active."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Unpack, cast, override

from homeassistant.const import CONF_OPTIONS, CONF_TARGET
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.condition import Condition, ConditionCheckParams, ConditionConfig
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .home import home_of
from .targets import Thing, below, things
from .transitions import KnownAlarm
from .trigger import CONF_SENSOR, EITHER
from .wwn.models import AlarmLevel, Presence

CONF_BEHAVIOR: Final = "behavior"
BEHAVIORS: Final[Mapping[str, Callable[[list[bool]], bool]]] = {
    "any": any,
    # Nothing that was meant is there: that is no reason to go on.
    "all": lambda answers: bool(answers) and all(answers),
}
LEVELS_OF_SENSOR: Final[Mapping[str, Callable[[KnownAlarm], tuple[AlarmLevel | None, ...]]]] = {
    EITHER: lambda known: (known.smoke, known.carbon_monoxide),
    "smoke": lambda known: (known.smoke,),
    "carbon_monoxide": lambda known: (known.carbon_monoxide,),
}
ACTIVE: Final = frozenset({AlarmLevel.WARNING, AlarmLevel.EMERGENCY})

BEHAVIOR: Final = {vol.Required(CONF_BEHAVIOR, default="any"): vol.In(list(BEHAVIORS))}
SENSOR: Final = {vol.Required(CONF_SENSOR, default=EITHER): vol.In(list(LEVELS_OF_SENSOR))}


def schema(options: Mapping[Any, Any]) -> vol.Schema:
    """Return the schema of a condition with some options."""
    return vol.Schema(
        {
            vol.Required(CONF_TARGET): cv.TARGET_FIELDS,
            vol.Required(CONF_OPTIONS, default={}): dict(options),
        }
    )


class WwnCondition(Condition):
    """A condition on homes or alarms of ours, those that its target names when it is asked."""

    schema: ClassVar[vol.Schema] = schema(BEHAVIOR)

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check target and options."""
        return cast("ConfigType", cls.schema(config))

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Take target and options."""
        super().__init__(hass, config)
        self._target = config.target or {}
        self._options = config.options or {}

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        """Ask each thing that the target names and that this condition is about."""
        answers = [answer for thing in things(self._hass, self._target) if (answer := self.holds(thing)) is not None]
        return BEHAVIORS[self._options[CONF_BEHAVIOR]](answers)

    @abstractmethod
    def holds(self, thing: Thing) -> bool | None:
        """Whether it holds for a thing, None for one that it is not about."""


class HomeIs(WwnCondition):
    """Whether somebody is at home, as far as that is known now. presence: what is asked for."""

    presence: ClassVar[Presence]

    @override
    def holds(self, thing: Thing) -> bool | None:
        """Whether a home has this presence; yesterday's is none."""
        home = thing.coordinator.data.structures.get(thing.wire_id)
        return None if home is None else thing.coordinator.live and home.presence is self.presence


class HomeIsAway(HomeIs):
    """Nobody is at home."""

    presence = Presence.AWAY


class HomeIsHome(HomeIs):
    """Somebody is at home."""

    presence = Presence.HOME


class AlarmIsActive(WwnCondition):
    """Whether an alarm warns or sounds. One that falls silent is still active, and a manual test alone is not."""

    schema = schema({**BEHAVIOR, **SENSOR})

    @override
    def holds(self, thing: Thing) -> bool | None:
        """Whether what was last told of an alarm, or of any alarm of a home, is a warning or an emergency."""
        document = thing.coordinator.data
        home = document.structures.get(thing.wire_id)
        ids = home_of(document, home).alarms if home else (thing.wire_id, *below(self._hass, thing))
        known = [alarm for each in ids if (alarm := thing.coordinator.history.alarms.get(each))]
        levels_of = LEVELS_OF_SENSOR[self._options[CONF_SENSOR]]
        return any(level in ACTIVE for alarm in known for level in levels_of(alarm)) if known else None


CONDITIONS: Final[dict[str, type[Condition]]] = {
    "home_is_away": HomeIsAway,
    "home_is_home": HomeIsHome,
    "alarm_is_active": AlarmIsActive,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions."""
    return CONDITIONS
