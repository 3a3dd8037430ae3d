"""All that can be set, in one table: flags, environment, file and documents are made from it.

To add an option, add a row here, and a field of the same name (with ``_`` for ``-``) and its default to ``Settings``.
The function of a row takes text and returns the value, or raises ``ValueRefusedError`` with a sentence that says what
would do; there are some in ``values``. For an option that is on or off it is ``truth``: the flag is then ``--name`` or
``--no-name``. With ``many`` the flag may come more than once, and the field is a tuple.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from . import values
from .settings import DEFAULT_NAME

VARIABLE_PREFIX: Final = "WWN_SERVER_"

SERVER: Final = "server"
REACHED: Final = "how it is reached"
LIMITS: Final = "limits"
SIMULATED_HOME: Final = "simulated home"


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can be set; ``default`` is only for people, where the field's own would not tell them."""

    name: str
    take: Callable[[str], Any]
    metavar: str
    help: str
    group: str = SERVER
    many: bool = False
    default: str | None = None

    @property
    def field(self) -> str:
        """Return what it is called in ``Settings``."""
        return self.name.replace("-", "_")

    @property
    def flag(self) -> str:
        """Return what it is called on the command line."""
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        """Return what it is called in the environment."""
        return VARIABLE_PREFIX + self.field.upper()

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off."""
        return self.take is values.truth


OPTIONS: Final = (
    Option("data", values.folder, "DIR", "where accounts and links are kept"),
    Option("host", values.host, "ADDRESS", "address to listen on; 127.0.0.1 is this machine only"),
    Option("port", values.port, "PORT", "port to listen on; 0 picks a free one"),
    Option("name", values.server_name, "NAME", "what hubs call this server, kept once said", default=DEFAULT_NAME),
    Option("announce", values.truth, "YES", "announce the server on the network (mDNS)"),
    Option("log-format", values.one_of("text", "json"), "text|json", "how the log on standard error is written"),
    Option(
        "log-level",
        values.one_of("debug", "info", "warning", "error"),
        "LEVEL",
        "log this and worse: debug, info, warning or error",
    ),
    Option("shard", values.port, "PORT", "send hubs to this second port for data, as Google's service did"),
    Option(
        "base-url", values.base_url, "URL", "where people's browsers reach this server, if not where hubs do", REACHED
    ),
    Option("allow-host", values.host_name, "NAME", "a name it is asked by, beside local names", REACHED, many=True),
    Option("trusted-proxy", values.network, "NET", "a proxy whose X-Forwarded headers hold", REACHED, many=True),
    Option("certificate", values.folder, "FILE", "serve https with this certificate (PEM, with its chain)", REACHED),
    Option("key", values.folder, "FILE", "its private key, where that is in another file", REACHED),
    Option("connections-per-address", values.count, "N", "how many one address may have open", REACHED),
    Option("limits", values.truth, "YES", "limit how often hubs may ask, as the numbers below say", LIMITS),
    Option("limit-reads", values.count, "N", "reads of one link in ten minutes", LIMITS),
    Option("limit-streams", values.count, "N", "streams that one link opens in ten minutes", LIMITS),
    Option("limit-writes", values.count, "N", "writes of one link in an hour", LIMITS),
    Option("limit-changes", values.count, "N", "writes to one device or home by all links in an hour", LIMITS),
    Option("seed", values.whole_number, "N", "the same number makes the same home", SIMULATED_HOME),
    Option("speed", values.speed, "X", "how fast its time passes; 0 stands still", SIMULATED_HOME),
    Option("scale", values.one_of("C", "F"), "C|F", "the thermostats' temperature scale", SIMULATED_HOME),
)
