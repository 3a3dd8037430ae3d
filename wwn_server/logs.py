"""What may be logged: who asked for what, and nothing that opens anything; as lines for people or for programs."""

from __future__ import annotations

from datetime import UTC, datetime
import logging
import re
import sys
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError
import orjson

if TYPE_CHECKING:
    from types import TracebackType

    from .settings import Settings

ACCESS_LOG: Final = logging.getLogger("wwn_server.access")
# For the HTTP server underneath, which shows the bytes of a request it can't read.
HTTP_LOG: Final = logging.getLogger("wwn_server.http")

# The singular too: mixing the two up is an old slip of clients (protocol 1.1), and theirs is a true token.
_TOKEN_IN_PATH: Final = re.compile(r"(access_tokens?/).+", re.IGNORECASE)
_TOKEN_IN_TEXT: Final = re.compile(r"(access_tokens?/)[^\s\"']+", re.IGNORECASE)
# Whatever looks like one, wherever it stands.
_TOKEN: Final = re.compile(r"\bc\.[A-Za-z0-9_-]{20,}")
# What would be secret in a query or a form, should one ever get into a sentence.
_SECRET_FIELD: Final = re.compile(
    r"\b((?:auth|code|client_secret|code_verifier|csrf|password|again|state|wwn_session)=)[^&\s;\"']+", re.IGNORECASE
)


def write_logs(settings: Settings) -> None:
    """Write to standard error what this program says, and of what it uses only what is amiss."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMATS[settings.log_format]())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("wwn_server").setLevel(settings.log_level.upper())


class TextLines(logging.Formatter):
    """Lines for people. What others sent can't pretend to be a line of its own."""

    def __init__(self) -> None:
        """Begin each line with the time."""
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the line, without what a traceback may add below it."""
        record.message = _one_line(redact(record.message))
        return super().formatMessage(record)

    def formatException(self, error: _Error) -> str:  # noqa: N802
        """Return a traceback."""
        return redact(super().formatException(error))


class JsonLines(logging.Formatter):
    """One JSON object on each line, for programs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _one_line(redact(record.getMessage())),
        }
        if record.exc_info:
            said["traceback"] = redact(self.formatException(record.exc_info))
        return orjson.dumps(said | getattr(record, "fields", {})).decode()


FORMATS: Final[dict[str, type[logging.Formatter]]] = {"text": TextLines, "json": JsonLines}

type _Error = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def log_access(remote: str | None, method: str, raw_path: str, status: int, milliseconds: float) -> None:
    """Log that a request was answered."""
    # To mask what nobody reads takes a tenth of what a read takes.
    if not ACCESS_LOG.isEnabledFor(logging.INFO):
        return
    fields = {
        "remote": remote,
        "method": method,
        "path": mask(raw_path),
        "status": status,
        "milliseconds": round(milliseconds),
    }
    ACCESS_LOG.info("%s %s %s %d in %d ms", *fields.values(), extra={"fields": fields})


def redact(text: str) -> str:
    """Return a sentence without what opens anything."""
    return _TOKEN.sub("***", _TOKEN_IN_TEXT.sub(r"\1***", _SECRET_FIELD.sub(r"\1***", text)))


def _one_line(text: str) -> str:
    return text if text.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in text)


def mask(raw_path: str) -> str:
    """Return a request's path as it may be logged: no query, no token."""
    path, question_mark, _ = raw_path.partition("?")
    masked = _TOKEN.sub("***", _TOKEN_IN_PATH.sub(r"\1***", unquote(path)))
    return _one_line(f"{masked}?***" if question_mark else masked)


def _without_the_request(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    # Whoever sends nonsense or leaves in the middle of a request makes no mistake of ours.
    if isinstance(error, HttpProcessingError | RequestPayloadError | ConnectionError):
        record.exc_info = None
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.msg = f"A request could not be read ({type(error).__name__}): {record.msg}"
    return True


HTTP_LOG.addFilter(_without_the_request)
