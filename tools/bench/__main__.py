"""``python -m tools.bench``, which script/bench runs."""

import sys

from .command import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
