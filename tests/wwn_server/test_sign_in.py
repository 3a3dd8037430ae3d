import asyncio
import re

from aiohttp import ClientResponse
from aiohttp.test_utils import make_mocked_request
import pytest

from wwn_server.attempts import SignInAttempts
from wwn_server.pages import session
from wwn_server.pages.session import is_exposed

from .conftest import Clock, Running
from .person import PASSWORD, Person, hidden_fields

WRONG = "This name and password do not belong together."


async def test_the_root_leads_a_browser_to_the_pages(person: Person) -> None:
    answer = await person.get("/")
    assert answer.status == 200
    assert answer.url.path == "/sign-in"
    assert "It is not a Google account" in await answer.text()


async def test_signing_in_opens_the_console(person: Person) -> None:
    answer = await person.sign_in()
    assert (answer.status, answer.headers["Location"]) == (303, "/console")
    assert (await person.get("/")).url.path == "/console"


async def test_the_cookie_is_for_this_server_and_no_script(person: Person) -> None:
    cookie = (await person.sign_in()).headers["Set-Cookie"]
    assert re.fullmatch(r"wwn_session=[\w-]{43}; HttpOnly; Max-Age=2592000; Path=/; SameSite=Lax", cookie)


@pytest.mark.parametrize(
    ("name", "password"), [("anna", "wrong horse"), ("nobody", PASSWORD), ("anna", ""), ("", PASSWORD), ("", "")]
)
async def test_a_wrong_name_and_a_wrong_password_look_the_same(person: Person, name: str, password: str) -> None:
    answer = await person.sign_in(name, password)
    text = await answer.text()
    assert answer.status == 403
    assert WRONG in text
    assert password not in text or not password
    assert "wwn_session" not in answer.cookies


async def test_case_does_not_matter_in_a_name(person: Person) -> None:
    assert (await person.sign_in("ANNA")).status == 303


async def test_a_name_is_shown_as_plain_text(person: Person) -> None:
    text = await (await person.sign_in('"><script>', "x")).text()
    assert "<script" not in text


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/console", "/console"),
        ("/login/oauth2?client_id=a&state=b", "/login/oauth2?client_id=a&state=b"),
        ("https://evil.example/", "/console"),
        ("//evil.example/", "/console"),
        ("/\\evil.example/", "/console"),
        ("/a\nLocation: x", "/console"),
        ("javascript:alert(1)", "/console"),
        ("console", "/console"),
        ("", "/console"),
    ],
)
async def test_signing_in_leads_to_this_server_only(person: Person, target: str, location: str) -> None:
    form = hidden_fields(await (await person.get("/sign-in")).text())
    answer = await person.post("/sign-in", form | {"username": "anna", "password": PASSWORD, "next": target})
    assert answer.headers["Location"] == location


async def test_who_is_signed_in_is_not_asked_again(person: Person) -> None:
    await person.sign_in()
    answer = await person.get("/sign-in?next=/login/oauth2", allow_redirects=False)
    assert answer.headers["Location"] == "/login/oauth2"


async def test_the_form_needs_the_cookie_it_came_with(person: Person) -> None:
    form = hidden_fields(await (await person.get("/sign-in")).text())
    person.browser.cookie_jar.clear()
    answer = await person.post("/sign-in", form | {"username": "anna", "password": PASSWORD})
    assert answer.status == 403
    assert WRONG not in await answer.text()


async def test_signing_out_ends_the_session_everywhere(server: Running, person: Person) -> None:
    token = (await person.sign_in()).cookies["wwn_session"].value
    csrf = (await person.console())["csrf"]
    assert (await person.post("/sign-out", {"csrf": "wrong"})).status == 403
    answer = await person.post("/sign-out", {"csrf": csrf})
    assert (answer.status, answer.headers["Location"]) == (303, "/sign-in")
    assert server.store.accounts.session_account(token) is None


async def test_a_session_ends_after_thirty_days(person: Person, clock: Clock) -> None:
    await person.sign_in()
    clock.seconds += 30 * 86400 - 1
    assert (await person.get("/console")).url.path == "/console"
    clock.seconds += 1
    assert (await person.get("/console")).url.path == "/sign-in"


