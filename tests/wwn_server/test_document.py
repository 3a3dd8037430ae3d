from typing import Any
from urllib.parse import quote

from hypothesis import given, strategies as st

from wwn_server.document import MISSING, Document, absolute, look_up, parse_path

SEGMENT = st.text(min_size=1, max_size=20).filter(lambda text: not text.endswith(".json"))
LEAF = st.none() | st.booleans() | st.integers() | st.text()
TREE = st.recursive(LEAF, lambda inner: st.dictionaries(SEGMENT, inner, max_size=4) | st.lists(inner, max_size=3))


def encoded(path: tuple[str, ...]) -> str:
    return "/" + "/".join(quote(segment, safe="", errors="surrogatepass") for segment in path)


@given(st.lists(SEGMENT.filter(lambda text: text.isprintable()), max_size=5), st.sampled_from(["", "/", ".json"]))
def test_a_path_is_what_its_segments_say(segments: list[str], suffix: str) -> None:
    raw = encoded(tuple(segments)) + (suffix if segments else "")
    assert parse_path(raw) == tuple(segments)


@given(st.text())
def test_any_path_can_be_read_and_looked_up(raw: str) -> None:
    path = parse_path(raw)
    assert look_up({"devices": {}}, path) in ({"devices": {}}, {}, MISSING)


@given(st.lists(st.text("abc", min_size=1), max_size=4))
def test_an_event_names_the_path_that_was_asked_for(segments: list[str]) -> None:
    path = tuple(segments)
    assert parse_path(absolute(path)) == path


@given(TREE)
def test_every_node_is_found_at_its_path(tree: Any) -> None:
    def walk(value: Any, path: tuple[str, ...]) -> None:
        assert look_up(tree, path) is value
        if isinstance(value, dict | list):
            for key, child in value.items() if isinstance(value, dict) else enumerate(value):
                walk(child, (*path, str(key)))

    walk(tree, ())


@given(TREE, st.lists(SEGMENT, min_size=1, max_size=4))
def test_below_a_leaf_there_is_nothing(tree: Any, more: list[str]) -> None:
    if not isinstance(tree, dict | list):
        assert look_up(tree, tuple(more)) is MISSING


def test_null_is_something() -> None:
    assert look_up({"label": None}, ("label",)) is None


def test_positions_of_a_list_are_written_in_one_way() -> None:
    for odd in ("01", "-1", "+0", "0 ", "\u0660", "1"):
        assert look_up({"thermostats": ["a"]}, ("thermostats", odd)) is MISSING


def test_empty_groups_are_absent() -> None:
    assert Document({"thermostats": {}, "structures": {}}).tree() == {}
    assert Document({"thermostats": {"a": {"device_id": "a"}}}).tree() == {
        "devices": {"thermostats": {"a": {"device_id": "a"}}}
    }


def test_the_next_document_keeps_what_did_not_change() -> None:
    first = Document().successor({"structures": {"a": {"x": 1}, "b": {"x": 1}}})
    second = first.successor({"structures": {"a": {"x": 1}, "b": {"x": 2}}})
    assert (first.version, second.version) == (1, 2)
    assert second.group("structures")["a"] is first.group("structures")["a"]
    assert second.group("structures")["b"] == {"x": 2}
    assert first.group("structures")["b"] == {"x": 1}


def test_what_stays_the_same_is_the_same_document() -> None:
    document = Document().successor({"structures": {"a": {"x": 1}}})
    assert document.successor({"structures": {"a": {"x": 1}}}) is document


def test_things_can_go() -> None:
    document = Document().successor({"structures": {"a": {"x": 1}, "b": {"x": 1}}})
    assert document.successor({"structures": {"a": {"x": 1}}}).tree() == {"structures": {"a": {"x": 1}}}
