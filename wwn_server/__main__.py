"""The command ``wwn-server``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from .cli import build_parser
from .commands import COMMANDS
from .commands.speech import REFUSED, CommandError, remark
from .configuration import ConfigurationError, settings_of
from .logs import write_logs
from .serving import ListenError
from .store import StoreError
from .tls import CertificateError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = build_parser().parse_args(arguments)
    command = COMMANDS[options.command, getattr(options, "action", None)]
    try:
        settings = settings_of(vars(options), os.environ)
        write_logs(settings)
        return command(settings, options)
    except (CertificateError, CommandError, ConfigurationError, ListenError, StoreError) as error:
        for line in str(error).splitlines():
            remark(f"wwn-server: {line}")
        return REFUSED


if __name__ == "__main__":
    sys.exit(main())
