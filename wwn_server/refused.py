"""The refusal of a value that somebody set."""

from __future__ import annotations

import argparse


class ValueRefusedError(argparse.ArgumentTypeError):
    """A value makes no sense; the message says what would. The parser of flags shows it as it is."""
