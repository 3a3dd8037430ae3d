"""One link's newest document, how fresh it is, and the poll behind the push."""

from asyncio import Task, TimerHandle, timeout
from collections.abc import Callable, Iterable, Iterator, Set as AbstractSet
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
import logging
from operator import itemgetter
from typing import Any, Final, cast, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .asking import async_ask_once_possible
from .const import (
    CONF_HOMES,
    CONF_PERMISSIONS,
    CONF_SERVER,
    CONF_TOKEN,
    DOMAIN,
    LIVE_FOR,
    LOGGER,
    POLL_BEHIND_STREAM,
    POLL_WITHOUT_STREAM,
    SIGNAL_NEWS,
)
from .errors import explained, placeholders, translation_key, wait_of
from .gaps import Gap
from .history import WwnHistory
from .included import included_homes
from .removal import WwnRemoval
from .wwn import Document, NestServer, WwnClient
from .wwn.clock import Instant
from .wwn.errors import (
    WwnAuthError,
    WwnBlockedError,
    WwnError,
    WwnForbiddenError,
    WwnNotFoundError,
    WwnRefusedError,
)
from .wwn.grants import shown, withheld
from .wwn.jumps import watched_clock
from .wwn.models import EMPTY, Permission

# What is answered to a write that went by a document which does not hold any more (protocol 7.2).
SAYS_THAT_THINGS_CHANGED: Final = (WwnAuthError, WwnForbiddenError, WwnNotFoundError, WwnRefusedError)


@dataclass(slots=True)
class Statistics:
    """What came of the push side since the link was loaded, for diagnostics."""

    connects: int = 0
    puts: int = 0
    keep_alives: int = 0
    last_put: datetime | None = None
    last_keep_alive: datetime | None = None


type WwnConfigEntry = ConfigEntry[WwnCoordinator]


class PollLogger(logging.LoggerAdapter[logging.Logger]):
    """What Home Assistant says of single polls, for those who look closely: of the link itself the coordinator says it.

    Else each loss and each return were said twice. What is unexpected stays as loud as it was.
    """

    @override
    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Say that a poll failed."""
        self.debug(msg, *args, **kwargs)

    @override
    def info(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Say that a poll succeeded again."""
        self.debug(msg, *args, **kwargs)


