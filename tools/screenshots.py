"""The pictures of the documentation: the ways of the browser tests, walked once more with a camera."""

import argparse
import asyncio
from collections.abc import Collection
from pathlib import Path
import sys
import tempfile
from typing import Final

from playwright.async_api import Browser

from .alone import run_alone
from .browser import chromium
from .camera import COUNTRY, Photographer
from .dashboard_screenshots import take_dashboard_pictures
from .demo.servers import Servers, started
from .demo.state import USERNAME, held
from .errors import ToolError
from .frontend import INTEGRATIONS, SHARP, Frontend
from .home_assistant import HomeAssistantApi
from .pictures import PICTURES
from .ports import free_port
from .server_screenshots import take_server_pictures
from .walks import (
    Walker,
    change_data,
    go_back,
    link_again,
    link_by_pin,
    link_typed,
    no_camera,
    open_consent,
    open_device,
    open_integration,
    remove_here,
    remove_there,
)

SIDES: Final = ("server", "home-assistant", "dashboards")
STRANGER: Final = ("ben", "staple donkey lantern")


async def take_all(folder: Path) -> None:
    """Link a home of its own, live with the link and end it, and take every picture on the way."""
    camera = Photographer(PICTURES)
    async with held(folder) as state:
        state.keep(nest_port=free_port(), home_assistant_port=free_port())
        async with started(state) as servers, servers.signed_in() as api, chromium() as browser:
            await api.set_country(COUNTRY)
            walker = Walker(
                frontend=await Frontend.open(browser, api, scale=SHARP),
                nest=servers.nest.base,
                name=USERNAME,
                password=state.kept.nest_password,
                camera=camera.take,
            )
            await _ways_in(walker)
            await _devices(walker, servers, api)
            await _life(walker, servers, api, browser)
            await walker.frontend.close()


async def _ways_in(walker: Walker) -> None:
    await go_back(walker, await open_consent(walker))
    await link_typed(walker)
    await open_integration(walker)
    await walker.see("integration-page")


async def _devices(walker: Walker, servers: Servers, api: HomeAssistantApi) -> None:
    await open_device(walker.frontend, api, "Thermostat", "Living Room")
    await walker.frontend.wait_for_text("Humidity")
    await walker.see("device-page")
    async with servers.person() as person:
        await person.sign_in()
        alarms = (await person.document())["devices"]["smoke_co_alarms"]
        kitchen = next(key for key, alarm in alarms.items() if alarm["where_name"] == "Kitchen")
        await person.set_alarm(kitchen, smoke="emergency")
        await open_device(walker.frontend, api, "Protect", "Kitchen")
        await walker.frontend.wait_for_text("Emergency")
        await walker.see("alarm-emergency")
        await person.set_alarm(kitchen, smoke="ok")


async def _life(walker: Walker, servers: Servers, api: HomeAssistantApi, browser: Browser) -> None:
    await change_data(walker, {"Thermostats": "Nothing"})
    await walker.frontend.go(INTEGRATIONS)
    await remove_there(walker)
    await walker.page.bring_to_front()
    await servers.nest.add_stranger(*STRANGER)
    stranger = Walker(
        frontend=await Frontend.open(browser, api, scale=SHARP),
        nest=walker.nest,
        name=STRANGER[0],
        password=STRANGER[1],
        camera=walker.camera,
    )
    await link_again(stranger, "The account that accepted does not hold", "wrong-account")
    await stranger.frontend.close()
    walker.camera = no_camera
    await link_again(walker, "Re-authentication was successful", "linked-again")
    walker.camera = stranger.camera
    await remove_here(walker)
    # Last, for what was there before would be told on every page after it.
    await link_by_pin(walker)


async def take_sides(folder: Path, sides: Collection[str], every: Path | None = None) -> None:
    """Take the pictures of these sides. every: take the dashboards in all states and windows, to this folder."""
    if "server" in sides:
        await take_server_pictures(folder / "server", PICTURES)
    if "home-assistant" in sides:
        await take_all(folder / "state")
        await run_alone("tools.found", "--pictures", str(PICTURES))
    if "dashboards" in sides:
        await take_dashboard_pictures(folder / "dashboards", every)


def main() -> None:
    """Take pictures of what is named, in a folder that is removed afterwards."""
    parser = argparse.ArgumentParser(prog="script/screenshots", description="Make the pictures of the documentation.")
    parser.add_argument("side", nargs="?", choices=SIDES, help="only the pictures of this side")
    parser.add_argument("--every", type=Path, metavar="FOLDER", help="take dashboards in every state, to look at them")
    arguments = parser.parse_args()
    sides = {arguments.side} if arguments.side else SIDES
    try:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(take_sides(Path(folder), sides, arguments.every))
    except ToolError as err:
        sys.exit(f"script/screenshots: {err}")


if __name__ == "__main__":
    main()
