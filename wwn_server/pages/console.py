"""The home console: what the home is like, and buttons that make things happen in it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from wwn_server.context import context_of
from wwn_server.document import ALARMS, STRUCTURES, THERMOSTATS
from wwn_server.errors import NO_STORE, json_response, unauthorized
from wwn_server.homes.base import (
    AlarmKind,
    AlarmLevel,
    BatteryHealth,
    PlayableHome,
    Presence,
    UnknownDeviceError,
)
from wwn_server.requests import wants

from . import CONSOLE
from .rendering import PageError, page, see_other
from .session import session_of, sign_in_url, signed_in_form

if TYPE_CHECKING:
    from aiohttp import web


class Truth(StrEnum):
    """How a form says yes and no."""

    TRUE = "true"
    FALSE = "false"


async def show(request: web.Request) -> web.Response:
    """Show the home: as a page, or as JSON to a program that is signed in."""
    session = session_of(request)
    as_json = wants(request, "application/json") and not wants(request, "text/html")
    if session is None and as_json:
        raise unauthorized()
    if session is None:
        return see_other(sign_in_url(CONSOLE))
    document = context_of(request).home.document
    if as_json:
        answer = {"document": document.tree(), "csrf": session.csrf}
        return json_response(answer, headers=NO_STORE)
    values: dict[str, Any] = {
        "csrf": session.csrf,
        "account": session.account.name,
        "structures": document.group(STRUCTURES).values(),
        "thermostats": document.group(THERMOSTATS).values(),
        "alarms": document.group(ALARMS).values(),
        "playable": isinstance(context_of(request).home, PlayableHome),
        "levels": list(AlarmLevel),
        "battery": list(BatteryHealth),
        "presence": list(Presence),
    }
    return page("console.html", values)


async def set_alarm(request: web.Request) -> web.Response:
    """Let an alarm sense something, drain its battery, or cut it off."""
    home, form = await _play(request)
    actions = _alarm_actions(form)
    try:
        for act, value in actions:
            act(home, request.match_info["device_id"], value)
    except UnknownDeviceError:
        raise PageError(404, "console.unknown_device") from None
    return see_other(CONSOLE)


async def set_home(request: web.Request) -> web.Response:
    """Leave, or come home."""
    home, form = await _play(request)
    presence = _parsed(Presence, form.get("away", ""))
    for structure_id in home.document.group(STRUCTURES):
        home.set_presence(structure_id, presence)
    return see_other(CONSOLE)


async def _play(request: web.Request) -> tuple[PlayableHome, dict[str, str]]:
    _, form = await signed_in_form(request)
    home = context_of(request).home
    if not isinstance(home, PlayableHome):
        raise PageError(404, "console.not_playable")
    return home, form


def _smoke(home: PlayableHome, device_id: str, level: AlarmLevel) -> None:
    home.set_alarm_level(device_id, AlarmKind.SMOKE, level)


def _co(home: PlayableHome, device_id: str, level: AlarmLevel) -> None:
    home.set_alarm_level(device_id, AlarmKind.CO, level)


def _battery(home: PlayableHome, device_id: str, health: BatteryHealth) -> None:
    home.set_battery(device_id, health)


def _online(home: PlayableHome, device_id: str, online: Truth) -> None:
    home.set_online(device_id, online=online is Truth.TRUE)


type _Act = Callable[[PlayableHome, str, Any], None]

_ALARM_FIELDS: Final[dict[str, tuple[type[StrEnum], _Act]]] = {
    "smoke_alarm_state": (AlarmLevel, _smoke),
    "co_alarm_state": (AlarmLevel, _co),
    "battery_health": (BatteryHealth, _battery),
    "is_online": (Truth, _online),
}


def _alarm_actions(form: dict[str, str]) -> list[tuple[_Act, StrEnum]]:
    """Return all that a form asks for, in order. Raises ``PageError``.

    An alarm that goes offline says first what else the form has; one that comes back
    reports it at once.
    """
    actions = [(act, _parsed(kind, form[name])) for name, (kind, act) in _ALARM_FIELDS.items() if name in form]
    return actions[::-1] if form.get("is_online") == Truth.TRUE else actions


def _parsed[Word: StrEnum](kind: type[Word], value: str) -> Word:
    try:
        return kind(value)
    except ValueError:
        raise PageError(400, "page.bad_form") from None
