"""What is wrong with a link and a person can mend, as repairs: each is taken back as soon as it is mended."""

from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.util import dt as dt_util

from .const import DOMAIN, DOWN_FOR_LONG
from .coordinator import WwnCoordinator
from .errors import is_passing
from .moving import moved_issue
from .sentences import async_sentence
from .sharing import async_names
from .wwn import NestServer, async_discover
from .wwn.errors import WwnError, WwnTooNewError

# When this code came to life: before that, nobody here can say how long a link was down.
BORN: Final = dt_util.utcnow()
ASKED_EVERY: Final = timedelta(days=1)


def issue_of(kind: str, entry: ConfigEntry[Any]) -> str:
    """Return the id of a repair of one link."""
    return f"{kind}_{entry.entry_id}"


@callback
def async_forget_troubles(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Take back every repair of a link that is not loaded any more."""
    for kind in ("link_down", "permissions_missing", "newer_protocol"):
        ir.async_delete_issue(hass, DOMAIN, issue_of(kind, entry))


async def async_watch_troubles(coordinator: WwnCoordinator) -> None:
    """Keep the repairs of a link true for as long as it is loaded."""
    entry, hass = coordinator.config_entry, coordinator.hass
    for watch in (LinkWatch(coordinator), PermissionWatch(coordinator), ProtocolWatch(coordinator)):
        entry.async_on_unload(watch.async_start())
    entry.async_on_unload(lambda: async_forget_troubles(hass, entry))


async def async_say_if_down_for_long(coordinator: WwnCoordinator, err: Exception) -> None:
    """Say that a link that could not be loaded is down for long, if it is."""
    since = max(BORN, coordinator.history.open_gap or BORN)
    if (dt_util.utcnow() - since).total_seconds() >= DOWN_FOR_LONG and not isinstance(err, ConfigEntryAuthFailed):
        await _say_down(coordinator, err, since)


async def _say_down(coordinator: WwnCoordinator, err: BaseException | None, since: datetime) -> None:
    """Say since when a link is down, and why."""
    hass = coordinator.hass
    if isinstance(err, HomeAssistantError) and err.translation_key:
        cause = await async_sentence(hass, "exceptions", f"{err.translation_key}.message", err.translation_placeholders)
    else:
        cause = await async_sentence(hass, "selector", "notice.options.silent")
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_of("link_down", coordinator.config_entry),
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key="link_down",
        translation_placeholders={
            "home": coordinator.config_entry.title,
            "since": dt_util.as_local(since).strftime("%Y-%m-%d %H:%M"),
            "cause": cause,
        },
    )


class LinkWatch:
    """Says that a link is down once it has been for half an hour. An ended one is linked again instead."""

    def __init__(self, coordinator: WwnCoordinator) -> None:
        """Watch one link."""
        self._coordinator = coordinator
        self._timer: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Watch, and return what ends it."""
        coordinator = self._coordinator
        if not coordinator.live:
            self._start_timer(self._left_at_start())
        self._look()
        remove = coordinator.async_add_listener(self._look)

        @callback
        def stop() -> None:
            remove()
            self._stop_timer()

        return stop

    @callback
    def _look(self) -> None:
        coordinator = self._coordinator
        if coordinator.live:
            self._stop_timer()
            for issue in (issue_of("link_down", coordinator.config_entry), moved_issue(coordinator.config_entry)):
                ir.async_delete_issue(coordinator.hass, DOMAIN, issue)
        elif self._timer is None:
            self._start_timer(DOWN_FOR_LONG)

    def _left_at_start(self) -> float:
        """Return in how many seconds a link that was not up when it was loaded is down for long: before counts, too.

        What does not pass by itself is said at once, for a person has to mend it.
        """
        err = self._coordinator.last_exception
        if err and not is_passing(err.__cause__):
            return 0
        since = max(BORN, self._coordinator.last_contact or BORN)
        return max(0, DOWN_FOR_LONG - (dt_util.utcnow() - since).total_seconds())

    def _start_timer(self, seconds: float) -> None:
        say = HassJob(self._say, cancel_on_shutdown=True)
        self._timer = async_call_later(self._coordinator.hass, seconds, say)

    async def _say(self, _now: datetime) -> None:
        self._timer = None
        coordinator = self._coordinator
        err = None if coordinator.last_update_success else coordinator.last_exception
        if not coordinator.live and not isinstance(err, ConfigEntryAuthFailed):
            await _say_down(coordinator, err, coordinator.last_contact or BORN)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer()
            self._timer = None


class PermissionWatch:
    """Says what a link was given and is not given any more, or not to its last wish; its fix asks for it again."""

    def __init__(self, coordinator: WwnCoordinator) -> None:
        """Watch one link."""
        self._coordinator = coordinator
        self._said: frozenset[Any] | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Watch, and return what ends it."""
        self._look()
        return self._coordinator.async_add_listener(self._look)

    @callback
    def _look(self) -> None:
        coordinator = self._coordinator
        missing = coordinator.missing_permissions
        if missing == self._said:
            return
        self._said = missing
        if missing:
            coordinator.config_entry.async_create_background_task(
                coordinator.hass, self._say(missing), f"{DOMAIN} missing permissions"
            )
        else:
            issue_id = issue_of("permissions_missing", coordinator.config_entry)
            ir.async_delete_issue(coordinator.hass, DOMAIN, issue_id)

    async def _say(self, missing: frozenset[Any]) -> None:
        entry = self._coordinator.config_entry
        names = await async_names(self._coordinator.hass, missing)
        if self._said != missing:
            return
        ir.async_create_issue(
            self._coordinator.hass,
            DOMAIN,
            issue_of("permissions_missing", entry),
            data={"entry_id": entry.entry_id},
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key="permissions_missing",
            translation_placeholders={"home": entry.title, "data": names},
        )


class ProtocolWatch:
    """Says that a server speaks a newer protocol than this version; asked when a link is loaded, and once a day."""

    def __init__(self, coordinator: WwnCoordinator) -> None:
        """Watch one link."""
        self._coordinator = coordinator

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Watch, and return what ends it."""
        entry, hass = self._coordinator.config_entry, self._coordinator.hass
        entry.async_create_background_task(hass, self._look(), f"{DOMAIN} protocol")
        return async_track_time_interval(hass, self._look, ASKED_EVERY, cancel_on_shutdown=True)

    async def _look(self, _now: datetime | None = None) -> None:
        hass, entry = self._coordinator.hass, self._coordinator.config_entry
        server = self._coordinator.server
        try:
            await async_discover(async_get_clientsession(hass), server.base, server.fingerprint)
        except WwnTooNewError as err:
            ir.async_create_issue(
                hass,
                DOMAIN,
                issue_of("newer_protocol", entry),
                is_fixable=False,
                severity=ir.IssueSeverity.WARNING,
                translation_key="newer_protocol",
                translation_placeholders={"home": entry.title, "message": str(err)},
            )
        except WwnError:
            # Whether it answers at all is said elsewhere.
            return
        else:
            ir.async_delete_issue(hass, DOMAIN, issue_of("newer_protocol", entry))


@callback
def async_say_left_on_server(hass: HomeAssistant, entry: ConfigEntry[Any], server: NestServer) -> None:
    """Say that a removed link is still there on its server, and where it can be ended. It outlives a restart."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_of("left_on_server", entry),
        is_fixable=True,
        is_persistent=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key="left_on_server",
        translation_placeholders={
            "home": entry.title,
            "server": server.name,
            "address": str(
                (server.browser_url or server.base).origin() / ("" if server.is_original else "connections")
            ),
        },
    )