async def test_passwords_and_sessions_are_kept_as_hashes_only(server: Running, person: Person) -> None:
    token = (await person.sign_in()).cookies["wwn_session"].value
    kept = b"".join(each.read_bytes() for each in server.settings.data.iterdir())
    assert b"$argon2id$" in kept
    assert PASSWORD.encode() not in kept
    assert token.encode() not in kept


class TestLimits:
    async def test_ten_wrong_passwords_and_the_right_one_has_to_wait(self, person: Person) -> None:
        for _ in range(10):
            assert (await person.sign_in(password="wrong")).status == 403
        for name in ("anna", "ANNA"):
            answer = await person.sign_in(name)
            assert answer.status == 429
            assert 890 < int(answer.headers["Retry-After"]) <= 900
            assert "There were too many attempts. Wait 15 minutes, then try again." in await answer.text()
        assert (await person.sign_in("ben")).status == 303

    async def test_all_names_together_have_a_limit_at_one_address(self, person: Person) -> None:
        for number in range(30):
            assert (await person.sign_in(f"nobody {number}", "wrong")).status == 403
        assert (await person.sign_in()).status == 429

    async def test_who_knows_the_password_starts_anew(self, person: Person) -> None:
        for _ in range(3):
            for _ in range(9):
                await person.sign_in(password="wrong")
            assert (await person.sign_in()).status == 303
            person.browser.cookie_jar.clear()

    async def test_many_at_once_get_no_more_than_one_after_the_other(self, person: Person) -> None:
        form = hidden_fields(await (await person.get("/sign-in")).text())
        wrong = form | {"username": "anna", "password": "wrong"}
        answers = await asyncio.gather(*(person.post("/sign-in", wrong) for _ in range(15)))
        assert sorted(each.status for each in answers) == [403] * 10 + [429] * 5

    def test_the_wait_ends(self, clock: Clock) -> None:
        attempts = SignInAttempts(clock)
        assert [attempts.wait("anna", "10.0.0.1") for _ in range(11)] == [0] * 10 + [900]
        clock.seconds += 899
        assert attempts.wait("anna", "10.0.0.1") == 1
        clock.seconds += 1
        assert attempts.wait("anna", "10.0.0.1") == 0

    def test_who_has_to_wait_keeps_nobody_else_out(self, clock: Clock) -> None:
        attempts = SignInAttempts(clock)
        for number in range(30):
            assert attempts.wait(f"nobody {number}", "10.0.0.66") == 0
        assert [attempts.wait("anna", "10.0.0.66") for _ in range(20)] == [900] * 20
        assert attempts.wait("anna", "10.0.0.1") == 0

    async def test_they_hold_where_other_limits_are_off(self, server: Running, person: Person) -> None:
        assert server.settings.registrations_per_minute == 1000
        for _ in range(10):
            await person.sign_in(password="wrong")
        assert (await person.sign_in()).status == 429


