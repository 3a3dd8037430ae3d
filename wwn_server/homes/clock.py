"""The time zone of the machine, for homes of which no source tells where they are."""

from __future__ import annotations

from functools import cache
import os
from pathlib import Path
from typing import Final

_ZONE_FILE: Final = Path("/etc/localtime")
_ZONES: Final = "zoneinfo/"


@cache
def own_time_zone() -> str:
    """Return the IANA name of the machine's zone, ``UTC`` where it does not say."""
    named = os.environ.get("TZ", "").removeprefix(":")
    if named and not named.startswith("/"):
        return named
    _, found, name = str(Path(named or _ZONE_FILE).resolve()).partition(_ZONES)
    return name.removeprefix("posix/") if found else "UTC"
