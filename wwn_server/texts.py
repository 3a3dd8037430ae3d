"""Every sentence that people read, by key, in the language of the request."""

from __future__ import annotations

from contextvars import ContextVar
from functools import cache
from importlib import resources
import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

SOURCE_LANGUAGE: Final = "en"
FOLDER: Traversable = resources.files("wwn_server") / "pages" / "texts"

# Where a browser's word for a language is not the beginning of ours. None: nothing of ours will do.
_ALIASES: Final[dict[str, str | None]] = {
    "no": "nb",
    "nn": "nb",
    "pt": "pt-br",
    "zh": "zh-hans",
    "zh-hant": None,
    "zh-hk": None,
    "zh-mo": None,
    "zh-tw": None,
}
_MOST_WISHES: Final = 20

language: ContextVar[str] = ContextVar("language", default=SOURCE_LANGUAGE)


@cache
def languages() -> dict[str, str]:
    """Return the languages there are texts in, by their lower-case names."""
    names = [each.name.removesuffix(".json") for each in FOLDER.iterdir() if each.name.endswith(".json")]
    return {name.lower(): name for name in sorted(names)}


def negotiated(accepted: str) -> str:
    """Return the language that suits an ``Accept-Language`` best, English where none does."""
    offered = languages()
    fitting = (offered[name] for wish in _wishes(accepted) for name in _names_of(wish) if name in offered)
    return next(fitting, SOURCE_LANGUAGE)


def _wishes(accepted: str) -> list[str]:
    """Return the languages that are asked for, the dearest first."""
    weighed = [(_weight(rest), tag.strip().lower()) for tag, _, rest in _parts(accepted)]
    return [tag for weight, tag in sorted(weighed, key=lambda each: -each[0]) if weight > 0]


def _parts(accepted: str) -> list[tuple[str, str, str]]:
    return [each.partition(";") for each in accepted.split(",")[:_MOST_WISHES]]


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


def _names_of(tag: str) -> Iterator[str]:
    """Yield a language's names, from the closest to the widest: ``de-at``, then ``de``."""
    while tag:
        if tag in _ALIASES:
            alias = _ALIASES[tag]
            if alias is not None:
                yield alias
            return
        yield tag
        tag = tag.rpartition("-")[0]


@cache
def _texts(name: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return texts


def t(key: str, /, **values: object) -> str:
    """Return the text of a key with its placeholders filled.

    A key that the language lacks is answered in English; one that English lacks is a
    mistake of the program and raises ``KeyError``.
    """
    texts = _texts(language.get())
    text = texts[key] if key in texts else _texts(SOURCE_LANGUAGE)[key]
    return text.format_map(values)
