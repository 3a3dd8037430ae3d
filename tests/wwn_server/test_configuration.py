"""Flags before environment before file before default; what can't be used is named with its source and its cure."""

from dataclasses import fields
from datetime import timedelta
from pathlib import Path
import socket
from typing import Any

import pytest

from wwn_server.__main__ import main
from wwn_server.cli import build_parser
from wwn_server.configuration import ConfigurationError, settings_of
from wwn_server.homes.assembled import assembled
from wwn_server.homes.sources.mqtt_alarms import MqttAlarms
from wwn_server.options import OPTIONS
from wwn_server.settings import Settings
from wwn_server.store import Store
from wwn_server.store.migrations import MIGRATIONS


@pytest.fixture(autouse=True)
def _own_config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is set on this machine out of the tests."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def resolve(*arguments: str, **environment: str) -> Settings:
    variables = {f"WWN_SERVER_{name.upper()}": value for name, value in environment.items()}
    return settings_of(vars(build_parser().parse_args(arguments)), variables | {"HOME": "/", "PORT": "1"})


def problems(*arguments: str, **environment: str) -> list[str]:
    with pytest.raises(ConfigurationError) as error:
        resolve(*arguments, **environment)
    return str(error.value).splitlines()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "wwn-server.toml"


def test_every_option_has_a_setting_and_another_name() -> None:
    assert {option.field for option in OPTIONS} <= {field.name for field in fields(Settings)}
    assert len({option.name for option in OPTIONS}) == len(OPTIONS)
    assert {option.name.isascii() and option.name.islower() for option in OPTIONS} == {True}


def test_the_first_of_flag_environment_file_and_default_holds(file: Path) -> None:
    said: list[Any] = [("--port", "1"), ("--config", str(file))]
    file.write_text("port = 3\n")
    assert resolve(*said[0], *said[1], port="2").port == 1
    assert resolve(*said[1], port="2").port == 2
    assert resolve(*said[1]).port == 3
    assert resolve().port == 9553


def test_all_three_sources_know_the_same_names(file: Path) -> None:
    file.write_text('base-url = "https://nest.example"\nannounce = false\nspeed = 2\nscale = "F"\nseed = -3\n')
    from_file = resolve("--config", str(file))
    from_environment = resolve(base_url="https://nest.example", announce="no", speed="2", scale="F", seed="-3")
    from_flags = resolve(
        *("--base-url", "https://nest.example", "--no-announce", "--speed", "2", "--scale", "F", "--seed", "-3")
    )
    assert from_file == from_environment == from_flags
    assert (from_file.base_url, from_file.announce, from_file.speed) == ("https://nest.example", False, 2.0)


def test_the_usual_file_is_read_if_it_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "wwn-server"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('name = "Villa"\n')
    assert resolve().name == "Villa"


def test_the_environment_may_name_the_file(file: Path) -> None:
    file.write_text("port = 3\n")
    assert resolve(config=str(file)).port == 3


def test_an_empty_variable_says_nothing() -> None:
    assert resolve(port="").port == 9553


def test_flags_may_stand_before_and_after_a_command() -> None:
    assert resolve("--port", "1", "--seed", "2", "check", "--port", "3").port == 3
    assert resolve("--port", "1", "check").port == 1
    assert resolve("account", "add", "anna", "--data", "/somewhere").data == Path("/somewhere")


