"""The listener cannot die unnoticed: an exception at every place where it waits, and in everything that it calls."""

import ast
import asyncio
from collections.abc import Callable, Coroutine, Generator
import inspect
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.works_with_nest import listener
from custom_components.works_with_nest.listener import WwnListener

from .conftest import FixtureService, SetUp, until

BEDROOM = "Kas1VOqg6YYZYn9ZhyiA4uoRgnatmUdj"
BEDROOM_SMOKE = "binary_sensor.bedroom_nest_protect_smoke"

type StateOf = Callable[[str], str | None]


def smoke(level: str) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["devices"]["smoke_co_alarms"][BEDROOM].update(smoke_alarm_state=level)


def lines_that_wait() -> set[int]:
    """Return the lines of the listener with an await on them."""
    tree = ast.parse(inspect.getsource(listener))
    return {node.lineno for node in ast.walk(tree) if isinstance(node, ast.Await | ast.AsyncWith | ast.AsyncFor)}


def lines_of(waiting: Coroutine[Any, Any, Any]) -> set[int]:
    """Return the lines of the listener at which a coroutine, and whatever it waits for, stands."""
    found: set[int] = set()
    step: Any = waiting
    while (frame := getattr(step, "cr_frame", None)) is not None:
        if frame.f_code.co_filename == listener.__file__:
            found.add(frame.f_lineno)
        step = step.cr_await
    return found


class Saboteur:
    """Runs a coroutine and throws into it: at its first wait, then at the second one after that, then at the third."""

    def __init__(self, saboteurs: Saboteurs, running: Coroutine[Any, Any, Any]) -> None:
        self.saboteurs = saboteurs
        self.running = running

    def __await__(self) -> Generator[Any, Any, Any]:
        result: Any = None
        send: Callable[[Any], Any] = self.running.send
        try:
            while True:
                waited_for = send(result)
                while (error := self.saboteurs.error_for(self.running)) is not None:
                    # What is not waited for after all must neither look as if it were, nor leave a socket behind.
                    if waited_for is not None:
                        waited_for._asyncio_future_blocking = False
                        waited_for.cancel()
                    waited_for = self.running.throw(error)
                send = self.running.send
                try:
                    result = yield waited_for
                except BaseException as err:  # noqa: BLE001 - handed on
                    result, send = err, self.running.throw
        except StopIteration as stop:
            return stop.value


class Saboteurs:
    """Where to throw, what was thrown, and where the listener then stood."""

    def __init__(self, kind: type[BaseException]) -> None:
        self.kind = kind
        self.is_on = True
        self.every = 1
        self.waits = 0
        self.hit: set[int] = set()
        self.thrown = 0

    def error_for(self, running: Coroutine[Any, Any, Any]) -> BaseException | None:
        self.waits += 1
        if not self.is_on or self.waits < self.every:
            return None
        self.every, self.waits = self.every % 12 + 1, 0
        self.thrown += 1
        self.hit |= lines_of(running)
        return self.kind("sabotage")


@pytest.fixture(params=[ValueError, OSError, TimeoutError, asyncio.CancelledError])
def saboteurs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Saboteurs:
    """Throw into every listener."""
    saboteurs = Saboteurs(request.param)
    run = WwnListener.run

    async def sabotaged(self: WwnListener) -> None:
        await Saboteur(saboteurs, run(self))

    monkeypatch.setattr(WwnListener, "run", sabotaged)
    return saboteurs


@pytest.mark.no_fail_on_log_exception
async def test_an_exception_at_every_wait_ends_nothing(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    state_of: StateOf,
    short_clocks: None,
    saboteurs: Saboteurs,
) -> None:
    entry = await link()
    waits = lines_that_wait()
    async with asyncio.timeout(30):
        while not waits <= saboteurs.hit or saboteurs.thrown < 30:
            # The token is refused by the stream alone now and then: the confirmation waits too.
            service.stream_status = 401 if service.stream_status == 200 else 200
            service.send(None)
            await asyncio.sleep(0.05)
    saboteurs.is_on = False
    service.stream_status = 200
    await until(lambda: service.streams)
    service.push(smoke("emergency"))
    await until(lambda: state_of(BEDROOM_SMOKE) == "on")
    await until(lambda: entry.runtime_data.open_gap is None)
    assert hass.config_entries.flow.async_progress() == []


@pytest.mark.no_fail_on_log_exception
@pytest.mark.parametrize(
    ("name", "ends_the_stream"),
    [
        ("async_put", True),
        ("async_keep_alive", True),
        ("async_set_push", True),
        ("async_refresh_soon", False),
        ("async_refresh", False),
    ],
)
async def test_an_exception_in_what_the_listener_calls_ends_nothing(
    service: FixtureService,
    link: SetUp,
    state_of: StateOf,
    short_clocks: None,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    ends_the_stream: bool,  # noqa: FBT001 - of the table above
) -> None:
    entry = await link()
    await until(lambda: service.streams)
    called: list[str] = []
    real = getattr(entry.runtime_data, name)

    def broken(*args: Any, **kwargs: Any) -> Any:
        called.append(name)
        if len(called) <= 3:
            raise ValueError(name)
        return real(*args, **kwargs)

    monkeypatch.setattr(entry.runtime_data, name, broken)
    async with asyncio.timeout(20):
        while len(called) < 3:
            service.stream_status = 401 if name == "async_refresh" and service.stream_status == 200 else 200
            if ends_the_stream:
                service.send(b"event: keep-alive\ndata: null\n\n")
            service.send(None)
            await asyncio.sleep(0.05)
    service.stream_status = 200
    await until(lambda: service.streams)
    service.push(smoke("emergency"))
    await until(lambda: state_of(BEDROOM_SMOKE) == "on")
    await until(lambda: entry.runtime_data.open_gap is None)


@pytest.mark.no_fail_on_log_exception
async def test_a_listener_that_is_ended_by_force_leaves_a_link_that_says_it_is_down(
    hass: HomeAssistant,
    service: FixtureService,
    link: SetUp,
    state_of: StateOf,
    short_clocks: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def gone(_self: WwnListener) -> None:
        """End at once, as no listener should."""

    monkeypatch.setattr(WwnListener, "run", gone)
    service.status = 200
    await link(listens=False)
    service.status = 503
    await until(lambda: state_of(BEDROOM_SMOKE) == "unavailable")
    assert state_of("binary_sensor.home_connection") == "off"
