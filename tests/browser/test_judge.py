"""What the card makes of what it is told, in every combination there is; and how it is said."""

from collections.abc import AsyncGenerator
from typing import Any

from playwright.async_api import Browser, Page
import pytest

from tools.modules_page import open_modules_page

# Judges one alarm in each combination, and returns those whose tone is not what the parts of it demand.
EVERY_COMBINATION = """async () => {
  const { judge } = await import("/judge.js");
  const levels = [null, "ok", "warning", "emergency"];
  const wrong = [];
  let count = 0;
  for (const reachable of [true, false]) for (const live of [true, false]) for (const age of [0, 75, 75.1, null])
  for (const heard of ["live", "unclear", "offline", "missing", "link_down"]) for (const smoke of levels)
  for (const carbon_monoxide of levels) for (const battery of ["ok", "replace", null])
  for (const testing of [true, false]) for (const understood of [true, false]) {
    count += 1;
    const named = { id: "a", name: "A", room: "Kitchen", entities: {} };
    const alarm = { ...named, heard, since: 5, smoke, carbon_monoxide, battery, testing };
    const home = { id: "h", name: "H", smoke: "ok", carbon_monoxide: "ok", understood, entities: {}, alarms: [alarm] };
    const link = { title: "L", live, age, live_for: 75, last_contact: 9, homes: [home] };
    const news = { links: new Map([["e", link]]), reachable, age: () => age ?? Infinity };
    const { tone, rows } = judge(news, {});
    const said = [smoke, carbon_monoxide];
    const isFresh = reachable && live && age !== null && age <= 75;
    const isOk = isFresh && heard === "live" && said.every((level) => level === "ok");
    const expected = said.includes("emergency") ? "emergency" : said.includes("warning") ? "warning"
      : !isFresh || heard !== "live" || said.includes(null) ? "silent" : null;
    const isClear = isOk && battery === "ok" && !testing && understood;
    if ((tone === "clear") !== isClear) wrong.push(["clear", tone, alarm, link]);
    if (expected && expected !== "silent" && tone !== expected) wrong.push(["expected", tone, alarm, link]);
    if (expected === "silent" && tone !== "silent") wrong.push(["silent", tone, alarm, link]);
    if (!isFresh && rows[0].heard === "live") wrong.push(["heard", tone, alarm, link]);
  }
  return { count, wrong: wrong.slice(0, 3) };
}"""

JUDGE = """async ([alarms, home, config]) => {
  const { judge } = await import("/judge.js");
  const filled = alarms.map((alarm) => ({ name: "", room: alarm.id, heard: "live", since: null, smoke: "ok",
    carbon_monoxide: "ok", battery: "ok", testing: false, entities: {}, ...alarm }));
  const ok = { smoke: "ok", carbon_monoxide: "ok", understood: true };
  const whole = { id: "h", name: "H", entities: {}, ...ok, ...home, alarms: filled };
  const link = { title: "L", live: true, age: 1, live_for: 75, last_contact: 9, homes: [whole] };
  const { tone, rows } = judge({ links: new Map([["e", link]]), reachable: true, age: () => 1 }, config);
  return { tone, rows: rows.map((row) => row.alarm.id) };
}"""


@pytest.fixture
async def page(browser: Browser, socket_enabled: None) -> AsyncGenerator[Page]:
    page = await open_modules_page(browser)
    yield page
    await page.close()


async def judged(
    page: Page, alarms: list[dict[str, Any]], home: object = None, config: object = None
) -> tuple[str, Any]:
    found = await page.evaluate(JUDGE, [alarms, home or {}, config or {}])
    return found["tone"], found["rows"]


async def test_only_what_is_heard_understood_and_ok_is_clear(page: Page) -> None:
    found = await page.evaluate(EVERY_COMBINATION)
    assert found["count"] == 15360
    assert found["wrong"] == []


async def test_the_worst_comes_first(page: Page) -> None:
    alarms = [
        {"id": "clear"},
        {"id": "battery", "battery": "replace"},
        {"id": "test", "testing": True},
        {"id": "offline", "heard": "offline"},
        {"id": "silent warning", "smoke": "warning", "heard": "offline"},
        {"id": "warning", "carbon_monoxide": "warning"},
        {"id": "silent emergency", "smoke": "emergency", "heard": "missing"},
        {"id": "emergency", "smoke": "emergency"},
    ]
    tone, rows = await judged(page, alarms)
    assert tone == "emergency"
    silent = "silent emergency", "warning", "silent warning", "offline"
    assert rows == ["emergency", *silent, "test", "battery", "clear"]


async def test_smoke_that_only_the_home_tells_of_is_shown(page: Page) -> None:
    assert await judged(page, [{"id": "a"}], {"smoke": "emergency"}) == ("emergency", ["h", "a"])
    assert await judged(page, [{"id": "a", "smoke": "emergency"}], {"smoke": "emergency"}) == ("emergency", ["a"])


async def test_a_cause_that_only_the_home_tells_of_is_shown_beside_another(page: Page) -> None:
    alarms = [{"id": "a", "carbon_monoxide": "emergency"}]
    same = {"carbon_monoxide": "emergency"}
    assert await judged(page, alarms, same) == ("emergency", ["a"])
    assert await judged(page, alarms, {**same, "smoke": "emergency"}) == ("emergency", ["a", "h"])


async def test_a_choice_written_by_hand_may_be_empty_or_a_single_one(page: Page) -> None:
    two = [{"id": "a"}, {"id": "b"}]
    assert await judged(page, two, config={"homes": None, "alarms": None}) == ("clear", ["a", "b"])
    assert await judged(page, two, config={"alarms": "b"}) == ("clear", ["b"])
    assert await judged(page, two, config={"alarms": [1, 2]}) == ("silent", ["1", "2"])


async def test_a_home_that_is_not_understood_is_not_all_clear(page: Page) -> None:
    assert await judged(page, [{"id": "a"}], {"understood": False}) == ("silent", ["a"])


async def test_what_a_person_chose_and_is_not_there_any_more_is_missed(page: Page) -> None:
    two = [{"id": "a"}, {"id": "b"}]
    assert await judged(page, two, config={"alarms": ["b"]}) == ("clear", ["b"])
    assert await judged(page, two, config={"homes": ["h"]}) == ("clear", ["a", "b"])
    assert await judged(page, two, config={"alarms": ["b", "gone"]}) == ("silent", ["gone", "b"])


async def test_no_alarm_at_all_is_not_all_clear(page: Page) -> None:
    assert await judged(page, []) == ("none", [])
