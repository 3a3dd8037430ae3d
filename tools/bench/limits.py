"""Why a goal is out of reach, as the profile shows it. Said only where it was missed."""

from collections.abc import Mapping
from typing import Final

LIMITS: Final[Mapping[str, str]] = {}
