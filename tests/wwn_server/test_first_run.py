import asyncio
from collections.abc import AsyncIterator
import logging
from pathlib import Path
import re
from urllib.parse import parse_qs, urlsplit

from aiohttp import ClientResponse, ClientSession, CookieJar
from aiohttp.test_utils import TestServer
import pytest

from wwn_server.app import create_app
from wwn_server.attempts import CodeAttempts, SetUpCode
from wwn_server.homes.simulated import SimulatedHome
from wwn_server.serving import RUNNER_OPTIONS
from wwn_server.settings import Settings
from wwn_server.store import Store

from .conftest import Clock, Running
from .hub import Hub, refusal
from .person import PASSWORD, Person, hidden_fields

ANSWERS = {"home": "Villa", "username": "anna", "password": PASSWORD, "again": PASSWORD}


@pytest.fixture
async def server(
    settings: Settings, store: Store, home: SimulatedHome, clock: Clock, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Running]:
    """A server on which nobody has an account."""
    caplog.set_level(logging.INFO)
    app = create_app(settings, store, home)
    running = TestServer(app, host="127.0.0.1")
    await running.start_server(**RUNNER_OPTIONS)
    async with running:
        yield Running(str(running.make_url("")).rstrip("/"), settings, store, home, clock, app)


@pytest.fixture
def code(server: Running, caplog: pytest.LogCaptureFixture) -> str:
    """The code that the server printed."""
    (printed,) = re.findall(r"set-up code is ([A-Z2-9]{4}-[A-Z2-9]{4})$", caplog.text, re.MULTILINE)
    return printed


async def submit(person: Person, path: str = "/first-run", **form: str) -> ClientResponse:
    """Fill in the form at a path; the answer is not followed."""
    fields = hidden_fields(await (await person.get(path)).text())
    return await person.post("/first-run", fields | ANSWERS | form)


