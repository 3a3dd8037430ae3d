"""What the card makes of what it is told, in every combination there is; how it is said, and how old it is."""

from collections.abc import AsyncGenerator
import json
from typing import Any

from playwright.async_api import Browser, Page
import pytest
import pytest_asyncio

from tools.modules_page import FOLDER, open_modules_page

TEXTS = json.loads((FOLDER.parent / "translations" / "en.json").read_text())["config_panel"]["card"]
OK = {"label": None, "heard": "live", "since": None, "smoke": "ok", "carbon_monoxide": "ok", "entities": {}}
CHECKED, MORE = "1 alarm, checked now", "There is more that you may not see"

# Judges one alarm in each combination, and returns those whose tone is not what the parts of it demand.
EVERY_COMBINATION = """async () => {
  const { judge } = await import("/judge.js");
  const every = [null, "ok", "warning", "emergency"];
  const wrong = [];
  let count = 0;
  for (const reachable of [true, false]) for (const live of [true, false]) for (const age of [0, 75, 75.1, null])
  for (const heard of ["live", "unclear", "offline", "missing", "link_down"]) for (const smoke of every)
  for (const carbon_monoxide of every) for (const battery of ["ok", "replace", null])
  for (const testing of [true, false]) for (const understood of [true, false]) {
    count += 1;
    const named = { id: "a", name: "A", room: "Kitchen", entities: {} };
    const alarm = { ...named, heard, since: 5, smoke, carbon_monoxide, battery, testing };
    const said = { smoke: "ok", carbon_monoxide: "ok", understood, withheld: [] };
    const home = { id: "h", name: "H", ...said, entities: {}, alarms: [alarm] };
    const link = { title: "L", live, age, live_for: 75, last_contact: 9, homes: [home] };
    const news = { links: new Map([["e", link]]), reachable, age: () => age ?? Infinity };
    const { tone, rows } = judge(news, {});
    const levels = [smoke, carbon_monoxide];
    const isFresh = reachable && live && age !== null && age <= 75;
    const isOk = isFresh && heard === "live" && levels.every((level) => level === "ok");
    const expected = levels.includes("emergency") ? "emergency" : levels.includes("warning") ? "warning"
      : !isFresh || heard !== "live" || levels.includes(null) ? "silent" : null;
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
  const whole = { id: "h", name: "H", entities: {}, withheld: [], ...ok, ...home, alarms: filled };
  const link = { title: "L", live: true, age: 1, live_for: 75, last_contact: 9, homes: [whole] };
  const { tone, rows } = judge({ links: new Map([["e", link]]), reachable: true, age: () => 1 }, config);
  return { tone, rows: rows.map((row) => row.alarm.id) };
}"""

# Follows the news of a connection that is a stub, with what was asked and ended, and a way to let it tell something.
FOLLOW = """async () => {
  const { newsOf } = await import("/news.js");
  const { judge } = await import("/judge.js");
  const connection = { asked: 0, ended: 0, connected: true, addEventListener() {}, removeEventListener() {},
    async subscribeMessage(take) {
      connection.asked += 1;
      connection.take = take;
      return () => (connection.ended += 1);
    } };
  const news = newsOf(connection);
  news.follow(() => {});
  const alarm = { id: "a", name: "A", heard: "live", since: null, smoke: "ok", carbon_monoxide: "ok", battery: "ok" };
  const said = { smoke: "ok", carbon_monoxide: "ok", understood: true, withheld: [] };
  const homes = [{ id: "h", name: "H", entities: {}, ...said, alarms: [{ ...alarm, entities: {} }] }];
  const links = { e: { title: "L", live: true, age: 1, live_for: 75, last_contact: 9, homes } };
  window.tell = async (sent) => {
    connection.take({ sent, links });
    const said = [judge(news, {}).tone, Math.round(news.age(links.e))];
    for (let turn = 0; turn < 5; turn += 1) await null;
    return [...said, connection.asked, connection.ended];
  };
}"""

# Draws the card with the English texts; returns what it says, and how it looks.
DRAWN = """async ([texts, links, config]) => {
  const { AlarmsCard } = await import("/card.js");
  const say = (key, values = {}) => texts[key.split(".").at(-1)].replace(/\\{(\\w+)\\}/g, (_, name) => values[name]);
  const connection = { addEventListener() {}, removeEventListener() {}, async subscribeMessage(take) {
    setTimeout(() => take({ sent: 1, links }));
    return () => {};
  } };
  const hass = { locale: { language: "en" }, config: {}, loadBackendTranslation: async () => say, connection };
  const root = document.createElement("div").attachShadow({ mode: "open" });
  const card = new AlarmsCard(root);
  card.update(hass, config);
  card.connect();
  await new Promise((resolve) => setTimeout(resolve, 50));
  card.disconnect();
  const text = (name) => root.querySelector(`.${name}`).textContent;
  return [text("title"), text("detail"), root.querySelector(".whole").className, root.querySelectorAll("li").length];
}"""


pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncGenerator[Page]:
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


async def test_what_may_not_be_told_keeps_the_rest_from_being_all_clear(page: Page) -> None:
    more = {"withheld": ["h", "b"], "understood": False}
    assert await judged(page, [{"id": "a"}], more) == ("partial", ["a"])
    assert await judged(page, [{"id": "a", "battery": "replace"}], more) == ("partial", ["a"])
    assert await judged(page, [{"id": "a", "smoke": "emergency"}], more) == ("emergency", ["a"])
    assert await judged(page, [{"id": "a", "heard": "offline"}], more) == ("silent", ["a"])
    assert await judged(page, [{"id": "a"}], more, {"homes": ["h"]}) == ("partial", ["a"])
    assert await judged(page, [], more) == ("none", [])


async def test_what_may_not_be_told_is_no_matter_where_it_was_not_asked_for(page: Page) -> None:
    more = {"withheld": ["h", "b"], "understood": False}
    assert await judged(page, [{"id": "a"}], more, {"alarms": ["a"]}) == ("clear", ["a"])
    # It is not missing either.
    assert await judged(page, [{"id": "a"}], more, {"alarms": ["a", "b"]}) == ("partial", ["a"])
    assert await judged(page, [{"id": "a"}], more, {"alarms": ["b"]}) == ("none", [])


@pytest.mark.parametrize(
    ("rooms", "battery", "expected"),
    [
        (["Bedroom"], "ok", ["Clear as far as you may see", f"{CHECKED}. {MORE}"]),
        (["Bedroom"], "replace", ["Clear as far as you may see", f"{CHECKED}. Replace the battery: Bedroom. {MORE}"]),
        ([], "ok", ["You may not see the alarms here", ""]),
    ],
)
async def test_that_there_is_more_is_said(page: Page, rooms: list[str], battery: str, expected: list[str]) -> None:
    alarms = [{"id": room, "name": "", "room": room, "battery": battery, "tested": None, **OK} for room in rooms]
    home = {"id": "h", "name": "H", "entities": {}, "withheld": ["h"], "alarms": alarms}
    link = {"title": "L", "live": True, "age": 1, "live_for": 75, "last_contact": 9, "homes": [home]}
    *said, look, count = await page.evaluate(DRAWN, [TEXTS, {"e": link}, {}])
    assert (said, count) == (expected, len(rooms))
    assert look == ("whole partial" if rooms else "whole none")


async def test_what_comes_late_is_as_old_as_it_may_be_and_is_asked_for_anew(page: Page) -> None:
    await page.clock.install()
    await page.evaluate(FOLLOW)
    assert await page.evaluate("tell(1000)") == ["clear", 1, 1, 0]
    await page.clock.fast_forward(30_000)
    assert await page.evaluate("tell(1030)") == ["clear", 1, 1, 0]
    # The machine slept for an hour, and this was sent half a minute after it fell asleep.
    await page.clock.fast_forward(3_600_000)
    assert await page.evaluate("tell(1060)") == ["silent", 3571, 2, 1]
    # The answer to what was asked thereupon.
    assert await page.evaluate("tell(4630)") == ["clear", 1, 2, 1]
    await page.clock.fast_forward(30_000)
    assert await page.evaluate("tell(4660)") == ["clear", 1, 2, 1]


async def test_what_a_quicker_clock_of_home_assistant_gained_hides_nothing_that_comes_late(page: Page) -> None:
    await page.clock.install()
    await page.evaluate(FOLLOW)
    assert await page.evaluate("tell(1000)") == ["clear", 1, 1, 0]
    await page.clock.fast_forward(30_000)
    assert await page.evaluate("tell(1040)") == ["clear", 1, 1, 0]
    # It took ten seconds, which is what the other clock had gained before.
    await page.clock.fast_forward(40_000)
    assert await page.evaluate("tell(1070)") == ["clear", 11, 2, 1]


async def test_an_answer_that_itself_was_held_up_is_not_taken_for_fresh(page: Page) -> None:
    await page.clock.install()
    await page.evaluate(FOLLOW)
    await page.clock.fast_forward(3_600_000)
    assert await page.evaluate("tell(1000)") == ["silent", 3601, 2, 1]
    assert await page.evaluate("tell(4600)") == ["clear", 1, 2, 1]


async def test_what_does_not_say_when_it_was_sent_is_not_believed(page: Page) -> None:
    await page.evaluate(FOLLOW)
    assert (await page.evaluate("tell(undefined)"))[0] == "silent"
