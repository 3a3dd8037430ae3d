"""Each sentence that a person can meet is in the document, with cause and cure."""

from pathlib import Path

import pytest

from tools import troubleshooting
from tools.causes import CAUSES


def test_the_document_holds_every_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert troubleshooting.main([]) == 0, capsys.readouterr().err


def test_every_sentence_has_a_cause_and_every_cause_a_sentence() -> None:
    assert CAUSES.keys() == troubleshooting.keys()
    assert all(cause and cure for cause, cure in CAUSES.values())


def test_a_sentence_that_is_missing_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "troubleshooting.md"
    lines = troubleshooting.text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if "home.nest.com" not in line and "PIN" not in line))
    assert troubleshooting.main([], file) == 1
    assert "--write" in capsys.readouterr().err
    assert troubleshooting.main(["--write"], file) == 0
    assert troubleshooting.main([], file) == 0
