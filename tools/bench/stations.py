"""All that is measured, one station after another; each gives the figures of its rows at one size of home."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from . import entities, idle, latency, server, work
from .figures import GROWTH, Figure
from .imports import import_times
from .stage import in_child
from .timing import Pair

MS: Final = 1000.0
P99: Final = 99
HUNDRED: Final = 100
FIVE_HUNDRED: Final = 500


@dataclass(frozen=True, slots=True)
class Form:
    """How long to measure, and at which sizes of home."""

    rounds: int
    samples: int
    keep_alives: int
    seconds: float


QUICK: Final = Form(rounds=8, samples=24, keep_alives=1, seconds=1.0)
FULL: Final = Form(rounds=24, samples=120, keep_alives=2, seconds=8.0)


def figure(key: str, devices: int, both: tuple[float, float], scale: float = MS) -> Figure:
    """Return a figure of a row."""
    return Figure(key=key, devices=devices, ours=both[0] * scale, baseline=both[1] * scale)


def documents(form: Form, devices: int) -> Iterator[Figure]:
    """Measure what a pushed document costs."""
    found = in_child(work.costs, devices, _fewer(form.rounds, devices)).result()
    for key in ("unchanged", "respelt", "changed", "usual"):
        pair: Pair = getattr(found, key)
        yield figure(key, devices, pair.medians())


def pushes(form: Form, devices: int) -> Iterator[Figure]:
    """Measure how soon a change is shown."""
    pair = in_child(latency.push, devices, _fewer(form.samples, devices)).result()
    yield figure("push_median", devices, pair.medians())
    yield figure("push_p99", devices, pair.high(P99))


def emergencies(form: Form, devices: int) -> Iterator[Figure]:
    """Measure how soon an emergency is shown, whatever else happens."""
    samples = max(4, form.samples // 8)
    yield figure("emergency", devices, in_child(latency.emergency, devices, samples).result().medians())


def setups(form: Form, devices: int) -> Iterator[Figure]:
    """Measure what setting a link up takes, and what it holds then."""
    pair, _ = in_child(entities.setup, devices, _fewer(form.rounds // 4, devices)).result()
    yield figure("setup", devices, pair.least())
    held, number = in_child(entities.memory, devices).result()
    bare = in_child(entities.bare_memory, number).result()
    yield figure("memory", devices, (held / devices, bare / devices), 1.0)


def streams(form: Form, devices: int) -> Iterator[Figure]:
    """Measure how long one change takes to many streams."""
    rounds = max(4, _fewer(form.rounds // 2, devices))
    yield figure("streams_100", devices, in_child(server.fan_out, devices, HUNDRED, rounds).result().medians())
    most = in_child(server.fan_out, devices, FIVE_HUNDRED, rounds).result()
    yield figure("streams_500", devices, most.medians())


def idle_streams(form: Form, devices: int) -> Iterator[Figure]:
    """Measure what streams take that nothing is told to."""
    seconds = max(4.0, form.seconds)
    cpu, held = in_child(server.idle_streams, devices, seconds).result()
    yield figure("idle_cpu", devices, (sum(cpu.ours), sum(cpu.baseline)), MS / seconds)
    yield figure("idle_memory", devices, held.medians(), 1.0)


def requests(form: Form, devices: int) -> Iterator[Figure]:
    """Measure how many reads and writes are answered."""
    reads, writes = in_child(server.rates, devices, form.seconds / 4, 4).result()
    yield figure("reads", devices, reads.medians(), 1.0)
    yield figure("writes", devices, writes.medians(), 1.0)


def imports(form: Form, devices: int) -> Iterator[Figure]:
    """Measure how long the integration takes to import; devices have no part in it."""
    yield figure("import", devices, import_times(form.rounds // 8).least())


def _fewer(rounds: int, devices: int) -> int:
    """Return how many rounds are enough where each takes longer."""
    return max(min(4, rounds), rounds * 4 // max(4, devices // HUNDRED * 4))


type Station = Callable[[Form, int], Iterator[Figure]]

# Each with the sizes of the short form.
STATIONS: Final[Mapping[Station, tuple[int, ...]]] = {
    documents: (10, 100),
    pushes: (10,),
    emergencies: (100,),
    setups: (100,),
    requests: (10,),
    streams: (10,),
    idle_streams: (10,),
    imports: (0,),
}


def plan(form: Form) -> Iterator[tuple[Station, tuple[int, ...]]]:
    """Yield every station with the sizes at which it measures."""
    for station, sizes in STATIONS.items():
        yield station, sizes if form is QUICK or sizes == (0,) else GROWTH


def idle_links(form: Form) -> Iterator[Figure]:
    """Begin to count what an idle link does, and return what gives the figures in the end."""
    sizes = (10,) if form is QUICK else GROWTH
    counts = {devices: in_child(idle.wake_ups, devices, form.keep_alives) for devices in sizes}
    return (figure("idle", devices, future.result(), 1.0) for devices, future in counts.items())
