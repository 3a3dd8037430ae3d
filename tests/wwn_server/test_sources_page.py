"""The page of what stands behind the home: looking, confirming, adding, removing, and whose that is to do."""

from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tools.fakes import Broker, Detector, Fault, NoLongerEvil as Fake, Zigbee2Mqtt, find_mosquitto
from wwn_server.context import CONTEXT
from wwn_server.document import ALARMS, THERMOSTATS
from wwn_server.homes.assembled import assembled
from wwn_server.homes.merged import MergedHome
from wwn_server.homes.source import Failure, Reach, Report
from wwn_server.homes.sources.probe import probed
from wwn_server.homes.sources.reach import ReachError
from wwn_server.pages.sources import Finds
from wwn_server.settings import Settings
from wwn_server.store import Store
from wwn_server.texts import t

from .conftest import Running
from .person import Person, hidden_fields
from .scripted import NeverAnswering
from .waiting import until

SERIAL = "02AA01AC0123456X"
HALL = "0x00158d0001a2b3c4"
ADD = "/sources/add/nolongerevil"


@pytest.fixture
def home(settings: Settings, store: Store) -> MergedHome:  # type: ignore[override]
    """The home that a server starts with."""
    return assembled(settings, store)


@pytest.fixture
async def owner(person: Person) -> Person:
    person.be_signed_in()
    return person


@pytest.fixture
async def fake() -> AsyncIterator[Fake]:
    async with Fake() as fake:
        fake.add(SERIAL, name="Landing")
        yield fake


async def page(person: Person, path: str = "/sources") -> str:
    return unescape(await (await person.get(path)).text())


async def look(person: Person, path: str = ADD, **said: str) -> tuple[int, str]:
    form = hidden_fields(await page(person, path)) | {"topic-prefix": "nolongerevil"} | said
    answer = await person.post(path, form)
    return answer.status, unescape(await answer.text())


async def add(person: Person, found: str, **said: str) -> None:
    answer = await person.post(
        "/sources", hidden_fields(found) | {f"{name[:4]}:{name[4:]}": value for name, value in said.items()}
    )
    assert (answer.status, answer.headers["Location"]) == (303, "/sources")


async def test_a_source_is_looked_at_confirmed_and_added(owner: Person, fake: Fake, home: MergedHome) -> None:
    assert t("sources.kind.simulated") in await page(owner)
    status, found = await look(owner, address=fake.base)
    assert (status, "Landing" in found) == (200, True)
    # Nothing has changed yet.
    assert (list(home.sources), home.playable is not None) == (["simulated"], True)
    await add(owner, found, name0="Upstairs", room0="Hallway")
    await until(home, lambda: home.document.group(THERMOSTATS))
    (thermostat,) = home.document.group(THERMOSTATS).values()
    assert (thermostat["name"], thermostat["where_name"]) == ("Hallway (Upstairs)", "Hallway")
    # Alarms that are not real do not stand beside real devices.
    assert (list(home.sources), home.document.group(ALARMS)) == (["page 1"], {})
    shown = await page(owner)
    assert t("sources.added") in shown
    assert "Hallway (Upstairs): Online" in shown
    assert t("sources.kind.simulated") not in shown


async def test_what_was_added_is_there_after_a_restart(
    owner: Person, fake: Fake, home: MergedHome, settings: Settings, store: Store
) -> None:
    _, found = await look(owner, address=fake.base)
    await add(owner, found)
    await until(home, lambda: home.document.group(THERMOSTATS))
    again = assembled(settings, store)
    assert list(again.sources) == ["page 1"]
    assert list(again.document.group(THERMOSTATS)) == list(home.document.group(THERMOSTATS))


