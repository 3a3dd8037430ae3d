"""A camera for the ways through both sides' pages: each sight in the looks that the documentation shows it in."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from playwright.async_api import Page

from .frontend import DESKTOP, PHONE
from .pictures import keep

SCALE: Final = 5 / 8
# Where the house in the pictures is.
COUNTRY: Final = "GB"
# The frontend draws in steps and moves while it does.
SETTLES_WITHIN_MS: Final = 1500


@dataclass(frozen=True, slots=True)
class Look:
    """How a window looks: its size, its colours, what the picture's name ends in, and how much smaller it is kept."""

    size: tuple[int, int]
    colours: Literal["light", "dark"]
    ending: str = ""
    scale: float = SCALE


PLAIN: Final = Look(DESKTOP, "light")
ON_A_PHONE: Final = Look(PHONE, "light", "-phone")
# A long page with large letters.
SMALL: Final = Look(DESKTOP, "light", scale=3 / 8)
# A form that is longer than a window mostly is, to its end.
WHOLE_FORM: Final = Look((1280, 1300), "light", scale=1 / 2)
IN_THE_DARK: Final = Look(DESKTOP, "dark", "-dark")

# The sights that the documentation shows, each with its looks; the rest is passed by.
SIGHTS: Final = {
    "found": (PLAIN, ON_A_PHONE),
    "choose-data": (PLAIN, ON_A_PHONE),
    "consent-page": (SMALL,),
    "pin": (PLAIN,),
    "declined": (PLAIN,),
    "link-again": (PLAIN, IN_THE_DARK),
    "link-again-dialogue": (PLAIN,),
    "wrong-account": (PLAIN,),
    "reconfigure": (WHOLE_FORM,),
    "remove-here": (PLAIN,),
    "integration-page": (PLAIN,),
    "device-page": (PLAIN,),
    "alarm-emergency": (PLAIN,),
}


class Photographer:
    """Takes pictures into a folder, whole where a page scrolls, at half of the screen's double resolution."""

    def __init__(self, folder: Path, sights: Collection[str] = SIGHTS) -> None:
        """Keep the pictures there, of these sights only."""
        self._folder = folder
        self._sights = sights

    async def take(self, name: str, page: Page) -> None:
        """Take a sight in each of its looks, and leave the window as it was."""
        for look in SIGHTS.get(name, ()) if name in self._sights else ():
            await _dress(page, look)
            await page.wait_for_timeout(SETTLES_WITHIN_MS)
            # A pointer over something would draw it highlighted.
            await page.mouse.move(0, 0)
            content = await page.screenshot(full_page=True, animations="disabled")
            keep(content, self._folder / f"{name}{look.ending}.png", look.scale)
        await _dress(page, PLAIN)


async def _dress(page: Page, look: Look) -> None:
    width, height = look.size
    await page.set_viewport_size({"width": width, "height": height})
    await page.emulate_media(color_scheme=look.colours)
