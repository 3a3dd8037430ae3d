"""The pictures of the documentation: the steps of the browser tests, walked once more with a camera."""

import asyncio
from io import BytesIO
from pathlib import Path
import sys
import tempfile
from typing import Final

from PIL import Image
from playwright.async_api import Page

from .browser import chromium
from .demo.servers import started
from .demo.state import held
from .demo.voice import say
from .errors import ToolError
from .linked_home import link_in_browser, open_device
from .paths import CHECKOUT
from .ports import free_port

PICTURES: Final = CHECKOUT / "docs" / "pictures"
# Pictures of interfaces have few colours; the palette makes them a third of the size.
COLOURS: Final = 256
# The frontend draws in steps and moves while it does.
SETTLES_WITHIN_MS: Final = 1500


async def take(name: str, page: Page) -> None:
    """Take a picture of a page, whole where it scrolls, at half of the screen's double resolution."""
    await page.wait_for_timeout(SETTLES_WITHIN_MS)
    # A pointer over something would draw it highlighted.
    await page.mouse.move(0, 0)
    content = await page.screenshot(full_page=True, animations="disabled")
    file = PICTURES / f"{name}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    image = Image.open(BytesIO(content)).convert("RGB")
    small = image.resize((image.width * 5 // 8, image.height * 5 // 8), Image.Resampling.LANCZOS)
    small.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    say(f"  {file.relative_to(CHECKOUT)}: {file.stat().st_size // 1000} kB")


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


def main() -> None:
    """Take every picture, in a folder that is removed afterwards."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(take_all(Path(folder) / "state"))
    except ToolError as err:
        sys.exit(f"script/screenshots: {err}")


if __name__ == "__main__":
    main()
