"""What Home Assistant would install at its first start, as a dependency group, so that a start needs no network.

Prints whether pyproject.toml holds exactly that for the installed Home Assistant; with --write, makes it so.
"""

from collections.abc import Iterable
from functools import cache
from importlib import resources
import json
from pathlib import Path
import sys
from typing import Any, Final

from tools.home_assistant.folder import DOMAINS
from tools.made import compare_or_write
from tools.paths import CUSTOM_COMPONENTS, PROJECT_FILE

OURS: Final = "works_with_nest"
BEGIN: Final = "# Begin: what Home Assistant's own start needs (python -m tools.home_assistant_requirements --write)"
END: Final = "# End: what Home Assistant's own start needs"


def requirements() -> list[str]:
    """Return the requirements of all that is set up in a start, sorted."""
    domains = with_dependencies(started_domains())
    after = {domain for each in domains for domain in manifest(each).get("after_dependencies", ())}
    found = {requirement for domain in domains | after for requirement in manifest(domain).get("requirements", ())}
    return sorted(found, key=str.lower)


def started_domains() -> set[str]:
    """Return what a start sets up: Home Assistant's defaults, what the demo configures, and ours."""
    # Heavy, and needed here only.
    from homeassistant.bootstrap import CORE_INTEGRATIONS, DEFAULT_INTEGRATIONS  # noqa: PLC0415

    return {*DEFAULT_INTEGRATIONS, *CORE_INTEGRATIONS, *DOMAINS, "zeroconf", OURS}


def with_dependencies(domains: Iterable[str]) -> set[str]:
    """Return domains and all they depend on, directly or not."""
    found: set[str] = set()
    pending = set(domains)
    while pending:
        found.add(domain := pending.pop())
        pending |= set(manifest(domain).get("dependencies", ())) - found
    return found


@cache
def manifest(domain: str) -> dict[str, Any]:
    """Return a manifest: of ours, of Home Assistant's, or an empty one for a platform that has none."""
    folder = CUSTOM_COMPONENTS / OURS if domain == OURS else resources.files("homeassistant") / "components" / domain
    file = folder / "manifest.json"
    content: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    return content


def group(found: Iterable[str]) -> str:
    """Return the lines of the dependency group, markers included."""
    return "\n".join([BEGIN, "home-assistant = [", *(f'  "{each}",' for each in found), "]", END])


def replaced(project: str, found: Iterable[str]) -> str:
    """Return the project file with this group. Raises ValueError where it has no place for it."""
    before, begin, rest = project.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        msg = f"pyproject.toml has no place for the group: the lines {BEGIN!r} and {END!r} are missing"
        raise ValueError(msg)
    return before + group(found) + after


def main(arguments: list[str] | None = None, file: Path = PROJECT_FILE) -> int:
    """Compare, or write."""
    return compare_or_write(
        "home_assistant_requirements", __doc__, file, lambda project: replaced(project, requirements()), arguments
    )


if __name__ == "__main__":
    sys.exit(main())
