"""Every sample of the documents is run, as far as it can be, and every picture comes from the script."""

import argparse
import ast
import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import json
import os
from pathlib import Path
import re
import shlex
import subprocess
import sys
from typing import Any, Final
from urllib.parse import urlsplit

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
import yaml

from tools.chaos.command import parser as chaos_parser
from tools.demo.command import parser as demo_parser
from tools.nest_home import NestHomeServer
from tools.paths import CHECKOUT
from wwn_server.cli import build_parser as server_parser
from wwn_server.configuration import settings_of
from wwn_server.settings import Settings

DOCUMENTS: Final = (CHECKOUT / "README.md", CHECKOUT / "info.md", *sorted((CHECKOUT / "docs").glob("*.md")))
PICTURES: Final = CHECKOUT / "docs" / "pictures"
FRONTEND: Final = CHECKOUT / "custom_components" / "works_with_nest" / "frontend"

# What a sample is made of that is not ours and cannot be run here, with the reason.
NOT_RUN: Final[Mapping[str, str]] = {
    "caddy": "the configuration of a program that is not here",
    "nginx": "the configuration of a program that is not here",
}
# Programs of others in samples for the shell; that such a sample can be read is tested all the same.
PROGRAMS_OF_OTHERS: Final[Mapping[str, str]] = {
    "cd": "changes nothing that could be looked at",
    "cp": "copies what the program before it made",
    "curl": "what it asks the server is asked by the server's own tests",
    "docker": "there are no containers here; tests/app looks into what they are made of",
    "git": "the repository has no address yet",
    "pip": "installs into the environment; tests/wwn_server/test_package.py builds and looks into the package",
    "python3": "makes an environment outside of this folder",
    "systemctl": "changes the machine",
    "uv": "installs on the machine",
}


@dataclass(frozen=True)
class Sample:
    """A block of code in a document. line: where it begins."""

    document: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def samples() -> Iterator[Sample]:
    for file in DOCUMENTS:
        text = file.read_text(encoding="utf-8")
        for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, found.start()) + 1
            yield Sample(file.relative_to(CHECKOUT).as_posix(), line, found[1], found[2])


SAMPLES: Final = tuple(samples())


def of_kind(kind: str) -> Any:
    return pytest.mark.parametrize("sample", [each for each in SAMPLES if each.kind == kind], ids=str)


def test_every_sample_says_of_what_kind_it_is() -> None:
    assert {sample.kind for sample in SAMPLES} <= {"json", "sh", "toml", "yaml", *NOT_RUN}


