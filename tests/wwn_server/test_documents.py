"""What the documents of the server say is so: named tests exist, and the unit for systemd uses options that exist."""

import ast
from pathlib import Path
import re

import pytest

from wwn_server.cli import build_parser

DOCS = Path(__file__).parents[2] / "docs"
SECURITY = DOCS / "security.md"
UNIT = DOCS / "wwn-server.service"


def named_tests() -> list[str]:
    """Return every test that the document names, as pytest would be told."""
    return sorted(set(re.findall(r"`(test_\w+\.py(?:::\w+)*)`", SECURITY.read_text(encoding="utf-8"))))


def known_names(file: Path) -> set[str]:
    """Return what pytest would find in a file, classes and their tests included."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            found |= {node.name, *(f"{node.name}::{each.name}" for each in node.body if hasattr(each, "name"))}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
    return found


def test_enough_is_named() -> None:
    assert len(named_tests()) > 30


@pytest.mark.parametrize("name", named_tests())
def test_every_test_that_is_named_exists(name: str) -> None:
    file, _, inside = name.partition("::")
    assert (Path(__file__).parent / file).is_file()
    assert not inside or inside in known_names(Path(__file__).parent / file)


def test_every_requirement_has_a_test_or_says_that_there_is_nothing() -> None:
    rows = [line for line in SECURITY.read_text(encoding="utf-8").splitlines() if re.match(r"\| \d", line)]
    assert len(rows) > 15
    without = [row.split("|")[1].strip() for row in rows if "`test_" not in row]
    assert without == ["2.2.2, 4.14", "4.6, 4.9, 4.15, 4.17"]


def test_the_unit_says_what_the_command_understands() -> None:
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    commands = [
        line.partition("=")[2].split()[1:] for line in lines if line.startswith(("ExecStart=", "ExecStartPre="))
    ]
    assert [build_parser().parse_args(each).command for each in commands] == ["check", None]
    keys = [line.partition("=")[0] for line in lines if "=" in line and not line.startswith("#")]
    assert {"DynamicUser", "ProtectSystem", "NoNewPrivileges", "StateDirectory", "ExecReload"} <= set(keys)
    assert len(keys) == len(set(keys))
