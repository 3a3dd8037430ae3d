"""Sources that are named in the file of options, as tables of their own."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wwn_server.refused import ValueRefusedError

from .kinds import KINDS, SIMULATED, Kind, Setting, SourceSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

# Nobody but the owner of a file may do anything with it.
_OTHERS: Final = 0o077
_LARGEST: Final = 4096


def sources_of(tables: Any, file: Path, problems: list[str]) -> tuple[SourceSettings, ...]:
    """Return the sources that the file names; whatever is wrong with them is added to the problems."""
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        problems.append(f"{file}, source: each source is a table of its own, below a line [[source]].")
        return ()
    found: dict[str, tuple[int, SourceSettings]] = {}
    for number, table in enumerate(tables, 1):
        said: dict[str, Any] = {}
        wrong = [f"{file}, source {number}{each}" for each in _problems(table, said)]
        problems.extend(wrong)
        if wrong:
            continue
        source = SourceSettings(table["kind"], said)
        first, _ = found.setdefault(source.place, (number, source))
        if first != number:
            problems.append(
                f"{file}, source {number}: this is source {first} once more. Remove one of them, or put both in one."
            )
    return tuple(source for _, source in found.values())


def _problems(table: dict[str, Any], said: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a source, and collect what is said of it."""
    name = str(table.get("kind"))
    if name == SIMULATED:
        return
    kind = KINDS.get(name)
    if kind is None:
        yield f", kind: this is one of {', '.join([*KINDS, SIMULATED])}."
        return
    wrong = False
    for key in sorted(table.keys() - {"kind"}):
        setting = kind.named(key)
        if setting is None:
            wrong = True
            yield f", {key}: there is no such setting. {_instead(key, kind)}"
            continue
        try:
            said[setting.name] = _said(setting, table[key])
        except ValueRefusedError as error:
            wrong = True
            yield f", {key}: {error}."
    missing = [each.in_file for each in kind.settings if each.required and each.name not in said]
    if missing and not wrong:
        yield f", {missing[0]}: this is missing."


def _said(setting: Setting, value: Any) -> Any:
    """Return what a value of the file says. Raises ``ValueRefusedError``."""
    if setting.many:
        values = value if isinstance(value, list) else [value]
        for each in values:
            setting.take(_text(each))
        return values
    text = _secret(_text(value)) if setting.secret else _text(value)
    setting.take(text)
    return text


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        msg = "this takes one text or number"
        raise ValueRefusedError(msg)
    return str(value)


def _secret(name: str) -> str:
    """Return the secret that a file holds, which nobody else may read."""
    file = Path(name).expanduser()
    try:
        if file.stat().st_mode & _OTHERS:
            msg = f"others can read {file}. Take that from them: chmod 600 {file}"
            raise ValueRefusedError(msg)
        with file.open(encoding="utf-8") as opened:
            return opened.read(_LARGEST).strip("\r\n")
    except OSError as error:
        msg = f"{file} can't be read ({error.strerror})"
        raise ValueRefusedError(msg) from None
    except ValueError:
        msg = f"{file} does not hold one line of text"
        raise ValueRefusedError(msg) from None


def _instead(name: str, kind: Kind) -> str:
    known = [each.in_file for each in kind.settings]
    close = get_close_matches(name, known, 1)
    return f"Did you mean {close[0]}?" if close else f"There are {', '.join(known)}."
