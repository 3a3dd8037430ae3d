from pathlib import Path

import pytest

from tools.server_options import DOCUMENT, main, replaced, table
from wwn_server.options import OPTIONS


@pytest.fixture(autouse=True)
def _usual_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)


def test_the_document_holds_the_options_as_they_are() -> None:
    assert main([]) == 0, "run python -m tools.server_options --write"
    text = DOCUMENT.read_text(encoding="utf-8")
    for option in OPTIONS:
        assert f"| `{option.flag}` | `{option.variable}` |" in text


def test_writing_makes_it_so(tmp_path: Path) -> None:
    file = tmp_path / "server.md"
    file.write_text(replaced(DOCUMENT.read_text(encoding="utf-8")).replace(table(), f"{table()[:70]}{table()[-26:]}"))
    assert main([], file) == 1
    assert main(["--write"], file) == 0
    assert file.read_text() == DOCUMENT.read_text(encoding="utf-8")


def test_a_document_without_a_place_for_it_is_refused() -> None:
    with pytest.raises(ValueError, match="has no place"):
        replaced("nothing")
