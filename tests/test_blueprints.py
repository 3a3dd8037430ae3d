"""The blueprints as files: what Home Assistant can read, keep and offer, and where they say they come from."""

from pathlib import Path
import re
import tomllib
from typing import Any
from urllib.parse import parse_qs, urlsplit

from homeassistant.components.automation.config import (
    AUTOMATION_BLUEPRINT_SCHEMA,
    ValidationStatus,
    _async_validate_config_item,
)
from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.components.blueprint import Blueprint
from homeassistant.core import HomeAssistant
from homeassistant.helpers import selector
from homeassistant.setup import async_setup_component
from homeassistant.util import yaml as yaml_util
import pytest

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "blueprints" / "automation" / "works_with_nest"
FILES = sorted(FOLDER.glob("*.yaml"))
REPOSITORY = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["repository"]
AUTOMATIONS = (ROOT / "docs" / "automations.md").read_text(encoding="utf-8")
IMPORT = "https://my.home-assistant.io/redirect/blueprint_import/"

HOME = "binary_sensor.home_presence"
# What has to be filled in; all else may stay as it is.
NEEDED: dict[str, dict[str, Any]] = {
    "alarm": {"alarms": {"entity_id": ["binary_sensor.home_smoke"]}},
    "arrival": {
        "home": HOME,
        "person": "person.ada",
        "travel_time": "sensor.travel_time",
        "on_the_way": "input_boolean.on_the_way",
    },
    "away": {"home": HOME},
    "phones": {"people": ["person.ada"], "away_mode": "select.home_away_mode"},
    "watch": {"monitoring": "binary_sensor.home_alarm_monitoring"},
}

EACH = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def load(file: Path) -> Any:
    return yaml_util.parse_yaml(file.read_text(encoding="utf-8"))


def blueprint(data: Any) -> Blueprint:
    return Blueprint(data, expected_domain="automation", schema=AUTOMATION_BLUEPRINT_SCHEMA)


def test_all_are_here() -> None:
    assert {file.stem for file in FILES} == NEEDED.keys()


@EACH
def test_it_says_what_it_is_and_where_it_comes_from(file: Path) -> None:
    metadata = blueprint(load(file)).metadata
    path = file.relative_to(ROOT).as_posix()
    assert metadata["source_url"] == f"{REPOSITORY}/blob/main/{path}"
    assert metadata["homeassistant"]["min_version"] == "2026.10.0"
    assert metadata["name"].startswith("Works with Nest: ")
    assert blueprint(load(file)).validate() is None


@EACH
def test_it_can_be_imported_by_a_link_of_the_documents(file: Path) -> None:
    links = re.findall(rf"{re.escape(IMPORT)}\?[^)\s]+", AUTOMATIONS)
    led = [parse_qs(urlsplit(link).query)["blueprint_url"][0] for link in links]
    assert led.count(blueprint(load(file)).metadata["source_url"]) == 1
    assert len(led) == len(FILES)


@EACH
def test_what_home_assistant_keeps_of_it_can_be_read_again(file: Path) -> None:
    # It writes what it has understood, which is not always what it understands.
    kept = yaml_util.parse_yaml(blueprint(load(file)).yaml())
    assert blueprint(kept).inputs == blueprint(load(file)).inputs


@EACH
def test_every_input_says_what_it_is_and_has_a_default_that_it_would_take(file: Path) -> None:
    inputs = blueprint(load(file)).inputs
    for name, each in inputs.items():
        assert each["name"], name
        asked = selector.selector(each["selector"])
        if "default" not in each:
            assert name in NEEDED[file.stem], name
        # Nothing chosen is no choice of what can be chosen.
        elif each["default"] not in ("", {}):
            asked(each["default"])
    assert NEEDED[file.stem].keys() <= inputs.keys()
    assert [name for name, each in inputs.items() if "default" in each and name in NEEDED[file.stem]] == []


@EACH
async def test_home_assistant_takes_it_with_nothing_but_what_is_needed(
    hass: HomeAssistant, enable_custom_integrations: None, tmp_path: Path, file: Path
) -> None:
    hass.config.config_dir = str(tmp_path)
    for component in ("homeassistant", "works_with_nest", "automation"):
        assert await async_setup_component(hass, component, {})
    await async_get_blueprints(hass).async_add_blueprint(blueprint(load(file)), file.name)
    use = {"path": file.name, "input": NEEDED[file.stem]}
    config = {"id": "1", "alias": "It", "use_blueprint": use}
    taken = await _async_validate_config_item(hass, config, raise_on_errors=False, warn_on_errors=True)
    assert (taken.validation_status, taken.validation_error) == (ValidationStatus.OK, None)


def test_unlocking_is_off_and_comes_with_a_warning() -> None:
    inputs = load(FOLDER / "alarm.yaml")["blueprint"]["input"]
    assert "**Warning.**" in inputs["unlocking"]["description"]
    assert inputs["unlocking"]["input"]["unlock"]["default"] is False
    assert inputs["unlocking"]["input"]["locks"]["default"] == {}
