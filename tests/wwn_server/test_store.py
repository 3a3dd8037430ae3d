from pathlib import Path
import sqlite3
import stat

import pytest

from wwn_server.store import (
    CodeError,
    CodeProblem,
    Consent,
    Registration,
    RequestedPermission,
    Store,
    StoreError,
    database,
)
from wwn_server.store.migrations import MIGRATIONS

from .conftest import Clock

REGISTRATION = Registration("Hub", "https://a/", ("https://hub/",), (RequestedPermission("away read", "Why not"),))


def link(store: Store, name: str = "anna") -> tuple[str, int]:
    """Return the token and id of a new link of a new hub."""
    account, _ = store.accounts.credentials(name) or (store.accounts.add(name, "x"), "")
    client, _ = store.clients.register(REGISTRATION)
    consent = Consent(
        client=client,
        account=account,
        homes=store.accounts.homes_of(account),
        redirect_uri="https://hub/",
        challenge=None,
    )
    token = store.links.redeem(store.links.accept(consent)[0], client, None, None)
    found = store.links.by_token(token)
    assert found is not None
    return token, found.id


def test_everything_is_there_again_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    first = Store(tmp_path, clock)
    first.rename("Villa")
    first.accounts.adopt_homes(["home"])
    token, _ = link(first)
    account, _ = first.accounts.credentials("anna") or pytest.fail("no account")
    cookie = first.accounts.open_session(account)
    server_id = first.server_id
    first.close()
    second = Store(tmp_path, clock)
    found = second.links.by_token(token)
    assert found is not None
    assert (second.server_id, second.name) == (server_id, "Villa")
    assert second.accounts.session_account(cookie) == account
    assert found.homes == {"home"}
    assert found.permissions == {"away read"}
    second.close()


def test_what_was_revoked_stays_revoked_though_nothing_was_closed(tmp_path: Path) -> None:
    first = Store(tmp_path)
    token, link_id = link(first)
    first.links.remove(link_id)
    second = Store(tmp_path)
    assert second.links.by_token(token) is None
    first.close()
    second.close()


def test_only_its_owner_may_read_the_file(store: Store, tmp_path: Path) -> None:
    link(store)
    folder = tmp_path / "data"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}
    assert len(list(folder.iterdir())) == 3


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / "wwn-server.sqlite3"
    file.touch(mode=0o644)
    Store(tmp_path).close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_writes_through_to_the_disk(store: Store) -> None:
    pragmas = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "user_version": len(MIGRATIONS)}
    for pragma, value in pragmas.items():
        row = store._database.one(f"PRAGMA {pragma}")
        assert row is not None
        assert row[0] == value


def test_a_file_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    Store(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "wwn-server.sqlite3")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="version 99"):
        Store(tmp_path)


def write_file_of_the_first_version(folder: Path, token: str) -> None:
    """Leave a file as the first program left it, with one link in it."""
    connection = sqlite3.connect(folder / "wwn-server.sqlite3")
    for statement in (*MIGRATIONS[0], "PRAGMA user_version = 1"):
        connection.execute(statement)
    connection.execute("INSERT INTO accounts VALUES (1, 'anna', 'x', 'owner', 0)")
    connection.execute("INSERT INTO clients VALUES ('hub', x'00', 'Hub', 'https://a/', '[]', 1, 0, 0, NULL)")
    values = (database.digest(token), '["home"]', '["away read"]')
    connection.execute("INSERT INTO links VALUES (7, ?, 'hub', 1, ?, ?, 1, 0, NULL)", values)
    connection.commit()
    connection.close()


def test_links_of_an_older_program_are_kept(tmp_path: Path, clock: Clock) -> None:
    write_file_of_the_first_version(tmp_path, "c.old")
    newer = Store(tmp_path, clock)
    found = newer.links.by_token("c.old")
    assert found is not None
    assert (found.id, found.homes, found.permissions) == (7, {"home"}, {"away read"})
    newer.links.remove(7)
    assert link(newer)[1] > 7
    newer.close()


