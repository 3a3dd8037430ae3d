"""Each sentence in which something did not work, with its cause and its cure, as docs/troubleshooting.md.

Prints whether the document holds exactly that; with --write, makes it so.
"""

from collections.abc import Iterator
import json
from pathlib import Path
import sys
from typing import Any, Final

from tools.causes import CAUSES
from tools.made import compare_or_write
from tools.paths import CHECKOUT

DOCUMENT: Final = CHECKOUT / "docs" / "troubleshooting.md"
TEXTS: Final = json.loads((CHECKOUT / "custom_components" / "works_with_nest" / "translations" / "en.json").read_text())

HEAD: Final = """# Troubleshooting

Every sentence in which something did not work, with its cause and what to do. Made by
`python -m tools.troubleshooting --write`; a test holds it complete. A word in braces stands for what is told there."""

# Where each kind of sentence is met.
SECTIONS: Final = {
    "In the dialogues that link, change or set a link": (
        ("config", "error"),
        ("config", "abort"),
        ("options", "error"),
        ("options", "abort"),
    ),
    "Before the server's page opens": (("selector", "notice", "options"),),
    "When something is changed or fetched": (("exceptions",),),
    "Repairs": (("issues",),),
}


def sentences(value: Any) -> Iterator[str]:
    """Yield every text below some texts."""
    if isinstance(value, str):
        yield value
    else:
        for each in value.values():
            yield from sentences(each)


def found(paths: tuple[tuple[str, ...], ...]) -> dict[str, list[str]]:
    """Return the sentences of some sections, by their key."""
    said: dict[str, list[str]] = {}
    for path in paths:
        texts: Any = TEXTS
        for name in path:
            texts = texts[name]
        for key, value in texts.items():
            said.setdefault(key, [])
            said[key] += [each for each in sentences(value) if each not in said[key]]
    return said


def keys() -> set[str]:
    """Return the key of every sentence."""
    return {key for paths in SECTIONS.values() for key in found(paths)}


def text() -> str:
    """Return the document. Raises KeyError where a sentence has no cause."""
    parts = [HEAD]
    for title, paths in SECTIONS.items():
        parts.append(f"## {title}")
        rows = ["| What is said | Cause | What to do |", "|---|---|---|"]
        for key, said in sorted(found(paths).items()):
            cause, cure = CAUSES[key]
            lines = "<br>".join(" ".join(each.split()).replace("|", "\\|") for each in said)
            rows.append(f"| {lines} | {cause} | {cure} |")
        parts.append("\n".join(rows))
    return "\n\n".join(parts) + "\n"


def main(arguments: list[str] | None = None, file: Path = DOCUMENT) -> int:
    """Compare, or write."""
    return compare_or_write("troubleshooting", __doc__, file, lambda _: text(), arguments)


if __name__ == "__main__":
    sys.exit(main())
