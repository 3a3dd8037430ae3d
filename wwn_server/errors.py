"""Refusals as the wire shows them: data API (protocol 7) and OAuth (protocol 1.4)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from aiohttp import web
import orjson

from .texts import t

if TYPE_CHECKING:
    from collections.abc import Mapping

# Old clients match on the anchor behind this address (protocol 7.1); nobody fetches it.
_DOCUMENTATION: Final = "https://developer.nest.com/documentation/cloud/error-messages"
NO_STORE: Final = {"Cache-Control": "no-store"}


class Anchor(StrEnum):
    """The part of an error's ``type`` that clients may branch on (protocol 7.2, 7.3)."""

    AUTH = "auth-error"
    BLOCKED = "blocked"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    INTERNAL = "internal-error"
    INVALID_CONTENT = "invalid-content-sent"
    NO_WRITE_PERMISSION = "no-write-permission"
    FORMAT = "format-error"
    HIGH_C = "high-c-value"
    HIGH_F = "high-f-value"
    LOW_C = "low-c-value"
    LOW_F = "low-f-value"
    LOW_HIGH = "low-high-error"
    MODE = "mode-error"
    RANGE = "range-error"
    SAFETY_SHUTOFF = "safety-shutoff-on"
    # The protocol names the situation for these, not the anchor: the words are ours.
    METHOD = "method-not-allowed"
    NOT_WRITABLE = "not-writable"
    UNKNOWN_FIELD = "unknown-field"
    OFFLINE = "device-offline"
    EMERGENCY_HEAT = "emergency-heat"
    INVALID_MODE = "invalid-hvac-mode"
    INVALID_AWAY = "invalid-away"
    INVALID_SCALE = "invalid-temperature-scale"
    INVALID_LABEL = "invalid-label"
    INVALID_NAME = "invalid-name"
    INVALID_FAN_DURATION = "invalid-fan-timer-duration"
    NO_FAN = "no-fan"
    INVALID_ETA = "invalid-eta"
    NO_THERMOSTAT = "no-thermostat"
    NOT_AWAY = "not-in-away-mode"
    TOO_LARGE = "request-too-large"
    NOT_SET_UP = "not-set-up"
    TOO_SLOW = "request-too-slow"
    HOST = "unknown-host"
    # What stands behind a home does not answer, or would not do it.
    SOURCE_SILENT = "service-unavailable"
    SOURCE_REFUSED = "source-refused"


class WireError(Exception):
    """A refusal of the data API, in the shape of protocol 7.1."""

    def __init__(
        self,
        status: int,
        anchor: Anchor,
        message: str,
        details: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what the body is made of; ``message`` is a finished sentence."""
        super().__init__(message)
        self.status = status
        self.anchor = anchor
        self.message = message
        self.details = dict(details or {})
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return the JSON body, with an ``instance`` that no other answer has."""
        body: dict[str, Any] = {
            "error": self.message,
            "type": f"{_DOCUMENTATION}#{self.anchor}",
            "message": self.message,
            "instance": str(uuid4()),
        }
        return body | ({"details": self.details} if self.details else {})

    def response(self) -> web.Response:
        """Return the answer to send."""
        return json_response(self.body(), status=self.status, headers=NO_STORE | self.headers)


class OAuthError(Exception):
    """A refusal of authorisation, token and registration (protocol 1.3, 1.4)."""

    def __init__(
        self,
        status: int,
        error: str,
        description: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what the body is made of; ``description`` is a finished sentence."""
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        """Return the answer to send."""
        body = {
            "error": self.error,
            "error_description": self.description,
            "instance_id": str(uuid4()),
        }
        return json_response(body, self.status, NO_STORE | self.headers)


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a value as a JSON answer."""
    return web.Response(
        body=orjson.dumps(value),
        status=status,
        headers=headers,
        content_type="application/json",
    )


def unauthorized() -> WireError:
    """Return the answer to a token that is missing, unknown or revoked."""
    return WireError(401, Anchor.AUTH, t("refusal.unauthorized"))


def not_found() -> WireError:
    """Return the answer to a path that this token has nothing at."""
    return WireError(404, Anchor.NOT_FOUND, t("refusal.not_found"))


def blocked(seconds: int) -> WireError:
    """Return the answer to one request too many; clients compare its text (protocol 6)."""
    return WireError(429, Anchor.BLOCKED, "blocked", headers={"Retry-After": str(seconds)})


def method_not_allowed(method: str) -> WireError:
    """Return the answer to a verb that the path does not know."""
    return WireError(405, Anchor.METHOD, t("refusal.method", method=method))


def invalid_content() -> WireError:
    """Return the answer to a body that does not fit its path (protocol 5.1)."""
    return WireError(400, Anchor.INVALID_CONTENT, t("refusal.invalid_content"))
