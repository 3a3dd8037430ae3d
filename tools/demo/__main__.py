"""``python -m tools.demo``, which script/demo runs."""

import signal
import sys


def main() -> int:
    """Run the demo and return its exit code."""
    # Until the demo has its own way of ending in order, Ctrl-C just ends it, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .command import run  # noqa: PLC0415 - after that line

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
