"""The page of what stands behind the home: which sources there are, adding one, removing one.

What is said of a source may hold secrets, so between looking and adding it stays here and never on a page.
"""

from __future__ import annotations

from dataclasses import dataclass
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from wwn_server.context import context_of
from wwn_server.homes.assembled import page_id, page_number, simulated
from wwn_server.homes.merged import MergedHome
from wwn_server.homes.shown import Place
from wwn_server.homes.source import Failure, Reach
from wwn_server.homes.sources.kinds import KINDS, SIMULATED, Kind, Setting, SourceSettings
from wwn_server.homes.sources.probe import probed
from wwn_server.homes.sources.reach import ReachError
from wwn_server.refused import ValueRefusedError
from wwn_server.texts import t

from . import SOURCES
from .owner import demand_owner, is_owner, owner_form
from .rendering import PageError, see_other
from .session import session_of, sign_in_url
from .signed_in import done, signed_in_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from wwn_server.homes.source import Device, Source

    from .session import Session

_SECONDS: Final = 900.0
_MOST: Final = 20
_LONGEST: Final = 60
_BROKER: Final = "broker"
_ADDRESSES: Final = frozenset({"address", _BROKER})


@dataclass(frozen=True, slots=True)
class Found:
    """What the owner has looked at, and may add until some minutes later."""

    wanted: SourceSettings
    devices: tuple[Device, ...]
    until: float


class Finds:
    """What was found lately, by the word of the page that shows it."""

    def __init__(self) -> None:
        """Have found nothing."""
        self._found: dict[str, Found] = {}

    def keep(self, wanted: SourceSettings, devices: tuple[Device, ...]) -> str:
        """Keep what was found, and return the word for it."""
        now = time.monotonic()
        recent = [(word, each) for word, each in self._found.items() if each.until > now]
        self._found = dict(recent[-_MOST:])
        word = secrets.token_urlsafe(16)
        self._found[word] = Found(wanted, devices, now + _SECONDS)
        return word

    def take(self, word: str) -> Found:
        """Return what was found, once. Raises ``PageError``."""
        found = self._found.pop(word, None)
        if found is None or found.until < time.monotonic():
            raise PageError(410, "sources.expired")
        return found


async def show(request: web.Request) -> web.Response:
    """List the sources, and how each is."""
    session = session_of(request)
    if session is None:
        return see_other(sign_in_url(SOURCES))
    home = context_of(request).home
    sources = home.sources if isinstance(home, MergedHome) else {}
    values = {
        "sources": [_described(home, key, each) for key, each in sources.items() if isinstance(home, MergedHome)],
        "is_owner": is_owner(session.account),
        "kinds": list(KINDS),
        "is_simulated": SIMULATED in sources,
    }
    return signed_in_page(request, session, "sources.html", values)


async def ask(request: web.Request) -> web.Response:
    """Ask what has to be known of a new source."""
    session = session_of(request)
    if session is None:
        return see_other(sign_in_url(request.rel_url.raw_path))
    demand_owner(session)
    name, kind = _kind(request)
    said = {each.name: each.default for each in kind.settings}
    return _form(request, session, name, said, {})


async def look(request: web.Request) -> web.Response:
    """Look whether a source can be reached, and show what was found there."""
    session, form = await owner_form(request)
    name, kind = _kind(request)
    _home(request)
    said = {each.name: _typed(each, form.get(each.name, "")) for each in kind.settings}
    problems = {each.name: text for each in kind.settings if (text := _problem(each, said[each.name]))}
    if problems:
        return _form(request, session, name, said, problems)
    wanted = SourceSettings(name, said)
    try:
        devices = await probed(wanted.make())
    except ReachError as error:
        text = f"sources.broker_failure.{error.failure}" if error.at == _BROKER else f"sources.failure.{error.failure}"
        return _form(request, session, name, said, {error.at: t(text)})
    word = context_of(request).finds.keep(wanted, devices)
    known = _known(request, name, devices)
    return signed_in_page(request, session, "source_found.html", {"word": word, "found": known})


async def add(request: web.Request) -> web.Response:
    """Take a source into the home, with the names and rooms that were confirmed."""
    _, form = await owner_form(request)
    context, home = context_of(request), _home(request)
    found = context.finds.take(form.get("word", ""))
    for number, device in enumerate(found.devices):
        name, room = (_line(form.get(f"{what}:{number}", "")) for what in ("name", "room"))
        # What the source says itself is not kept: it may say otherwise one day.
        own = (name if name != device.name else "", room if room != device.room else "")
        home.name_device(found.wanted.kind, device.key, *own)
    kept = context.store.sources.add(found.wanted.kind, found.wanted.said)
    if SIMULATED in home.sources and all(each.kind != SIMULATED for each in context.settings.sources):
        # Alarms that are not real must not stand beside those that are.
        await home.remove(SIMULATED)
    await home.add(page_id(kept.id), found.wanted.make())
    return done(request, SOURCES, "source_added")


