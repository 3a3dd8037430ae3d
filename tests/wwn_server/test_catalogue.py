from collections.abc import AsyncIterator
import re
import socket
from uuid import uuid4

import pytest
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from wwn_server import finding
from wwn_server.finding import Finder, Found, origin

from .hub import Hub
from .person import Person, hidden_fields

ADD = "/config/integrations/dashboard/add?domain=works_with_nest"


@pytest.fixture
def service_type(monkeypatch: pytest.MonkeyPatch) -> str:
    """Search for services of a type that nobody else on this machine announces."""
    name = f"_ha-{uuid4().hex[:8]}._tcp.local."
    monkeypatch.setattr(finding, "SERVICE_TYPE", name)
    return name


@pytest.fixture
async def announced(service_type: str) -> AsyncIterator[None]:
    """Three Home Assistants on loopback; one tells its address, one none, one something that is none."""
    zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"])
    told: dict[str, dict[str, str]] = {
        "one": {"location_name": "Villa", "internal_url": "http://homeassistant.local:8123/path"},
        "two": {},
        "three": {"location_name": "Evil\n<b>", "base_url": "javascript:alert(1)"},
    }
    for name, properties in told.items():
        info = AsyncServiceInfo(
            service_type,
            f"{name}.{service_type}",
            addresses=[socket.inet_aton("127.0.0.1")],
            port=8123,
            properties=properties,
            server=f"{name}.local.",
        )
        await (await zeroconf.async_register_service(info))
    yield
    await zeroconf.async_unregister_all_services()
    await zeroconf.async_close()


async def keep(person: Person, address: str) -> str:
    """Say where Home Assistant is, and return the page that follows."""
    fields = hidden_fields(await (await person.get("/catalogue")).text())
    answer = await person.post("/catalogue/home-assistant", fields | {"address": address})
    if answer.status == 303:
        answer = await person.get(answer.headers["Location"])
    return await answer.text()


async def test_who_is_not_signed_in_signs_in_and_comes_back(person: Person) -> None:
    answer = await person.get("/catalogue", allow_redirects=False)
    assert answer.headers["Location"] == "/sign-in?next=%2Fcatalogue"


async def test_home_assistant_comes_first_and_asks_where_it_is(person: Person) -> None:
    person.be_signed_in()
    page = await (await person.get("/catalogue")).text()
    assert re.findall(r"<h2[^>]*>([^<]*)</h2>", page) == ["Home Assistant", "Any other connection"]
    assert 'name="address"' in page
    assert ADD not in page


async def test_an_address_is_given_once_and_then_there_is_connect(person: Person) -> None:
    person.be_signed_in()
    page = await keep(person, "homeassistant.local:8123")
    assert "The address was kept." in page
    assert f'href="http://homeassistant.local:8123{ADD}"' in page
    assert f'href="http://homeassistant.local:8123{ADD}"' in await (await person.get("/catalogue")).text()


async def test_it_is_each_persons_own(person: Person) -> None:
    person.be_signed_in()
    await keep(person, "homeassistant.local:8123")
    person.be_signed_in("ben")
    assert "homeassistant.local:8123/config" not in await (await person.get("/catalogue")).text()


@pytest.mark.parametrize("address", ["", "javascript:alert(1)", "http://ha.example", "//x", "a b", "http://u@nas"])
async def test_what_can_not_be_opened_is_said_at_the_field(person: Person, address: str) -> None:
    person.be_signed_in()
    page = await keep(person, address)
    assert "This is not an address that can be opened." in page
    assert 'aria-invalid="true"' in page
    assert ADD not in page


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (" nas ", "http://nas"),
        ("192.168.1.5:8123", "http://192.168.1.5:8123"),
        ("[fd00::5]:8123", "http://[fd00::5]:8123"),
        ("ha.example", "https://ha.example"),
        ("https://ha.example:8443/lovelace/0?x=1", "https://ha.example:8443"),
        ("http://ha.example", None),
        ("ftp://nas", None),
    ],
)
def test_an_address_is_taken_as_people_type_it(typed: str, address: str | None) -> None:
    assert origin(typed) == address


async def test_other_hubs_are_told_the_addresses_to_use(hub: Hub, person: Person) -> None:
    person.be_signed_in()
    page = await (await person.get("/catalogue")).text()
    for path in ("/login/oauth2?", "/oauth2/access_token<", "/oauth2/register ", "/oauth2/access_tokens/"):
        assert f"{hub.base}{path}" in page


async def test_a_search_finds_what_is_announced(announced: None) -> None:
    assert set(await Finder("127.0.0.1").find()) == {
        Found("Villa", "http://homeassistant.local:8123"),
        Found("two", "http://127.0.0.1:8123"),
        Found("Evil<b>", "http://127.0.0.1:8123"),
    }


async def test_what_was_found_is_shown_as_plain_text_and_can_be_used(announced: None, person: Person) -> None:
    person.be_signed_in()
    page = await (await person.get("/catalogue?look=1")).text()
    assert "Villa" in page
    assert "Evil&lt;b&gt;" in page
    assert "nobody checked them" in page
    assert 'name="address" value="http://homeassistant.local:8123"' in page


async def test_a_search_that_finds_nothing_says_so(service_type: str, person: Person) -> None:
    person.be_signed_in()
    page = await (await person.get("/catalogue?look=1")).text()
    assert "No Home Assistant told the network where it is." in page


def test_home_assistants_own_type_is_searched_for() -> None:
    assert finding.SERVICE_TYPE == "_home-assistant._tcp.local."


async def test_a_network_that_can_not_be_asked_has_none(caplog: pytest.LogCaptureFixture) -> None:
    assert await Finder("203.0.113.7").find() == ()
    assert "can't be searched" in caplog.text
