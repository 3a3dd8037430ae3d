"""Every line that anything in this process logs, looked through for secrets."""

from collections.abc import Iterator
from contextlib import contextmanager
import logging
from typing import Final, override

# What people are told; -v shows it.
OURS: Final = "custom_components.works_with_nest"


class Secrets(logging.Handler):
    """Looks for secrets in log lines.

    found: the loggers that told one, never the secret itself. unexpected: errors that nobody foresaw, with their
    traceback.
    """

    def __init__(self, secrets: tuple[str, ...]) -> None:
        """Look for these."""
        super().__init__(logging.DEBUG)
        self.found: list[str] = []
        self.lines = 0
        self.unexpected: list[str] = []
        self._secrets = secrets

    def clear(self) -> None:
        """Begin a new run."""
        self.found.clear()
        self.unexpected.clear()

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Look through one line, its traceback included."""
        self.lines += 1
        line = self.format(record)
        if self.holds(line):
            self.found.append(f"{record.name}: {record.msg}")
        if record.exc_info and record.levelno >= logging.ERROR:
            self.unexpected.append(f"{record.name} met an unexpected error: {line}")

    def holds(self, text: str) -> bool:
        """Whether a text holds a secret."""
        return any(secret in text for secret in self._secrets)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look through everything that is logged meanwhile, however little of it people would see."""
        root = logging.getLogger()
        before = root.level
        root.addHandler(self)
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.removeHandler(self)
            root.setLevel(before)
