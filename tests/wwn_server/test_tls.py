"""The server with a certificate of its own, as a process."""

from collections.abc import Callable
from http.client import HTTPSConnection
import json
from pathlib import Path
import shutil
import signal
import ssl
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes
import pytest

from wwn_server.__main__ import main
from wwn_server.serving import _service
from wwn_server.settings import Settings
from wwn_server.store import Store

from .certificates import Pair, make
from .test_command import end, serving


def ask(port: int, trusted: Path, path: str) -> tuple[bytes, dict[str, object]]:
    """Return the certificate that is shown, and what is told over it."""
    connection = HTTPSConnection("127.0.0.1", port, timeout=10, context=ssl.create_default_context(cafile=str(trusted)))
    connection.request("GET", path)
    answer = json.loads(connection.getresponse().read())
    shown = connection.sock.getpeercert(binary_form=True)
    connection.close()
    return shown, answer


def der(pair: Pair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())


def test_the_shard_speaks_it_too(tmp_path: Path) -> None:
    pair = make(tmp_path / "tls")
    flags = ("--port", "0", "--shard", "0", "--no-announce", *pair.flags)
    with serving("--data", tmp_path, *flags) as (_, line):
        port = int(line.rpartition(":")[2])
        _, document = ask(port, pair.certificate, "/.well-known/oauth-authorization-server")
        said = document["works_with_nest"]
        assert isinstance(said, dict)
        (shard,) = said["shards"]
        assert shard.startswith("https://127.0.0.1:")
        shown, refused = ask(int(shard.rpartition(":")[2]), pair.certificate, "/devices")
    assert shown == der(pair)
    assert str(refused["type"]).endswith("#auth-error")


def test_everything_is_told_with_https(tmp_path: Path) -> None:
    pair = make(tmp_path / "tls")
    with serving("--data", tmp_path, "--port", "0", "--no-announce", *pair.flags) as (process, line):
        address = line.removeprefix("Listening on ").strip()
        assert address.startswith("https://127.0.0.1:")
        port = int(address.rpartition(":")[2])
        shown, document = ask(port, pair.certificate, "/.well-known/oauth-authorization-server")
        assert end(process)[0] == 0
    assert shown == der(pair)
    assert document["issuer"] == address
    assert str(document["token_endpoint"]).startswith(f"{address}/")


def test_a_renewed_certificate_is_used_without_a_restart_and_a_bad_one_is_not(tmp_path: Path) -> None:
    pair, renewed = make(tmp_path / "tls"), make(tmp_path / "renewed")
    first, second = der(pair), der(renewed)
    trusted = tmp_path / "both.pem"
    trusted.write_text(pair.certificate.read_text() + renewed.certificate.read_text())
    with serving("--data", tmp_path, "--port", "0", "--no-announce", *pair.flags) as (process, line):
        port = int(line.rpartition(":")[2])

        def shown() -> bytes:
            return ask(port, trusted, "/.well-known/oauth-authorization-server")[0]

        assert shown() == first
        shutil.copy(renewed.certificate, pair.certificate)
        process.send_signal(signal.SIGHUP)
        wait_for_line(process.stderr, "was not read again")
        assert shown() == first
        shutil.copy(renewed.key, pair.key)
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: shown() == second)
        assert end(process)[0] == 0


def wait_for(holds: Callable[[], bool]) -> None:
    end_of_patience = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end_of_patience
        time.sleep(0.05)


def wait_for_line(stream: object, words: str) -> None:
    assert any(words in line for line in iter(stream.readline, "")), words  # type: ignore[attr-defined]


def test_what_can_not_be_used_is_said_before_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pair, other = make(tmp_path / "tls"), make(tmp_path / "other")
    said = {
        "is not the key of": ["--certificate", str(pair.certificate), "--key", str(other.key)],
        "Check its name": ["--certificate", str(tmp_path / "missing.pem")],
        "There is no certificate in": ["--certificate", str(pair.key)],
        "but no --certificate it belongs to": ["--key", str(pair.key)],
    }
    for words, flags in said.items():
        assert main(["--data", str(tmp_path), "--port", "0", "--no-announce", *flags]) == 2
        out, err = capsys.readouterr()
        assert (out, words in err) == ("", True)


@pytest.mark.parametrize(("days", "code", "said"), [(30, 0, "fine     certificate: "), (-1, 2, "PROBLEM  certificate")])
def test_check_looks_at_the_certificate(
    tmp_path: Path, days: int, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = make(tmp_path / "tls", days=days)
    assert main(["check", "--data", str(tmp_path), "--port", "0", *pair.flags]) == code
    assert said in capsys.readouterr().out


def test_one_file_may_hold_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pair = make(tmp_path / "tls")
    both = tmp_path / "both.pem"
    both.write_text(pair.certificate.read_text() + pair.key.read_text())
    assert main(["check", "--data", str(tmp_path), "--port", "0", "--certificate", str(both)]) == 0
    said = capsys.readouterr().out
    assert f"fine     certificate: {both}, until " in said
    shown = x509.load_pem_x509_certificate(pair.certificate.read_bytes()).fingerprint(hashes.SHA256())
    assert bytes.fromhex(said.partition("SHA-256 fingerprint ")[2].split()[0].replace(":", "")) == shown


def test_https_is_what_is_announced(tmp_path: Path, store: Store) -> None:
    pair = make(tmp_path / "tls")
    assert _service(Settings(certificate=pair.certificate, key=pair.key), store, 1).scheme == "https"
    assert _service(Settings(), store, 1).scheme == "http"
