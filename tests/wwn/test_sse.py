"""The event-stream parser, held to the WHATWG rules and to protocol 4.3."""

import tracemalloc

from hypothesis import example, given, strategies as st
import pytest

from custom_components.works_with_nest.wwn.errors import WwnEventTooLargeError
from custom_components.works_with_nest.wwn.sse import EventParser, ServerSentEvent


def parse(stream: bytes) -> list[tuple[str, bytes]]:
    return [(event.name, event.data) for event in EventParser().feed(stream)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        pytest.param(b"event: put\ndata: {}\n\n", [("put", b"{}")], id="one event"),
        pytest.param(b"event: put\r\ndata: {}\r\n\r\n", [("put", b"{}")], id="CR LF"),
        pytest.param(b"event: put\rdata: {}\r\r", [("put", b"{}")], id="CR"),
        pytest.param(b"event: put\rdata: {}\r\n\n", [("put", b"{}")], id="mixed line ends"),
        pytest.param(b"\xef\xbb\xbfevent: put\ndata: {}\n\n", [("put", b"{}")], id="byte order mark"),
        pytest.param(b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [("message", b"a")], id="a mark later on is no mark"),
        pytest.param(b": a comment\n\nevent: put\n:another\ndata: 1\n\n", [("put", b"1")], id="comments"),
        pytest.param(b"data: YHOO\ndata: +2\ndata: 10\n\n", [("message", b"YHOO\n+2\n10")], id="data of three lines"),
        pytest.param(b"data:no space\n\n", [("message", b"no space")], id="no space after the colon"),
        pytest.param(b"data:  two\n\n", [("message", b" two")], id="only one space is taken off"),
        pytest.param(b"data\n\n", [("message", b"")], id="a field without a colon"),
        pytest.param(b"data\ndata\n\n", [("message", b"\n")], id="two empty data lines"),
        pytest.param(b"event: open\n\ndata: 1\n\n", [("message", b"1")], id="an event without data is none"),
        pytest.param(b"id: 7\nretry: 10\nfoo: bar\ndata: 1\n\n", [("message", b"1")], id="other fields"),
        pytest.param(b"event: put\ndata: {}\n", [], id="cut off before the blank line"),
        pytest.param(b'{"error":"blocked"}\n', [("error", b'{"error":"blocked"}')], id="a bare line of error"),
        pytest.param(
            b'event: put\ndata: 1\n\n{"error" : "x"}\nevent: put\ndata: 2\n\n',
            [("put", b"1"), ("error", b'{"error" : "x"}'), ("put", b"2")],
            id="a bare line between events",
        ),
        pytest.param(b"event: \xff\ndata: \xff\n\n", [("�", b"\xff")], id="bytes that are no UTF-8"),
    ],
)
def test_stream_gives_the_events_that_the_rules_give(stream: bytes, events: list[tuple[str, bytes]]) -> None:
    assert parse(stream) == events


LINES = st.sampled_from(
    [
        b"event: put",
        b"event: keep-alive",
        b"data: null",
        b'data: {"path":"/","data":{}}',
        b"data: \xc3\xa9\xe2\x82\xac",
        b": comment",
        b"",
        b"",
        b'{"error":"blocked"}',
        b"\xef\xbb\xbf",
        b"retry: 1",
    ]
)
STREAMS = st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\r\n", b"\r"]))).map(
    lambda lines: b"".join(line + end for line, end in lines)
)


@given(stream=st.one_of(STREAMS, st.binary()), data=st.data())
@example(stream=b"data: a\r\n\r\n", data=None)
def test_any_split_into_chunks_gives_the_same_events(stream: bytes, data: st.DataObject | None) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream))))) if data else [8]
    parser = EventParser()
    events: list[ServerSentEvent] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        events += parser.feed(stream[start:end])
    assert [(event.name, event.data) for event in events] == parse(stream)


@given(stream=STREAMS)
def test_one_byte_at_a_time_gives_the_same_events(stream: bytes) -> None:
    parser = EventParser()
    events = [event for byte in stream for event in parser.feed(bytes([byte]))]
    assert [(event.name, event.data) for event in events] == parse(stream)


def test_a_line_of_ten_megabytes_in_small_chunks_is_one_event() -> None:
    parser = EventParser()
    events = parser.feed(b"data: ")
    for _ in range(160):
        events += parser.feed(b"x" * 65536)
    events += parser.feed(b"\n\n")
    assert [len(event.data) for event in events] == [160 * 65536]


def test_a_long_line_byte_by_byte_takes_no_more_than_its_own_length() -> None:
    parser = EventParser()
    tracemalloc.start()
    try:
        parser.feed(b"data: ")
        for _ in range(300_000):
            parser.feed(b"x")
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()
    assert [len(event.data) for event in parser.feed(b"\n\n")] == [300_000]


def test_an_event_over_the_limit_is_an_error_before_it_ends() -> None:
    parser = EventParser(max_bytes=1000)
    parser.feed(b"data: " + b"x" * 900)
    with pytest.raises(WwnEventTooLargeError):
        parser.feed(b"x" * 200)


def test_many_small_lines_of_one_event_over_the_limit_are_an_error() -> None:
    parser = EventParser(max_bytes=1000)
    with pytest.raises(WwnEventTooLargeError):
        parser.feed(b"data: xxxx\n" * 200)


def test_comments_for_years_are_no_large_event() -> None:
    parser = EventParser(max_bytes=1000)
    for _ in range(1000):
        assert parser.feed(b": still here\n") == []
    assert parser.feed(b"data: 1\n\n") == [ServerSentEvent("message", b"1")]


def test_events_one_after_the_other_do_not_add_up_to_the_limit() -> None:
    parser = EventParser(max_bytes=100)
    for _ in range(50):
        assert len(parser.feed(b"event: put\ndata: {}\n\n")) == 1


@pytest.mark.parametrize(
    ("stream", "doubtful"),
    [
        (b"event: put\ndata: {}\n\n", [False]),
        (b"event: later-invented\ndata: 1\nsomething-new: 2\n: comment\n\n", [False]),
        (b"event: put\ndata: {}\n\nevent: keep-alive\ndata: null\n\n", [False, False]),
        (b"ev!ent: put\ndata: {}\n\n", [True]),
        (b"event: p{ut\ndata: {}\n\n", [True]),
        (b"event: put\nd\xffata: {}\n\nevent: keep-alive\ndata: null\n\n", [True]),
        (b"event: put\n\nevent: keep-alive\ndata: null\n\nevent: keep-alive\ndata: null\n\n", [True, False]),
        (b"data: {}\n\n", [True]),
        (b"data: 1\n\n", [False]),
        (b"event: open\n\nevent: keep-alive\ndata: null\n\n", [False]),
    ],
)
def test_what_no_server_writes_makes_the_next_event_doubtful(stream: bytes, doubtful: list[bool]) -> None:
    assert [event.is_doubtful for event in EventParser().feed(stream)] == doubtful


def test_a_parser_says_whether_a_part_of_an_event_is_here() -> None:
    parser = EventParser()
    assert parser.is_between_events
    for part in (b"ev", b"ent: put\n", b"data: {}\n"):
        parser.feed(part)
        assert not parser.is_between_events
    parser.feed(b"\n")
    assert parser.is_between_events
