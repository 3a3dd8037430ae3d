"""What can be set on a link: which of its homes are included, and when an alarm counts as not tested."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlowWithReload
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from .const import CONF_HOMES, CONF_TEST_MONTHS, DOMAIN
from .included import included_homes

MOST_MONTHS: Final = 24

TEST_MONTHS: Final = NumberSelector(
    NumberSelectorConfig(min=0, max=MOST_MONTHS, step=1, mode=NumberSelectorMode.BOX, unit_of_measurement="months")
)
# The homes to choose from are filled in when they are known.
OPTIONS_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_HOMES): SelectSelector(SelectSelectorConfig(options=[])),
        vol.Required(CONF_TEST_MONTHS, default=0): TEST_MONTHS,
    }
)


class WwnOptionsFlow(OptionsFlowWithReload):
    """Sets what is included of a link."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the homes to include, and for the months between two tests of an alarm."""
        if self.config_entry.state is not ConfigEntryState.LOADED or not self.config_entry.runtime_data.has_document:
            return self.async_abort(reason="link_not_loaded")
        errors: dict[str, str] = {}
        if user_input is not None:
            if user_input[CONF_HOMES]:
                return self.async_create_entry(data=user_input)
            errors[CONF_HOMES] = "no_home_chosen"
        shown = user_input or {**self.config_entry.options, CONF_HOMES: sorted(included_homes(self.config_entry))}
        schema = OPTIONS_SCHEMA.extend({vol.Required(CONF_HOMES): self._home_selector()})
        schema = self.add_suggested_values_to_schema(schema, shown)
        return self.async_show_form(step_id="init", data_schema=schema, errors=errors)

    def _home_selector(self) -> SelectSelector:
        return SelectSelector(
            SelectSelectorConfig(options=self._homes(), multiple=True, mode=SelectSelectorMode.LIST, sort=True)
        )

    def _homes(self) -> list[SelectOptionDict]:
        """Return the homes that the link shows or included before, without those of other links."""
        structures = self.config_entry.runtime_data.data.structures
        taken = {
            home
            for entry in self.hass.config_entries.async_entries(DOMAIN, include_ignore=False)
            if entry.entry_id != self.config_entry.entry_id
            for home in included_homes(entry)
        }
        return [
            SelectOptionDict(value=home, label=(structures[home].name if home in structures else None) or home)
            for home in sorted((structures.keys() - taken) | included_homes(self.config_entry))
        ]
