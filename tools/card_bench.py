"""How long the alarm card takes: from a change of state to the picture, and to draw fifty alarms.

.venv/bin/python -m tools.card_bench
"""

import asyncio
from datetime import datetime
import json
from pathlib import Path
from statistics import median
import sys
import tempfile
from typing import Any, Final, Literal

from playwright.async_api import Browser, Page

from .browser import chromium
from .dashboards import alarm_in, linked, open_card
from .demo.servers import started
from .demo.state import held
from .demo.voice import say
from .errors import ToolError
from .frontend import Frontend
from .home_assistant import HomeAssistantApi
from .modules_page import FOLDER, open_modules_page
from .nest_home import NestPerson
from .ports import free_port

ROUNDS: Final = 20
ALARMS: Final = 50
ENTITY: Final = "sensor.kitchen_nest_protect_smoke_level"
LEVELS: Final[tuple[Literal["emergency", "ok"], ...]] = ("emergency", "ok")

type Json = dict[str, Any]

# Draws a card of so many alarms anew, with the English texts, and lays the document out; milliseconds for each round.
DRAW: Final = """async ([texts, count, rounds]) => {
  const { AlarmsCard } = await import("/card.js");
  const alarms = Array.from({ length: count }, (_, index) => ({
    id: `a${index}`, name: "Nest Protect", named: false, room: `Room ${index}`, label: null, heard: "live", since: null,
    smoke: index % 7 ? "ok" : "warning", carbon_monoxide: "ok", battery: "ok", ring: "green", testing: false,
    tested: 1.7e9, entities: { "sensor.smoke_level": `sensor.a${index}` } }));
  const ok = { smoke: "ok", carbon_monoxide: "ok", understood: true };
  const home = { id: "h", name: "H", ...ok, entities: {}, alarms, thermostats: [], withheld: [] };
  const links = { e: { title: "L", live: true, age: 1, live_for: 75, last_contact: 9, homes: [home] } };
  const spoken = (key, values = {}) =>
    texts[key.split(".").at(-1)].replace(/\\{(\\w+)\\}/g, (_, name) => values[name]);
  const news = () => ({ links, sent: performance.now() / 1000 });
  let told;
  const hass = {
    locale: { language: "en" }, config: { time_zone: "UTC" }, loadBackendTranslation: async () => spoken,
    connection: { addEventListener() {}, removeEventListener() {},
      subscribeMessage: async (take) => { told = take; queueMicrotask(() => take(news())); return () => {}; } } };
  const times = { first: [], again: [] };
  for (let round = 0; round < rounds; round += 1) {
    const fresh = document.body.appendChild(document.createElement("div"));
    const root = fresh.attachShadow({ mode: "open" });
    const other = new AlarmsCard(root);
    other.update(hass, {});
    await new Promise((resolve) => setTimeout(resolve, 30));
    let begun = performance.now();
    other.connect();
    await null; await null; await null;
    void fresh.offsetHeight;
    times.first.push(performance.now() - begun);
    if (root.querySelectorAll("li").length !== count) throw new Error("not drawn");
    for (const alarm of alarms) alarm.smoke = alarm.smoke === "ok" ? "warning" : "ok";
    begun = performance.now();
    told(news());
    void fresh.offsetHeight;
    times.again.push(performance.now() - begun);
    other.disconnect();
    fresh.remove();
  }
  return times;
}"""

# Resolves with the time, by the machine's clock, of the frame after the one in which the title became another.
NEXT_PICTURE: Final = """(card) => new Promise((resolve) => {
  const title = card.shadowRoot.querySelector(".title");
  new MutationObserver((_, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now())));
  }).observe(title, { childList: true, characterData: true, subtree: true });
})"""


async def measure_drawing(browser: Browser) -> dict[str, list[float]]:
    """Return the milliseconds to draw fifty alarms: a new card, and all of them changed."""
    english = FOLDER.parent / "translations" / "en.json"
    texts = json.loads(english.read_text(encoding="utf-8"))["config_panel"]["card"]
    page = await open_modules_page(browser)
    times: dict[str, list[float]] = await page.evaluate(DRAW, [texts, ALARMS, ROUNDS])
    await page.close()
    return times


async def measure_latency(page: Page, api: HomeAssistantApi, person: NestPerson) -> list[float]:
    """Return the milliseconds from a new state in Home Assistant to the picture of it, change after change."""
    kitchen, card = await alarm_in(person, "Kitchen"), page.locator("works-with-nest-alarms")
    changed: asyncio.Queue[float] = asyncio.Queue()

    def take(change: Json) -> None:
        if change["entity_id"] == ENTITY:
            at = datetime.fromisoformat(change["new_state"]["last_changed"])
            changed.put_nowait(at.timestamp() * 1000)

    times = []
    async with api.socket() as socket:
        await socket.subscribe_to("state_changed", take)
        for level in LEVELS * (ROUNDS // 2):
            picture = asyncio.create_task(card.evaluate(NEXT_PICTURE))
            # Let it look before there is something to see.
            await asyncio.sleep(0.3)
            await person.set_alarm(kitchen, smoke=level)
            times.append(float(await picture) - await changed.get())
    return times


async def measure(folder: Path) -> None:
    """Measure both, and print them."""
    async with held(folder) as state, chromium() as browser:
        for name, times in (await measure_drawing(browser)).items():
            say_figures(f"{ALARMS} alarms, drawn {name}", times)
        state.keep(nest_port=free_port(), home_assistant_port=free_port())
        async with started(state) as servers, servers.signed_in() as api, linked(servers, api) as person:
            frontend = await Frontend.open(browser, api)
            await open_card(frontend, api)
            say_figures("From a new state to its picture", await measure_latency(frontend.page, api, person))
            await frontend.close()


def say_figures(what: str, times: list[float]) -> None:
    """Print some milliseconds. The shortest is what it takes where nothing else runs on the machine."""
    shortest, middle, longest = min(times), median(times), max(times)
    say(f"{what}: shortest {shortest:.1f} ms, median {middle:.1f} ms, longest {longest:.1f} ms, of {len(times)}")


def main() -> None:
    """Measure in a folder that is removed afterwards."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(measure(Path(folder)))
    except ToolError as err:
        sys.exit(f"card_bench: {err}")


if __name__ == "__main__":
    main()
