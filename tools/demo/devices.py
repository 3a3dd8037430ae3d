"""What stands behind the home of ``--sources``: smoke detectors on a real broker, and thermostats of their own server.

The broker is a real Mosquitto. Zigbee2MQTT and NoLongerEvil are fakes that speak the real wire.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from tools.fakes import Broker, Detector, NoLongerEvil, Zigbee2Mqtt
from tools.fakes.zigbee2mqtt import CO_DETECTOR, SMOKE_DETECTOR

from .state import StateFolder
from .voice import keep_saying, say

KITCHEN: Final = "Kitchen"
HALLWAY: Final = "Hallway"
DETECTORS: Final = {
    KITCHEN: ("0x00158d0001d82999", SMOKE_DETECTOR),
    HALLWAY: ("0x00158d0001d8299a", (*SMOKE_DETECTOR, *CO_DETECTOR[:1])),
}
LIVING_ROOM: Final = "02AA01AC31140001"
THERMOSTATS: Final = {LIVING_ROOM: ("Living Room", 20.5), "02AA01AC31140002": ("Bedroom", 18.0)}
# How often the rooms are a little warmer or colder, and how much.
EVERY: Final = 20.0
STEP: Final = 0.1
# Colder than this no room gets, however long nobody heats it.
COLDEST: Final = 12.0


class Devices:
    """Everything behind the home, as long as it runs."""

    def __init__(self, folder: Path) -> None:
        """Describe it; its files are in a folder."""
        self.broker = Broker(folder)
        self.thermostats = NoLongerEvil()
        # What a detector said stays on the broker, as its owner is advised to have it: it may be silent for hours.
        detectors = [Detector(name, *each, retained=True) for name, each in DETECTORS.items()]
        self.detectors = Zigbee2Mqtt(self.broker, *detectors)
        for serial, (name, celsius) in THERMOSTATS.items():
            self.thermostats.add(serial, name=name, current_temperature=celsius, target_temperature=19.0)

    def configuration(self) -> str:
        """Return what the server's file has to say of them."""
        return CONFIGURATION.format(broker=self.broker.address, thermostats=self.thermostats.base)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run it all. Raises ToolError where there is no Mosquitto."""
        say("Starting a broker with smoke detectors, and a server with thermostats ...")
        async with AsyncExitStack() as stack:
            await keep_saying("starting the broker", stack.enter_async_context(self.broker))
            await stack.enter_async_context(self.thermostats)
            await stack.enter_async_context(self.thermostats.on_mqtt(self.broker))
            await stack.enter_async_context(self.detectors)
            for name in DETECTORS:
                await self.detectors.say(name, smoke=False, battery_low=False, test=False, battery=90)
            await self.detectors.say(HALLWAY, carbon_monoxide=False)
            say(f"  Mosquitto listens on {self.broker.address}, with {len(DETECTORS)} detectors of Zigbee2MQTT")
            say(f"  NoLongerEvil listens on {self.thermostats.base}, with {len(THERMOSTATS)} thermostats")
            living = asyncio.create_task(self._live())
            try:
                yield
            finally:
                living.cancel()
                with suppress(asyncio.CancelledError):
                    await living

    async def _live(self) -> None:
        """Let the rooms follow what heats or cools them."""
        while True:
            await asyncio.sleep(EVERY)
            for serial in THERMOSTATS:
                state = self.thermostats.status(serial)
                drift = STEP if state["hvac"]["heater"] else -STEP
                await self.thermostats.report(
                    serial, current_temperature=round(state["current_temperature"] + drift, 1)
                )


@asynccontextmanager
async def devices_behind(state: StateFolder, *, wanted: bool) -> AsyncIterator[Devices | None]:
    """Run devices behind the home, and write the server's file of them; nothing where none are wanted."""
    if not wanted:
        yield None
        return
    devices = Devices(state.broker)
    async with devices.running():
        state.sources.write_text(devices.configuration())
        yield devices


def options_of(state: StateFolder, devices: Devices | None) -> tuple[str, ...]:
    """Return what the Nest server has to be told of devices."""
    return ("--config", str(state.sources)) if devices else ()


CONFIGURATION: Final = """\
# Written anew at each start of the demo.
[[source]]
kind = "nolongerevil"
address = "{thermostats}"
broker = "{broker}"

[[source]]
kind = "mqtt"
address = "{broker}"
"""
