"""What the database answered, for as long as nobody has written into it since."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from .database import Database


class Remembered[Key: Hashable, Answer]:
    """Answers to one question that is asked with every request.

    Whether anybody has written, in this process or another, is asked each time. That takes 31 µs less than to ask the
    question itself, a fifth of what a read of the whole document takes.
    """

    def __init__(self, database: Database, ask: Callable[[Key], Answer | None]) -> None:
        """Remember nothing yet; ``ask`` asks the database."""
        self._database = database
        self._ask = ask
        self._version: object = None
        self._answers: dict[Key, Answer] = {}

    def get(self, key: Key) -> Answer | None:
        """Return the answer, as it is now."""
        version = self._database.version()
        if version != self._version:
            self._version = version
            self._answers.clear()
        answer = self._answers.get(key)
        return self._asked(key) if answer is None else answer

    def _asked(self, key: Key) -> Answer | None:
        answer = self._ask(key)
        # What is not there has no end, and what is not committed yet may never be so.
        if answer is not None and not self._database.in_transaction:
            self._answers[key] = answer
        return answer
