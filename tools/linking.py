"""Linking by program, on the very path a person takes: form, form, the server's page, and back."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from .errors import ToolError
from .home_assistant import HomeAssistantApi

DOMAIN: Final = "works_with_nest"
SHARE_ALL: Final = {"thermostat": "change", "away": "change", "smoke_co": True}

type Json = dict[str, Any]
type Decision = Callable[[str], Awaitable[str]]


async def link(api: HomeAssistantApi, address: str, decide: Decision, share: Mapping[str, object] = SHARE_ALL) -> Json:
    """Walk the whole flow and return its end: ``create_entry`` or ``abort``.

    decide is what the person does at the consent page: it takes the page's address and returns where that led back to,
    ``NestPerson.accept`` for example.
    """
    step = await api.start_flow(DOMAIN)
    step = await submit(api, step, "user", {"address": address})
    step = await submit(api, step, "share", share)
    if step["type"] != "external":
        raise _unexpected(step, "the server's page")
    await api.open_callback(await decide(step["url"]))
    return await api.read_flow(step["flow_id"])


async def link_all(api: HomeAssistantApi, address: str, decide: Decision) -> Json:
    """Link with all there is to share, and return the new entry. Raises ToolError."""
    end = await link(api, address, decide)
    if end["type"] != "create_entry":
        raise _unexpected(end, "the new link")
    entry: Json = end["result"]
    return entry


async def submit(api: HomeAssistantApi, step: Json, step_id: str, fields: Mapping[str, object]) -> Json:
    """Submit a step that has to be this one."""
    if step["type"] != "form" or step["step_id"] != step_id or step["errors"]:
        raise _unexpected(step, f"the step {step_id!r}")
    return await api.submit_step(step["flow_id"], fields)


def _unexpected(step: Json, wanted: str) -> ToolError:
    told = step.get("reason") or step.get("errors") or step.get("step_id")
    values = step.get("description_placeholders") or {}
    return ToolError(f"Linking came to {step['type']} ({told}, {values}) instead of {wanted}.")
