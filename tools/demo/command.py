"""The command line of script/demo."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
import signal
import sys
from typing import Final

from tools.errors import ToolError

from .check import check
from .stay import stay
from .voice import say

DESCRIPTION: Final = """\
Starts a Works with Nest server with a simulated home, and a real Home Assistant with this integration; links the two
the way a person does; shows the entities, the addresses and the sign-ins; stays up until Ctrl-C.
Both listen on 127.0.0.1 only. Everything is kept in the folder .demo for the next start.

With --sources the home is not simulated but made of what stands behind it: smoke detectors on a real MQTT broker
(Mosquitto), and thermostats of NoLongerEvil. Detectors and thermostats themselves are fakes that speak the real wire.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = argparse.ArgumentParser(prog="script/demo", description=DESCRIPTION)
    parser.add_argument("--fresh", action="store_true", help="forget the home of earlier starts and start over")
    parser.add_argument("--unlinked", action="store_true", help="do not link; leave that to you")
    parser.add_argument(
        "--sources", action="store_true", help="a home of its own, of thermostats and detectors that stand behind it"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="link a home of its own, change something on either side, say when both showed it, and end;"
        " the exit code is not 0 if anything did not arrive",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="with --check: write the same figures to a file")
    parser.add_argument(
        "--home-assistant", metavar="RELEASE", help="with --check: use this release, in an environment of its own"
    )
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run what was asked for and return the exit code."""
    options = parser().parse_args(arguments)
    if options.check and (options.fresh or options.unlinked):
        parser().error("--check uses a new home of its own, so --fresh and --unlinked mean nothing with it")
    if options.json and not options.check:
        parser().error("--json needs --check")
    if options.home_assistant and not options.check:
        parser().error("--home-assistant needs --check")
    try:
        return asyncio.run(_until_told(options))
    except (ToolError, OSError) as err:
        print(f"\nscript/demo: {err}", file=sys.stderr)
        return 1


async def _until_told(options: argparse.Namespace) -> int:
    """Run it, and end it in order when the terminal or the system says so."""
    work = asyncio.create_task(
        check(options.json, options.home_assistant, with_sources=options.sources)
        if options.check
        else stay(is_fresh=options.fresh, is_unlinked=options.unlinked, with_sources=options.sources)
    )
    told: list[int] = []

    def tell_to_end(number: int) -> None:
        say("\nEnding ..." if not told else "Still ending; a moment.")
        if not told:
            work.cancel()
        told.append(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, tell_to_end, number)
    try:
        return await work
    except asyncio.CancelledError:
        # A check that was cut short has shown nothing.
        return 128 + told[0] if options.check else 0
