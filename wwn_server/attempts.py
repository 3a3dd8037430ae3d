"""Secrets that can be guessed at, and how often: these limits are never off."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import time
from typing import TYPE_CHECKING, Final

from .limits import SlidingWindow
from .store.database import digest

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS: Final = 15 * 60
_PER_NAME: Final = 10
_PER_ADDRESS: Final = 30
_CODES_PER_ADDRESS: Final = 10
# What one household or machine has of the addresses of IPv6.
_OWN_BITS: Final = 64

# Without characters that are taken for one another.
_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_GROUP: Final = 4


def new_code(groups: int) -> str:
    """Return a code that a person can type, 20 bits in each of its groups."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(groups))


def code_digest(typed: str) -> bytes:
    """Return what is kept of a code, however it was typed: case, spaces and dashes say nothing."""
    return digest("".join(each for each in typed.upper() if each in _ALPHABET))


class SignInAttempts:
    """Attempts at passwords, by the name that is tried and by the address they come from."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with nobody known."""
        self._names = SlidingWindow(_PER_NAME, _SECONDS, clock)
        self._addresses = SlidingWindow(_PER_ADDRESS, _SECONDS, clock)

    def wait(self, name: str, address: str) -> float:
        """Count one more, and return 0; or return the seconds until there is room."""
        # Who has to wait uses up no attempts at names: they would keep others out, and fill the memory.
        return self._addresses.wait(_network(address)) or self._names.wait(_key(name))

    def succeeded(self, name: str, address: str) -> None:
        """Start anew with who knew the password."""
        self._names.forget(_key(name))
        self._addresses.forget(_network(address))


class CodeAttempts:
    """Attempts at codes that stand for no name, by the address they come from."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with nobody known."""
        self._addresses = SlidingWindow(_CODES_PER_ADDRESS, _SECONDS, clock)

    def wait(self, address: str) -> float:
        """Count one more, and return 0; or return the seconds until there is room."""
        return self._addresses.wait(_network(address))

    def succeeded(self, address: str) -> None:
        """Start anew with who had a code."""
        self._addresses.forget(_network(address))


class SetUpCode:
    """What proves that somebody sees what this server prints: new at each start, kept as a hash."""

    def __init__(self) -> None:
        """Have none yet."""
        self._digest: bytes | None = None

    def renew(self) -> str:
        """Return a new code, which from now on is the only one."""
        code = new_code(2)
        self._digest = code_digest(code)
        return code

    def forget(self) -> None:
        """Let no code fit any more."""
        self._digest = None

    def fits(self, typed: str) -> bool:
        """Say whether this is the code."""
        return hmac.compare_digest(self._digest or secrets.token_bytes(32), code_digest(typed))


def _key(name: str) -> str:
    # As the store compares names, and no longer than a name can be.
    return name.strip().casefold()[:64]


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4 or parsed.is_loopback:  # noqa: PLR2004
        return str(parsed)
    return str(ipaddress.ip_network((parsed, _OWN_BITS), strict=False))
