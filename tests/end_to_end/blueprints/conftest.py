"""A stage for blueprints: imported by link, filled in as in the editor, with phones that really get their pushes."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from homeassistant.components.automation.const import DOMAIN as AUTOMATION
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant, ServiceCall, State
from homeassistant.helpers import device_registry as dr, selector
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service, mock_restore_cache
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator
import yaml

from custom_components.works_with_nest.const import DOMAIN
from tests.end_to_end.conftest import Browser, until
from tests.end_to_end.test_live import alarm_in, state_of
from tests.works_with_nest.automations import arm_automations
from tools.nest_home import NestHomeServer, NestPerson
from tools.paths import CHECKOUT

BLUEPRINTS = CHECKOUT / "blueprints" / "automation" / "works_with_nest"
# Beside our own entities: a light and a lock, each of which is what an input says it is.
HELPERS = ("hall", "door", "on_the_way")
PHONE = {
    "app_id": "app",
    "app_name": "App",
    "app_version": "1",
    "manufacturer": "Maker",
    "model": "Phone",
    "os_name": "OS",
    "os_version": "1",
    "supports_encryption": False,
}


class Phones:
    """The service that pushes to phones; it notes what it is given."""

    def __init__(self) -> None:
        self.pushes: list[dict[str, Any]] = []
        self.is_down = False
        self.url = ""

    async def push(self, request: web.Request) -> web.Response:
        if self.is_down:
            return web.json_response({"message": "No."}, status=500)
        self.pushes.append(await request.json())
        return web.json_response({}, status=201)

    @property
    def messages(self) -> list[str]:
        return [push["message"] for push in self.pushes]


@pytest.fixture
async def files() -> AsyncGenerator[tuple[str, Phones]]:
    """Return a server with the blueprints on it, which also is the service that pushes to phones."""
    phones = Phones()
    app = web.Application()
    app.router.add_static("/blueprints", BLUEPRINTS)
    app.router.add_post("/push", phones.push)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    phones.url = f"{base}/push"
    yield base, phones
    await runner.cleanup()


@pytest.fixture
def phones(files: tuple[str, Phones]) -> Phones:
    return files[1]


@pytest.fixture(autouse=True)
async def _house(hass: HomeAssistant, _stage: None, tmp_path: Path) -> None:
    """Set up the house around the link, with a configuration folder of its own, where blueprints and automations go."""
    folder = tmp_path / "config"
    folder.mkdir()
    hass.config.config_dir = str(folder)
    (folder / "configuration.yaml").write_text("automation: !include automations.yaml\n")
    (folder / "automations.yaml").write_text("[]\n")
    booleans: dict[str, Any] = {name: {} for name in HELPERS}
    assert await async_setup_component(hass, "input_boolean", {"input_boolean": booleans})
    light, lock = switchable("Hall", "turn_on", "turn_off"), switchable("Door", "lock", "unlock")
    template = [{"light": [light]}, {"lock": [lock]}]
    assert await async_setup_component(hass, "template", {"template": template})
    await call(hass, "input_boolean.turn_on", entity_id="input_boolean.door")
    for component in ("homeassistant", "auth", "config", "mobile_app", "automation", "person", "works_with_nest"):
        assert await async_setup_component(hass, component, {})
    await hass.async_block_till_done()


def switchable(name: str, on: str, off: str) -> dict[str, Any]:
    """Return an entity that is on or off as a helper of the same name is."""
    helper = f"input_boolean.{name.lower()}"
    turns = {
        action: [{"action": f"input_boolean.{turn}", "target": {"entity_id": helper}}]
        for action, turn in ((on, "turn_on"), (off, "turn_off"))
    }
    return {"name": name, "state": f"{{{{ is_state('{helper}', 'on') }}}}", **turns}


async def call(hass: HomeAssistant, action: str, **data: Any) -> None:
    domain, _, service = action.partition(".")
    await hass.services.async_call(domain, service, data, blocking=True)


async def restart_with(hass: HomeAssistant, automation: str, ago: timedelta = timedelta()) -> None:
    """Let Home Assistant end and start with an automation that last ran so much earlier than it did."""
    before = hass.states.get(automation)
    assert before is not None
    ran = before.attributes["last_triggered"] - ago
    # What ran ends with Home Assistant; then nothing is there but what was stored.
    await call(hass, "automation.turn_off", entity_id=automation)
    automations = Path(hass.config.path("automations.yaml"))
    written = await hass.async_add_executor_job(automations.read_text)
    await hass.async_add_executor_job(automations.write_text, "[]\n")
    await call(hass, "automation.reload")
    mock_restore_cache(hass, [State(automation, "on", {"last_triggered": ran.isoformat()})])
    hass.set_state(CoreState.not_running)
    await hass.async_add_executor_job(automations.write_text, written)
    await call(hass, "automation.reload")
    hass.set_state(CoreState.starting)
    await arm_automations(hass)
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()


class Automations:
    """Somebody at Home Assistant's editor."""

    def __init__(self, hass: HomeAssistant, base: str, sockets: WebSocketGenerator, client: Any) -> None:
        self.hass = hass
        self._base = base
        self._sockets = sockets
        self._client = client

    async def import_blueprint(self, name: str) -> dict[str, Any]:
        """Import a blueprint by its link, and return what is shown of it."""
        socket = await self._sockets(self.hass)
        await socket.send_json_auto_id({"type": "blueprint/import", "url": f"{self._base}/blueprints/{name}.yaml"})
        shown = (await socket.receive_json())["result"]
        assert shown["validation_errors"] is None
        file = {"domain": AUTOMATION, "path": f"works_with_nest/{name}.yaml", "yaml": shown["raw_data"]}
        await socket.send_json_auto_id({"type": "blueprint/save", **file, "allow_override": True})
        assert (await socket.receive_json())["success"]
        return shown["blueprint"]["metadata"]

    async def use(self, name: str, **inputs: Any) -> str:
        """Import a blueprint, fill it in, save it, and return the automation's entity."""
        await self.import_blueprint(name)
        asked = fields(load(name)["blueprint"])
        for key, value in inputs.items():
            selector.selector(asked[key]["selector"])(value)
        path = f"works_with_nest/{name}.yaml"
        config = {"alias": name, "use_blueprint": {"path": path, "input": inputs}}
        response = await self._client.post(f"/api/config/automation/config/{name}", json=config)
        assert response.status == 200, await response.text()
        await self.hass.async_block_till_done()
        assert state_of(self.hass, f"automation.{name}") == "on"
        return f"automation.{name}"

    async def add_phone(self, name: str, phones: Phones) -> str:
        """Register the app on a phone, and return its device."""
        push = {"push_token": f"token of {name}", "push_url": phones.url}
        registration = {**PHONE, "device_name": name, "device_id": name, "app_data": push}
        response = await self._client.post("/api/mobile_app/registrations", json=registration)
        assert response.status == 201
        await self.hass.async_block_till_done()
        return next(each.id for each in dr.async_get(self.hass).devices if each.name == name)