class WwnCoordinator(DataUpdateCoordinator[Document]):
    """Holds the newest document of one link, pushed by the listener or polled when there is no push.

    live says whether it stands for the present: a complete event or a good answer came within the last 75 s. Nothing
    else makes entities available; a failed poll beside a living stream changes nothing, and neither does a lost stream
    beside a poll that succeeds.

    has_document is false where the link was loaded while its server could not be reached: then data holds nothing, of
    which nothing follows.
    """

    config_entry: WwnConfigEntry

    def __init__(self, hass: HomeAssistant, entry: WwnConfigEntry) -> None:
        """Set up for one link."""
        self.server = NestServer.from_dict(entry.data[CONF_SERVER])
        super().__init__(
            hass,
            cast("logging.Logger", PollLogger(LOGGER)),
            config_entry=entry,
            # What the log calls it: the home's name is for those who look closely.
            name=f"the link to {self.server.base.authority}",
            update_interval=POLL_WITHOUT_STREAM,
            always_update=False,
        )
        self.data = EMPTY
        self.has_document = False
        self.client = WwnClient(async_get_clientsession(hass), self.server, entry.data[CONF_TOKEN]["access_token"])
        self.homes = included_homes(entry)
        # Homes that were linked and that a person left out since.
        self.left_out = frozenset(entry.data[CONF_HOMES]) - self.homes
        self.history = WwnHistory(hass, entry.entry_id, self.homes)
        self._removal = WwnRemoval(self)
        self.last_contact: datetime | None = None
        self.statistics = Statistics()
        self.live = False
        # Whether the log says last that it is lost.
        self._said_lost = False
        self.asked_for = frozenset(Permission(name) for name in entry.data[CONF_PERMISSIONS])
        # What the last document withheld, and what the last two did.
        self._suspected = frozenset[Permission]()
        self._withheld = frozenset[Permission]()
        self._told: tuple[Document, bool, frozenset[Permission], datetime | None] | None = None
        # What the update that is under way is about; None where it may be about anything.
        self.changed: AbstractSet[str] | None = None
        # The listeners by what they follow, and how many there were when they were put in order.
        self._followers: tuple[int, dict[object, list[tuple[int, CALLBACK_TYPE]]]] = (0, {})
        self._puts = 0
        self._asked = Instant.now()
        self._is_overtaken = False
        self._refresh_is_due = False
        # When the newest question was asked whose answer was taken.
        self._answered_from = self._asked
        self._heard = Instant.now()
        self._silence: TimerHandle | None = None
        self._clock = ExitStack()
        self._clock.enter_context(watched_clock(self._look))

    @property
    def permissions(self) -> frozenset[Permission]:
        """Return what the link may see and change: as the server tells, else as it shows and refuses."""
        if (told := self.data.permissions) is not None:
            return told
        return (self.asked_for | shown(self.data)) - self._withheld - self.client.denied

    @property
    def missing_permissions(self) -> frozenset[Permission]:
        """Return what was asked for and accepted, and is not given any more, as far as the server tells."""
        return self.asked_for - self.permissions

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Return when nobody was listening, the newest last: what came and went then cannot be known."""
        return self.history.gaps

    @property
    def open_gap(self) -> datetime | None:
        """Return since when nobody is listening; None while the stream is up."""
        return self.history.open_gap

    @property
    def age(self) -> float | None:
        """Return how many seconds ago the last sign of life came; None where none did in this run."""
        return self._heard.age() if self.has_document else None

    @property
    def last_known_contact(self) -> datetime | None:
        """Return when the last sign of life came, in an earlier run too."""
        return self.last_contact or self.history.vouched

    def unique_id(self, wire_id: str) -> str:
        """Return the id of a structure or device that no other server's can equal."""
        return f"{self.server.server_id}_{wire_id}"

    @callback
    def async_start_unheard(self) -> None:
        """Begin without a document: what the last run heard is the last contact, and after 75 s the link is lost.

        Who calls says in the log why.
        """
        self._said_lost = True
        self.last_contact = self.history.open_gap
        if self.last_contact:
            self._heard = Instant.at(self.last_contact)
        self._silence = self.hass.loop.call_later(LIVE_FOR, self.async_lost)

    @callback
    def async_put(self, document: Document, heard: Instant | None = None) -> None:
        """Take a document that was pushed: first it is shown, then what happened is told.

        heard: when its first byte came. Where a poll that was asked later is here already, that one is newer, and asked
        for once more: the server believes that it has told everything.
        """
        if self._shutdown_requested:
            return
        heard, told = heard or Instant.now(), document
        self.statistics.puts, self.statistics.last_put = self.statistics.puts + 1, heard.moment()
        if heard.steady < self._answered_from.steady:
            document = self.data
            self.async_refresh_soon()
        # An answer that is under way tells the same as this document, which may be old, or is older.
        self._puts += 1
        changed = self._weigh(told) or document is not self.data or not self.live
        self._touch(heard)
        if changed:
            self.async_set_updated_data(document)
        with self._showing_gaps():
            self.history.async_pushed(document, heard)
        if changed:
            self._removal.async_take(document)

    @contextmanager
    def _showing_gaps(self) -> Iterator[None]:
        """Have it shown at once where somebody begins or ends to listen meanwhile; a document need not have changed."""
        before = self.open_gap
        yield
        if self.open_gap != before:
            self.async_update_listeners()

    def _weigh(self, document: Document) -> bool:
        """Take what a document does not open, which counts once two say it; return whether that changed anything.

        After the first one the second is asked for, or it might come much later.
        """
        before, seen = self._withheld, withheld(document)
        self._withheld, self._suspected = seen & self._suspected, seen
        if seen != self._withheld:
            self.async_refresh_soon()
        return before != self._withheld

    @callback
    def async_keep_alive(self, heard: Instant | None = None) -> None:
        """Take the server's word that nothing changed since the last document of this stream.

        heard: when its first byte came.
        """
        if self._shutdown_requested:
            return
        heard, was_live = heard or Instant.now(), self.live
        self.statistics.keep_alives += 1
        self.statistics.last_keep_alive = heard.moment()
        self._touch(heard)
        self.history.async_kept_alive(heard)
        if not was_live:
            self.async_update_listeners()

    @callback
    def async_lost(self, why: Exception | None = None) -> None:
        """Stop taking what is known for the present. why: None where nothing was heard for too long."""
        # It is waited for as long as the link is live, or was not heard of yet.
        is_news, self.live = self._silence is not None, False
        self._cancel_silence()
        self.history.async_stopped_listening()
        self.async_update_listeners()
        if is_news:
            self._say_lost(why)
            self.history.async_link_lost(self._heard)

    def _say_lost(self, why: BaseException | None) -> None:
        """Write the one line of a loss, with what the last poll met where nothing else is known."""
        if self._said_lost:
            return
        self._said_lost = True
        if why is None and not self.last_update_success and self.last_exception:
            why = self.last_exception.__cause__ or self.last_exception
        LOGGER.info("Lost %s: %s", self.name, why or f"nothing was heard for {LIVE_FOR:.0f} s")

    @callback
    def async_set_push(self, *, is_up: bool) -> None:
        """Poll seldom behind a stream that works, and often without one."""
        self.statistics.connects += is_up
        if not is_up:
            with self._showing_gaps():
                self.history.async_stopped_listening()
        interval = POLL_BEHIND_STREAM if is_up else POLL_WITHOUT_STREAM
        if interval != self.update_interval and not self._shutdown_requested:
            self.update_interval = interval
            # The poll that is due was set for the other interval.
            self._schedule_refresh()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Say in words what goes wrong with a write, and look what is true where it was refused."""
        with explained():
            try:
                yield
            except SAYS_THAT_THINGS_CHANGED:
                self.async_refresh_soon()
                raise

    async def async_wait_until(self, holds: Callable[[Document], bool], seconds: float | None) -> bool:
        """Wait for a document for which something holds, as long as it takes for None; return whether one came."""
        future = self.hass.loop.create_future()

        @callback
        def check() -> None:
            if not future.done() and holds(self.data):
                future.set_result(None)

        remove = self.async_add_listener(check)
        try:
            check()
            async with timeout(seconds):
                await future
        except TimeoutError:
            return False
        finally:
            remove()
        return True

    @override
    async def _async_setup(self) -> None:
        """Take up the history where the last run ended."""
        await self.history.async_load()
        self._tell_news()

    @override
    async def _async_update_data(self) -> Document:
        """Poll the document."""
        puts, self._asked = self._puts, Instant.now()
        self._is_overtaken = self._refresh_is_due = False
        asked = self._asked
        try:
            document = await self.client.read()
        except WwnError as err:
            raise self._update_error(err) from err
        if self._puts != puts:
            # A push overtook this answer, which may be older than what the push brought.
            self._is_overtaken = True
            return self.data
        self._answered_from = asked
        self._touch(Instant.now())
        self._weigh(document)
        return document

    def _update_error(self, err: WwnError) -> ConfigEntryAuthFailed | UpdateFailed:
        """Return what Home Assistant makes of an error: an ended link is linked again, all else is tried again."""
        key, values = translation_key(err), placeholders(err)
        if isinstance(err, WwnAuthError):
            self.async_lost(err)
            async_ask_once_possible(self.hass, self.config_entry)
            return ConfigEntryAuthFailed(
                translation_domain=DOMAIN, translation_key=key, translation_placeholders=values
            )
        retry_after = wait_of(err) if isinstance(err, WwnBlockedError) and err.retry_after is not None else None
        return UpdateFailed(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders=values,
            retry_after=retry_after,
        )

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Tell after each good poll: one that brings nothing new may still have brought the link back."""
        if not self.last_update_success or self._shutdown_requested:
            return
        self.async_update_listeners()
        if not self._is_overtaken:
            self.history.async_polled(self.data, self._asked)
            self._removal.async_take(self.data, self._asked.steady)

    def _touch(self, heard: Instant) -> None:
        """Note a sign of life, good for 75 s from then on; an answer that comes after the end is none."""
        if self._shutdown_requested:
            return
        self.live = self.has_document = True
        if self._said_lost:
            self._said_lost = False
            LOGGER.info("Heard of %s again", self.name)
        self._heard = heard
        self.last_contact = heard.moment()
        self._cancel_silence()
        self._watch_silence()
        self._tell_news()

    def _tell_news(self) -> None:
        async_dispatcher_send(self.hass, SIGNAL_NEWS, self.config_entry.entry_id)

    def _watch_silence(self) -> None:
        """Take the link for lost when it has been silent too long; where the machine slept meanwhile, ask at once."""
        if (left := LIVE_FOR - self._heard.age()) > 0:
            self._cancel_silence()
            self._silence = self.hass.loop.call_later(left, self._watch_silence)
            return
        self.async_lost()
        if Instant.now().steady - self._heard.steady < LIVE_FOR:
            self.async_refresh_soon()

    @callback
    def _look(self) -> None:
        """Look for how long the link has been silent by the clocks as they are now."""
        if self.live:
            self._watch_silence()

    @callback
    def async_refresh_soon(self) -> None:
        """Poll now, beside whatever else is going on; a poll that is due and has not begun is enough for all."""
        if self._refresh_is_due:
            return
        poll, self._refresh_is_due = self.async_refresh(), True
        task = self.config_entry.async_create_background_task(self.hass, poll, f"{self.name} poll")
        # Also of one that never began, or nobody could ask again.
        task.add_done_callback(self._refresh_ended)

    def _refresh_ended(self, _task: Task[None]) -> None:
        self._refresh_is_due = False

    def _cancel_silence(self) -> None:
        if self._silence:
            self._silence.cancel()
            self._silence = None

    @callback
    @override
    def async_update_listeners(self) -> None:
        """Tell those whose structure or device changed, or everybody when the link, its permissions or its gap did.

        A listener's context is the id it follows; one without hears of every change.
        """
        self._tell_news()
        # Before the first document there is nothing to go by.
        permissions = self.permissions if self.data else self.asked_for
        told, self._told = self._told, (self.data, self.live, permissions, self.open_gap)
        if told is None or told[1:] != self._told[1:]:
            super().async_update_listeners()
            return
        if self.data is told[0]:
            return
        self.changed = self.data.changed_since(told[0])
        try:
            for update_callback in self._followers_of((None, *self.changed)):
                self._tell(update_callback)
        finally:
            self.changed = None

    @callback
    @override
    def async_add_listener(self, update_callback: CALLBACK_TYPE, context: Any = None) -> Callable[[], None]:
        """Listen to what becomes of the id that is the context, or of everything."""
        self._followers = (0, {})
        return super().async_add_listener(update_callback, context)

    def _followers_of(self, contexts: Iterable[object]) -> list[CALLBACK_TYPE]:
        """Return who follows something, in the order in which they came.

        Going through all listeners of 1,000 devices for one that changed took a tenth of what parsing them takes.
        """
        count, by_context = self._followers
        if count != len(self._listeners):
            by_context = {}
            for listener_id, (update_callback, context) in self._listeners.items():
                by_context.setdefault(context, []).append((listener_id, update_callback))
            self._followers = len(self._listeners), by_context
        found = [each for context in contexts for each in by_context.get(context, ())]
        return [update_callback for _, update_callback in sorted(found, key=itemgetter(0))]

    def _tell(self, update_callback: CALLBACK_TYPE) -> None:
        """Call one listener; what goes wrong in it must not keep an alarm from the others."""
        try:
            update_callback()
        except Exception:
            self.logger.exception("Unexpected error in a listener of %s", self.name)

    @override
    async def async_shutdown(self) -> None:
        """End with nothing left running; from here on nothing is known of the present."""
        self.live = False
        self._cancel_silence()
        self._clock.close()
        self._removal.async_stop()
        await super().async_shutdown()
        await self.history.async_close()