class TestClaiming:
    async def test_the_owner_is_made_the_home_named_and_the_person_signed_in(
        self, server: Running, person: Person, code: str
    ) -> None:
        answer = await submit(person, code=code)
        assert answer.status == 303
        account, _ = server.store.accounts.credentials("anna") or pytest.fail("no account")
        assert account.role == "owner"
        (structure,) = server.home.document.group("structures").values()
        assert structure["name"] == "Villa"
        assert (await person.get(answer.headers["Location"])).status == 200
        assert (await person.get("/console")).url.path == "/console"

    @pytest.mark.parametrize(("dash", "around"), [("", ""), (" ", " "), ("--", "\t")])
    async def test_how_the_code_is_typed_does_not_matter(
        self, person: Person, code: str, dash: str, around: str
    ) -> None:
        typed = f"{around}{code.lower().replace('-', dash)}{around}"
        assert (await submit(person, code=typed)).status == 303

    @pytest.mark.parametrize(("before", "after"), [(None, "Villa"), ("Attic box", "Attic box")])
    async def test_hubs_find_the_server_by_that_name_unless_it_has_one(
        self, server: Running, person: Person, code: str, before: str | None, after: str
    ) -> None:
        if before:
            server.store.rename(before)
        await submit(person, code=code)
        found = await person.get("/.well-known/oauth-authorization-server")
        assert (await found.json())["works_with_nest"]["name"] == after

    async def test_the_name_of_the_home_outlives_the_server(self, server: Running, person: Person, code: str) -> None:
        await submit(person, code=code)
        again = SimulatedHome(server.store.server_id, speed=0)
        async with TestServer(create_app(server.settings, server.store, again), host="127.0.0.1"):
            (structure,) = again.document.group("structures").values()
        assert structure["name"] == "Villa"

    @pytest.mark.parametrize("wrong", ["", "AAAA-AAAA", "code"])
    async def test_without_the_code_nothing_is_made(self, server: Running, person: Person, wrong: str) -> None:
        answer = await submit(person, code=wrong)
        assert answer.status == 403
        assert "This is not the set-up code" in await answer.text()
        assert not server.store.accounts.any()

    @pytest.mark.parametrize(
        ("form", "problem"),
        [
            ({"username": " "}, "A name has one to 64 characters"),
            ({"username": "x" * 65}, "A name has one to 64 characters"),
            ({"username": "a\nb"}, "A name has one to 64 characters"),
            ({"password": "short", "again": "short"}, "A password needs at least 8 characters"),
            ({"password": "x" * 1001, "again": "x" * 1001}, "A password has at most 1000 characters"),
            ({"again": "correct house"}, "The two passwords differ"),
            ({"home": ""}, "The name of a home has one to 60 characters"),
            ({"home": "x" * 61}, "The name of a home has one to 60 characters"),
        ],
    )
    async def test_what_can_not_be_taken_is_said_at_its_field(
        self, server: Running, person: Person, code: str, form: dict[str, str], problem: str
    ) -> None:
        answer = await submit(person, code=code, **form)
        text = await answer.text()
        assert answer.status == 422
        assert problem in text
        (field,) = re.findall(r'<input id="(\w+)"[^>]*aria-invalid="true"', text)
        assert field in form
        assert re.search(rf'<p class="problem" id="{field}-problem" role="alert">', text)
        assert f'value="{code}"' in text
        assert PASSWORD not in text
        assert not server.store.accounts.any()

    async def test_a_password_of_a_thousand_characters_fits(self, person: Person, code: str) -> None:
        long = "x" * 1000
        assert (await submit(person, code=code, password=long, again=long)).status == 303
        person.browser.cookie_jar.clear()
        assert (await person.sign_in(password=long)).status == 303
        person.browser.cookie_jar.clear()
        assert (await person.sign_in(password=long + "x")).status == 403

    async def test_what_is_typed_is_shown_as_plain_text(self, person: Person) -> None:
        text = await (await submit(person, code='"><script>', home="<b>", username="<i>")).text()
        assert not re.search("<script|<b>|<i>", text)

    async def test_a_form_of_another_site_does_nothing(self, server: Running, person: Person, code: str) -> None:
        fields = hidden_fields(await (await person.get("/first-run")).text())
        form = fields | ANSWERS | {"code": code}
        answer = await person.post("/first-run", form, headers={"Origin": "https://evil.example"})
        assert answer.status == 403
        assert not server.store.accounts.any()

    async def test_ten_wrong_codes_and_the_right_one_has_to_wait(
        self, server: Running, person: Person, code: str
    ) -> None:
        for _ in range(10):
            assert (await submit(person, code="WRONG")).status == 403
        answer = await submit(person, code=code)
        assert answer.status == 429
        assert 890 < int(answer.headers["Retry-After"]) <= 900
        assert "Wait 15 minutes" in await answer.text()
        assert not server.store.accounts.any()