def test_who_guessed_codes_is_kept_out_after_a_restart_too(tmp_path: Path, clock: Clock) -> None:
    first = Store(tmp_path, clock)
    client, _ = first.clients.register(REGISTRATION)
    for _ in range(10):
        with pytest.raises(CodeError):
            first.links.redeem("wrong", client, None, None)
    first.close()
    second = Store(tmp_path, clock)
    with pytest.raises(CodeError) as error:
        second.links.redeem("wrong", client, None, None)
    assert (error.value.problem, error.value.wait) == (CodeProblem.TOO_MANY, 3600)
    second.close()


@pytest.mark.parametrize("content", [b"this is not a database" * 100, b"\0" * 4096])
def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "wwn-server.sqlite3").write_bytes(content)
    with pytest.raises(StoreError, match="can't be used"):
        Store(tmp_path)


def test_a_folder_that_can_not_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="can't be used"):
        Store(tmp_path / "file" / "data")


def test_the_first_account_is_the_owner_and_the_others_are_members(store: Store) -> None:
    assert [store.accounts.add(name, "x").role for name in ("anna", "ben", "carl")] == ["owner", "member", "member"]


def test_a_name_is_taken_once_whatever_its_case(store: Store) -> None:
    store.accounts.add("anna", "x")
    with pytest.raises(StoreError, match="already"):
        store.accounts.add("Anna", "x")
    assert store.accounts.credentials("ANNA") is not None


def test_everybody_belongs_to_every_home(store: Store) -> None:
    early = store.accounts.add("anna", "x")
    store.accounts.adopt_homes(["one", "two"])
    late = store.accounts.add("ben", "x")
    store.accounts.adopt_homes(["one", "two"])
    assert store.accounts.homes_of(early) == store.accounts.homes_of(late) == ("one", "two")


def test_a_home_that_comes_later_joins_no_link(store: Store) -> None:
    store.accounts.adopt_homes(["one"])
    token, _ = link(store)
    store.accounts.adopt_homes(["one", "two"])
    found = store.links.by_token(token)
    assert found is not None
    assert found.homes == {"one"}


def test_a_member_of_other_homes_raises_no_link(store: Store) -> None:
    store.accounts.adopt_homes(["one", "two"])
    account = store.accounts.add("anna", "x")
    client, _ = store.clients.register(REGISTRATION)
    both = Consent(client=client, account=account, homes=("one", "two"), redirect_uri=None, challenge=None)
    one = Consent(client=client, account=account, homes=("one",), redirect_uri=None, challenge=None)
    for consent in (both, one):
        store.links.redeem(store.links.accept(consent)[0], client, None, None)
    code_of_both, raised_by_both = store.links.accept(both)
    _, raised_by_one = store.links.accept(one)
    assert (raised_by_both, raised_by_one) == ((1, 2), (2,))
    assert store.links.redeem(code_of_both, client, None, None)


def test_old_sessions_and_codes_are_swept_away(store: Store, clock: Clock) -> None:
    account = store.accounts.add("anna", "x")
    client, _ = store.clients.register(REGISTRATION)
    consent = Consent(client=client, account=account, homes=(), redirect_uri=None, challenge=None)
    for _ in range(3):
        store.accounts.open_session(account)
        store.links.accept(consent)
        clock.seconds += 31 * 86400
    assert len(store._database.all("SELECT * FROM sessions")) == 1
    assert len(store._database.all("SELECT * FROM codes")) == 1


def test_an_expired_code_is_known_for_a_day(store: Store, clock: Clock) -> None:
    account = store.accounts.add("anna", "x")
    client, _ = store.clients.register(REGISTRATION)
    consent = Consent(client=client, account=account, homes=(), redirect_uri="https://hub.example/", challenge=None)
    code, _ = store.links.accept(consent)
    clock.seconds += 86400
    with pytest.raises(CodeError) as error:
        store.links.redeem(code, client, None, None)
    assert error.value.problem is CodeProblem.EXPIRED


def test_a_transaction_counts_whole_or_not_at_all(store: Store) -> None:
    def fail_halfway() -> None:
        with store._database.transaction():
            store.rename("Half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert store.name is None


def test_removing_what_is_gone_does_nothing(store: Store) -> None:
    store.links.remove(1)
    assert store.links.remove_token("c.unknown") is None
    assert store.links.get(1) is None
    assert store.clients.get("unknown") is None
