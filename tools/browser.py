"""A real Chromium: the one that is installed, with the flags it needs to run anywhere and to keep to itself.

Run as a module it prints where the browser is, and fails where there is none.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import shutil
import sys
from typing import Final

from playwright.async_api import Browser, async_playwright

from .errors import ToolError

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find() -> str | None:
    """Return the path of an installed Chromium."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """Run a headless Chromium. Raises ToolError where none is installed."""
    if (path := find()) is None:
        msg = "No Chromium is installed (Debian, Ubuntu: apt-get install chromium)."
        raise ToolError(msg)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


def main() -> None:
    """Print where the browser is."""
    if (path := find()) is None:
        sys.exit("No Chromium is installed.")
    print(path)


if __name__ == "__main__":
    main()
