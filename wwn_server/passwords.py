"""Passwords, kept as Argon2id hashes."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
import os
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from .texts import t

# The smallest setting that OWASP recommends; it suits a Raspberry Pi.
_ITERATIONS: Final = 2
_LANES: Final = 1
_MEMORY_KIB: Final = 19 * 1024

SHORTEST_PASSWORD: Final = 8
# Longer ones would only be work for the server.
LONGEST_PASSWORD: Final = 1000


def password_problem(password: str) -> str | None:
    """Return why a password can't be taken, as a sentence for people."""
    if len(password) < SHORTEST_PASSWORD:
        return t("password.too_short", shortest=SHORTEST_PASSWORD)
    if len(password) > LONGEST_PASSWORD:
        return t("password.too_long", longest=LONGEST_PASSWORD)
    return None


def hash_password(password: str) -> str:
    """Return a salted hash in the PHC format."""
    argon = Argon2id(
        salt=os.urandom(16),
        length=32,
        iterations=_ITERATIONS,
        lanes=_LANES,
        memory_cost=_MEMORY_KIB,
    )
    return argon.derive_phc_encoded(password.encode())


def verify_password(password: str, phc: str) -> bool:
    """Say whether a password is the one of a hash."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), phc)
    except InvalidKey:
        return False
    return True


# What an unknown name is checked against, so that it costs the same as a known one.
_NOBODY: Final = hash_password(os.urandom(16).hex())


class Passwords:
    """Checks passwords beside the event loop, one after the other."""

    def __init__(self) -> None:
        """Start without a thread; the first check makes it."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="password")

    async def verify(self, password: str, phc: str | None) -> bool:
        """Say whether a password fits; without a hash it never does."""
        loop = asyncio.get_running_loop()
        cut = password[: LONGEST_PASSWORD + 1]
        fits = await loop.run_in_executor(self._pool, verify_password, cut, phc or _NOBODY)
        return fits and phc is not None

    async def hash(self, password: str) -> str:
        """Return what is kept of a password."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, hash_password, password)

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown()
