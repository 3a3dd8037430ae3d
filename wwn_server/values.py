"""What people may say for an option: each function turns text into a value or says why not."""

from __future__ import annotations

from collections.abc import Callable
import ipaddress
import math
from pathlib import Path
from typing import Final, Never

from .addresses import split
from .refused import ValueRefusedError
from .settings import Network
from .store.accounts import LONGEST_NAME

FASTEST: Final = 3600.0
_LAST_PORT: Final = 65535
# Python refuses to read numbers of thousands of digits.
_MOST_DIGITS: Final = 18
_LONGEST_NAME: Final = 60
_TRUTHS: Final = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def truth(value: str) -> bool:
    """Take yes or no."""
    said = _TRUTHS.get(value.lower())
    return _refuse(f"{value!r} is neither true nor false") if said is None else said


def folder(value: str) -> Path:
    """Take the path of a file or folder; ``~`` is the user's own."""
    if not value or "\0" in value:
        _refuse(f"{value!r} is not the name of a file or folder")
    return Path(value).expanduser()


def host(value: str) -> str:
    """Take an address to listen on."""
    found = value.removeprefix("[").removesuffix("]")
    if not found or any(each.isspace() or each in "/@?#" for each in found):
        _refuse(f"{value!r} is not an address to listen on, such as 127.0.0.1 or 0.0.0.0")
    return found


def port(value: str) -> int:
    """Take a port; 0 is any free one."""
    if not _is_digits(value) or int(value) > _LAST_PORT:
        _refuse(f"{value!r} is not a port: a number from 0 to {_LAST_PORT}")
    return int(value)


def server_name(value: str) -> str:
    """Take what hubs call the server."""
    return _line(value, _LONGEST_NAME, "a name")


def account_name(value: str) -> str:
    """Take what a person is called who signs in."""
    return _line(value, LONGEST_NAME, "a person's name")


def base_url(value: str) -> str:
    """Take scheme and host of an address."""
    parts = split(value)
    if parts is None or parts.path not in {"", "/"} or parts.query:
        _refuse(f"{value!r} is not an address such as https://nest.example or http://nas:9553")
    return f"{parts.scheme}://{parts.netloc}"


def host_name(value: str) -> str:
    """Take the name of a host, without scheme and port."""
    parts = split(f"http://{value}")
    if parts is None or parts.netloc != value or parts.port is not None:
        _refuse(f"{value!r} is not the name of a host, such as nest.example")
    return value.lower().removesuffix(".")


def network(value: str) -> Network:
    """Take an address or a network."""
    try:
        return ipaddress.ip_network(value, strict=False)
    except ValueError:
        return _refuse(f"{value!r} is not an address such as 192.168.1.2 or a network such as 172.18.0.0/16")


def whole_number(value: str) -> int:
    """Take a whole number of either sign."""
    if not _is_digits(value.removeprefix("-")):
        _refuse(f"{value!r} is not a whole number")
    return int(value)


def count(value: str) -> int:
    """Take how often something may happen."""
    if not _is_digits(value) or not int(value):
        _refuse(f"{value!r} is not a number of times: a whole number from 1")
    return int(value)


def speed(value: str) -> float:
    """Take how fast a simulated home lives."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    return number if 0 <= number <= FASTEST else _refuse(f"{value!r} is not a speed: a number from 0 to {FASTEST:.0f}")


def one_of(*words: str) -> Callable[[str], str]:
    """Return what takes one of these words."""

    def take(value: str) -> str:
        return value if value in words else _refuse(f"{value!r} is not one of {', '.join(words)}")

    return take


def _line(value: str, longest: int, what: str) -> str:
    line = value.strip()
    if not line or len(line) > longest or not line.isprintable():
        _refuse(f"{what} has one to {longest} characters on one line")
    return line


def _is_digits(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS


def _refuse(message: str) -> Never:
    raise ValueRefusedError(message)
