"""What may be logged: who asked for what, and nothing that opens anything."""

from __future__ import annotations

import logging
import re
from typing import Final
from urllib.parse import unquote

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError

ACCESS_LOG: Final = logging.getLogger("wwn_server.access")
# For the HTTP server underneath, which shows the bytes of a request it can't read.
HTTP_LOG: Final = logging.getLogger("wwn_server.http")

# The singular too: mixing the two up is an old slip of clients (protocol 1.1), and theirs is a true token.
_TOKEN_IN_PATH: Final = re.compile(r"(access_tokens?/).+", re.IGNORECASE)
# Whatever looks like one, wherever it stands.
_TOKEN: Final = re.compile(r"\bc\.[A-Za-z0-9_-]{20,}")


def mask(raw_path: str) -> str:
    """Return a request's path as it may be logged: no query, no token."""
    path, question_mark, _ = raw_path.partition("?")
    masked = _TOKEN.sub("***", _TOKEN_IN_PATH.sub(r"\1***", unquote(path)))
    return f"{masked}?***" if question_mark else masked


def _without_the_request(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError | RequestPayloadError):
        record.exc_info = None
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.msg = f"A request could not be read ({type(error).__name__}): {record.msg}"
    return True


HTTP_LOG.addFilter(_without_the_request)
