"""The demo itself: start, link, show, and stay up until Ctrl-C."""

from typing import Final

from tools.home_assistant import HomeAssistantApi, LiveStates
from tools.linking import DOMAIN
from tools.paths import DEMO

from .devices import KITCHEN, Devices, devices_behind, options_of
from .link import link_now
from .servers import Servers, started
from .state import USERNAME, held
from .table import EntityTable
from .voice import keep_saying, say

ROWS_WITHIN: Final = 10.0
SAY: Final = ".venv/bin/python -m tools.fakes.publish"

SIGN_INS: Final = """\
Sign-ins (only for this demo, on this machine only)

  Home Assistant   {home_assistant}
                   name {username}, password {home_assistant_password}
  Nest home        {nest}/console
                   name {username}, password {nest_password}

  Logs             {logs}
"""

TO_TRY: Final = """\
What to try

  Open both pages side by side.
  On the Nest home's console: let an alarm report smoke, and see it in Home Assistant and here.
  On the console: set the home to away; presence changes and the thermostats go into eco.
  In Home Assistant: set a temperature, and see it on the console.
"""

TO_TRY_WITH_SOURCES: Final = """\
What to try

  Open both pages side by side.
  In Home Assistant: set a temperature, and the home to away; see the thermostats behind the home follow on the console.
  In another terminal, in this folder, let the detector in the kitchen say smoke, and then that it is over:

    {say} '{{"smoke": true}}'
    {say} '{{"smoke": false}}'
"""

TO_LINK: Final = """\
Linking is yours to do

  In Home Assistant: Settings, Devices & services, Add integration, "Works with Nest".
  Address of the server: {nest}
  Sign in on the server's page with the Nest home's sign-in, and accept.
"""


async def stay(*, is_fresh: bool, is_unlinked: bool, with_sources: bool = False) -> int:
    """Run the demo until it is told to stop."""
    folder = DEMO / ("sources" if with_sources else "state")
    async with (
        held(folder, fresh=is_fresh) as state,
        devices_behind(state, wanted=with_sources) as devices,
        started(state, nest_options=options_of(state, devices)) as servers,
    ):
        while True:
            await _session(servers, devices, link_first=not is_unlinked)
            # Only a Home Assistant that restarts ends a session without an error.
            await servers.restart_home_assistant()


async def _session(servers: Servers, devices: Devices | None, *, link_first: bool) -> None:
    """Show everything, as long as both run. Raises ToolError where one ended without being asked to."""
    states = LiveStates()
    async with servers.signed_in() as api, api.socket() as socket:
        await states.follow(socket)
        async with EntityTable(socket, states) as table:
            is_linked = await _link(servers, api, link_first=link_first)
            if is_linked and not await keep_saying("waiting for entities", table.wait_for_rows(ROWS_WITHIN)):
                say("No entities yet; they are shown here when they come.")
            _tell(servers, devices, is_linked=is_linked)
            ended = await servers.first_ended()
    if not servers.wants_restart(ended):
        ended.fail(f"ended by itself, {ended.ending}")


async def _link(servers: Servers, api: HomeAssistantApi, *, link_first: bool) -> bool:
    """Link if there is no link yet and the demo is to make one; return whether there is one."""
    entries = await api.entries(DOMAIN)
    for entry in entries:
        say(f'Already linked: "{entry["title"]}"')
        if entry["state"] != "loaded":
            say(f"  Home Assistant could not set it up yet ({entry['state']}): {entry['reason'] or 'no reason given'}")
            say("  Look under Settings, Devices & services, or start over with --fresh.")
    if entries or not link_first:
        return bool(entries)
    async with servers.person() as person:
        await link_now(api, person)
    return True


def _tell(servers: Servers, devices: Devices | None, *, is_linked: bool) -> None:
    kept = servers.state.kept
    values = {
        "home_assistant": servers.home_assistant.base,
        "home_assistant_password": kept.home_assistant_password,
        "nest": servers.nest.base,
        "nest_password": kept.nest_password,
        "logs": servers.state.logs,
        "username": USERNAME,
    }
    say(SIGN_INS.format(**values))
    if devices:
        values["say"] = f"{SAY} {devices.broker.address} zigbee2mqtt/{KITCHEN}"
    to_try = TO_TRY_WITH_SOURCES if devices else TO_TRY
    say((to_try if is_linked else TO_LINK).format(**values))
    say("Ctrl-C ends both. The next start goes on from here; --fresh starts over.")
    say()
