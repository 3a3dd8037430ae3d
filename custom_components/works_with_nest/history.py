"""What happened on one link: transitions told once and in order, and gaps, both kept across restarts and crashes."""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
import logging
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import DOMAIN, SIGNAL_LINK, SIGNAL_TRANSITION
from .gaps import Gap, LinkChange, LinkChangeKind, gap_between
from .transitions import Known, KnownAlarm, Seen, Transition, transitions
from .wwn import Document
from .wwn.clock import Instant
from .wwn.models import EMPTY

LOGGER: Final = logging.getLogger(__name__)

STORAGE_VERSION: Final = 1
# The time of the last contact is only needed to say when a gap began, after a crash; at every other end it is written.
CONTACT_WRITTEN_WITHIN: Final = 300.0
# Short, so that a crash forgets nothing that was told; long enough to make one write of what one document brings.
TRANSITION_WRITTEN_WITHIN: Final = 0.0
GAPS_KEPT: Final = 100


def history_store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    """Return where the history of one link is kept."""
    return Store(hass, STORAGE_VERSION, f"{DOMAIN}.{entry_id}", atomic_writes=True)


class WwnHistory:
    """Compares every document with what was last told, tells what happened, and keeps both for the next start.

    Listening means that the stream is up: only then is every change seen as it happens. A poll sees what is so now,
    and cannot see an alarm that came and went since the last one; so while there are only polls the gap stays open,
    what a poll finds is late, and its gap is the time since the document before. What is written is what was told:
    after a crash in between, something may be told twice, but nothing is lost.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str, homes: frozenset[str]) -> None:
        """Start with nothing known. homes: those of the link."""
        self._hass = hass
        self._entry_id = entry_id
        self._homes = homes
        self._store = history_store(hass, entry_id)
        self._known: Known | None = None
        # What it comes from, as far as documents of this run have told it.
        self._taken = EMPTY
        self._told: Known | None = None
        self._waiting: deque[Transition | LinkChange] = deque()
        self._may_tell = False
        self._gaps: deque[Gap] = deque(maxlen=GAPS_KEPT)
        self._open_since: Instant | None = None
        self._listening = False
        # Since when the link is lost, and what of that was told.
        self._lost_since: Instant | None = None
        self._told_lost_since: Instant | None = None
        # What the documents lack at present, and since when: nobody hears of it, though the link may be up.
        self._missing: dict[str, Instant] = {}
        # Up to here everything that happened is known, and up to there it was told.
        self._vouched: Instant | None = None
        self._told_until: Instant | None = None
        self._write_is_due = False
        self.is_loaded = False

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Return the gaps that have ended, the newest last."""
        return tuple(self._gaps)

    @property
    def open_gap(self) -> datetime | None:
        """Return since when nobody is listening; None while the stream is up."""
        return self._open_since.moment() if self._open_since else None

    @property
    def alarms(self) -> Mapping[str, KnownAlarm]:
        """Return what was last told of every alarm, by its id."""
        return self._known.alarms if self._known else {}

    @property
    def vouched(self) -> datetime | None:
        """Return up to when everything that happened is known, in an earlier run too; None where nothing ever was."""
        return self._vouched.moment() if self._vouched else None

    def missing_since(self, wire_id: str) -> datetime | None:
        """Return since when the documents lack an alarm or a home, None for one that they hold."""
        return self._missing[wire_id].moment() if wire_id in self._missing else None

    async def async_load(self) -> None:
        """Take up where the last run ended; what is stored and cannot be read counts as a first link."""
        try:
            stored = await self._store.async_load()
            self.is_loaded = True
            if stored is None:
                return
            self._known = self._told = Known.from_dict(stored["known"])
            self._vouched = self._told_until = self._open_since = Instant.at(_time(stored["last_contact"]))
            missing = stored.get("missing", {})
            self._missing = {wire_id: Instant.at(_time(since)) for wire_id, since in missing.items()}
            if lost_since := stored.get("lost_since"):
                self._lost_since = self._told_lost_since = Instant.at(_time(lost_since))
            self._gaps.extend(Gap(start=_time(start), end=_time(end)) for start, end in stored["gaps"])
        except (KeyError, TypeError, ValueError, AttributeError) as err:
            LOGGER.warning("Could not read what was last known of the link; starting anew: %s", type(err).__name__)
            self._start_anew()

    def _start_anew(self) -> None:
        """Forget what was read before the rest could not be: levels without the time up to which they held."""
        self._known = self._told = None
        self._vouched = self._told_until = self._open_since = None
        self._lost_since = self._told_lost_since = None
        self._missing.clear()
        self._gaps.clear()

    @callback
    def async_tell_when_started(self) -> CALLBACK_TYPE:
        """Tell what happened from now on, but not before Home Assistant has started; return what takes that back."""

        @callback
        def tell(_hass: HomeAssistant) -> None:
            self._may_tell = True
            self._tell()

        return async_at_started(self._hass, tell)

    @callback
    def async_hold(self) -> None:
        """Tell nothing any more: those who would hear of it are going. The next load tells it, late."""
        self._may_tell = False

    @callback
    def async_polled(self, document: Document, asked: Instant) -> None:
        """Take a document that was polled. asked: before the question, for the answer may be as old as that.

        Beside a stream it vouches for nothing: should that turn out dead, the gap began with the stream's last event.
        """
        now = Instant.now()
        self._open_since = self._open_since or (None if self._listening else asked)
        self._restored(now)
        self._take(document, now)
        if not self._listening:
            self._vouch(asked)

    @callback
    def async_pushed(self, document: Document, heard: Instant) -> None:
        """Take a document that was pushed; the first of a stream ends the gap before it.

        heard: when its first byte came; what happened since then it may not know.
        """
        now = Instant.now()
        self._restored(now)
        self._take(document, now)
        self._listens(now, heard)

    @callback
    def async_kept_alive(self, heard: Instant) -> None:
        """Take the server's word that nothing happened since the last event of this stream.

        heard: when its first byte came.
        """
        now = Instant.now()
        self._restored(now)
        self._listens(now, heard)

    @callback
    def async_stopped_listening(self) -> None:
        """Open a gap, which began with the last event: what was sent since then may have been lost on the way."""
        if self._listening:
            self._listening = False
            self._open_since = self._vouched

    @callback
    def async_link_lost(self, last_contact: Instant) -> None:
        """Tell that the link is lost, unless the last run did. last_contact: when it was last heard of."""
        if self._lost_since is None:
            self._lost_since = last_contact
            self._waiting.append(LinkChange(kind=LinkChangeKind.LOST, at=dt_util.utcnow()))
            self._tell()

    def _restored(self, now: Instant) -> None:
        """Tell that a link that was lost is back, with the first sign of life."""
        if self._lost_since is None:
            return
        gap, self._lost_since = gap_between(self._lost_since.moment(), now.moment()), None
        self._waiting.append(LinkChange(kind=LinkChangeKind.RESTORED, at=gap.end, gap=gap))
        self._tell()

    @callback
    def async_forget(self, alarm_id: str) -> None:
        """Forget an alarm that left the device registry; should it come back, it is a new one."""
        self._known, self._told = _without(self._known, alarm_id), _without(self._told, alarm_id)
        self._missing.pop(alarm_id, None)
        self._write(CONTACT_WRITTEN_WITHIN)

    async def async_close(self) -> None:
        """Write what was told, for whoever loads the link next."""
        self.async_stopped_listening()
        if self._told is not None:
            await self._store.async_save(self._data())

    def _take(self, document: Document, now: Instant) -> None:
        """Compare a document with what was last known."""
        at, since = now.moment(), None if self._listening else self._vouched
        missed = None if since is None else gap_between(since.moment(), at)
        seen = Seen(at=at, gap=missed, gaps=self._found_again(document, now))
        self._known, found = transitions(self._known, document, self._homes, seen, self._taken)
        self._taken = document
        self._waiting.extend(found)
        if self._told is None:
            self._told = self._known
            self._write(TRANSITION_WRITTEN_WITHIN)
        self._tell()

    def _listens(self, now: Instant, heard: Instant) -> None:
        """Note an event of a stream that has told its document: with it, the gap before has ended."""
        if self._open_since is not None:
            self._gaps.append(gap_between(self._open_since.moment(), now.moment()))
            self._open_since = None
        self._listening = True
        self._vouch(heard)

    def _found_again(self, document: Document, now: Instant) -> dict[str, Gap]:
        """Return, and keep, the gaps of what was missing and is in a document again; begin those of what it lacks."""
        if self._known is None:
            return {}
        there = document.alarms.keys() | document.structures.keys()
        for wire_id in (self._known.alarms.keys() | self._known.homes.keys()) - there:
            self._missing.setdefault(wire_id, self._vouched or now)
        found = {
            wire_id: gap_between(self._missing.pop(wire_id).moment(), now.moment())
            for wire_id in self._missing.keys() & there
        }
        # A whole group comes back at once.
        self._gaps.extend(sorted(set(found.values()), key=lambda gap: gap.start))
        return found

    def _vouch(self, until: Instant) -> None:
        """Note that everything that happened up to a time is known."""
        self._vouched = until
        if not self._waiting:
            self._told_until = until
        self._write(CONTACT_WRITTEN_WITHIN)

    def _tell(self) -> None:
        if not self._may_tell:
            return
        while self._waiting:
            self._send(self._waiting.popleft())
        if self._told is not self._known:
            is_news, self._told = self._told != self._known, self._known
            self._told_until = self._vouched
            if is_news:
                self._write(TRANSITION_WRITTEN_WITHIN)

    def _send(self, happened: Transition | LinkChange) -> None:
        if isinstance(happened, Transition):
            async_dispatcher_send(self._hass, SIGNAL_TRANSITION, self._entry_id, happened)
            return
        async_dispatcher_send(self._hass, SIGNAL_LINK, self._entry_id, happened)
        self._told_lost_since = self._lost_since
        if self._told is not None:
            self._write(TRANSITION_WRITTEN_WITHIN)

    def _write(self, within: float) -> None:
        """Write soon; what is due already is not put off, as every further call to the store would do."""
        if within and self._write_is_due:
            return
        self._write_is_due = True
        self._store.async_delay_save(self._data, within)

    def _data(self) -> dict[str, Any]:
        self._write_is_due = False
        return {
            "known": self._told.as_dict() if self._told else None,
            "last_contact": self._told_until.moment().isoformat() if self._told_until else None,
            "lost_since": self._told_lost_since.moment().isoformat() if self._told_lost_since else None,
            "missing": {wire_id: since.moment().isoformat() for wire_id, since in self._missing.items()},
            "gaps": [(gap.start.isoformat(), gap.end.isoformat()) for gap in self._gaps],
        }


def _without(known: Known | None, alarm_id: str) -> Known | None:
    if known is None or alarm_id not in known.alarms:
        return known
    return replace(known, alarms={wire_id: each for wire_id, each in known.alarms.items() if wire_id != alarm_id})


def _time(stored: str) -> datetime:
    """Return a stored time; raise where it is none, or has no zone."""
    return dt_util.as_utc(datetime.fromisoformat(stored))
