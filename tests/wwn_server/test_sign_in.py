import re

import pytest

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


async def test_where_nobody_has_an_account_the_page_says_what_to_run(server: Running, person: Person) -> None:
    server.store._database.change("DELETE FROM accounts")
    assert "wwn-server account add NAME" in await (await person.get("/sign-in")).text()


@pytest.mark.parametrize(("name", "content_type"), [("wwn.css", "text/css"), ("wwn.svg", "image/svg+xml")])
async def test_style_and_icon_are_our_own(person: Person, name: str, content_type: str) -> None:
    page = await (await person.get("/sign-in")).text()
    answer = await person.get(f"/static/{name}")
    assert f'href="/static/{name}"' in page
    assert (answer.status, answer.content_type) == (200, content_type)
    assert "http" not in (await answer.text()).replace("http://www.w3.org/2000/svg", "")
