"""What a command says: results on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from typing import Final

OK: Final = 0
REFUSED: Final = 2


class CommandError(Exception):
    """A command can't do what was asked; the message is for people."""


def tell(text: str) -> None:
    """Write a line of the result."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def remark(text: str) -> None:
    """Write a line beside the result."""
    sys.stderr.write(f"{text}\n")
