"""The command as a person or a script runs it: in a process of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
import io
import json
import os
from pathlib import Path
import re
import signal
import socket
import stat
import subprocess
import sys

import pytest

from wwn_server.__main__ import main
from wwn_server.cli import build_parser
from wwn_server.configuration import settings_of
from wwn_server.settings import default_data_folder
from wwn_server.store import Consent, Registration, RequestedPermission, Store

PASSWORD = "correct horse\n"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
COMMAND = [sys.executable, "-m", "wwn_server"]


@pytest.fixture(autouse=True, scope="module")
def _compiled_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Spare the processes of this module compiling, also where Python was told not to keep what it compiles."""
    ENVIRONMENT["PYTHONPYCACHEPREFIX"] = str(tmp_path_factory.mktemp("compiled"))


def run(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(  # noqa: S603
        command, input=stdin, capture_output=True, text=True, timeout=20, check=False, env=ENVIRONMENT
    )


@contextmanager
def serving(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the server and yield its process and its first line."""
    command = [*COMMAND, *map(str, arguments)]
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def end(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
    """Tell the server to stop and return its exit code and what else it said."""
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    return process.returncode, out, err


def get(line: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    host, port = line.strip().removeprefix("Listening on http://").split(":")
    connection = HTTPConnection(host, int(port), timeout=5)
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    status, body = answer.status, answer.read()
    connection.close()
    return status, body


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_one_line_serves_and_stops_when_told(tmp_path: Path, number: signal.Signals) -> None:
    run("--data", tmp_path, "account", "add", "anna", stdin=PASSWORD)
    with serving("--data", tmp_path, "--port", "0", "--no-announce") as (process, line):
        assert re.fullmatch(r"Listening on http://127\.0\.0\.1:\d+\n", line)
        assert get(line, "/devices?auth=c.secret")[0] == 401
        code, out, err = end(process, number)
    assert (code, out) == (0, "")
    assert "GET /devices?*** 401" in err
    assert "c.secret" not in err
    assert "Traceback" not in err
    assert "account add" not in err


def test_it_announces_itself_and_takes_that_back(tmp_path: Path) -> None:
    with serving("--data", tmp_path, "--port", "0") as (process, line):
        assert line
        code, _, err = end(process)
    assert code == 0
    assert "Traceback" not in err
    assert "can't announce" not in err


def test_without_an_account_it_says_what_to_run(tmp_path: Path) -> None:
    with serving("--data", tmp_path, "--port", "0", "--no-announce") as (process, _):
        _, _, err = end(process)
    assert f"wwn-server --data {tmp_path} account add NAME" in err


def test_name_and_browser_address_are_told_and_the_name_is_kept(tmp_path: Path) -> None:
    told = []
    for more in (["--name", "Villa Nest", "--base-url", "https://nest.example/"], []):
        with serving("--data", tmp_path, "--port", "0", "--no-announce", *more) as (process, line):
            document = json.loads(get(line, "/.well-known/oauth-authorization-server")[1])
            told.append(document["works_with_nest"])
            end(process)
    first, second = told
    assert (first["name"], first["browser_url"]) == ("Villa Nest", "https://nest.example")
    assert second["name"] == "Villa Nest"
    assert "browser_url" not in second
    assert first["server_id"] == second["server_id"]


def test_a_stream_is_ended_properly(tmp_path: Path) -> None:
    with serving("--data", tmp_path, "--port", "0", "--no-announce", "--speed", "0") as (process, line):
        token = _link(line, tmp_path)
        host, port = line.strip().removeprefix("Listening on http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            request = f"GET / HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer {token}\r\n\r\n"
            connection.sendall(request.encode())
            received = connection.recv(65536)
            process.send_signal(signal.SIGTERM)
            while more := connection.recv(65536):
                received += more
        assert received.endswith(b"\r\n0\r\n\r\n")
        assert process.wait(timeout=10) == 0


def _link(line: str, folder: Path) -> str:
    """Give a hub a link by way of the file, while the server runs on it."""
    assert line
    store = Store(folder)
    account = store.accounts.add("anna", "x")
    registration = Registration("Hub", "https://a/", ("https://b/",), (RequestedPermission("away read", "x"),))
    client, _ = store.clients.register(registration)
    homes = store.accounts.homes_of(account)
    consent = Consent(client=client, account=account, homes=homes, redirect_uri=None, challenge=None)
    token = store.links.redeem(store.links.accept(consent)[0], client, None, None)
    store.close()
    return token


def test_a_taken_port_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run("--data", tmp_path, "--port", port, "--no-announce")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"Port {port} on 127.0.0.1 is taken." in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid"])
def test_an_address_that_is_not_ours_is_said(tmp_path: Path, host: str) -> None:
    ended = run("--data", tmp_path, "--host", host, "--port", "0", "--no-announce")
    assert ended.returncode == 2
    assert host in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_folder_that_can_not_be_used_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.touch()
    assert main(["--data", str(file), "--port", "0"]) == 2
    assert "can't be used" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--port", "x"], "'x' is not a port"),
        (["--port", "65536"], "'65536' is not a port"),
        (["--port", "-1"], "is not a port"),
        (["--host", ""], "is not an address to listen on"),
        (["--host", "http://nas"], "is not an address to listen on"),
        (["--name", " "], "a name has one to 60 characters"),
        (["--name", "a\nb"], "a name has one to 60 characters"),
        (["--base-url", "nest.example"], "is not an address such as"),
        (["--base-url", "https://nest.example/path"], "is not an address such as"),
        (["--base-url", "https://user@nest.example"], "is not an address such as"),
        (["--seed", "x"], "'x' is not a whole number"),
        (["--speed", "-1"], "is not a speed"),
        (["--speed", "nan"], "is not a speed"),
        (["--speed", "1e9"], "is not a speed"),
        (["--seed", "9" * 5000], "is not a whole number"),
        (["--scale", "K"], "'K' is not one of C, F"),
        (["--data", ""], "'' is not the name of a file or folder"),
        (["account", "add", " "], "a person's name has one to 64 characters"),
        (["account"], "ACTION"),
        (["nonsense"], "invalid choice"),
    ],
)
def test_every_flag_is_checked(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        build_parser().parse_args(arguments)
    assert error.value.code == 2
    assert sentence in capsys.readouterr().err


def test_the_help_says_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        build_parser().parse_args(["--help"])
    text = capsys.readouterr().out
    assert error.value.code == 0
    for part in ("29 September 2023", "independent", "account add", "--base-url", "examples:", "Listening on"):
        assert part in text


def test_the_defaults_are_those_of_the_design() -> None:
    settings = settings_of(vars(build_parser().parse_args([])), {})
    assert (settings.host, settings.port, settings.announce) == ("127.0.0.1", 9553, True)
    assert (settings.seed, settings.speed, settings.scale) == (1, 1.0, "C")
    assert settings.data == default_data_folder()


def test_data_is_kept_where_the_platform_keeps_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_data_folder() == tmp_path / "wwn-server"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert default_data_folder() == Path.home() / ".local" / "share" / "wwn-server"


def test_the_first_account_is_the_owner_and_the_next_a_member(tmp_path: Path) -> None:
    ended = [run("--data", tmp_path, "account", "add", name, stdin=PASSWORD) for name in ("anna", "ben", "Anna")]
    assert [each.returncode for each in ended] == [0, 0, 2]
    assert "Added anna (owner)." in ended[0].stderr
    assert "Added ben (member)." in ended[1].stderr
    assert "there is an account named Anna already" in ended[2].stderr
    assert stat.S_IMODE((tmp_path / "wwn-server.sqlite3").stat().st_mode) == 0o600


@pytest.mark.parametrize("password", ["", "\n", "short\n"])
def test_a_short_password_is_refused(
    tmp_path: Path, password: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(password))
    assert main(["--data", str(tmp_path), "account", "add", "anna"]) == 2
    assert "at least 8 characters" in capsys.readouterr().err


@pytest.mark.parametrize(("again", "code"), [("correct horse", 0), ("correct house", 2)])
def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(tmp_path: Path, again: str, code: int) -> None:
    ours, theirs = os.openpty()
    command = [*COMMAND, "--data", str(tmp_path), "account", "add", "anna"]
    with subprocess.Popen(  # noqa: S603
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=ENVIRONMENT
    ) as process:
        os.close(theirs)
        shown = b""
        for prompt, answer in ((b"Password: ", "correct horse"), (b"Again: ", again)):
            while prompt not in shown:
                shown += os.read(ours, 1000)
            os.write(ours, f"{answer}\n".encode())
        assert process.wait(timeout=10) == code
        shown += os.read(ours, 1000)
    os.close(ours)
    assert b"correct" not in shown
    assert (b"Added anna (owner)." in shown) == (code == 0)
    assert (b"two passwords differ" in shown) == (code == 2)
