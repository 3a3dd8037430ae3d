"""When somebody arrives, as a hub estimates it (protocol 5.5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .errors import Anchor, WireError
from .texts import t

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRIP: Final = "trip_id"
_BEGIN: Final = "estimated_arrival_window_begin"
_END: Final = "estimated_arrival_window_end"
_FIELDS: Final = (_TRIP, _BEGIN, _END)
_LONGEST_TRIP: Final = 256
# Where a window would begin, this takes the estimate back.
_CANCEL: Final = (0, "0")


class Window(NamedTuple):
    """From when and until when somebody may arrive, in UTC."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Trip:
    """Somebody on the way home; without a window they are not any more."""

    id: str
    window: Window | None


def parse_trip(eta: Mapping[str, Any]) -> Trip:
    """Return what a hub wrote as ``eta``. Raises ``WireError``."""
    unknown = sorted(eta.keys() - set(_FIELDS))
    if unknown:
        raise _refused(unknown[0][:40], "refusal.unknown_field", Anchor.UNKNOWN_FIELD)
    trip = _trip_id(eta)
    if _present(eta, _BEGIN) in _CANCEL:
        return Trip(trip, None)
    window = Window(_moment(eta, _BEGIN), _moment(eta, _END))
    if window.end < window.begin:
        raise _refused(_END, "refusal.eta_window")
    return Trip(trip, window)


def _trip_id(eta: Mapping[str, Any]) -> str:
    trip = _present(eta, _TRIP)
    if not isinstance(trip, str) or not 0 < len(trip) <= _LONGEST_TRIP:
        raise _refused(_TRIP, "refusal.eta_trip")
    return trip


def _moment(eta: Mapping[str, Any], name: str) -> datetime:
    """Return a moment; without a zone it is in UTC, as an old client writes it."""
    try:
        moment = datetime.fromisoformat(_present(eta, name))
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise _refused(name, "refusal.eta_time") from None


def _present(eta: Mapping[str, Any], name: str) -> Any:
    if name not in eta:
        raise _refused(name, "refusal.eta_missing")
    return eta[name]


def _refused(name: str, key: str, anchor: Anchor = Anchor.INVALID_ETA) -> WireError:
    return WireError(400, anchor, t(key, field=name), {"field_name": name})
