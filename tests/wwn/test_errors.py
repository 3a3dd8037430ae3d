"""Errors by anchor and status, never by text."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from custom_components.works_with_nest.wwn import errors
from custom_components.works_with_nest.wwn.errors import (
    WwnAuthError,
    WwnBlockedError,
    WwnError,
    WwnForbiddenError,
    WwnNotFoundError,
    WwnRefusedError,
    WwnResponseError,
    WwnServerError,
    WwnWaitError,
    parse_retry_after,
    response_error,
)

DOCS = "https://developer.nest.com/documentation/cloud/error-messages"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, WwnRefusedError),
        (401, WwnAuthError),
        (403, WwnForbiddenError),
        (404, WwnNotFoundError),
        (409, WwnRefusedError),
        (429, WwnBlockedError),
        (500, WwnServerError),
        (502, WwnServerError),
        (503, WwnServerError),
    ],
)
def test_each_status_has_its_type(status: int, kind: type[WwnResponseError]) -> None:
    assert type(response_error(status, None)) is kind


def test_a_data_error_keeps_anchor_message_and_instance() -> None:
    body = {"error": "blocked", "type": f"{DOCS}#blocked", "message": "Blocked", "instance": "1234"}
    error = response_error(429, body)
    assert (error.status, error.kind, error.message, error.instance) == (429, "blocked", "Blocked", "1234")
    assert str(error) == "429 blocked: Blocked"


def test_a_token_error_keeps_word_description_and_instance() -> None:
    body = {"error": "oauth2_error", "error_description": "authorization code not found", "instance_id": "1234"}
    error = response_error(400, body)
    assert (error.kind, error.message, error.instance) == ("oauth2_error", "authorization code not found", "1234")


@pytest.mark.parametrize("body", [None, [], "text", {}, {"error": 3, "type": {}, "message": None}])
def test_an_answer_without_words_is_still_its_error(body: object) -> None:
    error = response_error(503, body)
    assert (type(error), error.message, str(error)) == (WwnServerError, "", "503")


@pytest.mark.parametrize(
    ("header", "seconds"), [(None, None), ("7", 7.0), (" 90 ", 90.0), ("soon", None), ("-3", None), ("", None)]
)
def test_retry_after_in_seconds_absent_or_unreadable(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header) == seconds


def test_retry_after_as_a_date() -> None:
    later = datetime.now(UTC) + timedelta(seconds=100)
    assert parse_retry_after(format_datetime(later, usegmt=True)) == pytest.approx(100, abs=3)
    assert parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT") == 0.0


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("Not in away mode", "Not in away mode"),
        ("one\r\ntwo\tthree  four", "one two three four"),
        ("\x1b[31mred\u2028\u202eline", "[31mred line"),
        ("é" * 200, "é" * 200),
        ("x" * 5000, "x" * 199 + "…"),
        (" \n ", ""),
    ],
)
def test_what_a_server_says_is_one_short_line(said: str, line: str) -> None:
    error = response_error(400, {"error": said, "message": said, "instance": said})
    assert (error.kind, error.message, error.instance) == (line, line, line)


def test_every_error_derives_from_the_one_base() -> None:
    found = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert len(found) > 12
    assert all(issubclass(value, WwnError) and value.__name__.endswith("Error") for value in found)


@pytest.mark.parametrize(
    ("status", "header", "waits"),
    [
        (429, None, 60),
        (429, "9", 60),
        (429, "90", 90),
        (429, "99999", 3600),
        (503, None, 0),
        (503, "9", 9),
        (503, "99", 60),
    ],
)
def test_waiting_is_what_the_server_says_within_reason(status: int, header: str | None, waits: float) -> None:
    err = response_error(status, {}, header)
    assert isinstance(err, WwnWaitError)
    assert err.wait == waits
