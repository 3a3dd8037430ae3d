"""An address that is typed: found with or without a scheme, and a clear answer for each way it can fail."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
import ssl
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from homeassistant.config_entries import SOURCE_ZEROCONF, ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import pytest
from yarl import URL

from custom_components.works_with_nest import config_flow, oauth
from custom_components.works_with_nest.const import DOMAIN
from custom_components.works_with_nest.wwn import NestServer
from custom_components.works_with_nest.wwn.errors import WwnConnectionError
from tests.certificates import Authority, fingerprint_of
from tools.nest_home import NestHomeServer, NestPerson

from .conftest import EVERYTHING, PASSWORD, Browser, until
from .test_linking import announced

type Answering = Callable[..., Awaitable[URL]]


@pytest.fixture
async def answering() -> AsyncGenerator[Answering]:
    """Return a function that answers every request with some JSON, at the address that it returns."""
    async with AsyncExitStack() as stack:

        async def answering(said: Callable[[URL], Any]) -> URL:
            async def handler(request: web.Request) -> web.Response:
                return web.json_response(said(request.url.origin()))

            app = web.Application()
            app.router.add_get("/{path:.*}", handler)
            server = TestServer(app, host="127.0.0.1")
            await server.start_server(access_log=None)
            stack.push_async_callback(server.close)
            return server.make_url("/").origin()

        yield answering


async def asked(browser: Browser, address: str) -> Any:
    return await browser.submit(await browser.start(), {"address": address})


@pytest.mark.parametrize(
    ("protocol", "error"),
    [
        (2, {"address": "protocol_too_new"}),
        (0, {"address": "protocol_too_old"}),
        (None, {"address": "not_works_with_nest"}),
        ("1", {"address": "not_works_with_nest"}),
        (True, {"address": "not_works_with_nest"}),
    ],
)
async def test_another_version_of_the_protocol_is_said(
    browser: Browser, answering: Answering, protocol: Any, error: dict[str, str]
) -> None:
    base = await answering(lambda base: {"issuer": str(base), "works_with_nest": {"protocol": protocol}})
    result = await asked(browser, str(base))
    assert (result["step_id"], result["errors"]) == ("user", error)


async def test_a_path_that_leads_elsewhere_is_said_and_one_that_does_no_harm_is_left_out(
    browser: Browser, answering: Answering, nest_home: NestHomeServer
) -> None:
    base = await answering(lambda _: {"hello": "I am a proxy"})
    result = await asked(browser, f"{base}/nest/")
    assert (result["step_id"], result["errors"]) == ("user", {"address": "address_path"})
    result = await asked(browser, f"{nest_home.base.removeprefix('http://')}/connections")
    assert result["step_id"] == "share"


async def test_a_redirect_is_not_followed_and_said(browser: Browser) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})

    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    async with TestServer(app, host="127.0.0.1") as server:
        result = await asked(browser, str(server.make_url("/")))
    assert (result["step_id"], result["errors"]) == ("user", {"address": "redirected"})


async def test_a_server_without_https_is_said_not_to_answer_it(browser: Browser, nest_home: NestHomeServer) -> None:
    result = await asked(browser, nest_home.base.replace("http:", "https:"))
    assert (result["step_id"], result["errors"]) == ("user", {"address": "cannot_connect"})


@pytest.mark.parametrize("spelling", ["https://127.0.0.1:{port}", "127.0.0.1:{port}"])
async def test_a_certificate_signed_by_itself_is_compared_and_then_only_that_one_is_taken(
    hass: HomeAssistant, secure_home: NestHomeServer, browser: Browser, tmp_path: Path, spelling: str
) -> None:
    port = URL(secure_home.base).port
    shown = fingerprint_of(tmp_path / "pairs" / "nest.pem")
    result = await asked(browser, spelling.format(port=port))
    assert (result["type"], result["step_id"]) == ("form", "certificate")
    assert result["description_placeholders"]["fingerprint"] == shown
    result = await browser.submit(result, {"same": False})
    assert (result["step_id"], result["errors"]) == ("certificate", {"same": "not_compared"})
    assert result["description_placeholders"]["fingerprint"] == shown
    result = await browser.submit(result, {"same": True})
    assert result["step_id"] == "share"


async def test_a_link_by_a_confirmed_certificate_ends_when_the_certificate_is_another(
    hass: HomeAssistant, secure_home: NestHomeServer, secure_link: ConfigEntry[Any], tmp_path: Path
) -> None:
    port = URL(secure_home.base).port or 0
    await secure_home.stop()
    # Another certificate of the same name, as somebody in between would have one.
    Authority("nest").pair(tmp_path / "pairs")
    await secure_home.start(port)
    await hass.config_entries.async_reload(secure_link.entry_id)
    # Nothing that passes by itself, so it is not waited for half an hour.
    await until(lambda: ir.async_get(hass).async_get_issue(DOMAIN, f"link_down_{secure_link.entry_id}"))
    said = ir.async_get(hass).async_get_issue(DOMAIN, f"link_down_{secure_link.entry_id}")
    assert said.translation_placeholders["cause"].startswith("The certificate of this server is not the one")
    assert hass.states.get("binary_sensor.home_connection").state == "off"


async def notice_on(browser: Browser, address: str) -> str:
    result = await asked(browser, address)
    assert result["step_id"] == "share", result
    notice: str = result["description_placeholders"]["notice"]
    return notice


async def test_a_page_that_only_opens_on_the_servers_machine_is_said_before_it_opens(
    browser: Browser, nest_home: NestHomeServer
) -> None:
    # The browser of these tests is at https://example.com.
    notice = await notice_on(browser, nest_home.base)
    assert notice.startswith("The page that opens is at 127.0.0.1, which is only this name on the machine")
    assert "Your browser is on another machine" in notice


async def test_it_is_said_of_a_found_server_too_before_anybodys_browser_is_there(
    hass: HomeAssistant, browser: Browser, nest_home: NestHomeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oauth, "redirect_uri", lambda: None)
    found = announced(nest_home.base)
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_ZEROCONF}, data=found)
    assert result["step_id"] == "share"
    notice = result["description_placeholders"]["notice"]
    assert notice.startswith("The page that opens is at 127.0.0.1, which is only this name on the machine")
    assert "If your browser is on another machine" in notice


async def test_a_browser_on_the_same_machine_needs_no_notice(
    browser: Browser, nest_home: NestHomeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oauth, "redirect_uri", lambda: "http://127.0.0.1:8123/auth/external/callback")
    assert await notice_on(browser, nest_home.base) == ""


async def test_plain_http_in_the_house_is_said_to_be_open_to_the_house(
    browser: Browser, nest_home: NestHomeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = NestServer.from_dict(
        {
            "base": "http://192.168.1.20:9553",
            "server_id": "1",
            "name": "Nest",
            "authorization_endpoint": "http://192.168.1.20:9553/login/oauth2",
            "token_endpoint": "http://192.168.1.20:9553/oauth2/access_token",
            "registration_endpoint": "http://192.168.1.20:9553/oauth2/register",
            "api_root": "http://192.168.1.20:9553",
            "revocation_template": "http://192.168.1.20:9553/oauth2/access_tokens/{access_token}",
            "shards": [],
            "browser_url": None,
        }
    )

    async def find(*_: Any) -> NestServer:
        return found

    monkeypatch.setattr(config_flow, "async_find_registering", find)
    notice = await notice_on(browser, "192.168.1.20")
    assert notice.startswith("This server uses plain http, so people on this network could read or fake the data.")


async def test_a_certificate_that_cannot_be_read_any_more_ends_with_a_sentence(
    secure_home: NestHomeServer, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(_base: URL) -> str:
        msg = "gone"
        raise WwnConnectionError(msg)

    monkeypatch.setattr(config_flow, "async_fingerprint", gone)
    result = await asked(browser, secure_home.base)
    assert (result["type"], result["reason"]) == ("abort", "cannot_connect")


async def test_a_confirmed_certificate_counts_for_its_own_address_only(
    secure_home: NestHomeServer, browser: Browser, tmp_path: Path
) -> None:
    pair = Authority("other").pair(tmp_path / "others")
    other = NestHomeServer(tmp_path / "other", tmp_path / "other.log", *pair.options)
    await other.start()
    try:
        form = await asked(browser, secure_home.base)
        # It is confirmed, and the server is gone by then, so the address is asked for again.
        await secure_home.stop()
        form = await browser.submit(form, {"same": True})
        assert (form["step_id"], form["errors"]) == ("user", {"address": "cannot_connect"})
        form = await browser.submit(form, {"address": other.base})
        assert form["step_id"] == "certificate"
        assert form["description_placeholders"]["fingerprint"] == fingerprint_of(pair.certificate)
    finally:
        await other.stop()


def found_secure(server: NestHomeServer, server_id: str | None) -> ZeroconfServiceInfo:
    """Return the announcement of a server with https."""
    said = {"path": "/", "scheme": "https", **({"id": server_id} if server_id else {})}
    return announced(server.base, properties=said)


async def found(hass: HomeAssistant, server: NestHomeServer, server_id: str | None) -> ConfigFlowResult:
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_ZEROCONF}, data=found_secure(server, server_id)
    )


async def test_a_found_server_with_a_certificate_signed_by_itself_is_linked_once_that_is_compared(
    hass: HomeAssistant, secure_home: NestHomeServer, browser: Browser, tmp_path: Path
) -> None:
    certificate = tmp_path / "pairs" / "nest.pem"
    server_id = await id_of(secure_home, certificate)
    form = await found(hass, secure_home, server_id)
    assert (form["type"], form["step_id"]) == ("form", "certificate")
    assert form["description_placeholders"] == {
        "address": secure_home.base,
        "fingerprint": fingerprint_of(certificate),
    }
    (card,) = hass.config_entries.flow.async_progress()
    assert card["context"]["title_placeholders"] == {"name": "My Nest home"}
    # It announces itself more than once, and is one card.
    again = await found(hass, secure_home, server_id)
    assert (again["type"], again["reason"]) == ("abort", "already_in_progress")
    form = await browser.submit(form, {"same": False})
    assert (form["step_id"], form["errors"]) == ("certificate", {"same": "not_compared"})
    form = await browser.submit(form, {"same": True})
    assert form["step_id"] == "share"
    step = await browser.submit(form, EVERYTHING)
    async with NestPerson(secure_home.base, "ada", PASSWORD, certificate) as person:
        end = await browser.come_back(step, person.accept)
    assert end["type"] == "create_entry", end
    await hass.async_block_till_done()
    entry = end["result"]
    assert entry.data["server"]["fingerprint"] == fingerprint_of(certificate).replace(":", "").lower()
    assert entry.data["server"]["server_id"] == server_id
    again = await found(hass, secure_home, server_id)
    assert (again["type"], again["reason"]) == ("abort", "already_configured")
    assert hass.config_entries.flow.async_progress() == []


async def test_the_certificate_of_a_found_server_is_compared_anew_where_it_changed_meanwhile(
    hass: HomeAssistant, secure_home: NestHomeServer, browser: Browser, tmp_path: Path
) -> None:
    form = await found(hass, secure_home, "1")
    port = URL(secure_home.base).port or 0
    await secure_home.stop()
    renewed = Authority("nest").pair(tmp_path / "pairs")
    await secure_home.start(port)
    form = await browser.submit(form, {"same": True})
    assert form["step_id"] == "certificate"
    assert form["description_placeholders"]["fingerprint"] == fingerprint_of(renewed.certificate)
    form = await browser.submit(form, {"same": True})
    assert form["step_id"] == "share"


async def test_a_found_server_whose_certificate_is_no_good_is_shown_with_what_is_wrong(
    hass: HomeAssistant, browser: Browser, tmp_path: Path
) -> None:
    pair = Authority("nest").sign(tmp_path / "pairs", "old", days=(-9, -1))
    server = NestHomeServer(tmp_path / "secure", tmp_path / "secure.log", *pair.options)
    await server.start()
    try:
        form = await found(hass, server, "1")
        assert (form["type"], form["step_id"]) == ("form", "user")
        assert form["errors"].keys() == {"address"}
        assert form["errors"]["address"].startswith("certificate_")
        (field,) = form["data_schema"].schema
        assert field.description == {"suggested_value": server.base}
    finally:
        await server.stop()


async def test_an_announcement_with_https_and_without_an_id_is_passed_over(
    hass: HomeAssistant, secure_home: NestHomeServer, browser: Browser
) -> None:
    result = await found(hass, secure_home, None)
    assert (result["type"], result["reason"]) == ("abort", "not_works_with_nest")
    assert hass.config_entries.flow.async_progress() == []


async def test_a_found_server_with_another_id_than_it_announced_is_not_offered_where_that_one_is_linked(
    hass: HomeAssistant, secure_home: NestHomeServer, secure_link: ConfigEntry[Any], browser: Browser
) -> None:
    form = await found(hass, secure_home, "another")
    assert form["step_id"] == "certificate"
    result = await browser.submit(form, {"same": True})
    assert (result["type"], result["reason"]) == ("abort", "already_configured")


async def id_of(server: NestHomeServer, certificate: Path) -> str:
    """Return the id of a server, as its own document says it."""
    trusted = ssl.create_default_context(cafile=certificate)
    url = f"{server.base}/.well-known/oauth-authorization-server"
    async with ClientSession() as session, session.get(url, ssl=trusted) as response:
        return str((await response.json())["works_with_nest"]["server_id"])
