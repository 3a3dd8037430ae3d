"""Every test that the table of threats to the integration names is there."""

from pathlib import Path
import re

ROOT = Path(__file__).parent.parent


def test_every_test_that_is_named_exists() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8").partition("## The integration")[2]
    named = re.findall(r"`([\w/.]+\.py)::(\w+)`", text)
    assert len(named) > 10
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| What somebody")]
    assert [row for row in rows if "::" not in row] == []
    for file, name in named:
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file}::{name}"
