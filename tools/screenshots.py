"""The pictures of the documentation: the steps of the browser tests, walked once more with a camera."""

import argparse
import asyncio
from collections.abc import Collection
from pathlib import Path
import sys
import tempfile
from typing import Final

from playwright.async_api import Page

from .browser import chromium
from .demo.servers import started
from .demo.state import held
from .errors import ToolError
from .linked_home import link_in_browser, open_device
from .pictures import PICTURES, keep
from .ports import free_port
from .server_screenshots import take_server_pictures

SIDES: Final = ("server", "home-assistant")
SCALE: Final = 5 / 8
# The frontend draws in steps and moves while it does.
SETTLES_WITHIN_MS: Final = 1500


async def take(name: str, page: Page) -> None:
    """Take a picture of a page, whole where it scrolls, at half of the screen's double resolution."""
    await page.wait_for_timeout(SETTLES_WITHIN_MS)
    # A pointer over something would draw it highlighted.
    await page.mouse.move(0, 0)
    keep(await page.screenshot(full_page=True, animations="disabled"), PICTURES / f"{name}.png", SCALE)


async def take_all(folder: Path) -> None:
    """Link a home of its own and take every picture on the way."""
    async with held(folder) as state:
        state.keep(nest_port=free_port(), home_assistant_port=free_port())
        async with started(state) as servers, servers.signed_in() as api, chromium() as browser:
            frontend = await link_in_browser(browser, servers, api, take)
            await take("integration-page", frontend.page)
            await open_device(frontend, api, "Thermostat", "Living Room")
            await frontend.wait_for_text("Humidity")
            await take("device-page", frontend.page)
            async with servers.person() as person:
                await person.sign_in()
                alarms = (await person.document())["devices"]["smoke_co_alarms"]
                kitchen = next(key for key, alarm in alarms.items() if alarm["where_name"] == "Kitchen")
                await person.set_alarm(kitchen, smoke="emergency")
            await open_device(frontend, api, "Protect", "Kitchen")
            await frontend.wait_for_text("Emergency")
            await take("alarm-emergency", frontend.page)
            await frontend.close()


async def take_sides(folder: Path, sides: Collection[str]) -> None:
    """Take the pictures of these sides."""
    if "server" in sides:
        await take_server_pictures(folder / "server", PICTURES)
    if "home-assistant" in sides:
        await take_all(folder / "state")


def main() -> None:
    """Take pictures of what is named, in a folder that is removed afterwards."""
    parser = argparse.ArgumentParser(prog="script/screenshots", description="Make the pictures of the documentation.")
    parser.add_argument("side", nargs="?", choices=SIDES, help="only the pictures of this side")
    side = parser.parse_args().side
    try:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(take_sides(Path(folder), {side} if side else SIDES))
    except ToolError as err:
        sys.exit(f"script/screenshots: {err}")


if __name__ == "__main__":
    main()
