"""Both servers of a demo: started together, ended in order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
import sys
from typing import Final

from tools.errors import ToolError
from tools.home_assistant import EXIT_TO_RESTART, HomeAssistantApi, HomeAssistantServer
from tools.home_assistant.folder import replace_address, stored_entries
from tools.linking import DOMAIN
from tools.nest_home import NestHomeServer, NestPerson
from tools.ports import LOOPBACK, free_port_like
from tools.processes import ManagedProcess

from .state import USERNAME, StateFolder
from .voice import keep_saying, say

RUNS_WITHIN: Final = 120.0
NOTICED_WITHIN: Final = 0.2


class Servers:
    """The Nest server and Home Assistant, with their state in one folder."""

    def __init__(
        self, state: StateFolder, python: str | Path = sys.executable, nest_options: Sequence[str] = ()
    ) -> None:
        """Describe both: Home Assistant by the Python it is installed for, the Nest server by what it is to do more.

        The folder's lock stays held until they have ended, even if we are killed.
        """
        self.state = state
        locks = (state.lock,)
        log = state.logs / "nest-home.log"
        self.nest = NestHomeServer(state.nest_home, log, "--no-limits", *nest_options, keep_open=locks)
        self.home_assistant = HomeAssistantServer(
            state.home_assistant, state.logs / "home-assistant.log", python=python, keep_open=locks
        )

    @property
    def processes(self) -> tuple[ManagedProcess, ManagedProcess]:
        """Both, in the order in which they are ended: Home Assistant never sees the Nest server go."""
        return self.home_assistant.process, self.nest.process

    async def start(self) -> None:
        """Start both at once and wait until they answer. Raises ToolError."""
        say("Starting the Nest server and Home Assistant ...")
        self._choose_ports()
        home_assistant = asyncio.create_task(self._start_home_assistant())
        try:
            await self._start_nest()
            await keep_saying("starting Home Assistant", _wait_for(home_assistant), self._last_word)
        finally:
            home_assistant.cancel()
            await asyncio.gather(home_assistant, return_exceptions=True)

    async def restart_home_assistant(self) -> None:
        """Start Home Assistant again after it ended itself for that."""
        say("Home Assistant restarts, as it was asked to ...")
        await keep_saying("starting Home Assistant", self._start_home_assistant(), self._last_word)

    async def stop(self) -> None:
        """End both in order; this cannot be interrupted halfway."""
        for process in self.processes:
            if process.is_running:
                await keep_saying(f"ending {process.name}", process.stop())
                say(f"{process.name} ended, {process.ending}.")

    async def first_ended(self) -> ManagedProcess:
        """Wait until one of the two ends by itself, and return it."""
        waiting = {asyncio.create_task(process.ended()): process for process in self.processes}
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        return waiting[done.pop()]

    def wants_restart(self, process: ManagedProcess) -> bool:
        """Whether a process that ended did so because somebody pressed Restart in Home Assistant."""
        return process is self.home_assistant.process and process.exit_code == EXIT_TO_RESTART

    def person(self) -> NestPerson:
        """Return the member of the Nest home."""
        return NestPerson(self.nest.base, USERNAME, self.state.kept.nest_password)

    @asynccontextmanager
    async def signed_in(self) -> AsyncIterator[HomeAssistantApi]:
        """Sign in to Home Assistant, and wait until it is up."""
        async with HomeAssistantApi(self.home_assistant.base) as api:
            await self._sign_in(api)
            await keep_saying("starting Home Assistant", api.wait_until_running(RUNS_WITHIN), self._last_word)
            yield api

    async def _sign_in(self, api: HomeAssistantApi) -> None:
        password = self.state.kept.home_assistant_password
        if await api.is_new():
            await api.create_owner("Demo", USERNAME, password)
            return
        try:
            await api.sign_in(USERNAME, password)
        except ToolError as err:
            msg = f"{err}\nIf its password was changed there, change it back or start over with --fresh."
            raise ToolError(msg) from err

    def _choose_ports(self) -> None:
        """Keep to the ports of the last start; where another program took one, choose another and say so."""
        state, kept = self.state, self.state.kept
        nest, home_assistant = free_port_like(kept.nest_port), free_port_like(kept.home_assistant_port)
        if home_assistant != kept.home_assistant_port:
            say(f"Port {kept.home_assistant_port} is taken, so Home Assistant uses {home_assistant}.")
        if nest != kept.nest_port:
            say(f"Port {kept.nest_port} is taken, so the Nest server uses {nest}.")
            if stored_entries(state.home_assistant, DOMAIN):
                replace_address(state.home_assistant, *(f"http://{LOOPBACK}:{port}" for port in (kept.nest_port, nest)))
                say("The link that is there already was moved along.")
        state.keep(nest_port=nest, home_assistant_port=home_assistant)

    async def _start_nest(self) -> None:
        state = self.state
        if not state.kept.has_account:
            await self.nest.add_account(USERNAME, state.kept.nest_password)
            state.keep(has_account=True)
        await keep_saying("starting the Nest server", self.nest.start(state.kept.nest_port))
        say(f"  The Nest server listens on {self.nest.base}")

    async def _start_home_assistant(self) -> None:
        await self.home_assistant.start(self.state.kept.home_assistant_port)
        say(f"  Home Assistant listens on {self.home_assistant.base}")

    def _last_word(self) -> str:
        """Return what Home Assistant said last, without the time and the like."""
        said = self.home_assistant.process.output().splitlines()
        return said[-1].rpartition("] ")[2].strip() if said else ""


@asynccontextmanager
async def started(
    state: StateFolder, python: str | Path = sys.executable, nest_options: Sequence[str] = ()
) -> AsyncIterator[Servers]:
    """Start both, and end both whatever happens."""
    servers = Servers(state, python, nest_options)
    try:
        await servers.start()
        yield servers
    except ToolError:
        # Whoever waited for an answer is less interesting than who stopped giving any, if that is known yet.
        await asyncio.sleep(NOTICED_WITHIN)
        for process in servers.processes:
            if process.exit_code is not None:
                process.fail(f"ended by itself, {process.ending}")
        raise
    finally:
        await servers.stop()


async def _wait_for(task: asyncio.Task[None]) -> None:
    await task
