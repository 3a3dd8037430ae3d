"""The command line of script/chaos: one mode at a time, each a row."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
import sys
from typing import Final

from tools.errors import ToolError

DESCRIPTION: Final = """\
Faults between a real Home Assistant and the real server, drawn from seeds, and whether the truth about every alarm came
through. Everything runs on 127.0.0.1, in temporary folders.
"""


@dataclass(frozen=True, slots=True)
class Mode:
    """One thing the command can do. play: does it and returns the exit code. take: reads what it is told."""

    flag: str
    metavar: str
    help: str
    play: Callable[[argparse.Namespace], int]
    take: Callable[[str], object]

    @property
    def field(self) -> str:
        """What the parser calls it."""
        return self.flag.removeprefix("--")


def _seeds(options: argparse.Namespace) -> int:
    from .campaign import campaign  # noqa: PLC0415 - brings all of Home Assistant, which other modes do without

    return campaign(range(options.seeds), say, options.json, options.workers)


def _these(options: argparse.Namespace) -> int:
    from .campaign import campaign  # noqa: PLC0415 - as above

    return campaign(options.these, say, options.json, options.workers)


def _seed(options: argparse.Namespace) -> int:
    from .campaign import one  # noqa: PLC0415 - as above

    return one(options.seed, say, is_verbose=options.verbose)


def _kill(options: argparse.Namespace) -> int:
    from .kill import kill  # noqa: PLC0415 - as above

    return kill(options.kill, say, options.json)


def _fuzz(options: argparse.Namespace) -> int:
    from .fuzz import fuzz  # noqa: PLC0415 - as above

    return fuzz(options.fuzz, say, options.json)


def _faults(options: argparse.Namespace) -> int:
    from .endurance import endurance  # noqa: PLC0415 - as above

    return endurance(options.faults, say, options.json)


def _soak(options: argparse.Namespace) -> int:
    from .soak import soak  # noqa: PLC0415 - as above

    return soak(options.soak, options.devices, say, options.json)


def _number(text: str) -> int:
    if not text.isdecimal():
        msg = f"{text!r} is not a whole number"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _numbers(text: str) -> list[int]:
    return [_number(each) for each in text.split(",")]


MODES: Final = (
    Mode("--seeds", "N", "play the runs of the seeds from 0 to N-1 and print one table", _seeds, _number),
    Mode("--these", "N,N", "the same with the seeds that are named", _these, _numbers),
    Mode("--seed", "N", "play the run of this one seed; with -v tell all that happens in it", _seed, _number),
    Mode("--kill", "N", "the server alone: cut its power N times at its work, and look what is lost", _kill, _number),
    Mode("--fuzz", "N", "the server alone: send it N requests of nonsense, and look what they break", _fuzz, _number),
    Mode("--faults", "N", "one fault after another on one link, and see whether anything piles up", _faults, _number),
    Mode("--soak", "MINUTES", "at the speed of life, a home in which everything changes each second", _soak, _number),
)


def parser() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = argparse.ArgumentParser(prog="script/chaos", description=DESCRIPTION)
    modes = parser.add_mutually_exclusive_group(required=True)
    for mode in MODES:
        modes.add_argument(mode.flag, type=mode.take, metavar=mode.metavar, help=mode.help)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the same figures to a file")
    parser.add_argument("--workers", type=_number, metavar="N", help="processes at once (default: three for each core)")
    parser.add_argument("--devices", type=_number, default=100, metavar="N", help="with --soak: how many there are")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell more")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run what was asked for and return the exit code."""
    options = parser().parse_args(arguments)
    mode = next(mode for mode in MODES if getattr(options, mode.field) is not None)
    try:
        return mode.play(options)
    except (ToolError, OSError) as err:
        print(f"\nscript/chaos: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)
