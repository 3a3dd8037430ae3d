"""What happened in a run, told in order, for whoever wants to see why it failed."""

from collections.abc import Iterator

from .clocks import in_life
from .record import Change, History, Key, Shown
from .run import Run, Stage

type Line = tuple[float, str]


def tale(stage: Stage, run: Run) -> list[str]:
    """Return a line for everything that was done, shown, told or asked; times are seconds of life."""
    lines = [
        (run.fault_span.begun, f"---- {run.fault.name} begins"),
        (run.fault_span.done, f"---- {run.fault.name} ends"),
        *_changes(stage.nest.truth.fit),
        *_shown(run.hub.shown),
        *((at, f"told:  {each.kind} of {each.thing_id[:6]}: {each}") for at, each in run.hub.told),
        *((at, f"asked: {'stream' if is_stream else 'document'}") for at, is_stream in stage.proxy.asked),
        *_gaps(stage, run),
    ]
    return [f"{in_life(at - run.begun):8.1f} s  {line}" for at, line in sorted(lines)]


def _changes(fit: History[Key, Change]) -> Iterator[Line]:
    for wire_id, key in fit.things():
        for each in fit.of((wire_id, key)):
            yield each.done, f"home:  {key} of {wire_id[:6]} is {each.value}"


def _shown(shown: History[Key, Shown]) -> Iterator[Line]:
    for wire_id, key in shown.things():
        for each in shown.of((wire_id, key)):
            if key:
                yield each.at, f"shown: {key} of {wire_id[:6]} is {each.value}"


def _gaps(stage: Stage, run: Run) -> Iterator[Line]:
    for start, end in run.hub.gaps:
        for span in stage.wall.spans(start, end):
            yield span.done, f"gap:   since {in_life(span.begun - run.begun):.1f} s"