def test_a_bad_variable_is_named_with_cause_and_cure() -> None:
    assert problems(port="x") == ["WWN_SERVER_PORT: 'x' is not a port: a number from 0 to 65535."]
    assert problems(announce="perhaps") == ["WWN_SERVER_ANNOUNCE: 'perhaps' is neither true nor false."]
    assert problems(prot="1") == ["WWN_SERVER_PROT: there is no such option. Did you mean WWN_SERVER_PORT?"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = true", ", port: 'true' is not a port: a number from 0 to 65535."),
        ("port = 1.5", ", port: '1.5' is not a port: a number from 0 to 65535."),
        ("speed = nan", ", speed: 'nan' is not a speed: a number from 0 to 3600."),
        ("port = [1]", ", port: this takes one text or number."),
        ("port = 2026-11-24", ", port: this takes one text or number."),
        ("base_url = 'https://a'", ", base_url: there is no such option. Did you mean base-url?"),
        ("qqq = 1", ", qqq: there is no such option. wwn-server --help lists them all."),
        ("[zzz]\nport = 1", ", zzz: there is no such option. wwn-server --help lists them all."),
    ],
)
def test_a_bad_line_of_the_file_is_named_with_cause_and_cure(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    assert problems("--config", str(file)) == [f"{file}{said}"]


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe", b"just words"])
def test_a_file_that_is_no_toml_is_said(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    (said,) = problems("--config", str(file))
    assert said.startswith(f"{file}: it is not a TOML file (")
    assert said.endswith("Lines look like this: port = 9553")


def test_a_file_that_was_named_has_to_be_there(file: Path) -> None:
    said = f"{file}: it can't be read (No such file or directory). Name another file with --config, or none."
    assert problems("--config", str(file)) == [said]


def test_all_problems_are_told_at_once(file: Path) -> None:
    file.write_text("port = 'x'\nspeed = -1\n")
    assert len(problems("--config", str(file), scale="K", seed="z")) == 4


# Checking before a start.


def test_check_says_that_all_is_fine_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "new"
    assert main(["check", "--data", str(data), "--port", "0"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == ["fine"] * len(said)
    assert f"data: {data}, which is new" in "\n".join(said)
    assert not data.exists()


def test_check_names_every_problem_with_its_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.touch()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["check", "--data", str(file / "below"), "--port", str(port)]) == 2
    said = capsys.readouterr().out
    assert f"PROBLEM  data: {file} is a file, not a folder. Choose another folder with --data." in said
    assert f"PROBLEM  address: Port {port} on 127.0.0.1 is taken. Choose another with --port" in said


def test_check_tells_how_old_the_file_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store(tmp_path)
    told = []
    for version in (len(MIGRATIONS), len(MIGRATIONS) - 1, len(MIGRATIONS) + 1):
        store._database.change(f"PRAGMA user_version = {version}")
        code = main(["check", "--data", str(tmp_path), "--port", "0"])
        (line,) = [each for each in capsys.readouterr().out.splitlines() if " data: " in each]
        told.append((code, line.partition("data: ")[2].partition(", ")[2]))
    store.close()
    assert told[0] == (0, "up to date")
    assert told[1] == (0, "which the next start brings up to date")
    assert told[2][0] == 2


def test_check_refuses_what_is_set_wrong(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WWN_SERVER_PORT", "x")
    assert main(["check"]) == 2
    assert capsys.readouterr().err == "wwn-server: WWN_SERVER_PORT: 'x' is not a port: a number from 0 to 65535.\n"


def sources(file: Path, text: str) -> Settings:
    file.write_text(text)
    return resolve("--config", str(file))


class TestSources:
    """Real devices that the file names."""

    def test_each_is_a_table_of_its_own(self, file: Path, tmp_path: Path) -> None:
        secret = tmp_path / "password"
        secret.write_text("right secret\n")
        secret.chmod(0o600)
        settings = sources(
            file,
            f"""
            port = 5
            [[source]]
            kind = "nolongerevil"
            address = "http://nas.lan:8082"
            [[source]]
            kind = "mqtt"
            address = "mqtts://10.0.0.2"
            username = "nest"
            password-file = "{secret}"
            topic = ["house/attic"]
            co-field = "co"
            silent-hours = 3
            [[source]]
            kind = "simulated"
            """,
        )
        assert (settings.port, [each.kind for each in settings.sources]) == (5, ["nolongerevil", "mqtt", "simulated"])
        assert "right secret" not in repr(settings)
        made = settings.sources[1].make()
        assert isinstance(made, MqttAlarms)
        known = made._settings
        assert (str(known.login.address), known.login.password) == ("mqtts://10.0.0.2:8883", "right secret")
        assert (known.topics, known.smoke, known.co) == (("house/attic",), "smoke", "co")
        assert known.silence == timedelta(hours=3)
        assert "right secret" not in repr(known)

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ('source = "mqtt"', "each source is a table of its own, below a line [[source]]."),
            ("[[source]]", "source 1, kind: this is one of mqtt, nolongerevil, starling, simulated."),
            ('[[source]]\nkind = "zigbee"', "source 1, kind: this is one of"),
            ('[[source]]\nkind = "mqtt"', "source 1, address: this is missing."),
            (
                '[[source]]\nkind = "mqtt"\naddres = "mqtt://a"',
                "source 1, addres: there is no such setting. Did you mean address?",
            ),
            (
                '[[source]]\nkind = "mqtt"\naddress = "http://a"',
                "source 1, address: this is not an address such as mqtt://",
            ),
            ('[[source]]\nkind = "mqtt"\naddress = "mqtt://u:hidden@a"', "source 1, address: this is not an address"),
            (
                '[[source]]\nkind = "nolongerevil"\naddress = "http://169.254.1.1"',
                "source 1, address: this is not an address",
            ),
            (
                '[[source]]\nkind = "nolongerevil"\naddress = "http://[fe80::1]"',
                "source 1, address: this is not an address",
            ),
            ('[[source]]\nkind = "mqtt"\naddress = "mqtt://a"\nsilent-hours = 0', "it can't be switched off"),
            ('[[source]]\nkind = "mqtt"\naddress = "mqtt://a"\ntopic = "house/#"', "is not a topic such as house/hall"),
            ('[[source]]\nkind = "mqtt"\naddress = true', "source 1, address: this takes one text or number."),
            (
                '[[source]]\nkind = "mqtt"\naddress = "mqtt://a"\npassword = "hidden"',
                "source 1, password: there is no such setting. Did you mean password-file?",
            ),
            (
                '[[source]]\nkind = "mqtt"\naddress = "mqtt://a"\npassword-file = "/nowhere"',
                "/nowhere can't be read (No such file or directory).",
            ),
        ],
    )
    def test_what_is_wrong_is_named_with_its_cure_and_no_secret(self, file: Path, text: str, sentence: str) -> None:
        file.write_text(text)
        (problem,) = problems("--config", str(file))
        assert sentence in problem
        assert problem.startswith(f"{file}, source")
        assert "hidden" not in problem

    def test_a_secret_that_others_can_read_is_refused(self, file: Path, tmp_path: Path) -> None:
        secret = tmp_path / "password"
        secret.write_text("hidden")
        secret.chmod(0o640)
        file.write_text(f'[[source]]\nkind = "mqtt"\naddress = "mqtt://a"\npassword-file = "{secret}"')
        (problem,) = problems("--config", str(file))
        assert f"chmod 600 {secret}" in problem
        assert "hidden" not in problem

    def test_without_any_the_home_is_simulated(self, store: Store) -> None:
        home = assembled(Settings(), store)
        assert (list(home.sources), home.playable is not None) == (["simulated"], True)

    def test_with_one_it_is_not_unless_that_is_asked_for(self, file: Path, store: Store) -> None:
        real = '[[source]]\nkind = "mqtt"\naddress = "mqtt://a"\n'
        assert assembled(sources(file, real), store).playable is None
        both = assembled(sources(file, real + '[[source]]\nkind = "simulated"'), store)
        assert (list(both.sources), both.playable is not None) == (["file mqtt mqtt://a", "simulated"], True)

    def test_two_at_one_broker_are_two_if_they_listen_elsewhere(self, file: Path, store: Store) -> None:
        at_broker = '[[source]]\nkind = "mqtt"\naddress = "mqtt://a"\n'
        also = ['base-topic = "cellar"', 'topic = ["x", "y"]', 'topic = "x"']
        text = at_broker + "".join(f"{at_broker}{each}\n" for each in also)
        assert list(assembled(sources(file, text), store).sources) == [
            "file mqtt mqtt://a",
            "file mqtt mqtt://a cellar",
            "file mqtt mqtt://a x y",
            "file mqtt mqtt://a x",
        ]

    def test_the_same_source_twice_is_refused_and_not_silently_dropped(self, file: Path) -> None:
        at_broker = '[[source]]\nkind = "mqtt"\naddress = "mqtt://a"\n'
        file.write_text(f'{at_broker}topic = ["x", "y"]\n{at_broker}topic = ["y", "x"]\nco-field = "co"\n')
        (problem,) = problems("--config", str(file))
        assert problem.endswith("source 2: this is source 1 once more. Remove one of them, or put both in one.")

    def test_those_of_the_page_come_after_those_of_the_file(
        self, file: Path, store: Store, caplog: pytest.LogCaptureFixture
    ) -> None:
        store.sources.add("nolongerevil", {"address": "http://b"})
        store.sources.add("mqtt", {"address": "nonsense-secret"})
        store.sources.add("forgotten", {})
        home = assembled(sources(file, '[[source]]\nkind = "mqtt"\naddress = "mqtt://a"'), store)
        assert list(home.sources) == ["file mqtt mqtt://a", "page 1"]
        assert "can't be used any more" in caplog.text
        assert "nonsense-secret" not in caplog.text
