"""The table of all fields is what the code reads, and leaves nothing out."""

from pathlib import Path

import pytest

from tools import entities_table, wire_fields
from wwn_server.document import ALARMS, STRUCTURES, THERMOSTATS
from wwn_server.permissions import KNOWN_FIELDS


def without_unit(field: str) -> str:
    return field.removesuffix("_c").removesuffix("_f") if "temp" in field and field != "temperature_scale" else field


@pytest.mark.parametrize(
    ("listed", "group", "beside"),
    [
        (wire_fields.THERMOSTAT, THERMOSTATS, set()),
        (wire_fields.ALARM, ALARMS, set()),
        (wire_fields.STRUCTURE, STRUCTURES, {"cameras", "wwn_security_state", "devices", "eta"}),
    ],
)
def test_every_field_that_a_server_sends_is_in_the_table(listed: tuple[str, ...], group: str, beside: set[str]) -> None:
    sent = {without_unit(field) for field in KNOWN_FIELDS[group]}
    assert sent | beside == set(listed)
    assert len(set(listed)) == len(listed)


def test_the_document_holds_what_the_code_reads(capsys: pytest.CaptureFixture[str]) -> None:
    assert entities_table.main([]) == 0, capsys.readouterr().err


def test_no_row_is_empty() -> None:
    rows = [line for line in entities_table.DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert len(rows) == len(wire_fields.THERMOSTAT) + len(wire_fields.ALARM) + len(wire_fields.STRUCTURE)
    assert all(len(row.split("|")[2].strip()) > len("climate") - 1 for row in rows)


def test_a_field_that_is_neither_shown_nor_explained_is_found() -> None:
    with pytest.raises(ValueError, match="humidity of a thermostat"):
        list(entities_table.rows("thermostat", entities_table.uses() | {("thermostat", "humidity"): set()}))


def test_a_reason_for_what_is_shown_is_found() -> None:
    found = entities_table.uses() | {("alarm", "locale"): {"sensor *Language*"}}
    with pytest.raises(ValueError, match="locale of a alarm"):
        list(entities_table.rows("alarm", found))


def test_a_document_that_is_out_of_date_is_said_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "entities.md"
    assert entities_table.main([], file) == 1
    assert "out of date; run this with --write" in capsys.readouterr().err
    assert entities_table.main(["--write"], file) == 0
    assert file.read_text(encoding="utf-8") == entities_table.DOCUMENT.read_text(encoding="utf-8")
