"""What a person can do about a repair, in a dialogue of its own."""

from typing import Any, Final, override

from homeassistant.components.repairs import ConfirmRepairFlow, FlowType, RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .const import CONF_PERMISSIONS, DOMAIN
from .coordinator import WwnConfigEntry
from .relinking import async_forget_lost


class ReconfigureFlow(RepairsFlow):
    """Leads to the dialogue that changes a link; the repair goes away when that mended it."""

    def __init__(self, entry: WwnConfigEntry) -> None:
        """Lead to the dialogue of one link."""
        self._entry = entry

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:  # noqa: ARG002
        """Start."""
        return await self.async_step_ask_again()

    async def async_step_ask_again(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:  # noqa: ARG002
        """Open the dialogue."""
        flow = await self.hass.config_entries.flow.async_init(
            DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": self._entry.entry_id}
        )
        return self.async_abort(
            reason="ask_again",
            description_placeholders=self._values(),
            next_flow=(FlowType.CONFIG_FLOW, flow["flow_id"]),
        )

    def _values(self) -> dict[str, str]:
        """Return what the texts may name: what the repair names."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        return (issue.translation_placeholders if issue else None) or {}


class PermissionsFlow(ReconfigureFlow):
    """Asks for the missing data again, or does without it and takes its entities away."""

    @override
    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Let the person choose."""
        return self.async_show_menu(
            step_id="init", menu_options=["ask_again", "do_without"], description_placeholders=self._values()
        )

    async def async_step_do_without(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:  # noqa: ARG002
        """Take what is given now for what is wanted."""
        if self._entry.state is not ConfigEntryState.LOADED or not self._entry.runtime_data.has_document:
            return self.async_abort(reason="link_not_loaded")
        permissions = sorted(self._entry.runtime_data.permissions)
        data = {**self._entry.data, CONF_PERMISSIONS: permissions}
        self.hass.config_entries.async_update_entry(self._entry, data=data)
        await async_forget_lost(self.hass, self._entry)
        return self.async_create_entry(data={})


# By the first word of a repair's id; any other is closed by the person who did what it says.
FLOWS: Final = {"permissions_missing": PermissionsFlow, "moved": ReconfigureFlow}


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the dialogue for a repair."""
    entry = hass.config_entries.async_get_entry(str(data["entry_id"])) if data else None
    for kind, flow in FLOWS.items():
        if entry is not None and issue_id.startswith(f"{kind}_"):
            return flow(entry)
    return ConfirmRepairFlow()
