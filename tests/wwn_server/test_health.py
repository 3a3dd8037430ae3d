import re

from wwn_server import __version__
from wwn_server.context import CONTEXT

from .conftest import Running
from .hub import Hub
from .person import PASSWORD, Person, hidden_fields
from .test_writes import structure_path, thermostat_path


async def rows(person: Person) -> list[str]:
    """Return what the lists say, one by one."""
    page = await (await person.get("/health")).text()
    found = re.findall(r"<li>\s*(<p .*?)</li>", page, re.DOTALL)
    return [" ".join(re.sub("<[^>]*>", " ", each).split()) for each in found]


async def test_who_is_not_signed_in_sees_nothing(person: Person) -> None:
    assert (await person.get("/health")).url.path == "/sign-in"


async def test_it_says_version_and_since_when(person: Person) -> None:
    person.be_signed_in()
    page = await (await person.get("/health")).text()
    assert f"<dd>{__version__}</dd>" in page
    assert "0 d 0 h 0 min" in page
    assert "Nothing was written since the server started." in page


async def test_it_counts_the_open_streams_of_each_hub(linked: Hub, person: Person) -> None:
    async with linked.stream() as first, linked.stream("/devices") as second:
        await first.put()
        await second.put()
        assert "<li>Home Assistant: 2</li>" in await (await person.get("/health")).text()


async def test_the_last_writes_are_there_without_their_values(server: Running, linked: Hub, person: Person) -> None:
    await linked.put(thermostat_path(server), {"hvac_mode": "heat"})
    await linked.put(f"{structure_path(server)}/away", "away")
    newest, older = await rows(person)
    assert "· Home Assistant PUT /structures/" in newest
    assert newest.endswith("/away 200")
    assert older.endswith("(hvac_mode) 200")


async def test_refusals_are_there_with_their_reason(server: Running, linked: Hub, person: Person) -> None:
    await linked.put(thermostat_path(server), {"hvac_mode": "nonsense"})
    await linked.session.get(f"{linked.base}/devices?auth=c.secret-{'x' * 30}")
    newest, older = await rows(person)
    assert "127.0.0.1 GET /devices?*** 401 The token is missing, unknown or revoked." in newest
    assert "400 Invalid HVAC mode: nonsense" in older


async def test_wrong_passwords_are_there_without_names(person: Person) -> None:
    await person.sign_in("my-password-by-mistake", "wrong")
    await person.sign_in()
    page = await (await person.get("/health")).text()
    assert "POST /sign-in" in page
    assert "my-password-by-mistake" not in page


async def test_no_secret_is_on_it(server: Running, linked: Hub, person: Person) -> None:
    await linked.revoke("c." + "x" * 140)
    await linked.put(f"/{linked.token}", {linked.token: 1})
    await linked.redeem("a-wrong-code")
    page = await (await person.get("/health")).text()
    for secret in (linked.token, linked.secret, "a-wrong-code", "x" * 140, PASSWORD):
        assert secret not in page
    assert "/oauth2/access_tokens/***" in page


async def test_only_the_newest_fifty_are_kept(server: Running, linked: Hub, person: Person) -> None:
    for number in range(60):
        await linked.get(f"/nothing/{number}")
    journal = server.app[CONTEXT].journal
    assert len(journal.refusals) == 50
    assert "/nothing/59" in journal.refusals[0].what


async def test_what_hubs_say_is_shown_as_plain_text_and_cut(server: Running, linked: Hub, person: Person) -> None:
    await linked.put(thermostat_path(server), {"<script>": "x" * 500})
    await linked.get("/" + "y" * 5000)
    page = await (await person.get("/health")).text()
    assert "<script" not in page
    assert "y" * 300 not in page


async def test_the_page_has_no_form_but_signing_out(person: Person) -> None:
    person.be_signed_in()
    page = await (await person.get("/health")).text()
    assert re.findall(r'<form method="post" action="([^"]*)"', page) == ["/sign-out"]
    assert set(hidden_fields(page)) == {"csrf"}
