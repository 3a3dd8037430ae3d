"""Server-sent events from raw bytes, by the WHATWG rules and the oddities of protocol 4.3."""

from collections.abc import Iterator
from dataclasses import dataclass, field
import re
from typing import Final

from .const import MAX_EVENT_BYTES
from .errors import WwnEventTooLargeError

BOM: Final = b"\xef\xbb\xbf"
LINE_ENDS: Final = (b"\n", b"\r")
# A service in trouble writes its error as a bare line of JSON, with no framing around it (protocol 4.3).
BARE_ERROR: Final = re.compile(rb'\s*\{\s*"error"\s*:')

# What fields and events are called, also those that are not known yet; a line without a field is a comment.
WORD_OR_NONE: Final = re.compile(rb"([a-z][a-z_-]*)?")


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One complete event. name: "message" where the server gave none. data: UTF-8 as it came, lines joined by LF.

    is_doubtful: with it or since the event before came what no server writes, so another event may be lost.
    """

    name: str
    data: bytes
    is_doubtful: bool = field(default=False, compare=False)


class EventParser:
    """Turns chunks of a stream into events; how the bytes are cut into chunks makes no difference.

    An event is complete with its blank line; one that the end of the stream cuts short is dropped. Ids and retry
    times mean nothing here (protocol 4.3) and are passed over.
    """

    def __init__(self, max_bytes: int = MAX_EVENT_BYTES) -> None:
        """Start at the beginning of a stream. max_bytes: what one event may hold before it counts as broken."""
        self._max_bytes = max_bytes
        self._size = 0
        self._line = bytearray()
        self._name = ""
        self._data: list[bytes] = []
        self._ended_with_cr = False
        self._at_start = True
        self._doubt = False

    @property
    def is_between_events(self) -> bool:
        """Whether nothing of an event is here that is not complete."""
        return not (self._line or self._name or self._data)

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Return the events that this chunk completes. Raises WwnEventTooLargeError."""
        return [event for line in self._lines(chunk) if (event := self._event(line)) is not None]

    def _lines(self, chunk: bytes) -> Iterator[bytes]:
        """Yield each line that the chunk ends, and keep the rest."""
        if self._ended_with_cr and chunk:
            # The other half of a CR LF, cut between the two.
            self._ended_with_cr = False
            chunk = chunk.removeprefix(b"\n")
        # Of bytes these are the line ends of the rules, and no others. A regular expression takes 50 times as long.
        parts = chunk.splitlines()
        rest = None if chunk.endswith(LINE_ENDS) or not parts else parts.pop()
        for part in parts:
            self._grow(part)
            yield self._joined(part)
        if rest:
            self._grow(rest)
            self._line += rest
        if chunk.endswith(b"\r"):
            self._ended_with_cr = True

    def _grow(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._max_bytes:
            msg = f"an event passed {self._max_bytes} bytes"
            raise WwnEventTooLargeError(msg)

    def _joined(self, part: bytes) -> bytes:
        """Return the whole line that ends with this part."""
        if self._line:
            self._line += part
            part = bytes(self._line)
            self._line.clear()
        if self._at_start:
            self._at_start = False
            part = part.removeprefix(BOM)
        return part

    def _event(self, line: bytes) -> ServerSentEvent | None:
        """Take one line; return the event it completes, if any."""
        if not line:
            return self._completed()
        if BARE_ERROR.match(line):
            return ServerSentEvent("error", line)
        field, value = _parts(line)
        self._doubt |= not WORD_OR_NONE.fullmatch(field)
        if field == b"data":
            self._data.append(value)
            return None
        if field == b"event":
            self._name = value.decode("utf-8", "replace")
            self._doubt |= not WORD_OR_NONE.fullmatch(value)
        # Only what is kept counts: comments may come for years without an event between them.
        self._size -= len(line)
        return None

    def _completed(self) -> ServerSentEvent | None:
        name, data = self._name, self._data
        self._name, self._data, self._size = "", [], 0
        # What a document is without its name, or its name without it.
        self._doubt |= data[0].startswith(b"{") and not name if data else name == "put"
        if not data:
            return None
        doubt, self._doubt = self._doubt, False
        return ServerSentEvent(name or "message", b"\n".join(data), doubt)


def _parts(line: bytes) -> tuple[bytes, bytes]:
    """Return the field of a line and its value, without the blank in front of that; it may be large, so copied once."""
    colon = line.find(b":")
    if colon < 0:
        return line, b""
    return line[:colon], line[colon + 2 if line[colon + 1 : colon + 2] == b" " else colon + 1 :]