async def test_a_removed_source_comes_back_as_it_was(owner: Person, fake: Fake, home: MergedHome) -> None:
    _, found = await look(owner, address=fake.base)
    await add(owner, found, name0="Upstairs", room0="Hallway")
    await until(home, lambda: home.document.group(THERMOSTATS))
    before = list(home.document.group(THERMOSTATS))
    confirm = await page(owner, "/sources/1/remove")
    assert "Hallway (Upstairs)" in confirm
    assert (await owner.post("/sources/1/remove", hidden_fields(confirm))).status == 303
    # Without any source the home is simulated again.
    assert (list(home.sources), before[0] in home.document.group(THERMOSTATS)) == (["simulated"], False)
    _, found = await look(owner, address=fake.base)
    assert 'value="Upstairs"' in found
    await add(owner, found, name0="Upstairs", room0="Hallway")
    await until(home, lambda: list(home.document.group(THERMOSTATS)) == before)
    assert list(home.sources) == ["page 2"]


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        (Fault.ERROR, Failure.FAULT),
        (Fault.DENIED, Failure.CREDENTIALS),
        (Fault.PAGE, Failure.NOT_IT),
        (Fault.REDIRECT, Failure.REDIRECT),
        (Fault.BIG, Failure.TOO_LARGE),
        (Fault.CUT, Failure.LOST),
    ],
)
async def test_each_failure_has_its_answer_and_nothing_of_what_was_said_there(
    owner: Person, fake: Fake, home: MergedHome, fault: Fault, failure: Failure
) -> None:
    fake.misbehave(fault)
    status, shown = await look(owner, address=fake.base)
    assert (status, t(f"sources.failure.{failure}") in shown) == (400, True)
    assert "Authorization Required" not in shown
    assert "Sign in to your router" not in shown
    assert (fake.strangers, list(home.sources)) == (0, ["simulated"])


async def test_a_broker_beside_it_that_can_not_be_reached_is_told_of_where_it_was_typed(
    owner: Person, fake: Fake, home: MergedHome
) -> None:
    status, shown = await look(owner, address=fake.base, broker="mqtt://127.0.0.1:9")
    field = shown.partition('name="broker"')[2].partition("<input")[0]
    assert (status, t("sources.broker_failure.nobody") in field, list(home.sources)) == (400, True, ["simulated"])


@pytest.mark.skipif(find_mosquitto() is None, reason="Mosquitto is not installed")
async def test_a_broker_beside_a_source_that_goes_away_is_told_of_with_what_to_do(
    owner: Person, fake: Fake, home: MergedHome, tmp_path: Path
) -> None:
    async with Broker(tmp_path / "broker") as broker:
        _, found = await look(owner, address=fake.base, broker=broker.address)
        await add(owner, found)
        source = home.sources["page 1"]
        await until(home, lambda: source.report.broker == Reach(reachable=True) and source.report.reachable)
        assert t("sources.broker_gone") not in await page(owner)
        await broker.go_away()
        await until(home, lambda: source.report.broker == Reach(trouble=Failure.NOBODY))
        shown = await page(owner)
        assert t("sources.broker_failure.nobody") + " " + t("sources.broker_gone") in shown
        # What it is asked itself answers, and its devices are there.
        assert (t("sources.answers") in shown, "Landing: Online" in shown) == (True, True)
        await home.stop()


async def test_whatever_keeps_it_from_a_broker_beside_it_has_words(owner: Person, home: MergedHome) -> None:
    source = NeverAnswering(kind="nolongerevil")
    await home.add("file nolongerevil", source)
    reasons = {each.value for each in Failure} - {"address", "redirect", "too_large", "not_it", "refused", "bridge"}
    for reason in reasons:
        source.report = Report(reachable=True, broker=Reach(trouble=Failure(reason)))
        assert t(f"sources.broker_failure.{reason}") in await page(owner)


@pytest.mark.parametrize(
    ("address", "failure"),
    [
        ("", "sources.bad_value"),
        ("nas", "sources.failure.address"),
        ("ftp://nas", "sources.failure.address"),
        ("http://u:hidden@nas", "sources.failure.address"),
        ("http://nas/path", "sources.failure.address"),
        ("http://169.254.169.254", "sources.failure.address"),
        ("http://[fe80::1]", "sources.failure.address"),
        ("http://0.0.0.0", "sources.failure.address"),
        ("http://127.0.0.1:9", "sources.failure.nobody"),
    ],
)
async def test_an_address_that_is_none_is_told_at_once(owner: Person, address: str, failure: str) -> None:
    status, shown = await look(owner, address=address)
    assert (status, t(failure) in shown) == (400, True)


