"""The two sides share no code, and the hub's half of the protocol knows nothing of Home Assistant."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
INTEGRATION = ROOT / "custom_components" / "works_with_nest"
WIRE = INTEGRATION / "wwn"
SERVER = ROOT / "wwn_server"


def imported(file: Path) -> Iterator[str]:
    """Yield the full name of every module that a file imports, wherever in it the import stands."""
    package = file.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *([node.module] if node.module else [])))
            yield from (f"{base}.{alias.name}" for alias in node.names)


def strangers(folder: Path, *forbidden: str) -> list[str]:
    return [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in sorted(folder.rglob("*.py"))
        for name in imported(file)
        if any(name == each or name.startswith(f"{each}.") for each in forbidden)
    ]


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        pytest.param(WIRE, ("homeassistant", "wwn_server", "voluptuous", "probatio"), id="the wire"),
        pytest.param(INTEGRATION, ("wwn_server", "tools", "tests"), id="the integration"),
        pytest.param(SERVER, ("homeassistant", "custom_components", "tools", "tests"), id="the server"),
    ],
)
def test_no_side_imports_what_is_not_its_own(folder: Path, forbidden: tuple[str, ...]) -> None:
    assert len(list(folder.rglob("*.py"))) > 5
    assert strangers(folder, *forbidden) == []


def test_the_wire_imports_nothing_of_the_integration_around_it() -> None:
    own = "custom_components.works_with_nest.wwn"
    around = [
        f"{file.name} imports {name}"
        for file in sorted(WIRE.rglob("*.py"))
        for name in imported(file)
        if name.startswith("custom_components") and not (name == own or name.startswith(f"{own}."))
    ]
    assert around == []


def test_a_forbidden_import_would_be_found(tmp_path: Path) -> None:
    file = WIRE / "models.py"
    found = set(imported(file))
    assert {"collections.abc.Mapping", "logging"} <= found
    assert strangers(WIRE, "logging")
    relative = list(imported(WIRE / "client.py"))
    assert "custom_components.works_with_nest.wwn.auth.NestServer" in relative
