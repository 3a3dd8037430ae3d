"""Everything that can go wrong on the link, as types.

    WwnError
    ├── WwnConnectionError          nothing came back: refused, no route, no name, timed out
    │   └── WwnCertificateError     the other end could not prove who it is
    │       ├── WwnCertificateExpiredError   not valid any more, or not yet
    │       ├── WwnCertificateNameError      made for another name
    │       ├── WwnSelfSignedError           signed by itself: a person may compare and confirm it
    │       └── WwnCertificateChangedError   not the one that a person confirmed
    ├── WwnProtocolError            something came back that is not Works with Nest
    │   ├── WwnDiscoveryError       the address answers, but not as a Works with Nest server
    │   ├── WwnTooNewError          it speaks only a protocol that came later
    │   ├── WwnTooOldError          it speaks only a protocol that came before
    │   ├── WwnRedirectError        sent to a host that must not get the token, or in a circle
    │   ├── WwnEventTooLargeError   one event of the stream passed the size limit
    │   └── WwnStreamError          the stream reported an error or ended
    ├── WwnAddressError             what a person typed cannot be a server's address
    └── WwnResponseError            the server answered with an error (protocol 1.4 and 7)
        ├── WwnAuthError            401: the token is not accepted
        ├── WwnForbiddenError       403
        ├── WwnNotFoundError        404
        ├── WwnRefusedError         any other 4xx: not acceptable now, or ever
        └── WwnWaitError            not now
            ├── WwnBlockedError     429: too many requests
            └── WwnServerError      5xx

No message here ever carries a token, a code or a client secret.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, override

from .const import LONGEST_BLOCK, SHORTEST_BLOCK

# Characters of a text of a server's.
LONGEST_TEXT: Final = 200


class WwnError(Exception):
    """Anything that went wrong on the link."""


class WwnConnectionError(WwnError):
    """Nothing came back: refused, no route, no such name, timed out."""


class WwnCertificateError(WwnConnectionError):
    """The other end could not prove who it is."""


class WwnCertificateExpiredError(WwnCertificateError):
    """Its certificate is not valid any more, or not yet."""


class WwnCertificateNameError(WwnCertificateError):
    """Its certificate was made for another name or address."""


class WwnSelfSignedError(WwnCertificateError):
    """Its certificate is signed by itself, so only a person can tell whether it is the right one."""


class WwnCertificateChangedError(WwnCertificateError):
    """Its certificate is not the one that a person confirmed."""


class WwnProtocolError(WwnError):
    """Something came back that is not Works with Nest."""


class WwnDiscoveryError(WwnProtocolError):
    """The address answers, but not as a Works with Nest server."""


class WwnTooNewError(WwnProtocolError):
    """It speaks a version of the protocol that came after this code."""


class WwnTooOldError(WwnProtocolError):
    """It speaks a version of the protocol that this code does not speak any more."""


class WwnRedirectError(WwnProtocolError):
    """The server sent us to a host that must not get the token, or in a circle."""


class WwnEventTooLargeError(WwnProtocolError):
    """One event of the stream passed the size limit."""


class WwnStreamError(WwnProtocolError):
    """The stream reported an error, or ended."""


class AddressProblem(StrEnum):
    """Why a typed address cannot be used."""

    INVALID = "invalid"
    INSECURE = "insecure"
    GOOGLE = "google"
    PATH = "path"
    ORIGINAL = "original"


class WwnAddressError(WwnError):
    """What a person typed cannot be a server's address."""

    def __init__(self, problem: AddressProblem) -> None:
        """Keep why."""
        super().__init__(problem.value)
        self.problem = problem


class WwnResponseError(WwnError):
    """The server answered with an error.

    Its texts are one line each, and short: they are shown to persons and logged, whatever the server is.

    status: HTTP status. kind: the anchor of the error's type on the data API (protocol 7.1), or the OAuth error word
    (protocol 1.4); empty where the server gave none. message: the server's words for the person. instance: the
    server's id for this very answer, for its log.
    """

    def __init__(self, status: int, kind: str = "", message: str = "", instance: str = "") -> None:
        """Keep what the server said."""
        super().__init__(status, kind, message, instance)
        self.status = status
        self.kind = kind
        self.message = message
        self.instance = instance

    @override
    def __str__(self) -> str:
        """Read well in a log line."""
        said = f"{self.status} {self.kind}".strip()
        return f"{said}: {self.message}" if self.message else said


