"""What a proxy says about the request behind it counts if the proxy is trusted, and is not read otherwise."""

from ipaddress import ip_network
import logging

from aiohttp import ClientSession
import pytest

from wwn_server.settings import Network, Settings

from .conftest import Running
from .hub import Hub, metadata
from .person import PASSWORD, Person, hidden_fields
from .test_logs import raw

FORWARDED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "nas.local:8443"}
DISCOVERY = "/.well-known/oauth-authorization-server"


def configured(settings: Settings, *proxies: str, registrations: int = 1000) -> Settings:
    networks: tuple[Network, ...] = tuple(ip_network(each) for each in proxies)
    return Settings(data=settings.data, announce=False, registrations_per_minute=registrations, trusted_proxy=networks)


class TestTrusted:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return configured(settings, "127.0.0.0/8", "10.0.0.7/32", registrations=1)

    async def test_discovery_tells_the_address_that_was_asked_for(
        self, server: Running, session: ClientSession
    ) -> None:
        document = await (await session.get(server.base + DISCOVERY, headers=FORWARDED)).json()
        assert document["issuer"] == "https://nas.local:8443"
        assert document["token_endpoint"] == "https://nas.local:8443/oauth2/access_token"

    async def test_without_its_words_it_is_as_if_it_were_not_there(
        self, server: Running, session: ClientSession
    ) -> None:
        document = await (await session.get(server.base + DISCOVERY)).json()
        assert document["issuer"] == server.base

    @pytest.mark.parametrize("scheme", ["", "ftp", "https://x", "javascript"])
    async def test_a_scheme_that_is_none_is_not_taken(
        self, server: Running, session: ClientSession, scheme: str
    ) -> None:
        headers = {"X-Forwarded-Proto": scheme}
        assert (await (await session.get(server.base + DISCOVERY, headers=headers)).json())["issuer"] == server.base

    @pytest.mark.parametrize(("host", "status"), [("evil.example", 421), ("a b", 400), ("[", 400), ("nas", 200)])
    async def test_the_host_it_tells_is_held_to_the_same_rules(
        self, server: Running, session: ClientSession, host: str, status: int
    ) -> None:
        answer = await session.get(server.base + DISCOVERY, headers={"X-Forwarded-Host": host})
        assert answer.status == status

    async def test_a_whole_address_in_the_first_line_changes_nothing(self, server: Running) -> None:
        request = b"GET http://evil.example%b HTTP/1.1\r\nHost: nas\r\nX-Forwarded-Host: nas.local:1\r\n"
        answer = await raw(server, request % DISCOVERY.encode() + b"X-Forwarded-Proto: https\r\n\r\n")
        assert b'"issuer":"https://nas.local:1"' in answer

    async def test_cookies_are_for_https_only_when_the_page_came_by_it(self, person: Person) -> None:
        origin = {"Origin": "https://nas.local:8443"}
        page = await person.get("/sign-in", headers=FORWARDED)
        form = hidden_fields(await page.text()) | {"username": "anna", "password": PASSWORD}
        cookie = page.cookies["wwn_form"]
        assert cookie["secure"]
        headers = FORWARDED | origin | {"Cookie": f"wwn_form={cookie.value}"}
        answer = await person.post("/sign-in", form, headers=headers)
        assert answer.status == 303
        assert answer.cookies["wwn_session"]["secure"]
        assert not (await person.get("/sign-in")).cookies["wwn_form"]["secure"]

    async def test_a_form_from_http_is_not_one_of_the_https_page(self, person: Person) -> None:
        person.be_signed_in()
        csrf = (await person.console())["csrf"]
        for origin, status in (("https://nas.local:8443", 303), ("http://nas.local:8443", 403), ("null", 403)):
            headers = FORWARDED | {"Origin": origin, "Cookie": "wwn_session=" + session_value(person)}
            answer = await person.post("/console/home", {"csrf": csrf, "away": "home"}, headers=headers)
            assert answer.status == status

    async def test_everybody_behind_it_is_counted_on_their_own(self, server: Running, session: ClientSession) -> None:
        statuses = []
        for asker in ("203.0.113.9", "203.0.113.9", "203.0.113.10", "2001:db8::1"):
            answer = await session.post(
                f"{server.base}/oauth2/register", json=metadata(), headers={"X-Forwarded-For": asker}
            )
            statuses.append(answer.status)
        assert statuses == [201, 429, 201, 201]

    @pytest.mark.parametrize(
        ("told", "remote"),
        [
            ("203.0.113.9", "203.0.113.9"),
            ("192.0.2.1, 203.0.113.9", "203.0.113.9"),
            ("192.0.2.1, 203.0.113.9, 10.0.0.7", "203.0.113.9"),
            ("10.0.0.7", "10.0.0.7"),
            ("nonsense", "127.0.0.1"),
            ("203.0.113.9, nonsense", "127.0.0.1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("", "127.0.0.1"),
        ],
    )
    async def test_the_nearest_address_that_is_no_proxy_is_the_asker(
        self, server: Running, session: ClientSession, told: str, remote: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        await session.get(server.base + DISCOVERY, headers={"X-Forwarded-For": told})
        assert f"{remote} GET {DISCOVERY} 200" in caplog.text

    async def test_streams_work_behind_it(self, linked: Hub) -> None:
        headers = linked.bearer | FORWARDED | {"Accept": "text/event-stream"}
        async with linked.session.get(f"{linked.base}/devices", headers=headers) as answer:
            assert (await answer.content.readline()) == b"event: put\n"


class TestNotTrusted:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return configured(settings, "10.0.0.7/32", registrations=1)

    async def test_nothing_it_says_is_read(self, server: Running, session: ClientSession, person: Person) -> None:
        document = await (await session.get(server.base + DISCOVERY, headers=FORWARDED)).json()
        assert document["issuer"] == server.base
        assert not (await person.get("/sign-in", headers=FORWARDED)).cookies["wwn_form"]["secure"]
        url = f"{server.base}/oauth2/register"
        asked = [
            await session.post(url, json=metadata(), headers={"X-Forwarded-For": asker}) for asker in ("192.0.2.1", "x")
        ]
        assert [answer.status for answer in asked] == [201, 429]


def session_value(person: Person) -> str:
    return next(each.value for each in person.browser.cookie_jar if each.key == "wwn_session")
