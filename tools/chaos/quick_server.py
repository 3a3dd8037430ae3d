"""The real server with its keep-alive shortened by the campaign's factor; everything else is as people run it."""

import sys

from tools.chaos.clocks import scaled
from wwn_server.__main__ import main
from wwn_server.settings import KEEP_ALIVE_SECONDS, Settings

if __name__ == "__main__":
    # There is no option for it, because nobody at home should set it.
    defaults = Settings.__init__.__kwdefaults__ or {}
    defaults["keep_alive_seconds"] = scaled(KEEP_ALIVE_SECONDS)
    sys.exit(main())
