"""The images of the integration and of the app, drawn from the SVG files in docs/brand.

An SVG says by a media query how it looks on a dark background, so that one file makes both variants.
"""

import asyncio
from io import BytesIO
from pathlib import Path
import sys
from typing import Final

from PIL import Image
from playwright.async_api import Browser

from .browser import chromium
from .errors import ToolError
from .paths import CHECKOUT, CUSTOM_COMPONENTS

SOURCES: Final = CHECKOUT / "docs" / "brand"
IMAGES: Final = CUSTOM_COMPONENTS / "works_with_nest" / "brand"
APP: Final = CHECKOUT / "app"

# Height in pixels; how wide an image is follows from its source.
HEIGHT: Final = 256
# What the store of apps asks for.
APP_HEIGHT: Final = {"icon": 128, "logo": 100}
COLOURS: Final = 256
SCALE_OF_SUFFIX: Final = {"": 1, "@2x": 2}
IS_DARK_OF_PREFIX: Final = {"": False, "dark_": True}

PAGE: Final = "<!doctype html><style>body {{ margin: 0 }} svg {{ display: block; height: {height}px }}</style>{svg}"


async def draw_all(folder: Path) -> list[Path]:
    """Draw every variant of every source into a folder, and return the files."""
    drawn = []
    async with chromium() as browser:
        for source in sorted(SOURCES.glob("*.svg")):
            for prefix, is_dark in IS_DARK_OF_PREFIX.items():
                for suffix, scale in SCALE_OF_SUFFIX.items():
                    file = folder / f"{prefix}{source.stem}{suffix}.png"
                    _save(await _picture(browser, source, HEIGHT, scale=scale, is_dark=is_dark), file)
                    drawn.append(file)
    return drawn


async def draw_for_app(folder: Path) -> list[Path]:
    """Draw the images of the app into a folder, and return the files."""
    drawn = []
    async with chromium() as browser:
        for name, height in APP_HEIGHT.items():
            file = folder / f"{name}.png"
            _save(await _picture(browser, SOURCES / f"{name}.svg", height), file)
            drawn.append(file)
    return drawn


async def _picture(browser: Browser, source: Path, height: int, *, scale: int = 1, is_dark: bool = False) -> bytes:
    """Return the drawing as PNG, with nothing behind it."""
    context = await browser.new_context(device_scale_factor=scale, color_scheme="dark" if is_dark else "light")
    try:
        page = await context.new_page()
        await page.set_content(_page(source, height))
        return await page.locator("svg").screenshot(omit_background=True)
    finally:
        await context.close()


def _page(source: Path, height: int) -> str:
    return PAGE.format(height=height, svg=source.read_text(encoding="utf-8"))


def _save(png: bytes, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # A few colours and their edges; a palette makes the file a third of the size.
    few = (
        Image.open(BytesIO(png)).convert("RGBA").quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    )
    few.save(file, optimize=True)


def main() -> None:
    """Draw, and say what was drawn."""
    try:
        drawn = [*asyncio.run(draw_all(IMAGES)), *asyncio.run(draw_for_app(APP))]
    except ToolError as err:
        sys.exit(f"tools.brand: {err}")
    for file in drawn:
        with Image.open(file) as image:
            print(f"{file.relative_to(CHECKOUT)}: {image.width} x {image.height}, {file.stat().st_size / 1000:.1f} kB")


if __name__ == "__main__":
    main()
