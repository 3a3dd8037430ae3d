"""What was set, and where: flags before environment before file before default."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
import tomllib
from typing import TYPE_CHECKING, Any, Final

from .homes.sources.in_file import sources_of
from .options import OPTIONS, VARIABLE_PREFIX, Option
from .refused import ValueRefusedError
from .settings import Settings, default_config_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CONFIG_VARIABLE: Final = f"{VARIABLE_PREFIX}CONFIG"

# Each source is a table of its own, and nothing that fits into a flag.
_SOURCE: Final = "source"

_BY_NAME: Final = {option.name: option for option in OPTIONS}
_BY_VARIABLE: Final = {option.variable: option for option in OPTIONS}


class ConfigurationError(Exception):
    """What was set can't be used; each line of the message names the source, the cause and the cure."""

    def __init__(self, problems: Iterable[str]) -> None:
        """Keep a sentence for each problem."""
        super().__init__("\n".join(problems))


def settings_of(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Return what holds, given the flags that were said by name of field. Raises ``ConfigurationError``."""
    problems: list[str] = []
    file = config_file(flags, environment)
    parsed = _parsed(file, problems)
    sources = sources_of(parsed.pop(_SOURCE, []), file or Path(), problems)
    from_file = _read(_of_file(file, parsed, problems), problems)
    from_environment = _read(_of_environment(environment, problems), problems)
    if problems:
        raise ConfigurationError(problems)
    said = {option.field: flags[option.field] for option in OPTIONS if flags.get(option.field) is not None}
    own = {name: _frozen(value) for name, value in said.items()}
    return Settings(**from_file | from_environment | own, sources=sources)


def config_file(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Path | None:
    """Return the file to read: the one that was named, or the usual one if it is there."""
    named = flags.get("config") or environment.get(CONFIG_VARIABLE)
    if named:
        return Path(named).expanduser()
    usual = default_config_file()
    return usual if usual.exists() else None


type _Said = tuple[str, Option, list[str]]


def _read(said: Iterable[_Said], problems: list[str]) -> dict[str, Any]:
    """Return the values of what a source says, each text with its option and the place where it stands."""
    values: dict[str, Any] = {}
    for place, option, texts in said:
        try:
            taken = tuple(option.take(text) for text in texts)
        except ValueRefusedError as error:
            problems.append(f"{place}: {error}.")
            continue
        values[option.field] = taken if option.many else taken[-1]
    return values


def _of_environment(environment: Mapping[str, str], problems: list[str]) -> list[_Said]:
    said = []
    for variable, text in environment.items():
        if not variable.startswith(VARIABLE_PREFIX) or variable == CONFIG_VARIABLE or not text:
            continue
        option = _BY_VARIABLE.get(variable)
        if option is None:
            problems.append(f"{variable}: there is no such option. {_instead(variable, _BY_VARIABLE)}")
            continue
        said.append((variable, option, [each.strip() for each in text.split(",")] if option.many else [text]))
    return said


def _of_file(file: Path | None, parsed: Mapping[str, Any], problems: list[str]) -> list[_Said]:
    said = []
    for name, value in parsed.items():
        place = f"{file}, {name}"
        option = _BY_NAME.get(name)
        if option is None:
            problems.append(f"{place}: there is no such option. {_instead(name, _BY_NAME)}")
            continue
        texts = _texts(value, option)
        if texts is None:
            problems.append(f"{place}: this takes {_shape(option)}.")
            continue
        said.append((place, option, texts))
    return said


def _parsed(file: Path | None, problems: list[str]) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(f"{file}: it can't be read ({error.strerror}). Name another file with --config, or none.")
    except ValueError as error:
        problems.append(f"{file}: it is not a TOML file ({error}). Lines look like this: port = 9553")
    return {}


def _texts(value: object, option: Option) -> list[str] | None:
    """Return what a value of a file would be as a flag; only lists hold more than one."""
    if option.many and isinstance(value, list):
        parts = [_text(each) for each in value]
        return [each for each in parts if each is not None] if None not in parts else None
    text = _text(value)
    return None if text is None else [text]


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _shape(option: Option) -> str:
    return f'one text or a list of them, such as ["{option.metavar}"]' if option.many else "one text or number"


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _instead(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), 1)
    return f"Did you mean {close[0]}?" if close else "wwn-server --help lists them all."
