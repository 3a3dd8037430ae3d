"""The command ``wwn-server``."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

from .cli import build_parser
from .commands import COMMANDS
from .commands.speech import REFUSED, CommandError, remark
from .configuration import ConfigurationError, settings_of
from .serving import ListenError
from .store import StoreError
from .tls import CertificateError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    command = COMMANDS[options.command, getattr(options, "action", None)]
    try:
        return command(settings_of(vars(options), os.environ), options)
    except (CertificateError, CommandError, ConfigurationError, ListenError, StoreError) as error:
        for line in str(error).splitlines():
            remark(f"wwn-server: {line}")
        return REFUSED


if __name__ == "__main__":
    sys.exit(main())
