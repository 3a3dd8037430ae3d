"""The command line: what can be said."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import __version__
from .options import OPTIONS, Option
from .settings import Settings, default_config_file
from .spoken import FAMILIES, SPOKEN
from .values import folder

if TYPE_CHECKING:
    from collections.abc import Iterable

_COMMAND: Final = "wwn-server"
_USAGE: Final = """wwn-server [options]
       wwn-server [options] COMMAND ..."""
_DESCRIPTION: Final = """\
A Works with Nest server: the Nest side of a link, at home.

It shows a home (thermostats, home/away, smoke and carbon monoxide alarms) to hubs
such as Home Assistant. A hub asks on this server's page which data it would like
and why; you sign in, accept or go back, and can end the link at any time. The home
is simulated, so there is nothing to configure.

Google's own Works with Nest service ended on 29 September 2023. This server is
independent of it: not made by, affiliated with, or connected to Google or Nest.
"""

_EPILOG: Final = """\
examples:
  wwn-server account add anna          make the owner's account, once
  wwn-server                           serve on http://127.0.0.1:9553
  wwn-server --host 0.0.0.0            serve to the local network and announce it there
  wwn-server check --host 0.0.0.0      see whether that would work
  wwn-server --port 0 --speed 60       any free port; one minute passes each second
  wwn-server account add ben < FILE    the same, with the password from a file

Every option can be set in the environment, too (WWN_SERVER_BASE_URL for --base-url),
and in a file (base-url = "..."). Flags win over the environment, that over the file.

When it listens it prints one line, "Listening on http://HOST:PORT". Ctrl-C ends it.
"""
_CONFIG_HELP: Final = "TOML file with the same options (default: {}, if it is there)"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; without a command the server serves. What was not said is ``None``."""
    parser = argparse.ArgumentParser(
        prog=_COMMAND,
        usage=_USAGE,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    _add_options(parser, default=None)
    _add_commands(parser)
    return parser


def _add_options(parser: argparse.ArgumentParser, options: Iterable[Option] = OPTIONS, *, default: str | None) -> None:
    config_help = _CONFIG_HELP.format(default_config_file())
    parser.add_argument("--config", type=folder, metavar="FILE", default=default, help=config_help)
    groups: dict[str, argparse._ArgumentGroup] = {}
    for option in options:
        if option.group not in groups:
            groups[option.group] = parser.add_argument_group(option.group)
        groups[option.group].add_argument(option.flag, **_described(option), default=default)


def _described(option: Option) -> dict[str, Any]:
    said = f"{option.help}{_default_of(option)}".replace("%", "%%")
    if option.is_switch:
        return {"action": argparse.BooleanOptionalAction, "help": said}
    return {
        "type": option.take,
        "metavar": option.metavar,
        "help": said,
        "action": "append" if option.many else "store",
    }


def _default_of(option: Option) -> str:
    default = default_text(option)
    return f" (default: {default})" if default else ""


def default_text(option: Option) -> str:
    """Return what holds for an option of which nothing was said, for people."""
    default = getattr(Settings(), option.field)
    if option.default is not None or default in (None, ()):
        return option.default or ""
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, Path):
        return str(default).replace(str(Path.home()), "~", 1)
    return f"{default:g}" if isinstance(default, float) else str(default)


def _add_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", prog=_COMMAND)
    families = {name: _family(commands, name, text) for name, text in FAMILIES.items()}
    for (command, action), spoken in SPOKEN.items():
        where, name = (families[command], action) if action else (commands, command)
        description = spoken.description or f"{spoken.help[0].upper()}{spoken.help[1:]}."
        each = where.add_parser(name, help=spoken.help, description=description)
        for argument, described in spoken.arguments.items():
            each.add_argument(argument, **described)
        # Options may stand after the command as well; there they must not undo what stands before it.
        _add_options(each, spoken.options, default=argparse.SUPPRESS)


type _Parsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no other name


def _family(commands: _Parsers, name: str, text: str) -> _Parsers:
    return commands.add_parser(name, help=text).add_subparsers(dest="action", metavar="ACTION", required=True)
