"""The quality scale is kept honestly: every rule is there, and what can be held by a program is."""

import ast
import json
from pathlib import Path
import tomllib
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
INTEGRATION = ROOT / "custom_components" / "works_with_nest"
SCALE = yaml.safe_load((INTEGRATION / "quality_scale.yaml").read_text(encoding="utf-8"))["rules"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
AUTOMATIONS = (ROOT / "docs" / "automations.md").read_text(encoding="utf-8")
TEXTS = json.loads((INTEGRATION / "translations" / "en.json").read_text(encoding="utf-8"))

# All rules of the four tiers, as of 2026.11.
RULES = {
    "bronze": """action-setup appropriate-polling brands common-modules config-flow config-flow-test-coverage
        dependency-transparency docs-actions docs-conditions docs-high-level-description
        docs-installation-instructions docs-removal-instructions docs-triggers entity-event-setup entity-unique-id
        has-entity-name runtime-data test-before-configure test-before-setup unique-config-entry""",
    "silver": """action-exceptions config-entry-unloading docs-configuration-parameters docs-installation-parameters
        entity-unavailable integration-owner log-when-unavailable parallel-updates reauthentication-flow
        test-coverage""",
    "gold": """devices diagnostics discovery discovery-update-info docs-data-update docs-examples
        docs-known-limitations docs-supported-devices docs-supported-functions docs-troubleshooting docs-use-cases
        dynamic-devices entity-category entity-device-class entity-disabled-by-default entity-translations
        exception-translations icon-translations reconfiguration-flow repair-issues stale-devices""",
    "platinum": "async-dependency inject-websession strict-typing",
}


def test_every_rule_is_there_once_with_what_holds_it_or_why_not() -> None:
    assert {tier: len(rules.split()) for tier, rules in RULES.items()} == {
        "bronze": 20,
        "silver": 10,
        "gold": 21,
        "platinum": 3,
    }
    assert SCALE.keys() == {rule for rules in RULES.values() for rule in rules.split()}
    for rule, said in SCALE.items():
        assert said.keys() == {"status", "comment"}, rule
        assert said["status"] in {"done", "exempt", "todo"}, rule
        assert said["status"] != "done" or (ROOT / said["comment"]).is_file(), f"no test holds {rule}"


def test_no_tier_is_claimed_that_is_not_reached() -> None:
    manifest = json.loads((INTEGRATION / "manifest.json").read_text(encoding="utf-8"))
    is_open = any(said["status"] == "todo" for said in SCALE.values())
    assert not is_open or "quality_scale" not in manifest


def test_an_owner_is_named_as_soon_as_the_project_lives_somewhere() -> None:
    manifest = json.loads((INTEGRATION / "manifest.json").read_text(encoding="utf-8"))
    is_published = not manifest["documentation"].endswith(".example")
    assert bool(manifest["codeowners"]) is is_published
    assert SCALE["integration-owner"]["status"] == ("done" if is_published else "exempt")


def test_what_is_common_to_all_stands_where_it_is_looked_for() -> None:
    for name in ("coordinator.py", "entity.py", "config_flow.py", "diagnostics.py", "repairs.py", "system_health.py"):
        assert (INTEGRATION / name).is_file(), name


@pytest.mark.parametrize(
    "words",
    [
        "Google ended its Works with Nest service",
        "## Link your Home Assistant",
        "### The integration",
        "## Ending it",
        "## Limits of this version",
        "## How fresh it is",
        "### What can be set",
        "docs/troubleshooting.md",
    ],
)
def test_the_readme_says_what_a_user_has_to_know(words: str) -> None:
    assert words in README


@pytest.mark.parametrize("kind", ["services", "triggers", "conditions"])
def test_every_action_trigger_and_condition_is_described_in_the_documents(kind: str) -> None:
    assert [name for name in TEXTS[kind] if f"`{name}`" not in AUTOMATIONS] == []


def test_every_option_of_a_link_is_described() -> None:
    for label in TEXTS["options"]["step"]["init"]["data"].values():
        assert label in README, label


def test_the_session_is_home_assistants() -> None:
    made = [
        f"{file.name}: {ast.unparse(node)}"
        for file in INTEGRATION.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "ClientSession"
    ]
    assert made == []


def test_types_are_checked_strictly() -> None:
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert settings["strict"] is True
    assert "custom_components/works_with_nest" in settings["files"]