class WwnAuthError(WwnResponseError):
    """401: the token is missing, unknown or revoked."""


class WwnForbiddenError(WwnResponseError):
    """403: not allowed."""


class WwnNotFoundError(WwnResponseError):
    """404: no such thing for this token."""


class WwnRefusedError(WwnResponseError):
    """Not acceptable now, or ever: protocol 7.3."""


class WwnWaitError(WwnResponseError):
    """Not now. retry_after: seconds, or None where the server did not say (protocol 6)."""

    def __init__(
        self,
        status: int,
        kind: str = "",
        message: str = "",
        instance: str = "",
        retry_after: float | None = None,
    ) -> None:
        """Keep how long to wait."""
        super().__init__(status, kind, message, instance)
        self.retry_after = retry_after

    @property
    def wait(self) -> float:
        """Return the seconds to wait, within reason: one that is back early must not be missed for long."""
        return min(self.retry_after or 0, SHORTEST_BLOCK)


class WwnServerError(WwnWaitError):
    """5xx: the server's own fault."""


class WwnBlockedError(WwnWaitError):
    """429: too many requests."""

    @property
    @override
    def wait(self) -> float:
        """Return the seconds to wait, within reason."""
        return min(max(self.retry_after or 0, SHORTEST_BLOCK), LONGEST_BLOCK)


# What a stream reports has no status of its own; the anchor stands for it (protocol 4.3 and 7.2).
STATUS_OF_KIND: Final[Mapping[str, int]] = {
    "auth-error": HTTPStatus.UNAUTHORIZED,
    "unauthorized": HTTPStatus.UNAUTHORIZED,
    "forbidden": HTTPStatus.FORBIDDEN,
    "not-found": HTTPStatus.NOT_FOUND,
    "blocked": HTTPStatus.TOO_MANY_REQUESTS,
    "internal-error": HTTPStatus.INTERNAL_SERVER_ERROR,
    "service-unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}

ERROR_OF_STATUS: Final[Mapping[int, type[WwnResponseError]]] = {
    HTTPStatus.UNAUTHORIZED: WwnAuthError,
    HTTPStatus.FORBIDDEN: WwnForbiddenError,
    HTTPStatus.NOT_FOUND: WwnNotFoundError,
}


def response_error(status: int, body: object, retry_after: str | None = None) -> WwnResponseError:
    """Return the error for an answer: body is its parsed JSON or anything else, retry_after the header as it came."""
    said = body if isinstance(body, dict) else {}
    kind, message, instance = _kind(said), _first_text(said, "message", "error_description", "error"), _instance(said)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return WwnBlockedError(status, kind, message, instance, parse_retry_after(retry_after))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return WwnServerError(status, kind, message, instance, parse_retry_after(retry_after))
    return ERROR_OF_STATUS.get(status, WwnRefusedError)(status, kind, message, instance)


def reported_error(body: object) -> WwnError:
    """Return the error that a stream reported: body is its parsed JSON or anything else."""
    reported = response_error(HTTPStatus.OK, body)
    if (status := STATUS_OF_KIND.get(reported.kind.lower())) is not None:
        return response_error(status, body)
    msg = f"the stream reported {reported.kind or 'an error'}"
    return WwnStreamError(msg)


def parse_retry_after(header: str | None) -> float | None:
    """Return the seconds a Retry-After header says: in seconds or as an HTTP date; None where absent or unreadable."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _kind(said: Mapping[str, Any]) -> str:
    """Return the anchor of the data API's type, whose host and path varied, else the OAuth word."""
    if isinstance(link := said.get("type"), str) and "#" in link:
        return one_line(link.rpartition("#")[2])
    return _first_text(said, "error")


def _instance(said: Mapping[str, Any]) -> str:
    return _first_text(said, "instance", "instance_id")


def _first_text(said: Mapping[str, Any], *keys: str) -> str:
    return next((one_line(value) for key in keys if isinstance(value := said.get(key), str)), "")


def one_line(said: str) -> str:
    """Return what a server said without what breaks lines or steers a terminal, and no more than fits a sentence."""
    words = "".join(character if character.isprintable() else " " for character in said[: 4 * LONGEST_TEXT]).split()
    line = " ".join(words)
    return line if len(line) <= LONGEST_TEXT else f"{line[: LONGEST_TEXT - 1]}…"