def fields(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs of a blueprint, out of their sections."""
    found: dict[str, Any] = {}
    for key, value in metadata["input"].items():
        found |= value.get("input", {key: value})
    return found


@pytest.fixture
async def automations(
    hass: HomeAssistant,
    _house: None,
    files: tuple[str, Phones],
    hass_ws_client: WebSocketGenerator,
    hass_client: ClientSessionGenerator,
) -> AsyncGenerator[Automations]:
    """Return somebody at the editor, who leaves no automation behind that waits for its time."""
    yield Automations(hass, files[0], hass_ws_client, await hass_client())
    await call(hass, "automation.turn_off", entity_id="all")


@pytest.fixture
async def phone(automations: Automations, phones: Phones) -> str:
    """Return the device of a phone, whose name a person has changed."""
    device = await automations.add_phone("Ada's Phone", phones)
    dr.async_get(automations.hass).async_update_device(device, name_by_user="The phone")
    return device


@pytest.fixture
async def kitchen(nest_home: NestHomeServer, person: NestPerson, browser: Browser, automations: Automations) -> str:
    """Link the home, with everything there is to share, and return the alarm in its kitchen."""
    everything = {"thermostat": "change", "away": "change", "smoke_co": True, "arrivals": True}
    result = await browser.link(nest_home.base, person.accept, everything)
    assert result["type"] == "create_entry", result
    return alarm_in(await person.document(), "Kitchen")


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A house with a linked Nest home, and what its automations do."""

    hass: HomeAssistant
    person: NestPerson
    kitchen: str
    automations: Automations
    phones: Phones
    done: list[str]
    storage: dict[str, Any]

    async def sense(self, **what: Any) -> None:
        """Let the alarm in the kitchen sense something, or cut it off and the like."""
        await self.person.set_alarm(self.kitchen, **what)

    async def shows(self, entity_id: str, state: str) -> None:
        """Wait until an entity has a state, and until all that comes of it is done."""
        await until(lambda: state_of(self.hass, entity_id) == state)
        await self.hass.async_block_till_done()

    def running(self, automation: str) -> int:
        """Return how often an automation runs at this moment."""
        state = self.hass.states.get(automation)
        return state.attributes["current"] if state else -1

    @asynccontextmanager
    async def deaf(self, since: timedelta = timedelta()) -> AsyncIterator[None]:
        """Let nothing be heard of the Nest home meanwhile, as if Home Assistant had been down for so long before."""
        (entry,) = self.hass.config_entries.async_entries(DOMAIN)
        assert await self.hass.config_entries.async_unload(entry.entry_id)
        stored = self.storage[f"{DOMAIN}.{entry.entry_id}"]["data"]
        stored["last_contact"] = (dt_util.utcnow() - since).isoformat()
        yield
        assert await self.hass.config_entries.async_setup(entry.entry_id)


@pytest.fixture
def house(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    person: NestPerson,
    kitchen: str,
    automations: Automations,
    phones: Phones,
    done: list[str],
) -> House:
    """Return a house of which everything is shared."""
    return House(
        hass=hass,
        person=person,
        kitchen=kitchen,
        automations=automations,
        phones=phones,
        done=done,
        storage=hass_storage,
    )


@pytest.fixture
def said(hass: HomeAssistant) -> list[ServiceCall]:
    """Return what voice assistants, then speakers are told to say; there is none of either here."""
    calls = async_mock_service(hass, "assist_satellite", "announce")
    hass.services.async_register("tts", "speak", calls.append)
    return calls


@pytest.fixture
def done(hass: HomeAssistant) -> list[str]:
    """Return the names of the own actions that ran, as event() makes them."""
    seen: list[str] = []
    hass.bus.async_listen("done", lambda event: seen.append(event.data["name"]))
    return seen


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what automations complained of."""
    loud = (each for each in caplog.records if each.levelname in {"WARNING", "ERROR"})
    return [each.getMessage() for each in loud if each.name.startswith("homeassistant.components.automation")]


def event(name: str) -> list[dict[str, Any]]:
    """Return an own action as the editor writes it."""
    return [{"event": "done", "event_data": {"name": name}}]


def load(name: str) -> dict[str, Any]:
    """Return a blueprint, its inputs as they are named."""

    class Loader(yaml.SafeLoader):
        """Knows the tag of inputs."""

    Loader.add_constructor("!input", lambda loader, node: {"!input": node.value})
    return yaml.load((BLUEPRINTS / f"{name}.yaml").read_text(encoding="utf-8"), Loader)  # noqa: S506 - a safe one
