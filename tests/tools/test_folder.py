import json
from pathlib import Path

import pytest

from tools.home_assistant.folder import prepare, replace_address, stored_entries


def entries_file(folder: Path) -> Path:
    return folder / ".storage" / "core.config_entries"


def test_a_new_folder_listens_on_loopback_only_and_asks_for_the_user_only(tmp_path: Path) -> None:
    prepare(tmp_path / "config", 8124)
    storage = tmp_path / "config" / ".storage"
    http = json.loads((storage / "http").read_text())["data"]
    assert (http["stable"]["server_host"], http["stable"]["server_port"]) == (["127.0.0.1"], 8124)
    assert http["pending"] is None
    assert "user" not in json.loads((storage / "onboarding").read_text())["data"]["done"]
    assert "http:" not in (tmp_path / "config" / "configuration.yaml").read_text()
    assert (tmp_path / "config" / "custom_components" / "works_with_nest" / "manifest.json").is_file()


def test_another_port_changes_nothing_else(tmp_path: Path) -> None:
    prepare(tmp_path, 8124)
    (tmp_path / "automations.yaml").write_text("- alias: Mine\n")
    before = json.loads((tmp_path / ".storage" / "http").read_text())
    prepare(tmp_path, 8125)
    after = json.loads((tmp_path / ".storage" / "http").read_text())
    before["data"]["stable"]["server_port"] = 8125
    assert after == before
    assert (tmp_path / "automations.yaml").read_text() == "- alias: Mine\n"


@pytest.mark.parametrize("path", ["", "/oauth2/access_token"])
def test_a_link_follows_its_server_to_another_port(tmp_path: Path, path: str) -> None:
    prepare(tmp_path, 8124)
    others = {"domain": "other", "data": {"base": "http://127.0.0.1:95530"}}
    ours = {"domain": "works_with_nest", "data": {"base": f"http://127.0.0.1:9553{path}"}}
    entries_file(tmp_path).write_text(json.dumps({"data": {"entries": [others, ours]}}))
    replace_address(tmp_path, "http://127.0.0.1:9553", "http://127.0.0.1:9600")
    assert stored_entries(tmp_path, "works_with_nest")[0]["data"]["base"] == f"http://127.0.0.1:9600{path}"
    assert stored_entries(tmp_path, "other") == [others]


def test_without_a_link_there_is_nothing_to_follow(tmp_path: Path) -> None:
    replace_address(tmp_path, "http://127.0.0.1:9553", "http://127.0.0.1:9600")
    assert stored_entries(tmp_path, "works_with_nest") == []
