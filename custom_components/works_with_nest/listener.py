"""The push side of a link: one task that keeps the stream open for as long as the link is loaded."""

import asyncio
from collections.abc import Coroutine
import random
from typing import Any, Final

from homeassistant.core import callback
from homeassistant.exceptions import ConfigEntryAuthFailed

from .const import LOGGER
from .coordinator import WwnCoordinator
from .errors import wait_of
from .wwn import Document
from .wwn.clock import Instant
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

    It ends only when it is cancelled. Where the server confirmed that the link is over, the link is down and Home
    Assistant asks for linking again; then it rests, and goes on if an answer shows that the link is up after all.
    """

    def __init__(self, coordinator: WwnCoordinator) -> None:
        """Listen for one link."""
        self._coordinator = coordinator
        self._is_up = False
        self._failures = 0
        self._wait = 0.0

    async def run(self) -> None:
        """Listen until cancelled. Nothing else ends it, and no trouble goes unnoticed."""
        coordinator = self._coordinator
        try:
            while True:
                is_over = await self._supervised(self._is_over())
                back = coordinator.async_wait_until(lambda _: coordinator.live, None) if is_over else self._pause()
                await self._supervised(back)
        finally:
            coordinator.async_set_push(is_up=False)

    async def _supervised[T](self, step: Coroutine[Any, Any, T]) -> T | None:
        """Take a step. Whatever goes wrong in it, also in handling what went wrong, the next one is taken."""
        try:
            return await step
        except asyncio.CancelledError:
            _raise_if_ended()
        except Exception:  # noqa: BLE001 - nothing that goes wrong here may end the push for good, unnoticed
            LOGGER.exception("Unexpected error while listening; trying again")
        return None

    async def _is_over(self) -> bool:
        """Live through one stream, and say whether it was the last."""
        started = asyncio.get_running_loop().time()
        try:
            ended_by = await self._one_stream()
        finally:
            was_up, self._is_up = self._is_up, False
            self._coordinator.async_set_push(is_up=False)
        if was_up and asyncio.get_running_loop().time() - started > PROVEN_AFTER:
            self._failures = 0
        self._wait = wait_of(ended_by)
        self._say_down(ended_by, was_up=was_up)
        return isinstance(ended_by, WwnAuthError) and await self._is_confirmed()

    async def _one_stream(self) -> Exception:
        """Return what ended the stream."""
        coordinator = self._coordinator
        stream = WwnStream(
            coordinator.client,
            lambda document: self._put(document, stream.event_begun),
            lambda: coordinator.async_keep_alive(stream.event_begun),
            STREAM_SILENCE,
        )
        try:
            await stream.listen()
        except asyncio.CancelledError:
            _raise_if_ended()
            return WwnConnectionError("cancelled")
        except Exception as err:  # noqa: BLE001 - a bug must not end the push; it is logged by _say_down
            return err

    @callback
    def _put(self, document: Document, heard: Instant) -> None:
        if not self._is_up:
            self._is_up = True
            self._coordinator.async_set_push(is_up=True)
            LOGGER.debug("Listening to %s", self._coordinator.name)
        self._coordinator.async_put(document, heard)

    @callback
    def _say_down(self, ended_by: Exception, *, was_up: bool) -> None:
        """Say that it is down, and poll at once: since the last event anything may have happened."""
        if not isinstance(ended_by, WwnError):
            LOGGER.error("The stream of %s met an unexpected error", self._coordinator.name, exc_info=ended_by)
        if not was_up:
            LOGGER.debug("No stream from %s: %s", self._coordinator.name, ended_by)
            return
        LOGGER.debug("Lost the stream of %s: %s", self._coordinator.name, ended_by)
        if not isinstance(ended_by, WwnAuthError):
            self._coordinator.async_refresh_soon()

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


def _raise_if_ended() -> None:
    """Raise the cancellation under way if it is of this very task; a stray one must not end the push unseen."""
    if (task := asyncio.current_task()) is None or task.cancelling():
        raise  # noqa: PLE0704 - called where a cancellation is being handled
