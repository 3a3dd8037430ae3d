"""Documents and settings that a program makes, or a part of: whether a file holds exactly that, or making it so."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
import sys


def compare_or_write(
    module: str, about: str | None, file: Path, made: Callable[[str], str], arguments: Sequence[str] | None
) -> int:
    """Compare a file with what is made of it, or with --write, write it; return the exit code of the module's command.

    about: the module's own description. made: returns what a file should hold that now holds some text.
    """
    parser = argparse.ArgumentParser(prog=f"python -m tools.{module}", description=about)
    parser.add_argument("--write", action="store_true", help=f"write {file.name}")
    is_write = parser.parse_args(arguments).write
    present = file.read_text(encoding="utf-8") if file.exists() else ""
    wanted = made(present)
    if is_write:
        file.write_text(wanted, encoding="utf-8")
    if is_write or wanted == present:
        print(f"{file.name} is up to date.")
        return 0
    print(f"{file.name} is out of date; run this with --write.", file=sys.stderr)
    return 1
