"""The rules of the house that a program can hold: manifest, texts, icons, links, names, and what no file may hold.

The code is read as a syntax tree, or asked where it can be imported. What a rule cannot work out fails with a sentence,
so that the rule is taught and not passed by.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
import importlib
import inspect
import json
import os
from pathlib import Path
import pkgutil
import re
from string import Formatter
import subprocess
import tomllib
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import hass_frontend
import homeassistant
from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.selector import SelectSelector
from PIL import Image
import pytest
import voluptuous as vol
import yaml

from custom_components.works_with_nest import (
    PLATFORMS,
    condition,
    config_flow,
    const,
    entity,
    event,
    options_flow,
    repairs,
    sensor,
    services,
    sharing,
    system_health,
    trigger,
)
from custom_components.works_with_nest.errors import KEY_OF_ERROR, placeholders, translation_key
from custom_components.works_with_nest.home import Shortcoming
from custom_components.works_with_nest.wwn.errors import AddressProblem, WwnError
from custom_components.works_with_nest.wwn.models import AlarmLevel
from tools.demo.command import parser as demo_parser
import wwn_server
from wwn_server.cli import build_parser as server_parser

ROOT = Path(__file__).parent.parent
PACKAGE = "custom_components.works_with_nest"
INTEGRATION = ROOT / "custom_components" / "works_with_nest"
BRAND = INTEGRATION / "brand"
README = ROOT / "README.md"

# What imports a blueprint; the address of that follows, quoted.
IMPORT = "https://my.home-assistant.io/redirect/blueprint_import/?blueprint_url="

# Pictures that documents may name before they are made. Empty but while one is being made.
PICTURES_TO_COME: frozenset[str] = frozenset()
# Texts that may hold an address, against the rule: an example of what to type.
TEXTS_WITH_AN_ADDRESS: frozenset[str] = frozenset()


def load(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


MANIFEST = load(INTEGRATION / "manifest.json")
TRANSLATIONS = INTEGRATION / "translations"
TEXTS = load(TRANSLATIONS / "en.json")
ICONS = load(INTEGRATION / "icons.json")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = PROJECT["urls"]["repository"]
# What Home Assistant says itself, in every language, wherever an integration says nothing.
CENTRAL = load(Path(homeassistant.__file__).parent / "components" / "homeassistant" / "translations" / "en.json")
# What expressions inside a formatted string can be.
FORMATTED = {"err.problem": {problem.value for problem in AddressProblem}}
ERROR_KEYS = {key for _, key in KEY_OF_ERROR} | {translation_key(WwnError())}


# Files, and what is in them.


@cache
def files() -> tuple[Path, ...]:
    """Return what git tracks, or would if it was told to."""
    command = ("git", "-c", f"safe.directory={ROOT}", "ls-files", "-co", "--exclude-standard", "-z")
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout, so it cannot be told which files belong to it")
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout  # noqa: S603
    return tuple(file for name in listed.split("\0") if name and (file := ROOT / name).is_file())


@cache
def texts_of_files() -> Mapping[str, str]:
    """Return the content of every file that is text, by its path in the repository."""
    found = {}
    for file in files():
        try:
            found[file.relative_to(ROOT).as_posix()] = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def documents() -> Mapping[str, str]:
    return {name: text for name, text in texts_of_files().items() if name.endswith(".md")}


@cache
def trees() -> Mapping[str, ast.Module]:
    """Return the parsed code of the integration, by the name of the module."""
    return {
        ".".join((PACKAGE, *file.relative_to(INTEGRATION).with_suffix("").parts)).removesuffix(".__init__"): ast.parse(
            file.read_text(encoding="utf-8")
        )
        for file in sorted(INTEGRATION.rglob("*.py"))
    }


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text below some JSON, with the keys that lead to it."""
    if isinstance(value, str):
        yield path, value
        return
    for key, each in value.items():
        yield from leaves(each, f"{path}.{key}" if path else key)


def names_in(*texts: str) -> set[str]:
    """Return the placeholders of some texts."""
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name is not None}


# What code says, as far as that can be told without running it.


