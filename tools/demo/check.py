"""``--check``: link, change something on either side, measure when both show it, and look through the logs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import json
from pathlib import Path
import sys
import tempfile
from typing import Any, Final

from tools.errors import ToolError
from tools.fakes.nolongerevil import password_of
from tools.home_assistant import HomeAssistantApi, LiveStates
from tools.home_assistant.folder import stored_entries
from tools.home_assistant.log import complaints, secrets_in
from tools.linking import DOMAIN
from tools.paths import DEMO
from tools.ports import free_port

from .changes import Changes
from .device_changes import DeviceChanges
from .devices import THERMOSTATS, Devices, devices_behind, options_of
from .link import link_now
from .measure import Shown, Step, measure
from .release import python_with
from .servers import Servers, started
from .state import StateFolder, held, remove_leftovers
from .table import EntityTable
from .voice import keep_saying, say

ROWS_WITHIN: Final = 10.0
SECRET_KEYS: Final = frozenset({"access_token", "refresh_token", "client_secret"})


@dataclass(slots=True)
class Report:
    """All figures of one check, and whatever was wrong."""

    home_assistant: str = ""
    start_seconds: float = 0
    link_seconds: float = 0
    entities: int = 0
    steps: list[Step] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "ok": not self.problems,
            "home_assistant": self.home_assistant,
            "start_seconds": self.start_seconds,
            "link_seconds": self.link_seconds,
            "entities": self.entities,
            "steps": [step.as_dict() for step in self.steps],
            "problems": self.problems,
        }


async def check(json_file: Path | None, release: str | None = None, *, with_sources: bool = False) -> int:
    """Run the check in a state folder of its own, on the release that is here or another; return the exit code."""
    report, python = Report(), await python_with(release) if release else sys.executable
    async with _own_folder(report) as state:
        try:
            await _run(state, report, python, with_sources=with_sources)
        except ToolError as err:
            report.problems.append(str(err))
        if state.home_assistant.exists():
            report.problems += _found_in_logs(state)
    if json_file:
        _write(report, json_file)
    return _verdict(report)


@asynccontextmanager
async def _own_folder(report: Report) -> AsyncIterator[StateFolder]:
    """Hold a new folder, with free ports, and remove it afterwards unless something was wrong."""
    remove_leftovers(DEMO, "check-*")
    folder = Path(tempfile.mkdtemp(prefix="check-", dir=DEMO))
    async with held(folder) as state:
        state.keep(nest_port=free_port(), home_assistant_port=free_port())
        try:
            yield state
        finally:
            if report.problems:
                say(f"Logs and state of this check are kept in {folder}")
            else:
                state.remove()


async def _run(state: StateFolder, report: Report, python: str | Path, *, with_sources: bool) -> None:
    clock = asyncio.get_running_loop().time
    begun = clock()
    async with (
        devices_behind(state, wanted=with_sources) as devices,
        started(state, python, options_of(state, devices)) as servers,
        servers.signed_in() as api,
    ):
        report.home_assistant = (await api.config())["version"]
        report.start_seconds = round(clock() - begun, 1)
        say(f"  Home Assistant {report.home_assistant} is up, after {report.start_seconds} s")
        await _link_and_measure(servers, api, report, devices)
    for process in servers.processes:
        if process.exit_code:
            report.problems.append(f"{process.name} ended {process.ending}.")


async def _link_and_measure(servers: Servers, api: HomeAssistantApi, report: Report, devices: Devices | None) -> None:
    states = LiveStates()
    async with servers.person() as person, api.socket() as socket:
        await states.follow(socket)
        async with EntityTable(socket, states, tell_changes=False) as table:
            report.link_seconds = await link_now(api, person)
            if not await keep_saying("waiting for entities", table.wait_for_rows(ROWS_WITHIN)):
                msg = f"The link brought no entities within {ROWS_WITHIN:.0f} seconds."
                raise ToolError(msg)
            report.entities = len(table.shown)
        await person.sign_in()
        document, registry = await person.document(), await socket.entities(DOMAIN)
        changes: Changes | DeviceChanges = (
            DeviceChanges(document, registry, devices, api) if devices else Changes(document, registry, person, api)
        )
        for number, change in enumerate(changes.in_order(), 1):
            say(f"{number}. {change.action}")
            step = await keep_saying("waiting for every side", measure(change, person, states))
            report.steps.append(step)
            _tell(step)
            if not step.arrived:
                report.problems.append(f"Did not arrive within 10 s: {step.action}")


def _tell(step: Step) -> None:
    if step.device:
        _tell_side("Devices", step.device, [f"{name}: {value}" for name, value in step.device.values.items()])
    _tell_side("Nest home", step.nest_home, [f"{name}: {value}" for name, value in step.nest_home.values.items()])
    values = [
        f"{entity_id}: {', '.join(_worded(name, value) for name, value in fields.items())}"
        for entity_id, fields in step.home_assistant.values.items()
        if isinstance(fields, dict)
    ]
    _tell_side("Home Assistant", step.home_assistant, values)
    say()


def _worded(name: str, value: object) -> str:
    return str(value) if name == "state" else f"{name} {value}"


def _tell_side(side: str, shown: Shown, values: list[str]) -> None:
    after = "NOT SHOWN" if shown.milliseconds is None else f"after {shown.milliseconds:>4.0f} ms"
    say(f"   {side:<14}  {after:<13}  {values[0]}")
    for value in values[1:]:
        say(f"{'':34}{value}")


def _found_in_logs(state: StateFolder) -> Iterator[str]:
    """Yield what is wrong in the logs of servers that have ended."""
    logs = {file.name: file.read_text(errors="replace") for file in state.logs.glob("*.log")}
    for record in complaints(logs.get("home-assistant.log", "")):
        yield f"Home Assistant's log says: {record}"
    entries = stored_entries(state.home_assistant, DOMAIN)
    secrets = [secret for entry in entries for secret in _secrets(entry["data"])]
    if entries and not secrets:
        yield "The stored link has no secrets by the names that are known here, so the logs could not be checked."
    secrets += [state.kept.nest_password, state.kept.home_assistant_password, *map(password_of, THERMOSTATS)]
    for name, log in logs.items():
        if count := secrets_in(log, secrets):
            yield f"{name} holds {count} of the link's secrets."


def _secrets(data: Any) -> Iterator[str]:
    """Yield every secret of an entry's data."""
    if not isinstance(data, dict):
        return
    for key, value in data.items():
        if key in SECRET_KEYS and isinstance(value, str):
            yield value
        yield from _secrets(value)


def _write(report: Report, file: Path) -> None:
    try:
        file.write_text(json.dumps(report.as_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as err:
        report.problems.append(f"The figures could not be written: {err}")
    else:
        say(f"The figures are in {file}")


def _verdict(report: Report) -> int:
    if not report.problems:
        sides = "both sides" if not any(step.device for step in report.steps) else "every side"
        say(f"The check passed: everything arrived on {sides}, and the logs are clean.")
        return 0
    say()
    for problem in report.problems:
        say(f"FAILED: {problem}")
    return 1
