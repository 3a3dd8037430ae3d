"""The home that a server starts with: what the file names, what was added on a page, or the simulated one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from wwn_server.refused import ValueRefusedError

from .merged import MergedHome
from .simulated import SimulatedHome
from .simulated_source import KIND as SIMULATED, SimulatedSource
from .sources.kinds import SourceSettings

if TYPE_CHECKING:
    from wwn_server.settings import Settings
    from wwn_server.store import KeptSource, Store

    from .source import Source

_LOGGER: Final = logging.getLogger(__name__)

_FROM_FILE: Final = "file"
_FROM_PAGE: Final = "page"


def assembled(settings: Settings, store: Store) -> MergedHome:
    """Return the home. Without any source it is simulated."""
    sources = {_file_id(each): _made(each, settings, store) for each in settings.sources}
    for kept in store.sources.all():
        source = _kept(kept)
        if source is not None:
            sources[page_id(kept.id)] = source
    if not sources:
        sources = {SIMULATED: simulated(settings, store)}
    return MergedHome(store.server_id, store.devices, store.memory("home"), sources)


def simulated(settings: Settings, store: Store) -> SimulatedSource:
    """Return the simulated home as a source."""
    home = SimulatedHome(
        store.server_id,
        seed=settings.seed,
        speed=settings.speed,
        scale=settings.scale,
        memory=store.memory("simulated_home"),
    )
    return SimulatedSource(home)


def page_id(number: int) -> str:
    """Return the id in a home of a source that was added on a page."""
    return f"{_FROM_PAGE} {number}"


def page_number(source_id: str) -> int | None:
    """Return the number of a source that was added on a page, nothing for any other."""
    place, _, number = source_id.partition(" ")
    return int(number) if place == _FROM_PAGE else None


def _file_id(wanted: SourceSettings) -> str:
    """Return an id that outlives another order in the file."""
    return SIMULATED if wanted.kind == SIMULATED else f"{_FROM_FILE} {wanted.place}"


def _made(wanted: SourceSettings, settings: Settings, store: Store) -> Source:
    return simulated(settings, store) if wanted.kind == SIMULATED else wanted.make()


def _kept(kept: KeptSource) -> Source | None:
    try:
        return SourceSettings(kept.kind, kept.said).make()
    except (ValueRefusedError, KeyError):
        # What is wrong with it may be a secret of it.
        _LOGGER.error(  # noqa: TRY400
            "A source of kind %s, which was added on a page, can't be used any more", kept.kind
        )
        return None
