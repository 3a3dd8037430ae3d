"""What the card does where something that it needs does not come: a module, its texts, or an answer."""

from collections.abc import AsyncGenerator

from playwright.async_api import Browser, Page, Route, expect
import pytest
import pytest_asyncio

from tools.modules_page import open_modules_page

# A Home Assistant whose texts come only after some questions, and which refuses its news as long as is said.
FAKE = """
  window.asked = 0;
  window.refusals = 0;
  const alarm = { id: "a", name: "A", named: false, room: "Kitchen", label: null, entities: {}, since: null,
    smoke: "ok", carbon_monoxide: "ok", testing: false, tested: null, battery: "ok", ring: null, heard: "live" };
  window.homes = (change) => {
    const ok = { smoke: "ok", carbon_monoxide: "ok", understood: true };
    const inside = { entities: {}, thermostats: [], withheld: [], alarms: [{ ...alarm, ...change }] };
    const homes = [{ id: "h", name: "H", ...ok, ...inside }];
    const link = { title: "L", live: true, age: 0, live_for: 75, last_contact: 9, homes };
    return { sent: performance.now() / 1000, links: { e: link } };
  };
  const texts = { alarm: "Alarm", all_clear: "All clear", emergency: "Emergency",
    emergency_smoke: "Smoke in the {room}",
    silent: "{state}, not heard from", no_alarms: "No alarms" };
  const prefix = "component.works_with_nest.config_panel.card.";
  window.hass = {
    locale: { language: "en" },
    config: { time_zone: "UTC" },
    // As Home Assistant does it: what it failed to get once it takes for loaded.
    loadBackendTranslation: async () => {
      if (!window.asked++) throw new Error("Connection lost");
      return () => "";
    },
    callWS: async () => {
      if (window.asked++ < 3) throw new Error("Connection lost");
      return { resources: Object.fromEntries(Object.entries(texts).map(([key, text]) => [prefix + key, text])) };
    },
    connection: {
      addEventListener() {},
      removeEventListener() {},
      async subscribeMessage(take) {
        if (window.refusals-- > 0) throw new Error("Unknown command");
        window.tell = (change) => take(window.homes(change));
        setTimeout(() => window.tell({}));
        return () => {};
      },
    },
  };
"""

SHOW = """() => {
  const card = document.createElement("works-with-nest-alarms");
  card.setConfig({});
  card.hass = window.hass;
  document.body.append(card);
  window.card = card;
}"""


pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncGenerator[Page]:
    page = await open_modules_page(browser)
    await page.evaluate(f"() => {{{FAKE}}}")
    yield page
    await page.close()


async def test_a_card_whose_module_and_texts_fail_at_first_shows_all_once_they_come(page: Page) -> None:
    failed: list[str] = []

    async def fail_once(route: Route) -> None:
        if failed:
            await route.fallback()
            return
        failed.append(route.request.url)
        await route.abort()

    await page.route("**/card.js", fail_once)
    await page.clock.install()
    await page.evaluate("import('/loader.js')")
    await page.evaluate(SHOW)
    await page.wait_for_function("() => window.card.load === null")
    # The next change of any state.
    await page.evaluate("() => { window.card.hass = window.hass; }")
    await page.wait_for_function("() => window.asked > 1")
    await page.clock.run_for(12_000)
    await expect(page.locator(".title")).to_have_text("All clear")
    assert len(failed) == 1


async def test_an_emergency_that_falls_silent_is_announced_as_one(page: Page) -> None:
    await page.evaluate("() => { window.asked = 9; }")
    await page.evaluate("import('/loader.js')")
    await page.evaluate(SHOW)
    await expect(page.locator(".title")).to_have_text("All clear")
    await page.evaluate("() => window.tell({ smoke: 'emergency' })")
    alert = page.get_by_role("alert")
    await expect(alert).to_have_text("Emergency. Smoke in the Kitchen")
    await page.evaluate("() => window.tell({ smoke: 'emergency', heard: 'offline' })")
    await expect(alert).to_have_text("Smoke in the Kitchen. Emergency, not heard from")


async def test_a_dashboard_that_was_refused_before_is_made_once_there_are_news(page: Page) -> None:
    made = """async () => {
      window.asked = 9;
      window.refusals = 1;
      const { generate } = await import("/strategy.js");
      const titles = async () => (await generate(window.hass)).views.map((view) => view.path);
      return [await titles(), await titles()];
    }"""
    assert await page.evaluate(made) == [["home"], ["h"]]
