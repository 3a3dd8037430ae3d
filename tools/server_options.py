"""The tables of the server's options and of its sources in its documentation, made from the options themselves.

Prints whether docs/server.md holds exactly that; with --write, makes it so.
"""

from pathlib import Path
import sys
from typing import Final

from tools.made import compare_or_write
from tools.paths import CHECKOUT
from wwn_server.cli import default_text
from wwn_server.homes.sources.kinds import KINDS
from wwn_server.options import OPTIONS

DOCUMENT: Final = CHECKOUT / "docs" / "server.md"
BEGIN: Final = "<!-- Begin: options (python -m tools.server_options --write) -->"
SOURCES_BEGIN: Final = "<!-- Begin: sources (python -m tools.server_options --write) -->"
END: Final = "<!-- End: options -->"


def table() -> str:
    """Return the table, markers included."""
    rows = [
        f"| `{each.flag}` | `{each.variable}` | {each.help.replace('|', ' or ')} | {_default(default_text(each))} |"
        for each in OPTIONS
    ]
    return "\n".join(
        [BEGIN, "", "| Flag | Environment | What it does | Default |", "|---|---|---|---|", *rows, "", END]
    )


def sources_table() -> str:
    """Return the table of what can be set of sources, markers included."""
    rows = [
        f"| `{name}` | `{each.in_file}` | {each.help} | {'needed' if each.required else _default(each.default)} |"
        for name, kind in KINDS.items()
        for each in kind.settings
    ]
    return "\n".join([SOURCES_BEGIN, "", "| Kind | Name | What it is | Default |", "|---|---|---|---|", *rows, "", END])


def replaced(document: str) -> str:
    """Return the document with these tables. Raises ValueError where it has no place for one."""
    for begin, made in ((BEGIN, table()), (SOURCES_BEGIN, sources_table())):
        before, found, rest = document.partition(begin)
        _, end, after = rest.partition(END)
        if not (found and end):
            msg = f"the document has no place for the table: the lines {begin!r} and {END!r} are missing"
            raise ValueError(msg)
        document = before + made + after
    return document


def main(arguments: list[str] | None = None, file: Path = DOCUMENT) -> int:
    """Compare, or write."""
    return compare_or_write("server_options", __doc__, file, replaced, arguments)


def _default(text: str) -> str:
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    sys.exit(main())
