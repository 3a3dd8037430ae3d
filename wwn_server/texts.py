"""Every sentence that people read, by key, in the language of the request."""

from __future__ import annotations

from contextvars import ContextVar
from functools import cache
from importlib import resources
import json
from typing import Final

SOURCE_LANGUAGE: Final = "en"

language: ContextVar[str] = ContextVar("language", default=SOURCE_LANGUAGE)


@cache
def _texts(name: str) -> dict[str, str]:
    file = resources.files("wwn_server") / "pages" / "texts" / f"{name}.json"
    texts: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return texts


def t(key: str, /, **values: object) -> str:
    """Return the text of a key with its placeholders filled.

    A key that the language lacks is answered in English; one that English lacks is a
    mistake of the program and raises ``KeyError``.
    """
    texts = _texts(language.get())
    text = texts[key] if key in texts else _texts(SOURCE_LANGUAGE)[key]
    return text.format_map(values)
