"""``python -m tools.chaos``, which script/chaos runs."""

import sys

from .command import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