class Scope:
    """One function: which strings an expression in it can be, and which keys a mapping in it can have."""

    def __init__(self, module: ModuleType, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.module = module
        self.name = function.name
        self.nodes = list(ast.walk(function))

    def __str__(self) -> str:
        return f"{self.name} in {self.module.__name__}"

    def calls(self, *names: str) -> list[ast.Call]:
        return [node for node in self.nodes if isinstance(node, ast.Call) and called(node) in names]

    def assigned(self, target: str) -> list[ast.expr]:
        """Return what is assigned to a name, or stored under any key of it where it ends in []."""
        return [value for each, value in self._assignments() if ast.unparse(each) == target]

    def stored_in(self, name: str) -> list[tuple[ast.expr, ast.expr]]:
        """Return each key and value that is stored in a mapping of this name."""
        stored = [
            (each.slice, value)
            for each, value in self._assignments()
            if isinstance(each, ast.Subscript) and ast.unparse(each.value) == name
        ]
        literal = [value for value in self.assigned(name) if isinstance(value, ast.Dict)]
        return stored + [
            (key, value) for each in literal for key, value in zip(each.keys, each.values, strict=True) if key
        ]

    def words(self, node: ast.expr | None) -> set[str]:
        """Return every string that an expression can be."""
        if (alternatives := self._alternatives(node)) is not None:
            return {word for each in alternatives for word in self.words(each)}
        match node:
            case ast.Constant(value=str(word)):
                return {word}
            case ast.JoinedStr(values=parts):
                return self._formatted(parts)
            case ast.Call() if called(node) == "translation_key":
                return ERROR_KEYS
            case ast.Name(id=name) if isinstance(word := getattr(self.module, name, None), str):
                return {word}
        return self._unknown("what can it be", node)

    def keys(self, node: ast.expr | None) -> set[str]:
        """Return every key that a mapping can have."""
        if (alternatives := self._alternatives(node)) is not None:
            return {key for each in alternatives for key in self.keys(each)}
        match node:
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                return {word for key, value in pairs for word in (self.words(key) if key else self.keys(value))}
            case ast.Call() if called(node) == "placeholders":
                return set(placeholders(WwnError()))
        return self._unknown("which keys does it have", node)

    def certain_keys(self, node: ast.expr | None) -> set[str]:
        """Return the keys that a mapping has whatever happened before."""
        if not isinstance(node, ast.Name):
            return self.keys(node)
        plain = [value for each, value in self._assignments(grown=False) if ast.unparse(each) == node.id]
        return set.intersection(*map(self.keys, plain)) if plain else self.keys(node)

    def fields(self) -> set[str]:
        """Return the fields of the schemas that it names."""
        named = {node.id for node in self.nodes if isinstance(node, ast.Name)}
        schemas = [value for name in named if isinstance(value := getattr(self.module, name, None), vol.Schema)]
        return {str(field) for schema in schemas for field in schema.schema}

    def _alternatives(self, node: ast.expr | None) -> list[ast.expr] | None:
        """Return the expressions that this one is one of, None where it is itself what counts."""
        match node:
            case None | ast.Constant(value=None):
                return []
            case ast.IfExp(body=yes, orelse=no):
                return [yes, no]
            case ast.Name(id=name):
                return self.assigned(name) or None
            case ast.Subscript(value=ast.Name(id=name)) if isinstance(table := getattr(self.module, name, None), dict):
                return [ast.Constant(word) for word in table.values()]
        return None

    def _assignments(self, *, grown: bool = True) -> Iterator[tuple[ast.expr, ast.expr]]:
        for node in self.nodes:
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        yield from paired(target, value)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    yield target, value
                case ast.NamedExpr(target=target, value=value):
                    yield target, value
                case ast.AugAssign(target=target, op=ast.BitOr(), value=value) if grown:
                    yield target, value

    def _formatted(self, parts: list[ast.expr]) -> set[str]:
        words = {""}
        for part in parts:
            ends = self._values(part.value) if isinstance(part, ast.FormattedValue) else self.words(part)
            words = {word + end for word in words for end in ends}
        return words

    def _values(self, node: ast.expr) -> set[str]:
        return FORMATTED.get(ast.unparse(node)) or self._unknown("what can it be", node)

    def _unknown(self, question: str, node: ast.expr | None) -> set[str]:
        return pytest.fail(f"{ast.unparse(node) if node else node}, in {self}: {question}? Teach this test.")


def paired(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield each target of an assignment with its own value."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        yield from zip(target.elts, value.elts, strict=True)
    else:
        yield target, value


def called(call: ast.Call) -> str:
    """Return the last part of what is called."""
    return ast.unparse(call.func).rpartition(".")[2]


def argument(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


@cache
def scopes() -> tuple[Scope, ...]:
    """Return every function and method of the integration, above the wire."""
    return tuple(
        Scope(importlib.import_module(name), node)
        for name, tree in trees().items()
        if not name.startswith(f"{PACKAGE}.wwn")
        for owner in (tree, *(each for each in tree.body if isinstance(each, ast.ClassDef)))
        for node in owner.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def calls(*names: str) -> list[tuple[Scope, ast.Call]]:
    return [(scope, call) for scope in scopes() for call in scope.calls(*names)]


# The manifest, and where the project lives.


def test_the_manifest_has_its_keys_in_home_assistants_order() -> None:
    assert list(MANIFEST) == ["domain", "name", *sorted(MANIFEST.keys() - {"domain", "name"})]
    assert MANIFEST.keys() >= {"codeowners", "config_flow", "documentation", "issue_tracker", "loggers", "version"}
    decided = {
        "domain": const.DOMAIN,
        "name": "Works with Nest",
        "config_flow": True,
        "integration_type": "hub",
        "iot_class": "local_push",
        "requirements": [],
    }
    assert {key: MANIFEST[key] for key in decided} == decided
    assert "single_config_entry" not in MANIFEST


def test_there_is_one_version() -> None:
    assert MANIFEST["version"] == PROJECT["version"] == wwn_server.__version__


def test_there_is_one_address_of_the_project() -> None:
    assert const.REPOSITORY_URL == wwn_server.REPOSITORY_URL == MANIFEST["documentation"] == REPOSITORY
    assert MANIFEST["issue_tracker"] == f"{REPOSITORY}/issues"
    other = [
        f"{name}: {url}"
        for name, text in documents().items()
        for url in re.findall(r"https?://[^\s)>\"'`]+", unquote(text.replace(IMPORT, "")))
        if re.search(r"works.with.nest|wwn", url, re.IGNORECASE) and not f"{url}/".startswith(f"{REPOSITORY}/")
    ]
    assert other == []


def test_what_is_linked_in_the_repository_is_there() -> None:
    linked = re.findall(rf"{re.escape(REPOSITORY)}/blob/main/([\w./-]+)", "\n".join(texts_of_files().values()))
    paths = {*linked, const.PRIVACY_POLICY_URL.removeprefix(f"{REPOSITORY}/blob/main/")}
    assert [path for path in sorted(paths) if not (ROOT / path).is_file()] == []


def test_only_the_integration_has_a_manifest() -> None:
    # Home Assistant's own checker takes the folder of every file of this name for an integration.
    assert [file for file in files() if file.name == "manifest.json"] == [INTEGRATION / "manifest.json"]


def test_the_marketplace_is_told_only_what_all_its_readers_know() -> None:
    told = load(ROOT / "hacs.json")
    assert told.keys() <= {"name", "homeassistant", "zip_release", "filename"}
    assert (told["name"], told["homeassistant"]) == (MANIFEST["name"], "2026.10.0")


# Texts.


LANGUAGES = pytest.mark.parametrize("file", sorted(TRANSLATIONS.glob("*.json")), ids=lambda file: file.stem)


def shape(value: Any) -> Any:
    """Return the keys of some JSON in their order, and instead of each text its placeholders."""
    return names_in(value) if isinstance(value, str) else [(key, shape(each)) for key, each in value.items()]


def test_the_integration_and_the_servers_pages_speak_the_same_languages() -> None:
    pages = {"da", "de", "en", "es", "fr", "it", "ja", "nb", "nl", "pl", "pt-BR", "sv", "zh-Hans"}
    assert {file.stem for file in (ROOT / "wwn_server" / "pages" / "texts").glob("*.json")} == pages
    assert {file.stem for file in TRANSLATIONS.glob("*.json")} == pages


@LANGUAGES
def test_every_language_has_the_same_keys_and_placeholders(file: Path) -> None:
    assert shape(load(file)) == shape(TEXTS)


def test_the_sections_of_the_texts_are_known_to_these_rules() -> None:
    known = {"conditions", "config", "device", "entity", "exceptions", "issues", "options", "selector", "services"}
    known |= {"application_credentials", "config_panel", "system_health", "triggers"}
    assert TEXTS.keys() == known, "teach this test the new section"


MODULES = {file.name: file.read_text() for file in (INTEGRATION / "frontend").glob("*.js")}
SHAPES = (INTEGRATION / "frontend" / "shapes.d.ts").read_text()
# A text of the card by its own key, or by one that is put together; of other parts by theirs.
SAID = r"\bsay\(\s*(?:\"([^\"]+)\"|`([^`]+)`)"
COUNTED = r"\bcount\(\s*\"(\w+)\""
PART = r"\bof\(\"(\w+)\", \"(\w+)\"\)"


FORMS = ("one", "few", "many", "other")
# What is put into a key while it is put together.
PUT_IN = {
    "${level}": "(emergency|warning)",
    "${cause}": "(smoke|carbon_monoxide)",
    '${battery ?? "unknown"}': "(ok|replace|unknown)",
    "${key}": "(replace|unknown)",
}


def test_every_text_of_the_card_is_said_and_everything_it_says_has_a_text() -> None:
    code, texts = "\n".join(MODULES.values()), TEXTS["config_panel"]["card"]
    patterns = {f"{key}_{form}" for key in re.findall(COUNTED, code) for form in FORMS}
    for said in ("".join(each) for each in re.findall(SAID, code)):
        if said != "${key}_${known}":
            patterns.add(re.sub(r"\$\{[^}]*\}", lambda found: PUT_IN[found[0]], said))
    # How an alarm is heard is a key as it is told.
    words = set(re.findall(r"\"(\w+)\"", code + SHAPES))
    for key in texts:
        assert key in words or any(re.fullmatch(pattern, key) for pattern in patterns), key
    for pattern in patterns:
        assert any(re.fullmatch(pattern, key) for key in texts), pattern


def test_every_text_of_the_form_and_of_the_dashboard_is_used_and_there() -> None:
    form = set(re.findall(r"name: \"(\w+)\"", MODULES["editor.js"]))
    assert form == {key for key in TEXTS["config_panel"]["editor"] if not key.endswith("_help")}
    assert {f"{name}_help" for name in form} >= TEXTS["config_panel"]["editor"].keys() - form
    shown = set(re.findall(PART, MODULES["strategy.js"]))
    assert shown == {("dashboard", key) for key in TEXTS["config_panel"]["dashboard"]}


def test_the_modules_keep_data_out_of_markup_and_need_nothing_from_elsewhere() -> None:
    for name, code in MODULES.items():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", code), name
        for source in re.findall(r"(?:from |import\()\"([^\"]+)\"", re.sub(r"/\*.*?\*/", "", code, flags=re.DOTALL)):
            assert source.removeprefix("./") in MODULES, f"{name} imports {source}"


@LANGUAGES
def test_every_text_is_a_sentence_that_can_be_shown(file: Path) -> None:
    for path, text in leaves(load(file)):
        assert text, path
        assert text == text.strip(), path
        assert "[%key" not in text, path
        assert not re.search(r"</?\w", text), f"{path} holds HTML"
        assert "://" not in text or path in TEXTS_WITH_AN_ADDRESS, f"{path} holds an address; use a placeholder"


def test_every_exception_that_people_see_is_translated() -> None:
    kinds = ("HomeAssistantError", "ServiceValidationError", "ConfigEntryAuthFailed", "ConfigEntryError")
    found = calls(*kinds, "ConfigEntryNotReady", "UpdateFailed")
    assert found
    for scope, call in found:
        assert argument(call, "translation_domain") is not None, f"{ast.unparse(call)} in {scope}"
        assert argument(call, "translation_key") is not None, f"{ast.unparse(call)} in {scope}"


def test_every_exception_has_a_text_and_every_text_an_exception() -> None:
    used: set[str] = set()
    for scope in scopes():
        for call in (node for node in scope.nodes if isinstance(node, ast.Call)):
            if argument(call, "translation_domain") is None:
                continue
            given = scope.keys(argument(call, "translation_placeholders"))
            keys = scope.words(argument(call, "translation_key"))
            used |= keys
            for key in keys & TEXTS["exceptions"].keys():
                assert names_in(TEXTS["exceptions"][key]["message"]) <= given, f"{key} in {scope}"
    assert used == TEXTS["exceptions"].keys()


# Where each dialogue has its texts; those of repairs stand with the repair. Where the dialogue of somebody who left is
# closed, nobody is told anything.
DIALOGUES = {"config_flow": "config", "options_flow": "options"}
WITHOUT_TEXTS_THERE = {"repairs", "asking"}


def dialogues(*names: str) -> Iterator[tuple[Scope, ast.Call, Any]]:
    """Yield each call in a dialogue, with the texts of that dialogue."""
    for scope, call in calls(*names):
        module = scope.module.__name__.removeprefix(f"{PACKAGE}.")
        if module not in WITHOUT_TEXTS_THERE:
            yield scope, call, TEXTS[DIALOGUES[module]]


def texts_of_dialogues(kind: str) -> set[str]:
    return {key for section in DIALOGUES.values() for key in TEXTS[section].get(kind, {})}


def test_every_step_has_its_texts() -> None:
    assert calls("async_show_progress", "section") == [], "teach this test what is new"
    steps: set[str] = set()
    for scope, call, dialogue in dialogues("async_show_menu"):
        (step,) = scope.words(argument(call, "step_id"))
        steps.add(step)
        assert dialogue["step"][step].keys() == {"title", "description", "menu_options"}, step
        options = {ast.literal_eval(option) for option in argument(call, "menu_options").elts}
        assert dialogue["step"][step]["menu_options"].keys() == options
        assert all(hasattr(config_flow.WwnFlowHandler, f"async_step_{option}") for option in options)
    for scope, call, dialogue in dialogues("async_show_form"):
        given = scope.certain_keys(argument(call, "description_placeholders"))
        fields = scope.fields()
        for step in scope.words(argument(call, "step_id")):
            steps.add(step)
            texts = dialogue["step"][step]
            described = {"data", "data_description"} if fields else set()
            assert texts.keys() == {"title", "description"} | described, step
            for kind in described:
                assert texts[kind].keys() == fields, f"{kind} of {step}"
            # Home Assistant itself gives the name of the entry that is linked again.
            given_too = {"name"} if step == "reauth_confirm" else set()
            assert names_in(*(text for _, text in leaves(texts))) <= given | given_too, step
    assert steps == texts_of_dialogues("step")


def test_every_error_on_a_form_has_a_text_and_every_text_an_error() -> None:
    used: set[str] = set()
    for scope, call, dialogue in dialogues("async_show_form"):
        assert ast.unparse(argument(call, "errors") or ast.Name("errors")) == "errors", f"teach this test {scope}"
        given = scope.keys(argument(call, "description_placeholders"))
        for place, value in scope.stored_in("errors"):
            assert scope.words(place) <= {"base"} | scope.fields(), scope
            for key in scope.words(value):
                used.add(key)
                assert names_in(dialogue["error"][key]) <= given, f"{key} in {scope}"
    assert used == texts_of_dialogues("error")


def aborts() -> Iterator[tuple[str, set[str], Scope, Any]]:
    """Yield each reason to end a dialogue, with the placeholders it is given, where our own code ends it."""
    for scope, call, dialogue in dialogues("async_abort"):
        for reason in scope.words(argument(call, "reason")):
            yield reason, scope.keys(argument(call, "description_placeholders")), scope, dialogue
    own = {"_abort_if_unique_id_configured": "already_configured", "_abort_if_unique_id_mismatch": "unique_id_mismatch"}
    for scope, call, dialogue in dialogues(
        *own, "_async_abort_entries_match", "async_update_reload_and_abort", "async_update_and_abort"
    ):
        default = own.get(called(call), "already_configured" if "match" in called(call) else "reauth_successful")
        for reason in scope.words(argument(call, "reason")) or {default}:
            yield reason, set(), scope, dialogue


def test_every_end_of_a_dialogue_has_a_text_and_every_text_an_end() -> None:
    used = {reason for reason, *_ in aborts()}
    assert used - CENTRAL["config"]["abort"].keys() == texts_of_dialogues("abort")
    for reason, given, scope, dialogue in aborts():
        assert names_in(dialogue["abort"].get(reason, "")) <= given, f"{reason} in {scope}"


def test_every_new_link_has_a_text() -> None:
    texts = TEXTS["config"]["create_entry"]
    used = {"default"}
    for scope, call, dialogue in dialogues("async_create_entry"):
        if dialogue is not TEXTS["config"]:
            continue
        used |= scope.words(argument(call, "description"))
        given = scope.keys(argument(call, "description_placeholders"))
        assert names_in(*texts.values()) <= given, scope
    assert used == texts.keys()


def test_a_found_server_is_named() -> None:
    values = [value for scope in scopes() for value in scope.assigned("self.context['title_placeholders']")]
    assert values
    for value in values:
        assert names_in(TEXTS["config"]["flow_title"]) <= {ast.literal_eval(key) for key in value.keys}
    assert TEXTS["config"].keys() == {"flow_title", "step", "error", "abort", "create_entry"}


def test_every_choice_on_a_form_has_a_text_and_every_text_a_choice() -> None:
    schemas = [
        value
        for module in (config_flow, options_flow)
        for value in vars(module).values()
        if isinstance(value, vol.Schema)
    ]
    choices = {
        field.config["translation_key"]: set(field.config["options"])
        for schema in schemas
        for field in schema.schema.values()
        if isinstance(field, SelectSelector) and "translation_key" in field.config
    }
    # Sentences inside those of others, which are no choices but have to be translated all the same.
    sentences = {
        path.rpartition(".")[2]
        for scope, call in calls("async_sentence")
        if scope.words(call.args[1]) == {"selector"}
        for path in scope.words(call.args[2])
    }
    choices["notice"] = sentences
    in_yaml = {
        selector["translation_key"]: {str(option) for option in selector["options"]}
        for described in DESCRIBED.values()
        for _, field in fields_of(described)
        if (selector := field["selector"].get("select"))
    }
    assert choices | in_yaml == {key: texts["options"].keys() for key, texts in TEXTS["selector"].items()}


# Actions, triggers and conditions.


def described_in(name: str) -> dict[str, Any]:
    """Return what a file describes; what begins with a dot is there to be pointed to."""
    described = yaml.safe_load((INTEGRATION / name).read_text(encoding="utf-8"))
    return {key: value for key, value in described.items() if not key.startswith(".")}


DESCRIBED = {kind: described_in(f"{kind}.yaml") for kind in ("services", "triggers", "conditions")}
# Of each kind: what there is in the code, and under which word its icon stands.
CODED = {
    "services": ({"set_eta", "cancel_eta", "set_fan_timer"}, "service"),
    "triggers": (set(trigger.TRIGGERS), "trigger"),
    "conditions": (set(condition.CONDITIONS), "condition"),
}


def fields_of(described: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for each in described.values():
        yield from each.get("fields", {}).items()


@pytest.mark.parametrize("kind", list(CODED))
def test_every_action_trigger_and_condition_is_described_named_and_drawn(kind: str) -> None:
    names, word = CODED[kind]
    assert DESCRIBED[kind].keys() == TEXTS[kind].keys() == ICONS[kind].keys() == names
    for name, described in DESCRIBED[kind].items():
        texts = TEXTS[kind][name]
        fields = described.get("fields", {}).keys()
        assert texts.keys() == {"name", "description"} | ({"fields"} if fields else set()), name
        assert texts.get("fields", {}).keys() == fields, name
        assert all(field.keys() == {"name", "description"} for field in texts.get("fields", {}).values()), name
        assert ICONS[kind][name].keys() == {word}, name
        filters = described["target"]["entity"]
        assert all(each["integration"] == const.DOMAIN for each in filters), f"{name} offers what is not ours"


def test_every_action_that_is_described_is_there_and_takes_the_fields_that_are_described() -> None:
    schemas = {"set_eta": services.SET_ETA, "cancel_eta": services.CANCEL_ETA, "set_fan_timer": services.SET_FAN_TIMER}
    assert schemas.keys() == CODED["services"][0]
    for name, schema in schemas.items():
        taken = {str(field) for field in schema.schema} - {str(field) for field in cv.TARGET_FIELDS}
        assert taken == DESCRIBED["services"][name]["fields"].keys(), name
    offered = DESCRIBED["services"]["set_fan_timer"]["fields"]["minutes"]["selector"]["select"]["options"]
    assert tuple(map(int, offered)) == services.FAN_MINUTES


def test_every_repair_has_its_texts_and_every_text_a_repair() -> None:
    used = set()
    for scope, call in calls("async_create_issue"):
        given = scope.keys(argument(call, "translation_placeholders"))
        is_fixable = ast.literal_eval(argument(call, "is_fixable") or ast.Constant(value=None))
        for key in scope.words(argument(call, "translation_key")):
            used.add(key)
            assert TEXTS["issues"][key].keys() == {"title", "fix_flow" if is_fixable else "description"}, key
            assert names_in(*(text for _, text in leaves(TEXTS["issues"][key]))) <= given, f"{key} in {scope}"
    assert used == TEXTS["issues"].keys()


def test_every_way_through_a_repair_has_its_texts() -> None:
    flows = {key: texts["fix_flow"] for key, texts in TEXTS["issues"].items() if "fix_flow" in texts}
    own = repairs.FLOWS.keys()
    # Home Assistant's own dialogue confirms the others.
    assert {key: set(flow["step"]) for key, flow in flows.items() if key not in own} == {"left_on_server": {"confirm"}}
    menus = [(scope, call) for scope, call in calls("async_show_menu") if scope.module is repairs]
    ((scope, menu),) = menus
    assert scope.words(argument(menu, "step_id")) == set(flows["permissions_missing"]["step"]) == {"init"}
    options = {ast.literal_eval(option) for option in argument(menu, "menu_options").elts}
    assert flows["permissions_missing"]["step"]["init"]["menu_options"].keys() == options
    assert all(hasattr(repairs.PermissionsFlow, f"async_step_{option}") for option in options)
    said = {
        reason
        for scope, call in calls("async_abort")
        if scope.module is repairs
        for reason in scope.words(argument(call, "reason"))
    }
    assert set(flows["permissions_missing"]["abort"]) == said
    assert set(flows["moved"]["abort"]) == {"ask_again"}


def test_the_dialogue_for_a_client_of_ones_own_has_its_text() -> None:
    told = next(scope for scope in scopes() if scope.name == "async_get_description_placeholders")
    (returned,) = (node for node in told.nodes if isinstance(node, ast.Return))
    assert TEXTS["application_credentials"].keys() == {"description"}
    assert names_in(TEXTS["application_credentials"]["description"]) == told.keys(returned.value)


def test_the_page_about_the_systems_health_names_what_it_shows() -> None:
    told = next(scope for scope in scopes() if scope.module is system_health and scope.name == "async_info")
    (returned,) = (node for node in told.nodes if isinstance(node, ast.Return))
    assert told.keys(returned.value) == TEXTS["system_health"]["info"].keys()


@LANGUAGES
def test_every_reason_fits_on_the_servers_page(file: Path) -> None:
    # The server takes at most 200 characters of plain text for each piece of data that is asked for.
    steps = load(file)["config"]["step"]
    described = steps["share"]["data_description"]
    reasons = {field: described[field] for field in sharing.PERMISSION_OF_CHOICE}
    again = steps["reconfigure"]["data_description"]
    assert {field: again[field] for field in reasons} == reasons
    assert {field: len(text) for field, text in reasons.items() if len(text) > 200 or names_in(text)} == {}


# Entities, devices and icons.


def descriptions() -> Iterator[tuple[str, EntityDescription]]:
    """Yield every row of every table of entities, with its platform."""
    for platform in PLATFORMS:
        for value in vars(importlib.import_module(f"{PACKAGE}.{platform}")).values():
            for each in value if isinstance(value, tuple) else ():
                if isinstance(each, EntityDescription):
                    yield str(platform), each


def states_of(platform: str, description: EntityDescription) -> set[str]:
    if platform == "binary_sensor":
        return {"on", "off"}
    return set(getattr(description, "options", None) or ())


def test_every_table_of_entities_is_known_to_these_rules() -> None:
    written = [
        (name.rpartition(".")[2], ast.literal_eval(key))
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and called(node).endswith("Description")
        if (key := argument(node, "key")) is not None
    ]
    assert set(written) == {(platform, description.key) for platform, description in descriptions()}
    loose = [node for tree in trees().values() for node in ast.walk(tree) if is_loose_translation_key(node)]
    assert [ast.unparse(node) for node in loose] == []


def is_loose_translation_key(node: ast.AST) -> bool:
    """Say whether a class or method sets a translation key beside the tables, where these rules do not look."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(ast.unparse(target).rpartition(".")[2] == "_attr_translation_key" for target in targets)


def test_every_entity_has_a_name_and_every_text_an_entity() -> None:
    wanted: dict[str, dict[str, set[str]]] = {}
    for platform, description in descriptions():
        if description.name is None:
            continue
        if description.translation_key is None:
            assert getattr(description, "device_class", None), f"{platform} {description.key} has no name"
            continue
        states = states_of(platform, description)
        if platform == "binary_sensor" and "state" not in TEXTS["entity"][platform].get(
            description.translation_key, {}
        ):
            # Home Assistant has words of its own for yes and no.
            states = set()
        wanted.setdefault(platform, {})[description.translation_key] = states
    assert wanted == {
        platform: {key: texts.get("state", {}).keys() for key, texts in entities.items()}
        for platform, entities in TEXTS["entity"].items()
    }
    for entities in TEXTS["entity"].values():
        for key, texts in entities.items():
            assert texts.keys() - {"state", "state_attributes"} == {"name"}, f"{key}; teach this test what is new"


def test_every_attribute_of_an_entity_has_a_name_and_every_text_an_attribute() -> None:
    # What is told beside a state; a test of each of these entities holds it to them.
    wanted = {
        ("binary_sensor", "alarm_monitoring"): {"link_down": {"true", "false"}, "more": set()}
        | {each.value: set() for each in Shortcoming},
        ("event", "alarm"): {
            "event_type": set(event.EVENT_OF.values()),
            "level_before": {level.value for level in AlarmLevel},
            "time": set(),
            "late": {"true", "false"},
            "gap_from": set(),
            "gap_to": set(),
        },
        ("sensor", "last_contact"): {"gap_from": set(), "gap_to": set()},
        ("sensor", "time_to_target"): {"bound": set(sensor.NAME_OF_BOUND.values()), "learning": {"true", "false"}},
    }
    found = {
        (platform, key): {name: attribute.get("state", {}).keys() for name, attribute in attributes.items()}
        for platform, entities in TEXTS["entity"].items()
        for key, texts in entities.items()
        if (attributes := texts.get("state_attributes"))
    }
    assert found == wanted
    named = [attribute for _, attribute in attributes_in_texts()]
    assert [attribute for attribute in named if attribute.keys() - {"state"} != {"name"}] == []


def attributes_in_texts() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for entities in TEXTS["entity"].values():
        for texts in entities.values():
            yield from texts.get("state_attributes", {}).items()


def all_kinds(base: type) -> Iterator[type]:
    for each in base.__subclasses__():
        yield each
        yield from all_kinds(each)


def test_every_device_has_a_name_and_every_text_a_device() -> None:
    kinds = {kind for each in all_kinds(entity.WwnDeviceEntity) if (kind := getattr(each, "kind", None))}
    coordinator: Any = SimpleNamespace(data=SimpleNamespace(structures={}), unique_id=str)
    used = {}
    for kind in kinds:
        for label in (None, "by the stairs"):
            nothing = dict.fromkeys(("structure_id", "software_version", "where_name", "where_id"))
            device: Any = SimpleNamespace(device_id="1", label=label, **nothing)
            info = entity.device_fields(coordinator, device, kind, "Model")
            used[info["translation_key"]] = set(info["translation_placeholders"])
    assert used == {key: names_in(texts["name"]) for key, texts in TEXTS["device"].items()}
    elsewhere = [scope.name for scope, call in calls("DeviceInfo") if argument(call, "translation_key") is not None]
    assert elsewhere == []


def test_every_icon_is_home_assistants_and_of_an_entity_that_brings_none() -> None:
    known = {each["name"] for each in load(Path(str(hass_frontend.where())) / "static" / "mdi" / "iconList.json")}
    for path, icon in leaves(ICONS):
        kind, _, name = icon.partition(":")
        assert kind == "mdi", path
        assert name in known, f"{path}: there is no icon {icon}"
    assert ICONS.keys() == {"entity", *CODED}, "teach this test the new section"
    rows = {(platform, each.translation_key): each for platform, each in descriptions()}
    for platform, icons in ICONS["entity"].items():
        for key, icon in icons.items():
            row = rows[platform, key]
            # An enumeration is the one class that brings no icon.
            assert getattr(row, "device_class", None) in (None, SensorDeviceClass.ENUM), f"{platform} {key}"
            assert icon.keys() <= {"default", "state"}, f"{platform} {key}"
            assert icon.get("state", {}).keys() <= states_of(platform, row), f"{platform} {key}"
            assert icon["default"] not in icon.get("state", {}).values(), f"{platform} {key}"


def test_the_images_are_what_home_assistant_asks_for() -> None:
    names = [f"{dark}{kind}" for dark in ("", "dark_") for kind in ("icon", "logo")]
    heights = {f"{name}.png": 256 for name in names} | {f"{name}@2x.png": 512 for name in names}
    assert {file.name for file in BRAND.iterdir()} == heights.keys()
    for name, height in heights.items():
        with Image.open(BRAND / name) as image:
            assert image.height == height, name
            assert image.width == height if "icon" in name else image.width >= height, name
            assert image.convert("RGBA").getpixel((0, 0))[3] == 0, f"{name} has a background"
        assert (BRAND / name).stat().st_size < 30_000, name


# Code.


def test_every_platform_says_how_many_updates_run_at_once() -> None:
    modules = {
        name.rpartition(".")[2]: tree
        for name, tree in trees().items()
        for node in tree.body
        if isinstance(node, ast.AsyncFunctionDef) and node.name == "async_setup_entry" and len(node.args.args) == 3
    }
    assert modules.keys() == {str(platform) for platform in PLATFORMS}
    for name, tree in modules.items():
        said = {ast.unparse(target) for node in tree.body if isinstance(node, ast.Assign) for target in node.targets}
        assert "PARALLEL_UPDATES" in said, name


STRAY_TASKS = frozenset({"create_task", "ensure_future"})


def is_shared_data(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and re.fullmatch(r"(.*\.)?_?hass\.data", ast.unparse(node)) is not None


def is_stray_task(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "asyncio" and any(alias.name in STRAY_TASKS for alias in node.names)
    return (
        isinstance(node, ast.Attribute)
        and node.attr in STRAY_TASKS
        and re.search(r"(asyncio|loop|loop\(\))$", ast.unparse(node.value)) is not None
    )


@pytest.mark.parametrize("is_forbidden", [is_shared_data, is_stray_task])
def test_data_and_tasks_belong_to_the_entry(is_forbidden: Any) -> None:
    found = [
        f"{name}, line {getattr(node, 'lineno', '?')}: {ast.unparse(node)}"
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if is_forbidden(node)
    ]
    assert found == []


def modules_of(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


@pytest.mark.parametrize("name", [PACKAGE, "wwn_server", "tools"])
def test_every_exception_is_called_an_error(name: str) -> None:
    found = [
        kind
        for module in modules_of(importlib.import_module(name))
        for kind in vars(module).values()
        if inspect.isclass(kind) and issubclass(kind, BaseException) and kind.__module__ == module.__name__
    ]
    assert found
    assert [kind.__qualname__ for kind in found if not kind.__name__.endswith("Error")] == []


# What no file may hold.


def registries() -> set[str]:
    """Return the hosts of package registries and mirrors: those that everybody knows, and those of this machine."""
    known = {f"{name}.org" for name in ("debian", "npmjs", "pypi", "pythonhosted")}
    told = [value for name, value in os.environ.items() if re.search("INDEX_URL|DEFAULT_INDEX|REGISTRY", name.upper())]
    lock = ROOT / "uv.lock"
    packages = tomllib.loads(lock.read_text(encoding="utf-8"))["package"] if lock.exists() else []
    told += [package["source"].get("registry", "") for package in packages]
    return known | {host for each in told for word in each.split() if (host := urlsplit(word).hostname)}


def places() -> set[str]:
    """Return the folders of this machine that would give away where a file was written."""
    # A checkout right below the root could be called like anything that a file may well name.
    found = {Path.home(), *([ROOT] if len(ROOT.parts) > 2 else [])}
    return {str(place) for place in found if place != Path("/")}


def found_in_files(words: Iterable[str], before: str) -> list[str]:
    """Return where files hold one of some words as a whole; before: what may not stand before one."""
    pattern = re.compile("|".join(rf"(?<![{before}]){re.escape(word)}(?![\w-])" for word in sorted(words)))
    return [f"{name}: {match[0]}" for name, text in texts_of_files().items() for match in pattern.finditer(text)]


def test_no_file_holds_the_address_of_a_package_registry() -> None:
    assert found_in_files(registries() - {"localhost", "127.0.0.1"}, before=r"\w-") == []


def test_no_file_holds_a_path_of_this_machine() -> None:
    assert found_in_files(places(), before=r"\w.-") == []


def test_the_lock_file_stays_here() -> None:
    assert [file for file in files() if file.name == "uv.lock"] == []
    assert "uv.lock" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


# Documents.


def prose(text: str) -> str:
    """Return a document without its code, where brackets mean something else."""
    without_blocks = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`|^ {4}.*$", "", without_blocks, flags=re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Return the addresses of a document's headings."""
    headings = re.findall(r"^#+ +(.+?) *$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(text: str) -> Iterator[tuple[str, str]]:
    """Yield the words and the target of each link and picture."""
    yield from re.findall(r"\[([^\]]*)\]\(([^)\s]+)\)", text)
    yield from re.findall(r'(<(?:a|img)\b).*?(?:href|src)="([^"]+)"', text)


def leads_somewhere(document: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    if urlsplit(target).scheme or path in PICTURES_TO_COME:
        return True
    file = document.parent / path if path else document
    if not file.exists() or ROOT not in file.resolve().parents:
        return False
    return not anchor or anchor in anchors(file.read_text(encoding="utf-8"))


def test_every_link_to_a_file_leads_to_one() -> None:
    found = [(name, *link) for name, text in documents().items() for link in links(prose(text))]
    assert found
    assert [f"{name}: {target}" for name, _, target in found if not leads_somewhere(ROOT / name, target)] == []
    assert [f"{name}: {target} has no words" for name, words, target in found if not words.strip()] == []
    assert [path for path in sorted(PICTURES_TO_COME) if (ROOT / path).exists()] == [], "these have come"


def test_the_readme_is_short_and_says_what_has_to_be_said() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 200
    first_screen = " ".join(text.split("![")[0].split()).lower()
    for said in (
        "google ended its works with nest service on 29 september 2023",
        "not affiliated with google",
        "not a life-safety device: it never replaces the alarm's own sound",
        "## what you own, what works today",
    ):
        assert said in first_screen, said


def test_the_short_page_points_to_the_readme() -> None:
    text = (ROOT / "info.md").read_text(encoding="utf-8")
    assert "](README.md)" in text
    assert len(text.splitlines()) < 10


def test_the_readme_names_only_options_that_exist() -> None:
    existing = {
        option
        for each in (demo_parser(), server_parser())
        for option in each.format_help().split()
        if option.startswith("--")
    }
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", README.read_text(encoding="utf-8")))
    assert named
    assert named <= {option.rstrip(",") for option in existing}
