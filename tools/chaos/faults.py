"""What can go wrong on the way between hub and server: one row for each fault.

A fault of the wire says what it does to three things: connections that are open when it begins (``opened``), requests
while it lasts (``answer``), and what is handed on while it lasts (``bend``). A fault of anything else is a ``drill``,
by the name of what the campaign has to do.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
import random
from typing import Any, Final

import orjson

from .clocks import scaled
from .wire import Flow, Head, raw_answer, reset


class Ending(Enum):
    """What happens to a connection."""

    STAY = auto()
    CLOSE = auto()
    RESET = auto()


class Drill(Enum):
    """What is done to the machines, not to the wire."""

    NO_NAME = auto()
    CLOCK_JUMP = auto()
    SERVER_RESTART = auto()
    SERVER_KILL = auto()
    HUB_RESTART = auto()
    HUB_CRASH = auto()
    HUB_RELOAD = auto()


@dataclass(slots=True)
class Weather:
    """A fault while it lasts: chance, when it is over, and where redirects could lead."""

    chance: random.Random
    over: asyncio.Event
    dead_port: int = 0
    foreign_port: int = 0
    host: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request that a fault answers itself."""

    request: Head
    writer: asyncio.StreamWriter
    weather: Weather


type Answer = Callable[[Exchange], Awaitable[bool]]
type Bend = Callable[[Flow, bytes, Weather], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row.

    lasts: shortest and longest, in seconds of life. patience: how long after its end the truth may take, in seconds of
    life; 30 s are the longest delay between two tries, 5 s the bound itself. delay: how long an event may wait on its
    way before its first byte comes, of which nobody can tell. hops: how many requests one is that is sent on.
    answer returns whether it answered. ends_link: the hub may give up for good, and a person links again.
    keeps_whole: whatever it bends comes whole all the same.
    """

    name: str
    opened: Ending = Ending.STAY
    closed: Ending = Ending.STAY
    answer: Answer | None = None
    bend: Bend | None = None
    drill: Drill | None = None
    lasts: tuple[float, float] = (10.0, 60.0)
    patience: float = 35.0
    delay: float = 0.0
    hops: int = 1
    ends_link: bool = False
    keeps_whole: bool = False

    @property
    def is_heard_through(self) -> bool:
        """Whether everything that is handed on meanwhile comes whole."""
        return self.bend is None or self.keeps_whole


# What is handed on.


async def cut_mid_event(flow: Flow, piece: bytes, weather: Weather) -> None:
    """Hand on a part, and hang up."""
    await flow.write(piece[: weather.chance.randrange(len(piece))])
    flow.cut()


async def truncate(flow: Flow, piece: bytes, weather: Weather) -> None:
    """Hand on a part as if it was all."""
    await flow.write(piece[: weather.chance.randrange(len(piece))])
    await flow.finish()


async def stall(flow: Flow, piece: bytes, weather: Weather) -> None:
    """Hand on nothing, and keep the connection."""
    await weather.over.wait()
    await flow.write(piece)


# A sign of life has 31 bytes and comes every 30 s, so that more and more is on its way before the stream is given up.
PILES_UP: Final = 20.0


async def fall_silent(_flow: Flow, _piece: bytes, _weather: Weather) -> None:
    """Never hand on anything again; the connection stays, until the hub gives it up."""
    await asyncio.Event().wait()


async def drip(flow: Flow, piece: bytes, weather: Weather) -> None:
    """Hand on a byte a second."""
    sent = 0
    while sent < len(piece) and not weather.over.is_set():
        await flow.write(piece[sent : sent + 1])
        sent += 1
        await asyncio.sleep(scaled(1))
    await flow.write(piece[sent:])


async def repeat(flow: Flow, piece: bytes, _weather: Weather) -> None:
    """Hand on everything twice."""
    await flow.write(piece)
    await flow.write(piece)


async def garbage(flow: Flow, piece: bytes, weather: Weather) -> None:
    """Put readable nonsense somewhere. No colon: a line that begins with one is a comment, and nobody could tell."""
    await flow.write(_inserted(piece, bytes(weather.chance.choices(b"{}[]\"'\\,;<>&%$#@!0Aaz \n\r\t", k=9)), weather))


async def invalid_utf8(flow: Flow, piece: bytes, weather: Weather) -> None:
    """Put bytes somewhere that are no text."""
    await flow.write(_inserted(piece, bytes(weather.chance.choices(range(0xF8, 0x100), k=3)), weather))


async def malformed(flow: Flow, piece: bytes, _weather: Weather) -> None:
    """Break the JSON of whatever is handed on, and leave its frame whole."""
    frame, mark, rest = piece.partition(b"data: ")
    if not mark:
        await flow.write(piece[: len(piece) // 2])
    elif rest.startswith(b"{"):
        await flow.write(frame + mark + rest[: len(rest) // 2].rstrip(b"\n") + b"\n\n")
    else:
        await flow.write(piece)


async def empty_document(flow: Flow, piece: bytes, _weather: Weather) -> None:
    """Hand on a home in which nothing is."""
    await flow.write(_rewritten(piece, lambda _: {}))


async def missing_groups(flow: Flow, piece: bytes, weather: Weather) -> None:
    """Hand on documents that lack whole groups, another one each time."""
    lacking = weather.chance.choice((_without_alarms, _without_devices, _without_structures))
    await flow.write(_rewritten(piece, lacking))


def _without_alarms(document: dict[str, Any]) -> dict[str, Any]:
    devices = {name: group for name, group in document["devices"].items() if name != "smoke_co_alarms"}
    return {**document, "devices": devices}


def _without_devices(document: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in document.items() if name != "devices"}


def _without_structures(document: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in document.items() if name != "structures"}


# "event: put", "data: " and where its path stands.
FRAME: Final = 40


def _rewritten(piece: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return a document, or the event that puts one, with the document changed; all else as it is."""
    frame, mark, rest = piece.partition(b"data: ")
    try:
        content = orjson.loads(rest if mark else piece)
    except orjson.JSONDecodeError:
        return piece
    if not isinstance(content, dict):
        return piece
    if not mark:
        return orjson.dumps(change(content))
    return frame + mark + orjson.dumps({**content, "data": change(content["data"])}) + b"\n\n"


def _inserted(piece: bytes, nonsense: bytes, weather: Weather) -> bytes:
    """Return a piece with nonsense in it: often where events say what they are, which is little of a document."""
    at = weather.chance.randrange(min(len(piece), weather.chance.choice((FRAME, FRAME, len(piece)))) + 1)
    return piece[:at] + nonsense + piece[at:]


# What is answered.


async def refuse(exchange: Exchange) -> bool:
    """Take the request and reset the connection."""
    reset(exchange.writer)
    return True


async def hold(exchange: Exchange) -> bool:
    """Take the request and say nothing while it lasts; then it is answered after all."""
    await exchange.weather.over.wait()
    return False


def redirect(to: Callable[[Exchange], str]) -> Answer:
    """Return what sends each request elsewhere."""

    async def answer(exchange: Exchange) -> bool:
        await raw_answer(exchange.writer, "307 Temporary Redirect", b"", location=to(exchange))
        return True

    return answer


def error(status: str, anchor: str, **fields: str) -> Answer:
    """Return what answers each request with an error of protocol 7.1."""
    said = {"error": anchor, "type": f"https://nest.example/errors#{anchor}", "message": f"Told to say {status}."}
    body = orjson.dumps({**said, "instance": "5f0c7ab0-0000-4000-8000-000000000000"})

    async def answer(exchange: Exchange) -> bool:
        await raw_answer(exchange.writer, status, body, **fields)
        return True

    return answer


async def gateway_error(exchange: Exchange) -> bool:
    """Answer as a proxy does that finds nobody behind it: with a page."""
    await raw_answer(exchange.writer, "502 Bad Gateway", b"<html><h1>502</h1></html>", kind="text/html")
    return True


async def unauthorized_once(exchange: Exchange) -> bool:
    """Refuse the token of the first request alone."""
    exchange.weather.count += 1
    return exchange.weather.count == 1 and await UNAUTHORIZED(exchange)


UNAUTHORIZED: Final = error("401 Unauthorized", "auth-error")

FAULTS: Final = (
    Fault(name="cut mid-event", bend=cut_mid_event),
    Fault(name="stall", bend=stall, answer=hold, lasts=(60.0, 140.0)),
    Fault(name="stall, then reset", bend=stall, answer=hold, closed=Ending.RESET, lasts=(60.0, 140.0)),
    Fault(name="silent for good", bend=fall_silent, patience=110.0),
    Fault(name="one byte a second", bend=drip, lasts=(60.0, 140.0), delay=PILES_UP),
    Fault(name="repeat", bend=repeat, keeps_whole=True),
    Fault(name="truncate", bend=truncate),
    Fault(name="garbage", bend=garbage),
    Fault(name="invalid UTF-8", bend=invalid_utf8),
    Fault(
        name="307 to a dead shard",
        opened=Ending.CLOSE,
        answer=redirect(lambda ask: f"http://{ask.weather.host}:{ask.weather.dead_port}{ask.request.path}"),
    ),
    Fault(name="307 in a circle", opened=Ending.CLOSE, answer=redirect(lambda ask: ask.request.path), hops=4),
    Fault(
        name="307 to a foreign host",
        opened=Ending.CLOSE,
        answer=redirect(lambda ask: f"http://127.0.0.1:{ask.weather.foreign_port}{ask.request.path}"),
    ),
    Fault(name="401 once", opened=Ending.CLOSE, answer=unauthorized_once),
    Fault(name="401 for good", opened=Ending.CLOSE, answer=UNAUTHORIZED, ends_link=True),
    Fault(name="403", opened=Ending.CLOSE, answer=error("403 Forbidden", "forbidden")),
    Fault(name="404", opened=Ending.CLOSE, answer=error("404 Not Found", "not-found")),
    Fault(
        name="429 with Retry-After",
        opened=Ending.CLOSE,
        answer=error("429 Too Many Requests", "blocked", retry_after=str(round(scaled(60)))),
        patience=65.0,
    ),
    Fault(
        name="429 without Retry-After",
        opened=Ending.CLOSE,
        answer=error("429 Too Many Requests", "blocked"),
        patience=65.0,
    ),
    Fault(name="500", opened=Ending.CLOSE, answer=error("500 Internal Server Error", "internal-error")),
    Fault(name="502", opened=Ending.CLOSE, answer=gateway_error),
    Fault(name="503", opened=Ending.RESET, answer=error("503 Service Unavailable", "service-unavailable")),
    Fault(name="malformed JSON", bend=malformed),
    Fault(name="empty document", bend=empty_document, closed=Ending.CLOSE),
    Fault(name="missing groups", bend=missing_groups, closed=Ending.CLOSE),
    Fault(name="reset", opened=Ending.RESET, answer=refuse),
    Fault(name="no such name", opened=Ending.RESET, drill=Drill.NO_NAME),
    Fault(name="clock jump", opened=Ending.RESET, drill=Drill.CLOCK_JUMP),
    Fault(name="server restart", drill=Drill.SERVER_RESTART),
    Fault(name="server killed", drill=Drill.SERVER_KILL),
    Fault(name="Home Assistant restart", drill=Drill.HUB_RESTART),
    Fault(name="Home Assistant crash", drill=Drill.HUB_CRASH),
    Fault(name="entry reload", drill=Drill.HUB_RELOAD, lasts=(1.0, 5.0)),
)
CALM: Final = Fault(name="none")


def fault_named(name: str) -> Fault:
    """Return a row."""
    return next(fault for fault in FAULTS if fault.name == name)
