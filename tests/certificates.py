"""Certificates for tests: signed by themselves, or by an authority that only those who are told of it trust."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def usage(*, is_authority: bool) -> x509.KeyUsage:
    others = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign"), False
    )
    only = {"encipher_only": False, "decipher_only": False}
    return x509.KeyUsage(digital_signature=True, key_cert_sign=is_authority, **others, **only)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path

    @property
    def options(self) -> tuple[str, ...]:
        return "--certificate", str(self.certificate), "--key", str(self.key)

    def for_server(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        return context


def fingerprint_of(certificate: Path) -> str:
    """Return the fingerprint as programs show it."""
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    return loaded.fingerprint(hashes.SHA256()).hex(":").upper()


class Authority:
    """Signs its own certificate, and those of others."""

    def __init__(self, name: str) -> None:
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())

    def pair(self, folder: Path) -> Pair:
        """Return its own certificate, signed by itself."""
        return self._write(folder, self._name, self._key, self._name.rdns[0].rfc4514_string()[3:], (-9, 9), "127.0.0.1")

    def sign(self, folder: Path, name: str, days: tuple[int, int] = (-9, 9), address: str = "127.0.0.1") -> Pair:
        """Return a certificate for an address, valid from and until some days from now."""
        called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return self._write(folder, called, ec.generate_private_key(ec.SECP256R1()), name, days, address)

    def _write(
        self,
        folder: Path,
        called: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        file: str,
        days: tuple[int, int],
        address: str,
    ) -> Pair:
        folder.mkdir(exist_ok=True)
        now, (first, last) = datetime.now(UTC), days
        certificate = (
            x509.CertificateBuilder(self._name, called, key.public_key(), x509.random_serial_number())
            .not_valid_before(now + timedelta(days=first))
            .not_valid_after(now + timedelta(days=last))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=called == self._name, path_length=None), critical=True)
            .add_extension(usage(is_authority=called == self._name), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        pair = Pair(folder / f"{file}.pem", folder / f"{file}.key")
        pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        return pair
