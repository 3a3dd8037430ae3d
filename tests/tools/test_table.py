from tools.demo.table import lines, row
from tools.home_assistant import State


def state(entity_id: str, word: str, **attributes: object) -> State:
    return State(entity_id=entity_id, state=word, attributes=attributes)


def test_a_row_has_the_name_and_the_unit() -> None:
    temperature = state("sensor.hall", "20.5", friendly_name="Hall", unit_of_measurement="°C")
    assert row(temperature) == ("sensor.hall", "Hall", "20.5 °C")


def test_an_entity_without_a_name_is_shown_by_its_id() -> None:
    assert row(state("sensor.hall", "on")) == ("sensor.hall", "sensor.hall", "on")


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert lines([("a.b", "A longer name", "on"), ("binary.cd", "B", "off")]) == [
        "Entity     Name           State",
        "---------  -------------  -----",
        "a.b        A longer name  on",
        "binary.cd  B              off",
    ]
