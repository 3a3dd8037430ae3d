"""The command line of script/bench."""

import argparse
from collections.abc import Iterator, Sequence
import json
from pathlib import Path
import sys
import time
from typing import Final

from tools.errors import ToolError

from .figures import Figure, table

DESCRIPTION: Final = """\
What the link costs Home Assistant and what the server can do, each as a ratio to a baseline that is measured in turns
with it: machines differ, and are busy with other things. Everything runs on 127.0.0.1, in temporary folders.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = argparse.ArgumentParser(prog="script/bench", description=DESCRIPTION)
    parser.add_argument("--quick", action="store_true", help="the short form: fewer rounds, and at most 100 devices")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the same figures to a file")
    parser.add_argument("--write", action="store_true", help="put the run into docs/performance.md, with its picture")
    parser.add_argument("--only", metavar="NAME", help="only this station, for those who work on it")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Measure, print the table, and return the exit code: not 0 where something could not be measured."""
    options = parser().parse_args(arguments)
    try:
        figures = list(_figures(options))
    except ToolError as err:
        print(f"\nscript/bench: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    shown = [each for each in figures if each.has_goal]
    say("\n" + "\n".join(table(shown)))
    for each in shown:
        if each.limit:
            say(f"\n{each.row.name}: {each.limit}")
    if options.json:
        options.json.write_text(json.dumps([each.as_dict() for each in shown], indent=2) + "\n", encoding="utf-8")
    if options.write:
        from .note import write  # noqa: PLC0415 - only here somebody draws

        write(figures)
    return 0


def _figures(options: argparse.Namespace) -> Iterator[Figure]:
    from . import stations  # noqa: PLC0415 - brings all of Home Assistant, which a look at the options does without

    form, begun = stations.QUICK if options.quick else stations.FULL, time.monotonic()
    # Counted and not timed, so that all else can go on beside it.
    counted = stations.idle_links(form) if options.only in (None, stations.idle_links.__name__) else ()
    for station, sizes in stations.plan(form):
        if options.only in (None, station.__name__):
            for devices in sizes:
                say(f"{time.monotonic() - begun:4.0f} s  {station.__name__}, {devices} devices ...")
                yield from station(form, devices)
    yield from counted
    say(f"{time.monotonic() - begun:4.0f} s")


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)
