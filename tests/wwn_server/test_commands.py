"""What the command line does for links, hubs and scripts, and for what is kept, while the server runs or not."""

from contextlib import closing
from http.client import HTTPConnection
from io import StringIO
from pathlib import Path
import re
import resource
import socket
import sqlite3
import stat

import pytest

from wwn_server.__main__ import main
from wwn_server.commands import COMMANDS
from wwn_server.passwords import verify_password
from wwn_server.spoken import SPOKEN
from wwn_server.store import Registration, RequestedPermission, Store
from wwn_server.store.migrations import MIGRATIONS

from .conftest import PASSWORD_HASH, Running
from .hub import Hub
from .test_command import end, run, serving


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of a server that ran once: somebody lives here."""
    folder = tmp_path / "data"
    store = Store(folder)
    for name in ("anna", "ben"):
        store.accounts.add(name, PASSWORD_HASH)
    store.accounts.adopt_homes(["home"])
    store.close()
    return folder


class Said:
    """What a command said, and how it ended."""

    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self._capsys = capsys
        self._folder = folder
        self.code = 0
        self.out = ""
        self.err = ""

    def __call__(self, *arguments: object) -> str:
        self.code = main([*map(str, arguments), "--data", str(self._folder)])
        self.out, self.err = self._capsys.readouterr()
        return self.out


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], data: Path) -> Said:
    return Said(capsys, data)


def test_every_command_that_can_be_said_is_done_by_something() -> None:
    assert COMMANDS.keys() - {(None, None)} == SPOKEN.keys()


def test_a_token_is_printed_once_and_opens_what_was_said(command: Said, data: Path) -> None:
    token = command("token", "Backup script", "--permission", "away read", "--account", "ben").strip()
    assert re.fullmatch(r"c\.[\w-]{138,148}", token)
    assert token not in command.err
    store = Store(data)
    (connection,) = store.links.connections()
    assert connection.link == store.links.by_token(token)
    store.close()
    assert (connection.hub, connection.member) == ("Backup script", "ben")
    assert connection.link.permissions == {"away read"}
    assert connection.link.homes == {"home"}


def test_a_token_of_which_nothing_was_said_only_looks(command: Said, data: Path) -> None:
    command("token", "script")
    store = Store(data)
    (connection,) = store.links.connections()
    store.close()
    assert connection.member == "anna"
    assert connection.link.permissions == {"thermostat read", "smoke+co read", "away read"}


def test_a_token_needs_a_person_and_a_home(tmp_path: Path, command: Said, capsys: pytest.CaptureFixture[str]) -> None:
    command("token", "script", "--account", "carl")
    assert (command.code, command.err) == (2, "wwn-server: Nobody is called carl. wwn-server account list shows all.\n")
    new = Said(capsys, tmp_path / "new")
    new("token", "script")
    assert (new.code, "There is no account yet." in new.err) == (2, True)
    Store(tmp_path / "new").accounts.add("anna", PASSWORD_HASH)
    new("token", "script")
    assert (new.code, "Start the server once" in new.err) == (2, True)


def test_links_are_listed_and_removed(command: Said, data: Path) -> None:
    tokens = [command("token", name).strip() for name in ("one", "two")]
    head, first, second = command("link", "list").splitlines()
    assert head.split() == ["ID", "HUB", "SINCE", "LAST", "USED", "MADE", "BY", "MAY"]
    assert first.split()[:2] == ["1", "one"]
    assert "away read, smoke+co read, thermostat read" in first
    assert re.search(r" \d{4}-\d\d-\d\d \d\d:\d\dZ  -  +anna ", first)
    assert second.split()[:2] == ["2", "two"]
    command("link", "remove", 1)
    assert (command.code, command.err) == (0, "Removed link 1.\n")
    store = Store(data)
    assert [store.links.by_token(token) is None for token in tokens] == [True, False]
    store.close()
    command("link", "remove", 1)
    assert (command.code, "There is no link 1." in command.err) == (2, True)


def test_hubs_are_listed_and_removed_with_their_links(command: Said, data: Path) -> None:
    store = Store(data)
    asked = (RequestedPermission("away read", "x"),)
    waiting, _ = store.clients.register(Registration("Wait\x1b[2J", "https://a/", ("https://b/",), asked))
    store.close()
    token = command("token", "script").strip()
    _, first, second = command("client", "list").splitlines()
    assert first.split() == [waiting.id, "Wait\ufffd[2J", "0"]
    assert second.split()[1:] == ["script", "1"]
    command("client", "remove", second.split()[0])
    assert command.err == "Removed 'script' and 1 of its links.\n"
    store = Store(data)
    assert store.links.by_token(token) is None
    store.close()
    command("client", "remove", "nobody")
    assert (command.code, "There is no hub nobody." in command.err) == (2, True)


def test_people_are_listed_and_removed_with_what_they_made(command: Said, data: Path) -> None:
    head, *rows = command("account", "list").splitlines()
    assert head.split() == ["NAME", "ROLE", "SINCE"]
    assert [row.split()[:2] for row in rows] == [["anna", "owner"], ["ben", "member"]]
    hers, his = (command("token", "script", "--account", name).strip() for name in ("anna", "ben"))
    store = Store(data)
    session = store.accounts.open_session(store.accounts.members()[1].account)
    command("account", "remove", "ben")
    assert command.err == "Removed ben, and the 1 links that ben made.\n"
    assert [store.links.by_token(token) is None for token in (hers, his)] == [False, True]
    assert store.accounts.session_account(session) is None
    store.close()
    for name, said in (("ben", "Nobody is called ben."), ("anna", "anna is the owner")):
        command("account", "remove", name)
        assert (command.code, said in command.err) == (2, True)


def test_a_new_password_signs_out_everywhere(command: Said, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(data)
    anna, before = store.accounts.credentials("anna") or pytest.fail("anna has no account")
    session = store.accounts.open_session(anna)
    monkeypatch.setattr("sys.stdin", StringIO("another passphrase\n"))
    command("account", "password", "anna")
    assert (command.code, command.out) == (0, "")
    _, after = store.accounts.credentials("anna") or pytest.fail("anna has no account")
    assert verify_password("another passphrase", after)
    assert after != before
    assert store.accounts.session_account(session) is None
    store.close()


def read(connection: HTTPConnection, token: str) -> int:
    """Read the whole on a connection that stays open, and return the status."""
    connection.request("GET", "/", headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_a_link_that_is_removed_on_the_command_line_ends_at_once_on_a_server_that_runs(tmp_path: Path) -> None:
    run("--data", tmp_path, "account", "add", "anna", stdin="correct horse\n")
    with serving("--data", tmp_path, "--port", "0", "--no-announce", "--speed", "0") as (process, line):
        token = run("token", "script", "--data", tmp_path).stdout.strip()
        host, port = line.strip().removeprefix("Listening on http://").split(":")
        reader = HTTPConnection(host, int(port), timeout=20)
        with closing(reader), socket.create_connection((host, int(port)), timeout=20) as connection:
            head = f"GET / HTTP/1.1\r\nHost: nas\r\nAccept: text/event-stream\r\nAuthorization: Bearer {token}\r\n\r\n"
            connection.sendall(head.encode())
            received = connection.recv(65536)
            assert [read(reader, token) for _ in range(2)] == [200, 200]
            assert run("link", "remove", "1", "--data", tmp_path).returncode == 0
            assert read(reader, token) == 401
            while more := connection.recv(65536):
                received += more
                if received.endswith(b"\r\n0\r\n\r\n"):
                    break
        assert f'event: auth_revoked\ndata: "{token}"\n\n'.encode() in received
        assert end(process)[0] == 0


# Backups.


def test_a_copy_of_a_running_server_is_whole_and_for_its_owner_only(
    server: Running, linked: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    file = folder / "wwn-server.sqlite3"
    assert main(["backup", str(file), "--data", str(server.settings.data)]) == 0
    assert [each.name for each in folder.iterdir()] == [file.name]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    restored = Store(folder, server.clock)
    assert restored.server_id == server.store.server_id
    assert restored.links.by_token(linked.token) == server.store.links.by_token(linked.token)
    assert restored.accounts.credentials("anna") == server.store.accounts.credentials("anna")
    restored.close()


def test_a_copy_never_writes_over_anything(command: Said, tmp_path: Path) -> None:
    file = tmp_path / "precious"
    file.write_text("precious")
    command("backup", file)
    assert (command.code, file.read_text()) == (2, "precious")
    assert f"{file} exists already and was not touched. Name a file that does not." in command.err


def test_a_copy_that_can_not_be_written_is_said(command: Said, tmp_path: Path) -> None:
    command("backup", tmp_path / "missing" / "file")
    assert (command.code, "could not be written" in command.err) == (2, True)


def test_half_a_copy_does_not_stay(command: Said, data: Path, tmp_path: Path) -> None:
    file = tmp_path / "copies" / "copy"
    file.parent.mkdir()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A disk that is full after so many bytes.
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        command("backup", file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (command.code, "could not be written" in command.err) == (2, True)
    assert not list(file.parent.iterdir())


def test_nothing_is_copied_from_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty"
    assert main(["backup", str(tmp_path / "copy"), "--data", str(empty)]) == 2
    assert f"There is nothing in {empty} to copy." in capsys.readouterr().err
    assert not empty.exists()


# Versions.


def test_a_file_of_a_newer_program_is_refused_in_words_and_left_as_it_is(command: Said, data: Path) -> None:
    file = data / "wwn-server.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    before = file.read_bytes()
    ended = run("--data", data, "--port", "0", "--no-announce")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert (
        f"version {len(MIGRATIONS) + 1}, this program knows {len(MIGRATIONS)} at most; run a newer one" in ended.stderr
    )
    assert "Traceback" not in ended.stderr
    assert file.read_bytes() == before
