"""Reading what a request carries."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote_plus

if TYPE_CHECKING:
    from aiohttp import web

_MOST_FIELDS: Final = 100


class FormError(ValueError):
    """A form can't be read."""


def wants(request: web.Request, content_type: str) -> bool:
    """Say whether a request names a type among those it accepts."""
    return content_type in request.headers.get("Accept", "").lower()


async def form_of(request: web.Request) -> dict[str, str]:
    """Return the fields of a URL-encoded body. Raises ``FormError``."""
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    body = await request.read()
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise FormError from error
    return dict(pairs)


def basic_credentials(request: web.Request) -> tuple[str, str] | None:
    """Return the user and password of HTTP Basic, if they were sent readably.

    OAuth wants both form-encoded first (RFC 6749, 2.3.1); ours survive either way.
    """
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = decoded.partition(":")
    return (unquote_plus(user), unquote_plus(password)) if colon else None
