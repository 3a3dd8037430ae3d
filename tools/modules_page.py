"""An empty page that the frontend's modules can be imported on, without a Home Assistant."""

from typing import Final

from playwright.async_api import Browser, Page, Route

from .paths import CUSTOM_COMPONENTS

FOLDER: Final = CUSTOM_COMPONENTS / "works_with_nest" / "frontend"
ORIGIN: Final = "http://modules.invalid"


async def open_modules_page(browser: Browser) -> Page:
    """Open the page; its own address serves the modules, and nothing leaves the browser."""
    page = await browser.new_page()

    async def serve(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if name:
            # Not by its path, for which a thread is begun that stays as long as the loop.
            await route.fulfill(body=(FOLDER / name).read_text(encoding="utf-8"), content_type="text/javascript")
        else:
            await route.fulfill(body="<!doctype html><title>Modules</title>", content_type="text/html")

    await page.route("**", serve)
    await page.goto(f"{ORIGIN}/")
    return page