def test_every_exception_is_still_one() -> None:
    assert NOT_RUN.keys() <= {sample.kind for sample in SAMPLES}
    named = {Path(words[0]).name for sample in SAMPLES if sample.kind == "sh" for words in commands(sample.text)}
    assert PROGRAMS_OF_OTHERS.keys() <= named


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_no_sample_is_hidden_from_these_tests(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count("```") == 2 * len([each for each in SAMPLES if CHECKOUT / each.document == file])
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    # Indented after an empty line: a block of code without a kind.
    assert re.findall(r"(?:^|\n)\n {4,}\S.*", outside) == []


# Automations.


def is_dashboard(sample: Sample) -> bool:
    return sample.document == "docs/dashboards.md"


@pytest.mark.parametrize(
    "sample", [each for each in SAMPLES if each.kind == "yaml" and not is_dashboard(each)], ids=str
)
async def test_home_assistant_loads_it(
    hass: HomeAssistant, enable_custom_integrations: None, caplog: pytest.LogCaptureFixture, sample: Sample
) -> None:
    written = yaml.safe_load(sample.text)
    automations = written if isinstance(written, list) else [written]
    assert all("triggers" in each or "use_blueprint" in each for each in automations), "what is it?"
    for component in ("homeassistant", "works_with_nest"):
        assert await async_setup_component(hass, component, {})
    assert await async_setup_component(hass, "automation", {"automation": automations})
    await hass.async_block_till_done()
    assert [state.state for state in hass.states.async_all("automation")] == ["on"] * len(automations)
    assert [each.getMessage() for each in caplog.records if each.levelname == "ERROR"] == []


# Dashboards: that they are drawn is seen in a real browser; here, that a sample says what the modules read.


@pytest.mark.parametrize("sample", [each for each in SAMPLES if each.kind == "yaml" and is_dashboard(each)], ids=str)
def test_the_modules_of_dashboards_know_it(sample: Sample) -> None:
    modules = "".join(file.read_text(encoding="utf-8") for file in sorted(FRONTEND.glob("*.js")))
    said = yaml.safe_load(sample.text)
    card = said.get("strategy", said)
    assert re.search(rf"""["']{card.pop("type").removeprefix("custom:")}["']""", modules)
    assert [key for key in card if not re.search(rf"\b{key}\b", modules)] == []


# The server's options.


@of_kind("toml")
def test_the_server_takes_it(tmp_path: Path, sample: Sample) -> None:
    file = tmp_path / "config.toml"
    # Secrets stand in files of their own, which have to be there.
    (tmp_path / "broker-password").write_text("a password")
    (tmp_path / "broker-password").chmod(0o600)
    file.write_text(sample.text.replace("/etc/wwn-server/", f"{tmp_path}/"))
    assert settings_of({"config": str(file)}, {}) != Settings()


@of_kind("json")
def test_it_is_json(sample: Sample) -> None:
    json.loads(sample.text)


# The shell.


def commands(text: str) -> Iterator[list[str]]:
    """Yield each command of a sample as its words, those in $( ) too."""
    joined = text.replace("\\\n", " ")
    for inner in re.findall(r"\$\(([^()]*)\)", joined):
        yield shlex.split(inner)
    joined = joined.replace(" && ", "\n")
    # A quoted text may go over several lines.
    words, pending = [], ""
    for line in joined.splitlines():
        pending = f"{pending}\n{line}" if pending else line
        try:
            words = shlex.split(pending, comments=True)
        except ValueError:
            continue
        pending = ""
        if words:
            yield words
    assert not pending, pending


def refuses(parser: argparse.ArgumentParser, words: list[str]) -> bool:
    try:
        parser.parse_args(words)
    except SystemExit as end:
        return end.code != 0
    return False


def wrong_with(words: list[str]) -> str | None:
    """Return what is wrong with a command, None where nothing is."""
    program, arguments = words[0], words[1:]
    name = Path(program).name
    if name == "wwn-server":
        return "the server does not take this" if refuses(server_parser(), arguments) else None
    if program.startswith("script/"):
        file = CHECKOUT / program
        if not (file.is_file() and os.access(file, os.X_OK)):
            return "there is no such script"
        parser = {"script/demo": demo_parser, "script/chaos": chaos_parser}.get(program)
        return "it does not take this" if parser and refuses(parser(), arguments) else None
    return None if name in PROGRAMS_OF_OTHERS else "is it harmless? Teach this test"


@of_kind("sh")
def test_every_command_is_one(sample: Sample) -> None:
    read = subprocess.run(["bash", "-n"], input=sample.text, capture_output=True, text=True, check=False)  # noqa: S607
    assert read.returncode == 0, read.stderr
    assert list(commands(sample.text))
    wrong = {shlex.join(words): wrong_with(words) for words in commands(sample.text)}
    assert {command: why for command, why in wrong.items() if why} == {}


# Commands of the server's that neither stay nor change what is not theirs.
HARMLESS: Final = frozenset({"check", "token", "backup", "list"})


def run_server(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the documents on this machine alone, with all that it writes in a folder."""
    command = [sys.executable, "-m", "wwn_server", *(local(word, folder) for word in words)]
    environment = {**os.environ, "WWN_SERVER_DATA": str(folder), "WWN_SERVER_PORT": "0", "PYTHONPATH": str(CHECKOUT)}
    return subprocess.run(  # noqa: S603 - words of our own documents
        command, env=environment, capture_output=True, text=True, check=False
    )


def local(word: str, folder: Path) -> str:
    """Return a word of a command, with addresses and places of this machine alone."""
    if word == "0.0.0.0":  # noqa: S104 - what is replaced
        return "127.0.0.1"
    if word.endswith(".sqlite3"):
        return str(folder / Path(word).name)
    return str(folder) if word.startswith("/var/") else word


def harmless() -> list[list[str]]:
    all_words = [words for sample in SAMPLES if sample.kind == "sh" for words in commands(sample.text)]
    servers = [words[1:] for words in all_words if Path(words[0]).name == "wwn-server"]
    return [words for words in servers if HARMLESS & set(words)]


def names_in(folder: Path, pattern: str) -> list[str]:
    return [file.name for file in folder.glob(pattern)]


# Each is a process of its own, for which a busy machine takes its time.
@pytest.mark.timeout(180)
async def test_the_servers_commands_of_the_documents_do_what_they_say(socket_enabled: None, tmp_path: Path) -> None:
    server = NestHomeServer(tmp_path, tmp_path / "log")
    await server.add_account("anna", "a long enough password")
    await server.start()
    said = {}
    # A token first, so that there is a link to list.
    for words in sorted(harmless(), key=lambda words: "token" not in words):
        done = await asyncio.to_thread(run_server, words, tmp_path)
        assert done.returncode == 0, (words, done.stderr)
        said |= {each: done.stdout for each in HARMLESS if each in words}
    await server.stop()
    assert said.keys() == HARMLESS
    assert said["token"].strip()
    assert "kitchen-display" in said["list"]
    assert names_in(tmp_path, "nest-*.sqlite3") != []


# Links to elsewhere; those inside are held by the rules of the house.


def test_every_link_to_elsewhere_can_be_one() -> None:
    for file in DOCUMENTS:
        for url in re.findall(r"\]\((\w+:[^)\s]*)\)", file.read_text(encoding="utf-8")):
            parts = urlsplit(url)
            assert parts.scheme == "https", f"{file.name}: {url}"
            assert re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", parts.netloc), f"{file.name}: {url}"


# Pictures.


def references() -> set[str]:
    """Return the pictures that documents show or lead to."""
    found = set()
    for file in DOCUMENTS:
        for target in re.findall(r"\]\(([^)\s]+\.(?:png|svg))\)", file.read_text(encoding="utf-8")):
            found.add((file.parent / target).resolve().relative_to(CHECKOUT).as_posix())
    return found


def committed() -> set[str]:
    return {file.relative_to(CHECKOUT).as_posix() for file in PICTURES.rglob("*") if file.is_file()}


def test_every_picture_is_there_and_is_shown_somewhere() -> None:
    assert sorted(references() - committed()) == []
    assert sorted(committed() - references()) == []


def made_by_the_script() -> tuple[list[list[str | None]], set[str]]:
    """Return how the tools put the names of pictures together, None for what is filled in, and all words they have."""
    patterns: list[list[str | None]] = []
    words: set[str] = set()
    for file in sorted((CHECKOUT / "tools").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.JoinedStr(values=parts) if ast.unparse(node).rstrip("'\"").endswith(".png"):
                    patterns.append([part.value if isinstance(part, ast.Constant) else None for part in parts])
                case ast.Constant(value=str(word)) if re.fullmatch(r"[a-z0-9-]+\.svg", word):
                    patterns.append([word])
                case ast.Constant(value=str(word)) if re.fullmatch(r"[a-z0-9-]+", word):
                    words.add(word)
    return patterns, words


def test_every_picture_has_a_name_that_the_script_gives() -> None:
    patterns, words = made_by_the_script()
    assert patterns
    # A part may be empty: the usual size and look have no ending.
    any_word = f"({'|'.join(sorted(map(re.escape, words), key=len, reverse=True))})?"
    parts = ("".join(any_word if part is None else re.escape(part) for part in each) for each in patterns)
    given = re.compile("|".join(parts))
    assert [name for name in sorted(committed()) if not given.fullmatch(Path(name).name)] == []
