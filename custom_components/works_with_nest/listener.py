"""The push side of a link: one task that keeps the stream open for as long as the link is loaded."""

import asyncio
import random
from typing import Final

from homeassistant.core import callback
from homeassistant.exceptions import ConfigEntryAuthFailed

from .const import LOGGER
from .coordinator import WwnCoordinator
from .errors import wait_of
from .wwn import Document
from .wwn.const import STREAM_SILENCE
from .wwn.errors import WwnAuthError, WwnConnectionError, WwnError
from .wwn.stream import WwnStream

FIRST_DELAY: Final = 1.0
LONGEST_DELAY: Final = 30.0
# A stream that lasted this long has proved itself; a shorter one does not reset the delay, or a server that closes
# each stream after its first event would be asked again at once, for ever.
PROVEN_AFTER: Final = 30.0


class WwnListener:
    """Keeps the stream open: reconnects after whatever ended it, with a delay that grows and is drawn at random.

    It ends only when it is cancelled, or when the server confirmed that the link is over; then the link is down, and
    Home Assistant asks for linking again.
    """

    def __init__(self, coordinator: WwnCoordinator) -> None:
        """Listen for one link."""
        self._coordinator = coordinator
        self._is_up = False
        self._failures = 0
        self._wait = 0.0

    async def run(self) -> None:
        """Listen until cancelled or told that the link is over."""
        while not await self._is_over():
            await self._pause()

    async def _is_over(self) -> bool:
        """Live through one stream. Whatever happens in it, or in handling its end, the next one is tried."""
        started = asyncio.get_running_loop().time()
        try:
            ended_by = await self._one_stream()
            if self._is_up and asyncio.get_running_loop().time() - started > PROVEN_AFTER:
                self._failures = 0
            self._wait = wait_of(ended_by) if isinstance(ended_by, WwnError) else 0
            self._set_down(ended_by)
            return isinstance(ended_by, WwnAuthError) and await self._is_confirmed()
        except Exception:  # noqa: BLE001 - nothing that goes wrong here may end the push for good, unnoticed
            LOGGER.exception("Unexpected error while listening; trying again")
            return False

    async def _one_stream(self) -> Exception:
        """Return what ended the stream."""
        try:
            await WwnStream(
                self._coordinator.client, self._put, self._coordinator.async_keep_alive, STREAM_SILENCE
            ).listen()
        except asyncio.CancelledError:
            # Ours only if this very task was cancelled; a stray one must not end the push unseen.
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            return WwnConnectionError("cancelled")
        except WwnError as err:
            return err
        except Exception as err:  # noqa: BLE001 - a bug must not end the push; it is logged by _set_down
            return err

    @callback
    def _put(self, document: Document) -> None:
        if not self._is_up:
            self._is_up = True
            self._coordinator.async_set_push(is_up=True)
            LOGGER.info("Listening to %s", self._coordinator.name)
        self._coordinator.async_put(document)

    @callback
    def _set_down(self, ended_by: Exception) -> None:
        """Go over to polling, at once, and say so once."""
        if not isinstance(ended_by, WwnError):
            LOGGER.error("The stream of %s met an unexpected error", self._coordinator.name, exc_info=ended_by)
        if not self._is_up:
            LOGGER.debug("No stream from %s: %s", self._coordinator.name, ended_by)
            return
        self._is_up = False
        self._coordinator.async_set_push(is_up=False)
        LOGGER.info("Lost the stream of %s, polling instead: %s", self._coordinator.name, ended_by)
        if not isinstance(ended_by, WwnAuthError):
            self._coordinator.config_entry.async_create_background_task(
                self._coordinator.hass, self._coordinator.async_refresh(), f"{self._coordinator.name} poll"
            )

    async def _is_confirmed(self) -> bool:
        """Ask once more whether the link is over; the coordinator's poll starts linking again if it is."""
        await self._coordinator.async_refresh()
        # The last exception outlives the failure it stands for, so it alone says nothing.
        return not self._coordinator.last_update_success and isinstance(
            self._coordinator.last_exception, ConfigEntryAuthFailed
        )

    async def _pause(self) -> None:
        """Wait before the next try: longer each time, and drawn at random so that many hubs do not come back as one."""
        longest = min(LONGEST_DELAY, FIRST_DELAY * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        await asyncio.sleep(max(self._wait, random.uniform(0, longest)))  # noqa: S311 - no secret
