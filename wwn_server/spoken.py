"""The commands beside serving, as they are said: one table, of which the parser is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from .options import OPTIONS, Option
from .permissions import PERMISSIONS
from .values import account_name, folder, server_name, whole_number

# What a script gets that asks for nothing else: to look, and to change nothing.
READING: Final = ("thermostat read", "smoke+co read", "away read")

_FOR_EVERY_COMMAND: Final = tuple(option for option in OPTIONS if option.name == "data")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A command as it is said: what it does, what it needs, and which options mean anything to it."""

    help: str
    arguments: dict[str, dict[str, Any]] = field(default_factory=dict)
    description: str | None = None
    options: tuple[Option, ...] = _FOR_EVERY_COMMAND


FAMILIES: Final[dict[str, str]] = {
    "account": "people who may sign in",
    "link": "what hubs may do with a home",
    "client": "hubs that introduced themselves",
}
_PERSON: Final[dict[str, dict[str, Any]]] = {"person": {"type": account_name, "metavar": "NAME"}}
_HOW_IT_IS_READ: Final = (
    "The password is read from standard input when that is not a terminal (one line), else it is asked for twice."
)
_LINK: Final[dict[str, dict[str, Any]]] = {
    "link": {"type": whole_number, "metavar": "ID", "help": "as link list shows it"}
}
_CLIENT: Final[dict[str, dict[str, Any]]] = {"client": {"metavar": "ID", "help": "as client list shows it"}}
_TOKEN: Final[dict[str, dict[str, Any]]] = {
    "title": {"type": server_name, "metavar": "NAME", "help": "what the page of connections calls it"},
    "--account": {"type": account_name, "metavar": "NAME", "help": "whose link it is (default: the owner's)"},
    "--permission": {
        "choices": list(PERMISSIONS),
        "action": "append",
        "metavar": "PERMISSION",
        "help": f"what it may do, once for each: {', '.join(PERMISSIONS)} (default: {', '.join(READING)})",
    },
}
SPOKEN: Final[dict[tuple[str, str | None], Spoken]] = {
    ("check", None): Spoken("see whether the server could start with what is set, and change nothing", options=OPTIONS),
    ("backup", None): Spoken(
        "copy accounts and links into a new file, also while the server runs",
        {"file": {"type": folder, "metavar": "FILE"}},
    ),
    ("token", None): Spoken(
        "make a link for a script of your own, and print its token, once",
        _TOKEN,
        "Make a link for a script of your own and print its token. It is not shown again; link list and the page of "
        "connections show the link, and removing it there ends the token.",
    ),
    ("account", "add"): Spoken(
        "add a person; the first one is the owner",
        _PERSON,
        f"Add a person; the first one is the owner. {_HOW_IT_IS_READ}",
    ),
    ("account", "list"): Spoken("list everybody who may sign in"),
    ("account", "remove"): Spoken("remove a member, with their sessions and the links they made", _PERSON),
    ("account", "password"): Spoken(
        "give a person another password, and sign them out everywhere",
        _PERSON,
        f"Give a person another password, and sign them out everywhere. {_HOW_IT_IS_READ}",
    ),
    ("link", "list"): Spoken("list every link"),
    ("link", "remove"): Spoken("end a link; a server that runs ends its streams within a second", _LINK),
    ("client", "list"): Spoken("list every hub that somebody accepted, or that waits for it"),
    ("client", "remove"): Spoken("forget a hub and end its links", _CLIENT),
}
