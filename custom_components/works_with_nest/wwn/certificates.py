"""Certificates: why one is not trusted, which one a server shows, and trusting exactly that one."""

import asyncio
import hashlib
import ssl
from typing import Final

from aiohttp import ClientConnectorCertificateError, Fingerprint, ServerFingerprintMismatch
from yarl import URL

from .const import REQUEST_TIMEOUT
from .errors import (
    WwnCertificateChangedError,
    WwnCertificateError,
    WwnCertificateExpiredError,
    WwnCertificateNameError,
    WwnConnectionError,
    WwnSelfSignedError,
)

# What aiohttp raises where a certificate is the reason.
CERTIFICATE_ERRORS: Final = (ClientConnectorCertificateError, ServerFingerprintMismatch)

# OpenSSL's figures for why a certificate does not hold: X509_V_ERR_*.
ERROR_OF_CODE: Final[dict[int, tuple[type[WwnCertificateError], str]]] = {
    9: (WwnCertificateExpiredError, "its certificate is not valid yet"),
    10: (WwnCertificateExpiredError, "its certificate has expired"),
    18: (WwnSelfSignedError, "its certificate is signed by itself"),
    62: (WwnCertificateNameError, "its certificate is for another name"),
    64: (WwnCertificateNameError, "its certificate is for another address"),
}


def certificate_error(err: Exception) -> WwnCertificateError:
    """Return what is wrong with a certificate."""
    if isinstance(err, ServerFingerprintMismatch):
        return WwnCertificateChangedError("its certificate is not the one that was confirmed")
    cause = getattr(err, "certificate_error", None)
    kind, said = ERROR_OF_CODE.get(
        getattr(cause, "verify_code", 0), (WwnCertificateError, "its certificate is not trusted")
    )
    return kind(said)


def trust(base: URL, fingerprint: str | None, url: URL) -> Fingerprint | bool:
    """Return what a request has to trust: the one certificate that a person confirmed for this host, or the usual."""
    if fingerprint is None or url.host != base.host or url.scheme != "https":
        return True
    return Fingerprint(bytes.fromhex(fingerprint))


async def async_fingerprint(base: URL) -> str:
    """Return the SHA-256 of the certificate that a server shows, without sending it anything. Raises WwnError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT):
            _, writer = await asyncio.open_connection(base.host, base.port, ssl=context)
    except (TimeoutError, OSError) as err:
        raise WwnConnectionError(type(err).__name__) from None
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return hashlib.sha256(shown).hexdigest()


def spelled(fingerprint: str) -> str:
    """Return a fingerprint the way programs show it to people."""
    return ":".join(fingerprint[at : at + 2] for at in range(0, len(fingerprint), 2)).upper()
