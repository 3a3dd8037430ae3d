"""A linked server that announces itself elsewhere: followed after its proof, and nobody else is told anything."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant.config_entries import SOURCE_ZEROCONF, ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from yarl import URL

from custom_components.works_with_nest.const import DOMAIN
from tests.certificates import Authority, fingerprint_of
from tools.nest_home import NestHomeServer, NestPerson

from .conftest import EVERYTHING, Browser, until
from .test_linked_again import reconfigure, suggested
from .test_linking import announced


async def hear(hass: HomeAssistant, base: str, entry: ConfigEntry[Any], scheme: str = "http") -> None:
    """Let a server announce itself as that of a link."""
    properties = {"path": "/", "scheme": scheme, "id": entry.data["server"]["server_id"]}
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_ZEROCONF}, data=announced(base, properties=properties)
    )
    assert (result["type"], result["reason"]) == ("abort", "already_configured")
    await hass.async_block_till_done()


class Impostor:
    """A server that says whatever the real one says, at an address of its own, and keeps what it was sent."""

    def __init__(self, server_id: str) -> None:
        self.base = ""
        self.server_id = server_id
        self.proof: Any = "0" * 64
        self.sent: list[str] = []

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.sent.append(f"{request.method} {request.path_qs} {dict(request.headers)} {body}")
        if request.path.endswith("/proof"):
            return web.json_response({"proof": self.proof})
        ours = {
            "protocol": 1,
            "server_id": self.server_id,
            "name": "My Nest home",
            "api_root": self.base,
            "revocation_template": f"{self.base}/oauth2/access_tokens/{{access_token}}",
        }
        endpoints = {
            "authorization_endpoint": f"{self.base}/login/oauth2",
            "token_endpoint": f"{self.base}/oauth2/access_token",
            "registration_endpoint": f"{self.base}/oauth2/register",
        }
        return web.json_response({"issuer": self.base, **endpoints, "works_with_nest": ours})


@pytest.fixture(autouse=True)
async def _repairs(hass: HomeAssistant) -> None:
    """Set up repairs, before a browser comes."""
    assert await async_setup_component(hass, "repairs", {})


@pytest.fixture
async def entry(nest_home: NestHomeServer, person: NestPerson, browser: Browser) -> ConfigEntry[Any]:
    """Return a link."""
    return (await browser.link(nest_home.base, person.accept))["result"]


@pytest.fixture
async def impostor(entry: ConfigEntry[Any]) -> AsyncGenerator[Impostor]:
    """Return a server that claims to be the linked one."""
    impostor = Impostor(entry.data["server"]["server_id"])
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", impostor.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        impostor.base = str(server.make_url("/").origin())
        yield impostor


def moved(hass: HomeAssistant, entry: ConfigEntry[Any]) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"moved_{entry.entry_id}")


async def test_a_server_that_moved_and_proves_it_is_followed(
    hass: HomeAssistant, nest_home: NestHomeServer, entry: ConfigEntry[Any]
) -> None:
    old, token = nest_home.base, entry.data["token"]
    await nest_home.stop()
    await nest_home.start()
    assert nest_home.base != old
    await hear(hass, nest_home.base, entry)
    assert entry.data["server"]["base"] == nest_home.base
    assert entry.data["token"] == token
    assert entry.state is ConfigEntryState.LOADED
    await until(lambda: entry.runtime_data.live)
    assert moved(hass, entry) is None


async def test_who_cannot_prove_it_is_told_no_secret_and_the_person_is_asked(
    hass: HomeAssistant, nest_home: NestHomeServer, entry: ConfigEntry[Any], impostor: Impostor
) -> None:
    before = dict(entry.data)
    await nest_home.stop()
    for number, impostor.proof in enumerate(("0" * 64, "", None, 3, "\u00fc"), 1):
        await hear(hass, impostor.base, entry)
        assert len(impostor.sent) == 2 * number
        assert dict(entry.data) == before
    said = moved(hass, entry)
    assert said is not None
    assert said.translation_placeholders == {"home": "Home", "address": impostor.base}
    secrets = {before["token"]["access_token"], before["client"]["client_secret"]}
    assert [secret for secret in secrets if secret in "\n".join(impostor.sent)] == []
    assert "Authorization" not in "\n".join(impostor.sent)


async def test_nobody_is_followed_while_the_old_address_answers(
    hass: HomeAssistant, nest_home: NestHomeServer, entry: ConfigEntry[Any], impostor: Impostor
) -> None:
    before = dict(entry.data)
    await hear(hass, impostor.base, entry)
    assert (dict(entry.data), impostor.sent, moved(hass, entry)) == (before, [], None)


async def test_a_server_is_not_followed_from_https_to_http(
    hass: HomeAssistant, nest_home: NestHomeServer, entry: ConfigEntry[Any], impostor: Impostor
) -> None:
    await nest_home.stop()
    server = {**entry.data["server"], "base": nest_home.base.replace("http:", "https:")}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "server": server})
    await hear(hass, impostor.base, entry)
    assert impostor.sent == []
    assert moved(hass, entry) is not None


async def test_another_server_with_the_same_announcement_is_not_asked_for_a_proof(
    hass: HomeAssistant, nest_home: NestHomeServer, entry: ConfigEntry[Any], impostor: Impostor
) -> None:
    await nest_home.stop()
    impostor.server_id = "another"
    await hear(hass, impostor.base, entry)
    assert len(impostor.sent) == 1
    assert moved(hass, entry) is not None


async def mend(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: ConfigEntry[Any], address: str
) -> ConfigFlowResult:
    """Begin to mend the repair about an address, and return the form that this leads to."""
    client = await hass_client()
    body = {"handler": DOMAIN, "issue_id": f"moved_{entry.entry_id}"}
    result = await (await client.post("/api/repairs/issues/fix", json=body)).json()
    assert (result["type"], result["reason"]) == ("abort", "ask_again")
    assert result["description_placeholders"]["address"] == address
    kind, flow_id = result["next_flow"]
    assert kind == "config_flow"
    form = await hass.config_entries.flow.async_configure(flow_id)
    assert (form["type"], form["step_id"]) == ("form", "reconfigure")
    return form


async def test_the_repair_leads_to_the_address_and_goes_when_the_link_is_up(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    nest_home: NestHomeServer,
    entry: ConfigEntry[Any],
    impostor: Impostor,
) -> None:
    await nest_home.stop()
    await hear(hass, impostor.base, entry)
    form = await mend(hass, hass_client, entry, impostor.base)
    assert suggested(form)["address"] == impostor.base
    await nest_home.start(int(URL(entry.data["server"]["base"]).port or 0))
    await hass.config_entries.async_reload(entry.entry_id)
    assert moved(hass, entry) is None
    assert suggested(await reconfigure(hass, entry))["address"] == nest_home.base


async def test_a_server_that_moved_and_renewed_its_certificate_is_followed_once_that_is_compared(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    secure_home: NestHomeServer,
    secure_link: ConfigEntry[Any],
    browser: Browser,
    tmp_path: Path,
    elsewhere: str,
) -> None:
    entry, before = secure_link, dict(secure_link.data)
    await secure_home.stop()
    renewed = Authority("nest").pair(tmp_path / "pairs")
    there = NestHomeServer(
        tmp_path / "secure", tmp_path / "there.log", "--seed", "7", "--host", elsewhere, *renewed.options
    )
    moved_to = await there.start()
    try:
        # Whoever shows another certificate may be anybody, so nothing is asked of them.
        await hear(hass, moved_to, entry, "https")
        assert dict(entry.data) == before
        assert "POST" not in there.process.output()
        # The person is led through it, and types nothing.
        form = await mend(hass, hass_client, entry, moved_to)
        form = await browser.submit(form, suggested(form))
        assert (form["type"], form["step_id"]) == ("form", "certificate")
        assert form["description_placeholders"] == {
            "address": moved_to,
            "fingerprint": fingerprint_of(renewed.certificate),
        }
        form = await browser.submit(form, {"same": True})
        assert (form["type"], form["step_id"], form["errors"]) == ("form", "new_address", {})
        assert form["description_placeholders"]["notice"].startswith(f"The page that opens is at {elsewhere}, which")
        # The proof was asked for by then, and the token has not been there.
        assert dict(entry.data) == before
        assert "/proof" in there.process.output()
        assert "GET / " not in there.process.output()
        result = await browser.submit(form, {"by_pin": False})
        assert (result["type"], result["reason"]) == ("abort", "reconfigure_successful")
        await hass.async_block_till_done()
        await until(lambda: entry.runtime_data.live)
        assert URL(entry.data["server"]["base"]) == URL(moved_to)
        assert entry.data["server"]["fingerprint"] == fingerprint_of(renewed.certificate).replace(":", "").lower()
        assert entry.data["token"] == before["token"]
        assert moved(hass, entry) is None
    finally:
        await hass.config_entries.async_unload(entry.entry_id)
        await there.stop()


async def test_the_repair_goes_with_the_link(
    hass: HomeAssistant, nest_home: NestHomeServer, entry: ConfigEntry[Any], impostor: Impostor
) -> None:
    await nest_home.stop()
    await hear(hass, impostor.base, entry)
    assert moved(hass, entry) is not None
    await hass.config_entries.async_remove(entry.entry_id)
    assert moved(hass, entry) is None


async def test_a_typed_address_gets_no_secret_without_the_proof(
    hass: HomeAssistant, browser: Browser, entry: ConfigEntry[Any], impostor: Impostor
) -> None:
    before = dict(entry.data)
    form = await browser.submit(await reconfigure(hass, entry), {"address": impostor.base, **EVERYTHING})
    assert (form["step_id"], form["errors"]) == ("reconfigure", {"address": "not_proven"})
    assert any("/proof" in each for each in impostor.sent)
    secrets = {before["token"]["access_token"], before["client"]["client_secret"]}
    assert [secret for secret in secrets if secret in "\n".join(impostor.sent)] == []
    assert "Authorization" not in "\n".join(impostor.sent)
    assert dict(entry.data) == before


async def test_a_typed_address_without_https_is_refused_to_a_link_that_has_it(
    hass: HomeAssistant, browser: Browser, entry: ConfigEntry[Any], impostor: Impostor
) -> None:
    server = {**entry.data["server"], "base": entry.data["server"]["base"].replace("http:", "https:")}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "server": server})
    form = await browser.submit(await reconfigure(hass, entry), {"address": impostor.base, **EVERYTHING})
    assert (form["step_id"], form["errors"]) == ("reconfigure", {"address": "less_secure"})
    assert len(impostor.sent) == 1
    # The same where the client was brought along.
    data = {key: value for key, value in entry.data.items() if key != "client"}
    hass.config_entries.async_update_entry(entry, data=data)
    fields = {"address": impostor.base, "accept_again": False, "by_pin": False}
    form = await browser.submit(await reconfigure(hass, entry), fields)
    assert (form["step_id"], form["errors"]) == ("own_link", {"address": "less_secure"})
    assert len(impostor.sent) == 2
