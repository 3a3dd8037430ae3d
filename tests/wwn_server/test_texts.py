"""The texts of the pages: every one has a use, in every language the same, in the language that is asked for."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
from string import Formatter

import pytest

from wwn_server import texts
from wwn_server.texts import language, languages, negotiated, t

from .person import Person

PACKAGE = Path(texts.__file__).parent
FOLDER = PACKAGE / "pages" / "texts"
ENGLISH: dict[str, str] = json.loads((FOLDER / "en.json").read_text(encoding="utf-8"))
KEY = re.compile(r"[a-z_]+(\.[a-z0-9_+/ -]+)+")
# What the page to sign in is headed, by the language that is asked for. A new language adds its line.
HEADINGS = {
    "da": "Log ind",
    "de": "Anmelden",
    "en": "Sign in",
    "es": "Iniciar sesión",
    "fr": "Se connecter",
    "it": "Accedi",
    "ja": "ログイン",
    "nb": "Logg inn",
    "nl": "Inloggen",
    "pl": "Logowanie",
    "pt-BR": "Entrar",
    "sv": "Logga in",
    "zh-Hans": "登录",
}
# What stands for any word where a key is put together.
HOLE = "\0"


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder of texts to put languages into; English is there."""
    (tmp_path / "en.json").write_text(json.dumps(ENGLISH), encoding="utf-8")
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def forget() -> None:
    languages.cache_clear()
    texts._texts.cache_clear()


def offer(folder: Path, *names: str, **some: str) -> None:
    for name in names:
        (folder / f"{name}.json").write_text(json.dumps(some), encoding="utf-8")
    languages.cache_clear()


def said_in_code() -> set[str]:
    """Return every string of the code, with a hole where something is put in."""
    found = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            if isinstance(node, ast.JoinedStr):
                pieces = [str(each.value) if isinstance(each, ast.Constant) else HOLE for each in node.values]
                found.add("".join(pieces))
    return found


def said_in_templates() -> set[str]:
    """Return every key of the templates, with a hole where something is put in."""
    found = set()
    for file in PACKAGE.rglob("*.html"):
        for key, more in re.findall(r'\bt\("([^"]+)"( ~)?', file.read_text(encoding="utf-8")):
            found.add(key + HOLE if more else key)
    return found


def pattern(said: str) -> re.Pattern[str]:
    return re.compile(".+".join(map(re.escape, said.split(HOLE))))


