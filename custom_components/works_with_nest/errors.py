"""What went wrong on the link, said to people: one table for the coordinator, the entities and the flows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from homeassistant.exceptions import HomeAssistantError

from .const import DOMAIN
from .wwn.errors import (
    WwnAuthError,
    WwnBlockedError,
    WwnCertificateChangedError,
    WwnCertificateError,
    WwnCertificateExpiredError,
    WwnCertificateNameError,
    WwnConnectionError,
    WwnDiscoveryError,
    WwnError,
    WwnForbiddenError,
    WwnNotFoundError,
    WwnProtocolError,
    WwnRedirectError,
    WwnRefusedError,
    WwnSelfSignedError,
    WwnServerError,
    WwnTooNewError,
    WwnTooOldError,
    WwnWaitError,
)

# The first that fits; a row for a base stands after the rows for what derives from it.
KEY_OF_ERROR: Final[tuple[tuple[type[WwnError], str], ...]] = (
    (WwnCertificateExpiredError, "certificate_expired"),
    (WwnCertificateNameError, "certificate_other_name"),
    (WwnSelfSignedError, "certificate_self_signed"),
    (WwnCertificateChangedError, "certificate_changed"),
    (WwnCertificateError, "certificate_not_trusted"),
    (WwnConnectionError, "cannot_connect"),
    (WwnAuthError, "link_ended"),
    (WwnBlockedError, "blocked"),
    (WwnForbiddenError, "forbidden"),
    (WwnNotFoundError, "not_found"),
    (WwnServerError, "server_error"),
    (WwnRefusedError, "refused"),
    (WwnDiscoveryError, "not_works_with_nest"),
    (WwnRedirectError, "redirected"),
    (WwnTooNewError, "protocol_too_new"),
    (WwnTooOldError, "protocol_too_old"),
    (WwnProtocolError, "not_understood"),
)


def translation_key(err: WwnError) -> str:
    """Return the key of the sentence for an error."""
    return next((key for kind, key in KEY_OF_ERROR if isinstance(err, kind)), "unknown")


def placeholders(err: WwnError) -> dict[str, str]:
    """Return what the sentences may name: the server's own words, or ours where it said none."""
    return {"message": getattr(err, "message", "") or str(err)}


def is_passing(err: BaseException | None) -> bool:
    """Whether what went wrong may well be over by itself; nobody has to do anything about it yet."""
    is_certificate = isinstance(err, WwnCertificateError)
    return err is None or (isinstance(err, WwnConnectionError | WwnWaitError) and not is_certificate)


def wait_of(err: Exception) -> float:
    """Return the seconds to wait before asking again: what a server says that blocks or is down, within reason."""
    return err.wait if isinstance(err, WwnWaitError) else 0


@contextmanager
def explained() -> Iterator[None]:
    """Turn an error of the link into one that a person can read."""
    try:
        yield
    except WwnError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key=translation_key(err), translation_placeholders=placeholders(err)
        ) from err
