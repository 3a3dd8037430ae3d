"""What holds for every page and every form, whoever adds the next one: the table of routes is walked."""

import re
from typing import Final

from aiohttp import ClientSession
import pytest

from wwn_server.app import _ROUTES
from wwn_server.pages import (
    ACCOUNT,
    CATALOGUE,
    CONNECTIONS,
    CONSENT,
    CONSOLE,
    FIRST_RUN,
    HEALTH,
    JOIN,
    LEARN,
    MEMBERS,
    SIGN_IN,
    SIGN_OUT,
    SOURCES,
)

from .conftest import Running
from .hub import Hub
from .person import Person

# What programs use; each authenticates by itself and is tested on its own.
FOR_PROGRAMS: Final = ("/oauth2/", "/.well-known/")
FOR_EVERYBODY: Final = (SIGN_IN, FIRST_RUN, JOIN, "/static/")
PAGES: Final = (SIGN_IN, JOIN, CONSOLE, CONNECTIONS, CATALOGUE, SOURCES, MEMBERS, ACCOUNT, HEALTH)


def paths(method: str) -> list[str]:
    """Return an address for every route of people."""
    found = [path for verb, path, _ in _ROUTES if verb == method and not path.startswith(FOR_PROGRAMS)]
    named = {"category": "thermostat", "kind": "mqtt"}
    return [re.sub(r"\{(\w+)\}", lambda name: named.get(name[1], "1"), path) for path in found]


@pytest.mark.parametrize("path", paths("POST"))
@pytest.mark.parametrize("origin", [None, "https://evil.example", "null"])
async def test_no_form_is_taken_without_its_token_or_from_elsewhere(
    server: Running, person: Person, path: str, origin: str | None
) -> None:
    person.be_signed_in()
    csrf = (await person.console())["csrf"]
    before, kept = server.home.document, server.store.accounts.members()
    headers = {"Origin": origin or server.base}
    form = {"csrf": "" if origin is None else csrf, "username": "anna", "away": "away", "decision": "accept"}
    answer = await person.post(path, form, headers=headers)
    # First run is over, and leads away.
    assert answer.status == 403 or (path == FIRST_RUN and answer.status == 303)
    assert server.home.document is before
    assert server.store.accounts.members() == kept


@pytest.mark.parametrize("path", [path for path in paths("POST") if not path.startswith(FOR_EVERYBODY)])
async def test_no_form_is_taken_without_a_session(server: Running, person: Person, path: str) -> None:
    before = server.home.document
    assert (await person.post(path, {"csrf": "x", "away": "away"})).status == 403
    assert server.home.document is before


@pytest.mark.parametrize(
    "path", [path for path in paths("GET") if not path.startswith(FOR_EVERYBODY) and path != CONSENT]
)
async def test_every_page_leads_who_is_not_signed_in_to_sign_in(person: Person, path: str) -> None:
    answer = await person.get(path, allow_redirects=False)
    assert (answer.status, answer.headers.get("Location", "").partition("?")[0]) in {(303, SIGN_IN), (401, "")}


async def test_a_consent_needs_a_session(hub: Hub, person: Person) -> None:
    await hub.register()
    answer = await person.get(hub.consent_path(), allow_redirects=False)
    assert (answer.status, answer.headers["Location"].partition("?")[0]) == (303, SIGN_IN)


@pytest.mark.parametrize("path", [*PAGES, f"{LEARN}/thermostat", "/nothing-here", "consent", "421"])
async def test_every_page_comes_with_what_keeps_others_out(hub: Hub, person: Person, path: str) -> None:
    await hub.register()
    if path not in (SIGN_IN, JOIN):
        person.be_signed_in()
    headers = {"Host": "evil.example"} if path == "421" else {}
    where = {"consent": hub.consent_path(), "421": SIGN_IN, "/nothing-here": f"{CONNECTIONS}/99/remove"}.get(path, path)
    answer = await person.get(where, headers=headers)
    text = await answer.text()
    assert answer.content_type == "text/html"
    policy = dict(each.strip().partition(" ")[::2] for each in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["form-action"] == ("'self' http://127.0.0.1:8123" if path == "consent" else "'self'")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] in {"same-origin", "no-referrer"}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\son\w+=|javascript:", text, re.IGNORECASE)


async def test_every_form_of_every_page_carries_the_token(hub: Hub, linked: Hub, person: Person) -> None:
    person.be_signed_in()
    found = 0
    for path in (*PAGES[2:], hub.consent_path(), f"{CONNECTIONS}/1/remove", f"{MEMBERS}/2/remove"):
        text = await (await person.get(path)).text()
        forms = re.findall(r'<form[^>]*method="post".*?</form>', text, re.DOTALL)
        found += len(forms)
        assert all('name="csrf"' in form for form in forms), path
    assert found > 10


async def test_nothing_tells_versions_or_what_lies_in_folders(server: Running, session: ClientSession) -> None:
    for path in ("/", "/static/", "/static", "/static/../texts/en.json", "/.git/config", "/sign-in", "/nothing"):
        for accept in ("text/html", "*/*"):
            answer = await session.get(server.base + path, headers={"Accept": accept})
            assert answer.headers["Server"] == "wwn-server"
            assert not re.search(r"aiohttp|Python/|Traceback|Index of", await answer.text())
            assert "X-Powered-By" not in answer.headers


@pytest.mark.parametrize("path", [SIGN_OUT])
async def test_an_answer_to_a_form_is_303(person: Person, path: str) -> None:
    person.be_signed_in()
    csrf = (await person.console())["csrf"]
    assert (await person.post(path, {"csrf": csrf})).status == 303