def names_in(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


class TestKeys:
    def test_every_text_has_a_use(self) -> None:
        said = {each for each in said_in_code() | said_in_templates() if KEY.match(each.replace(HOLE, "x"))}
        whole = {each for each in said if HOLE not in each}
        patterns = [pattern(each) for each in said - whole]
        unused = [key for key in ENGLISH if key not in whole and not any(each.fullmatch(key) for each in patterns)]
        assert unused == []

    def test_every_key_of_a_template_has_a_text(self) -> None:
        said = said_in_templates()
        assert said
        assert [each for each in said if not any(pattern(each).fullmatch(key) for key in ENGLISH)] == []

    def test_every_key_that_code_asks_for_has_a_text(self) -> None:
        sections = {key.partition(".")[0] for key in ENGLISH}
        asked = {
            each
            for each in said_in_code()
            if KEY.fullmatch(each.replace(HOLE, "x")) and each.partition(".")[0] in sections - {"home"}
        }
        asked -= {each for each in asked if each.endswith((".html", ".json", ".css", ".svg", ".js", ".home"))}
        assert len(asked) > 50
        assert [each for each in sorted(asked) if not any(pattern(each).fullmatch(key) for key in ENGLISH)] == []

    def test_texts_are_plain_sentences(self) -> None:
        for key, text in ENGLISH.items():
            assert text == text.strip(), key
            assert text, key
            assert not re.search(r"</?\w", text), key


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_every_language_has_the_same_keys_and_placeholders(file: Path) -> None:
    known: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    assert list(known) == list(ENGLISH)
    assert {key: names_in(text) for key, text in known.items()} == {
        key: names_in(text) for key, text in ENGLISH.items()
    }


def test_every_language_has_its_heading_here() -> None:
    assert set(HEADINGS) == set(languages().values())


@pytest.mark.parametrize(("name", "heading"), HEADINGS.items())
async def test_a_browser_is_answered_in_its_language(person: Person, name: str, heading: str) -> None:
    page = await (await person.get("/sign-in", headers={"Accept-Language": f"{name},en;q=0.5"})).text()
    assert f'<html lang="{name}">' in page
    assert f"<h1>{heading}</h1>" in page


class TestNegotiation:
    @pytest.mark.parametrize(
        ("accepted", "expected"),
        [
            ("", "en"),
            ("de", "de"),
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("fi,sv;q=0.5", "sv"),
            ("en-GB,de;q=0.9", "en"),
            ("de;q=0.2,fr;q=0.8", "fr"),
            ("de;q=0,fr;q=0.1", "fr"),
            ("pt-PT", "pt-BR"),
            ("PT-br", "pt-BR"),
            ("no", "nb"),
            ("nn-NO", "nb"),
            ("zh-CN", "zh-Hans"),
            ("zh-Hans-SG", "zh-Hans"),
            ("zh-TW", "en"),
            ("zh-Hant-HK", "en"),
            ("*", "en"),
            ("de;q=x,fr", "fr"),
            (";;,,-,q=1", "en"),
            ("../en", "en"),
            ("x," * 100 + "de", "en"),
        ],
    )
    def test_the_dearest_language_that_is_there_is_chosen(self, offered: Path, accepted: str, expected: str) -> None:
        offer(offered, "de", "fr", "sv", "nb", "pt-BR", "zh-Hans")
        assert negotiated(accepted) == expected

    def test_what_a_language_lacks_is_said_in_english(self, offered: Path) -> None:
        offer(offered, "de", **{"consent.accept": "Annehmen"})
        token = language.set("de")
        assert (t("consent.accept"), t("consent.back")) == ("Annehmen", "Back")
        language.reset(token)


class TestPages:
    async def test_a_page_speaks_the_browsers_language_and_says_which(self, offered: Path, person: Person) -> None:
        offer(offered, "de", **{"sign_in.title": "Anmelden"})
        answer = await person.get("/sign-in", headers={"Accept-Language": "de-CH, en;q=0.5"})
        page = await answer.text()
        assert '<html lang="de">' in page
        assert "<h1>Anmelden</h1>" in page
        assert "It is not a Google account" in page
        # The same connection, another wish.
        page = await (await person.get("/sign-in", headers={"Accept-Language": "fr"})).text()
        assert '<html lang="en">' in page
        assert "<h1>Sign in</h1>" in page

    async def test_a_page_that_says_what_went_wrong_speaks_it_too(self, offered: Path, person: Person) -> None:
        offer(offered, "de", **{"page.message_title": "Das ging nicht"})
        answer = await person.post("/sign-in", {}, headers={"Accept-Language": "de"})
        assert answer.status == 403
        assert "Das ging nicht" in await answer.text()

    async def test_what_keeps_an_open_console_up_to_date_speaks_it_too(self, offered: Path, person: Person) -> None:
        offer(offered, "de", **{"console.mode": "Betriebsart"})
        person.be_signed_in()
        headers = {"Accept": "text/event-stream", "Accept-Language": "de"}
        async with person.browser.get(f"{person.base}/console/events", headers=headers) as answer:
            assert answer.status == 200
            await answer.content.readline()
            assert "Betriebsart" in (await answer.content.readline()).decode()

    async def test_a_program_reads_the_documented_words(self, offered: Path, person: Person) -> None:
        offer(offered, "de", **{"refusal.unauthorized": "Kein Zutritt."})
        headers = {"Accept": "application/json", "Accept-Language": "de"}
        answer = await person.get("/devices", headers=headers)
        assert (await answer.json())["error"] == "The token is missing, unknown or revoked."