async def confirm(request: web.Request) -> web.Response:
    """Ask whether a source shall be removed."""
    session = session_of(request)
    if session is None:
        return see_other(sign_in_url(request.rel_url.raw_path))
    demand_owner(session)
    home, number = _home(request), _number(request)
    values = {"source": _described(home, page_id(number), home.sources[page_id(number)])}
    return signed_in_page(request, session, "source_remove.html", values)


async def remove(request: web.Request) -> web.Response:
    """Remove a source; without any the home is simulated again."""
    await owner_form(request)
    context, home, number = context_of(request), _home(request), _number(request)
    context.store.sources.remove(number)
    await home.remove(page_id(number))
    if not home.sources:
        await home.add(SIMULATED, simulated(context.settings, context.store))
    return done(request, SOURCES, "source_removed")


def _home(request: web.Request) -> MergedHome:
    home = context_of(request).home
    if not isinstance(home, MergedHome):
        raise PageError(404, "page.unknown")
    return home


def _kind(request: web.Request) -> tuple[str, Kind]:
    name = request.match_info["kind"]
    if name not in KINDS:
        raise PageError(404, "page.unknown")
    return name, KINDS[name]


def _number(request: web.Request) -> int:
    """Return the number of a source that was added on a page. Raises ``PageError``."""
    home = _home(request)
    numbers = {str(page_number(each)): page_number(each) for each in home.sources}
    number = numbers.get(request.match_info["id"])
    if number is None:
        raise PageError(404, "page.unknown")
    return number


def _described(home: MergedHome, source_id: str, source: Source) -> dict[str, Any]:
    report = source.report
    waiting = "sources.answers" if report.reachable else "sources.waiting"
    return {
        "id": page_number(source_id),
        "kind": t(f"sources.kind.{source.kind}"),
        "in_file": source_id.startswith("file "),
        "state": t(f"sources.failure.{report.trouble}") if report.trouble else t(waiting),
        "broker": report.broker and _broker(report.broker),
        "devices": [(each.called, each.device.online) for each in home.devices(source_id)],
    }


def _broker(reach: Reach) -> dict[str, Any]:
    trouble = t(f"sources.broker_failure.{reach.trouble}") if reach.trouble else ""
    return {"is_online": reach.reachable, "trouble": trouble}


def _form(
    request: web.Request, session: Session, name: str, said: Mapping[str, Any], problems: Mapping[str, str]
) -> web.Response:
    shown = {each.name: _shown(each, said[each.name]) for each in KINDS[name].settings}
    values = {"kind": name, "settings": KINDS[name].settings, "said": shown, "problems": problems}
    return signed_in_page(request, session, "source_add.html", values, status=400 if problems else 200)


def _shown(setting: Setting, said: Any) -> str:
    """Return what to show of what was said: nothing of a secret."""
    if setting.secret:
        return ""
    return ", ".join(said) if isinstance(said, tuple) else str(said)


def _typed(setting: Setting, text: str) -> Any:
    if setting.secret:
        return text
    return tuple(part for each in text.split(",") if (part := each.strip())) if setting.many else text.strip()


def _problem(setting: Setting, said: Any) -> str | None:
    if setting.required and not said:
        return t("sources.bad_value")
    try:
        for each in said if setting.many else (said,):
            setting.take(each)
    except ValueRefusedError:
        return t(f"sources.failure.{Failure.ADDRESS}" if setting.name in _ADDRESSES else "sources.bad_value")
    return None


def _known(request: web.Request, kind: str, devices: tuple[Device, ...]) -> list[dict[str, str]]:
    """Return devices with what people called them when they were there before, else what their source says."""
    kept = {(each.kind, each.key): each for each in context_of(request).store.devices.all()}
    found = []
    for device in devices:
        before = kept.get((kind, device.key))
        place = Place("", device, (before and before.name) or "", (before and before.room) or "")
        name = place.name or device.name
        found.append({"called": place.called, "group": device.group, "name": name, "room": place.room or device.room})
    return found


def _line(text: str) -> str:
    """Return a name as it can be shown: what can't be printed is left out."""
    return "".join(each for each in text.strip() if each.isprintable())[:_LONGEST].strip()
