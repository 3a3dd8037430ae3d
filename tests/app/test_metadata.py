"""What the Supervisor reads of the app, and how its image is built."""

from pathlib import Path
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from typing import Any

from PIL import Image
import pytest
import voluptuous as vol
import yaml

from wwn_server.options import OPTIONS
from wwn_server.settings import Settings

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = PROJECT["urls"]["repository"]
SERVED = "/.well-known/oauth-authorization-server"

URL_OF_APP = r"^https?://\[HOST\]:\[PORT:\d+\].*$"
ELEMENT = vol.Match(
    r"^(bool|email|url|port|device(\(.+\))?|str(\(\d*,\d*\))?|password(\(\d*,\d*\))?|int(\(.*\))?|float(\(.*\))?"
    r"|match\(.*\)|list\(.+\))\??$"
)
# The keys that the Supervisor of 2026 knows and that an app like this one could need. It drops any other in silence.
CONFIG = vol.Schema(
    {
        vol.Required("name"): str,
        vol.Required("version"): str,
        vol.Required("slug"): vol.Match(r"^[-_.A-Za-z0-9]+$"),
        vol.Required("description"): str,
        vol.Required("arch"): [vol.In(["aarch64", "amd64"])],
        "url": vol.Url(),
        "stage": vol.In(["stable", "experimental", "deprecated"]),
        "startup": vol.In(["initialize", "system", "services", "application", "once"]),
        "boot": vol.In(["auto", "manual", "manual_only"]),
        "init": bool,
        "webui": vol.Match(URL_OF_APP),
        "watchdog": vol.Match(URL_OF_APP),
        "host_network": bool,
        "ports": {vol.Match(r"^\d+/(tcp|udp)$"): vol.Any(None, int)},
        "ingress": bool,
        "backup": vol.In(["hot", "cold"]),
        "backup_pre": str,
        "backup_post": str,
        "backup_exclude": [str],
        "timeout": vol.Range(10, 300),
        "image": str,
        "options": dict,
        "schema": {str: vol.Any(ELEMENT, [ELEMENT])},
    }
)
REPOSITORY_FILE = vol.Schema({vol.Required("name"): str, "url": vol.Url(), "maintainer": str})
TRANSLATION = vol.Schema(
    {"configuration": {str: {vol.Required("name"): str, vol.Optional("description"): str}}, "network": {str: str}}
)


def load(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


CONFIGURED = load(APP / "config.yaml")


def instructions() -> list[tuple[str, str]]:
    """Return the container file as instructions, each with what follows it."""
    text = re.sub(r"^\s*#.*\n", "", (APP / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = [line for line in re.sub(r"\\\n", " ", text).splitlines() if line.strip()]
    return [(name, " ".join(rest.split())) for name, _, rest in (line.partition(" ") for line in lines)]


def all_of(name: str) -> list[str]:
    return [rest for each, rest in instructions() if each == name]


def test_every_key_is_one_that_the_supervisor_knows() -> None:
    assert CONFIG(CONFIGURED) == CONFIGURED
    assert REPOSITORY_FILE(load(ROOT / "repository.yaml"))["url"] == REPOSITORY
    assert [file for file in ROOT.rglob("config.y*ml") if ".demo" not in file.parts and file.parent != APP] == []


def test_it_is_the_version_and_the_place_of_this_project() -> None:
    assert (CONFIGURED["version"], CONFIGURED["url"]) == (PROJECT["version"], REPOSITORY)
    arguments = dict(each.partition("=")[::2] for each in all_of("ARG"))
    assert arguments == {"BUILD_VERSION": "", "RELEASES": f"{REPOSITORY}/releases/download"}
    assert f"## {PROJECT['version']}\n" in (APP / "CHANGELOG.md").read_text(encoding="utf-8")


def test_pages_open_in_a_window_of_their_own_at_the_port_that_is_served() -> None:
    assert "ingress" not in CONFIGURED
    port = Settings.__dataclass_fields__["port"].default
    assert CONFIGURED["webui"] == f"http://[HOST]:[PORT:{port}]/"
    assert CONFIGURED["watchdog"] == f"http://[HOST]:[PORT:{port}]{SERVED}"
    assert all_of("EXPOSE") == [str(port)]


def test_every_option_is_one_of_the_servers_and_has_words_in_every_language() -> None:
    schema = CONFIGURED["schema"]
    assert schema.keys() <= {option.field for option in OPTIONS}
    assert CONFIGURED["options"].keys() <= schema.keys()
    languages = {file.stem for file in (APP / "translations").iterdir()}
    assert languages == {file.stem for file in (ROOT / "wwn_server" / "pages" / "texts").iterdir()}
    for language in languages:
        texts = TRANSLATION(load(APP / "translations" / f"{language}.yaml"))["configuration"]
        assert texts.keys() == schema.keys(), language
        assert all(text["description"] for text in texts.values()), language


def test_the_image_takes_the_wheel_and_serves_as_nobody_else() -> None:
    assert [re.fullmatch(r"python:3\.\d+-slim-\w+", each) is not None for each in all_of("FROM")] == [True]
    copied = [shlex.split(each) for each in all_of("COPY")]
    assert copied == [["run.py", "/run.py"]]
    assert (APP / "run.py").is_file()
    assert all_of("CMD") == ['["python", "/run.py"]']
    assert all_of("HEALTHCHECK")[0].endswith('CMD ["python", "/run.py", "healthy"]')
    labels = dict(shlex.split(" ".join(all_of("LABEL")))[n].split("=", 1) for n in range(3))
    assert labels["io.hass.type"] == "app"
    assert labels["io.hass.arch"].split("|") == CONFIGURED["arch"]
    assert "useradd --system" in all_of("RUN")[0]
    assert "pip install --no-cache-dir" in all_of("RUN")[1]
    assert 'wheel="wwn_server-${BUILD_VERSION}-py3-none-any.whl"' in all_of("RUN")[1]


def test_the_linter_of_container_files_has_nothing_to_say() -> None:
    linter = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert linter is not None
    said = subprocess.run([linter, APP / "Dockerfile"], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert (said.stdout + said.stderr, said.returncode) == ("", 0)


@pytest.mark.parametrize(("name", "size"), [("icon", (128, 128)), ("logo", (None, 100))])
def test_the_images_have_the_size_that_is_asked_for(name: str, size: tuple[int | None, int]) -> None:
    with Image.open(APP / f"{name}.png") as image:
        assert image.size == (size[0] or image.width, size[1])
        assert image.format == "PNG"