async def test_a_secret_is_on_no_page(owner: Person, tmp_path: Path, home: MergedHome, store: Store) -> None:
    if find_mosquitto() is None:
        pytest.skip("Mosquitto is not installed")
    path = "/sources/add/mqtt"
    usual = {"base-topic": "zigbee2mqtt", "smoke-field": "smoke", "battery-field": "battery_low", "silent-hours": "25"}
    async with (
        Broker(tmp_path / "broker", sign_in=("nest", "right-secret")) as broker,
        Zigbee2Mqtt(broker, Detector("Hall", HALL)),
    ):
        said = usual | {"address": broker.address, "username": "nest"}
        status, shown = await look(owner, path, **said, password="wrong-secret")
        assert (status, t("sources.failure.credentials") in shown) == (400, True)
        assert ("wrong-secret" in shown, 'value="nest"' in shown) == (False, True)
        status, found = await look(owner, path, **said, password="right-secret")
        assert (status, "Hall" in found, "right-secret" in found) == (200, True, False)
        await add(owner, found)
        await until(home, lambda: len(home.document.group(ALARMS)) == 1)
        assert "right-secret" not in await page(owner) + await page(owner, "/sources/1/remove")
        (kept,) = store.sources.all()
        assert (kept.said["password"], "right-secret" in repr(kept)) == ("right-secret", False)
        for file in (tmp_path / "data").iterdir():
            assert file.stat().st_mode & 0o077 == 0
        await home.stop()


async def test_only_the_owner_adds_and_removes(server: Running, person: Person, fake: Fake) -> None:
    person.be_signed_in("ben")
    shown = await page(person)
    assert t("sources.only_owner") in shown
    assert "/sources/add/" not in shown
    csrf = (await person.console())["csrf"]
    assert (await person.get(ADD)).status == 403
    for path in (ADD, "/sources", "/sources/1/remove"):
        assert (await person.post(path, {"csrf": csrf, "address": fake.base})).status == 403
    assert fake.asked == []


async def test_what_is_in_the_file_is_changed_there(owner: Person, home: MergedHome, store: Store) -> None:
    await home.add("file mqtt mqtt://a", NeverAnswering(kind="mqtt"))
    shown = await page(owner)
    assert t("sources.in_file") in shown
    assert t("sources.waiting") in shown
    for path in ("/sources/1/remove", "/sources/0/remove", "/sources/None/remove", "/sources/add/nothing"):
        assert (await owner.get(path)).status == 404


async def test_what_was_found_is_added_once(server: Running, owner: Person, fake: Fake, home: MergedHome) -> None:
    _, found = await look(owner, address=fake.base)
    await add(owner, found)
    answer = await owner.post("/sources", hidden_fields(found))
    assert (answer.status, t("sources.expired") in await answer.text()) == (410, True)
    assert list(home.sources) == ["page 1"]
    assert server.app[CONTEXT].finds._found == {}


def test_what_was_found_is_kept_for_some_minutes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("wwn_server.pages.sources.time.monotonic", lambda: now)
    finds = Finds()
    anything: Any = object()
    words = [finds.keep(anything, ()) for _ in range(30)]
    assert len(finds._found) == 21
    assert finds.take(words[-1]).wanted is anything
    now = 901.0
    with pytest.raises(Exception, match="expired"):
        finds.take(words[-2])
    finds.keep(anything, ())
    assert len(finds._found) == 1


async def test_what_takes_the_connection_and_says_nothing_is_not_what_was_looked_for() -> None:
    source = NeverAnswering()
    with pytest.raises(ReachError) as caught:
        await probed(source, 0.05)
    assert (caught.value.failure, source.running) == (Failure.NOT_IT, False)
