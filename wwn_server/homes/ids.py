"""Ids that say nothing, fit into a URL, and are the same after every start."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

# Lengths seen on the wire (protocol 3.1).
DEVICE_ID_LENGTH: Final = 32
STRUCTURE_ID_LENGTH: Final = 54


def opaque_id(length: int, *words: str) -> str:
    """Return an id of at most 85 characters that stands for these words only."""
    hashed = hashlib.sha512("\0".join(words).encode()).digest()
    return base64.urlsafe_b64encode(hashed).decode()[:length]
