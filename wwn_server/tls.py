"""The server's own certificate: read, looked at, and read again while it runs."""

from __future__ import annotations

from datetime import UTC, datetime
import logging
import ssl
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

if TYPE_CHECKING:
    from pathlib import Path

    from .settings import Settings

_LOGGER: Final = logging.getLogger(__name__)


class CertificateError(Exception):
    """A certificate can't be used; the message is for people."""


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """Return what encrypts connections, nothing where no certificate was set. Raises ``CertificateError``."""
    if settings.certificate is None:
        if settings.key is not None:
            msg = "There is a --key, but no --certificate it belongs to. Set both, or neither."
            raise CertificateError(msg)
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, settings.certificate, settings.key)
    return context


def reload(context: ssl.SSLContext, settings: Settings) -> None:
    """Use what is in the files by now for new connections; what can't be used changes nothing."""
    try:
        # A context that fails half-way would be left with a certificate and a key that don't belong together.
        tls_of(settings)
    except CertificateError as error:
        _LOGGER.error("The certificate was not read again: %s", error)  # noqa: TRY400
        return
    if settings.certificate is not None:
        _load(context, settings.certificate, settings.key)
        _LOGGER.info("The certificate was read again; it ends on %s", f"{ends(settings.certificate):%Y-%m-%d}")


def ends(certificate: Path) -> datetime:
    """Return until when a certificate holds. Raises ``CertificateError``."""
    return _read(certificate).not_valid_after_utc


def fingerprint(certificate: Path) -> str:
    """Return what hubs show people to compare: SHA-256, as programs spell it. Raises ``CertificateError``."""
    return _read(certificate).fingerprint(hashes.SHA256()).hex(":").upper()


def _read(certificate: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError) as error:
        msg = f"{certificate} is no certificate in PEM form: {error}"
        raise CertificateError(msg) from None


def describe(settings: Settings) -> str:
    """Return what there is to say about the certificate. Raises ``CertificateError`` where it is of no use."""
    if tls_of(settings) is None or settings.certificate is None:
        return "none, so the server speaks plain http"
    end = ends(settings.certificate)
    if end <= datetime.now(UTC):
        msg = f"{settings.certificate} ended on {end:%Y-%m-%d}. Get a new one: browsers and hubs refuse it."
        raise CertificateError(msg)
    return f"{settings.certificate}, until {end:%Y-%m-%d}, SHA-256 fingerprint {fingerprint(settings.certificate)}"


def _load(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    for file in (certificate, key or certificate):
        _demand_readable(file)
    try:
        # The empty password keeps OpenSSL from asking at a terminal.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        raise CertificateError(_explain(error, certificate, key or certificate)) from None


def _demand_readable(file: Path) -> None:
    try:
        file.read_bytes()
    except OSError as error:
        msg = f"{file} can't be read: {error.strerror}. Check its name, and that this user may read it."
        raise CertificateError(msg) from None


def _explain(error: ssl.SSLError, certificate: Path, key: Path) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"{key} is not the key of {certificate}. Set the two files that were made together."
    return f"There is no certificate in {certificate}, or no key without a password in {key} (PEM form both)."