class TestPlainHttp:
    def exposed(self, *, remote: str, scheme: str = "http") -> bool:
        request = make_mocked_request("GET", "/sign-in").clone(remote=remote, scheme=scheme)
        return is_exposed(request)

    def test_it_is_said_where_others_could_listen_and_nowhere_else(self) -> None:
        assert self.exposed(remote="192.168.1.7")
        assert self.exposed(remote="fd00::7")
        assert self.exposed(remote="")
        assert not self.exposed(remote="127.0.0.1")
        assert not self.exposed(remote="::1")
        assert not self.exposed(remote="192.168.1.7", scheme="https")

    async def test_this_machine_reads_nothing_of_it(self, person: Person) -> None:
        assert "others on this network" not in await (await person.get("/sign-in")).text()

    async def test_from_elsewhere_the_page_says_what_it_means(
        self, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(session, "is_exposed", lambda _: True)
        page = await (await person.get("/sign-in")).text()
        assert "others on this network could read it" in page
        assert "/blob/main/docs/security.md" in page


class TestYourAccount:
    async def change(self, person: Person, **form: str) -> ClientResponse:
        page = await (await person.get("/account")).text()
        typed = {"current": PASSWORD, "password": "battery staple", "again": "battery staple"} | form
        return await person.post("/account/password", hidden_fields(page) | typed)

    async def test_who_is_not_signed_in_signs_in_and_comes_back(self, person: Person) -> None:
        answer = await person.get("/account", allow_redirects=False)
        assert answer.headers["Location"] == "/sign-in?next=%2Faccount"

    async def test_another_password_takes_the_place_of_the_old_one(self, person: Person) -> None:
        person.be_signed_in()
        answer = await self.change(person)
        assert (answer.status, answer.headers["Location"]) == (303, "/account")
        assert "Your password was changed." in await (await person.get("/account")).text()
        person.browser.cookie_jar.clear()
        assert (await person.sign_in()).status == 403
        assert (await person.sign_in(password="battery staple")).status == 303

    async def test_it_signs_out_everywhere_else_and_nobody_else(self, server: Running, person: Person) -> None:
        accounts = server.store.accounts
        tokens = [
            accounts.open_session(found[0])
            for name in ("anna", "ben")
            if (found := accounts.credentials(name)) is not None
        ]
        person.be_signed_in()
        await self.change(person)
        assert [accounts.session_account(each) is None for each in tokens] == [True, False]
        assert (await person.get("/account")).url.path == "/account"

    @pytest.mark.parametrize(
        ("form", "status", "problem"),
        [
            ({"current": "wrong"}, 403, "This is not your present password."),
            ({"password": "short", "again": "short"}, 422, "A password needs at least 8 characters."),
            ({"password": "x" * 1001, "again": "x" * 1001}, 422, "A password has at most 1000 characters."),
            ({"again": "other"}, 422, "The two passwords differ."),
        ],
    )
    async def test_what_can_not_be_taken_is_said_and_changes_nothing(
        self, person: Person, form: dict[str, str], status: int, problem: str
    ) -> None:
        person.be_signed_in()
        answer = await self.change(person, **form)
        assert answer.status == status
        assert problem in await answer.text()
        person.browser.cookie_jar.clear()
        assert (await person.sign_in()).status == 303

    async def test_a_session_is_no_way_to_guess_the_password(self, person: Person) -> None:
        person.be_signed_in()
        for _ in range(10):
            assert (await self.change(person, current="wrong")).status == 403
        answer = await self.change(person)
        assert answer.status == 429
        assert "Retry-After" in answer.headers

    async def test_signing_out_everywhere_ends_all_of_ones_own(self, server: Running, person: Person) -> None:
        account, _ = server.store.accounts.credentials("anna") or pytest.fail("no account")
        elsewhere = server.store.accounts.open_session(account)
        person.be_signed_in()
        page = await (await person.get("/account")).text()
        answer = await person.post("/account/sign-out", hidden_fields(page))
        assert answer.headers["Location"] == "/sign-in"
        assert server.store.accounts.session_account(elsewhere) is None
        assert (await person.get("/account")).url.path == "/sign-in"

    @pytest.mark.parametrize("path", ["/account/password", "/account/sign-out"])
    async def test_a_form_without_our_token_does_nothing(self, person: Person, path: str) -> None:
        person.be_signed_in()
        assert (await person.post(path, {"csrf": "0" * 64})).status == 403
        assert (await person.get("/account")).url.path == "/account"


@pytest.mark.parametrize(("name", "content_type"), [("wwn.css", "text/css"), ("wwn.svg", "image/svg+xml")])
async def test_style_and_icon_are_our_own(person: Person, name: str, content_type: str) -> None:
    page = await (await person.get("/sign-in")).text()
    answer = await person.get(f"/static/{name}")
    assert f'href="/static/{name}"' in page
    assert (answer.status, answer.content_type) == (200, content_type)
    assert "http" not in (await answer.text()).replace("http://www.w3.org/2000/svg", "")
