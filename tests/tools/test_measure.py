from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from tools.demo import measure as measure_module
from tools.demo.measure import Change, measure
from tools.errors import ToolError
from tools.home_assistant import LiveStates, State
from tools.nest_home import Document, NestPerson

SMOKE = "binary_sensor.hall_smoke"


class Home:
    """Both sides of a link, as far as measuring sees them."""

    def __init__(self) -> None:
        self.nest = "ok"
        self.states = LiveStates()
        self.show("off")

    def show(self, state: str) -> None:
        before = {"entity_id": SMOKE, "state": state, "attributes": {"level": self.nest}}
        self.states._take({"entity_id": SMOKE, "new_state": before})

    async def document(self) -> Document:
        return {"smoke": self.nest}

    async def change(self, make: Callable[[], Awaitable[None]], **devices: Any) -> Any:
        change = Change(
            name="smoke",
            action="Smoke",
            make=make,
            nest_fields=lambda document: {"smoke": document["smoke"]},
            nest_wanted={"smoke": "emergency"},
            entities_wanted={SMOKE: {"state": "on", "level": "emergency"}},
            **devices,
        )
        return await measure(change, cast("NestPerson", self), self.states)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure_module, "WITHIN", 0.1)


async def test_what_both_sides_show_has_arrived() -> None:
    home = Home()

    async def make() -> None:
        home.nest = "emergency"
        home.show("on")

    step = await home.change(make)
    assert step.arrived
    assert step.nest_home.values == {"smoke": "emergency"}
    assert step.home_assistant.values == {SMOKE: {"state": "on", "level": "emergency"}}
    assert "device" not in step.as_dict()


async def test_what_one_side_does_not_show_has_not_arrived() -> None:
    home = Home()

    async def make() -> None:
        home.nest = "emergency"

    step = await home.change(make)
    assert not step.arrived
    assert step.nest_home.milliseconds is not None
    assert step.home_assistant.milliseconds is None
    assert step.home_assistant.values == {SMOKE: {"state": "off", "level": "ok"}}
    assert step.as_dict()["arrived"] is False


@pytest.mark.parametrize(("told", "arrived"), [(True, True), (False, False)])
async def test_where_devices_stand_behind_the_home_they_have_to_show_it_too(told: Any, arrived: Any) -> None:
    home, device = Home(), {"smoke": "none"}

    async def make() -> None:
        home.nest = "emergency"
        home.show("on")
        if told:
            device["smoke"] = "some"

    step = await home.change(make, device_fields=lambda: dict(device), device_wanted={"smoke": "some"})
    assert (step.arrived, step.as_dict()["arrived"]) == (arrived, arrived)
    assert step.as_dict()["device"]["values"] == device


async def test_a_change_that_is_refused_is_told() -> None:
    async def make() -> None:
        msg = "No."
        raise ToolError(msg)

    with pytest.raises(ToolError, match=r"^No\.$"):
        await Home().change(make)


async def test_what_is_shown_already_is_not_measured() -> None:
    home = Home()
    home.nest = "emergency"
    home.show("on")

    async def make() -> None:
        pytest.fail("nothing is to be made")

    with pytest.raises(ToolError, match="before it was done"):
        await home.change(make)


async def test_states_follow_what_is_announced() -> None:
    states = LiveStates()
    heard: list[tuple[State | None, State | None]] = []
    states.listen(lambda before, after: heard.append((before, after)))
    states._take({"entity_id": "a.b", "new_state": {"entity_id": "a.b", "state": "on", "attributes": {}}})
    states._take({"entity_id": "a.b", "new_state": None})
    on = State(entity_id="a.b", state="on", attributes={})
    assert heard == [(None, on), (on, None)]
    assert states.states == {}
