"""What is answered to what never becomes a request."""

from collections.abc import Iterator
import json
from pathlib import Path
import socket

import pytest

from .test_command import get, serving


@pytest.fixture
def line(tmp_path: Path) -> Iterator[str]:
    """A server as a process; what it says when it listens."""
    with serving("--data", tmp_path, "--port", "0", "--no-announce") as (_, line):
        yield line


def test_what_can_not_be_read_is_refused_as_documented_and_says_nothing_of_the_program(line: str) -> None:
    host, port = line.strip().removeprefix("Listening on http://").split(":")
    for request in (
        b"GET /a\xe9 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"c.secret-of-somebody\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while more := connection.recv(65536):
                received += more
        head, _, body = received.partition(b"\r\n\r\n")
        assert b" 400 " in head.splitlines()[0], request
        assert b"Server: wwn-server" in head
        assert b"python" not in received.lower()
        assert b"secret" not in received
        answer = json.loads(body)
        assert answer["type"].endswith("#invalid-content-sent")
        assert answer["error"] == answer["message"] == "This is not a request that can be read."
    assert get(line, "/.well-known/oauth-authorization-server")[0] == 200