class TestTheCode:
    def test_only_the_newest_fits_and_none_once_it_is_forgotten(self) -> None:
        code = SetUpCode()
        assert not code.fits("")
        first, second = code.renew(), code.renew()
        assert first != second
        assert (code.fits(first), code.fits(second)) == (False, True)
        code.forget()
        assert not code.fits(second)

    def test_it_is_not_kept_as_it_is(self) -> None:
        code = SetUpCode()
        shown = code.renew()
        assert shown.replace("-", "") not in str(code._digest)
        assert isinstance(code._digest, bytes)

    def test_attempts_are_counted_by_address_and_by_network_in_ipv6(self, clock: Clock) -> None:
        attempts = CodeAttempts(clock)
        assert [attempts.wait(f"fe80::{number}") for number in range(10)] == [0] * 10
        assert attempts.wait("fe80::ffff%eth0") == 900
        assert attempts.wait("192.168.1.2") == 0
        clock.seconds += 900
        assert attempts.wait("fe80::1") == 0

    async def test_it_is_of_no_use_once_somebody_has_an_account(
        self, server: Running, person: Person, code: str
    ) -> None:
        fields = hidden_fields(await (await person.get("/first-run")).text())
        server.store.accounts.add("anna", "x")
        answer = await person.post("/first-run", fields | ANSWERS | {"code": code, "username": "eve"})
        assert (answer.status, answer.headers["Location"]) == (303, "/sign-in")
        assert server.store.accounts.credentials("eve") is None

    async def test_a_server_with_an_account_prints_none(
        self, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = Store(tmp_path / "claimed")
        store.accounts.add("anna", "x")
        async with TestServer(create_app(settings, store, SimulatedHome(store.server_id, speed=0)), host="127.0.0.1"):
            assert "set-up code" not in caplog.text
        store.close()


class TestUntilThen:
    @pytest.mark.parametrize("path", ["/", "/sign-in", "/console", "/connections", "/devices"])
    async def test_every_page_leads_to_first_run(self, person: Person, path: str) -> None:
        answer = await person.get(path)
        assert (answer.status, answer.url.path) == (200, "/first-run")
        assert "Set up your server" in await answer.text()

    async def test_a_form_is_answered_by_a_page(self, person: Person) -> None:
        answer = await person.post("/sign-in", {"username": "anna"})
        assert (answer.status, answer.content_type) == (503, "text/html")
        assert "Nobody has an account on this server yet" in await answer.text()

    @pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("PUT", "/devices"), ("GET", "/console")])
    async def test_a_program_is_told_in_the_shape_it_knows(self, hub: Hub, method: str, path: str) -> None:
        answer = await hub.session.request(method, hub.base + path, headers={"Authorization": "Bearer c.x"})
        assert await refusal(answer) == (503, "not-set-up")

    @pytest.mark.parametrize(("method", "path"), [("GET", "/login/oauth2?state=x"), ("POST", "/oauth2/access_token")])
    async def test_a_hub_that_asks_for_consent_or_a_token_is_told_too(self, hub: Hub, method: str, path: str) -> None:
        answer = await hub.session.request(method, hub.base + path)
        assert answer.status == 503
        assert (await answer.json())["error"] == "temporarily_unavailable"

    async def test_hubs_find_the_server_and_introduce_themselves(self, hub: Hub) -> None:
        found = await hub.session.get(f"{hub.base}/.well-known/oauth-authorization-server")
        assert found.status == 200
        assert (await hub.register()).status == 201
        assert (await hub.change(None, "DELETE")).status == 204

    async def test_a_consent_leads_through_first_run_and_back(self, hub: Hub, person: Person, code: str) -> None:
        await hub.register()
        path = hub.consent_path()
        answer = await person.get(path, allow_redirects=False)
        assert answer.headers["Location"].startswith("/first-run?next=%2Flogin%2Foauth2")
        page = await (await person.get(answer.headers["Location"])).text()
        assert "you go on to the request that brought you here" in page
        answer = await submit(person, answer.headers["Location"], code=code)
        assert urlsplit(answer.headers["Location"]).path == "/login/oauth2"
        assert parse_qs(urlsplit(answer.headers["Location"]).query) == parse_qs(urlsplit(path).query)
        page = await (await person.get(path)).text()
        assert "Home Assistant would like to work with your home" in page
        assert "<li>Villa</li>" in page

    @pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
    async def test_first_run_leads_to_this_server_only(self, person: Person, code: str, target: str) -> None:
        answer = await submit(person, code=code, next=target)
        assert answer.status == 303
        assert answer.headers["Location"].startswith("/")
        assert "evil" not in answer.headers["Location"]

    async def test_the_command_line_ends_it_too(self, server: Running, person: Person) -> None:
        Store(server.settings.data).accounts.add("anna", "x")
        answer = await person.get("/first-run?next=/connections", allow_redirects=False)
        assert answer.headers["Location"] == "/sign-in?next=%2Fconnections"
        assert (await person.get("/")).url.path == "/sign-in"


async def test_two_at_once_make_one_owner(server: Running, code: str) -> None:
    async with (
        ClientSession(cookie_jar=CookieJar(unsafe=True)) as first,
        ClientSession(cookie_jar=CookieJar(unsafe=True)) as second,
    ):
        people = [Person(server.base, each, server.store) for each in (first, second)]
        forms = [hidden_fields(await (await each.get("/first-run")).text()) for each in people]
        answers = await asyncio.gather(
            *(
                each.post("/first-run", form | ANSWERS | {"code": code, "username": name})
                for each, form, name in zip(people, forms, ("anna", "eve"), strict=True)
            )
        )
    assert [each.status for each in answers] == [303, 303]
    assert sorted(each.headers["Location"] for each in answers) == ["/catalogue", "/sign-in"]
    made = [server.store.accounts.credentials(name) for name in ("anna", "eve")]
    assert made.count(None) == 1
