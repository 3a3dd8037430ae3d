"""A server that moved proves to a hub that it is the one the hub linked with."""

from dataclasses import replace
import hashlib
import hmac
from ipaddress import ip_network
from typing import Any

from aiohttp import ClientResponse, ClientSession
import ifaddr
import pytest

from wwn_server.settings import Settings

from .conftest import Clock, Running
from .hub import Hub, metadata
from .person import Person
from .test_registration import oauth_error

NONCE = "sixteen-or-more-"


async def ask(hub: Hub, base: Any, nonce: Any = NONCE, **options: Any) -> ClientResponse:
    url = f"{hub.base}/oauth2/register/{hub.client_id}/proof"
    return await hub.session.post(url, json={"nonce": nonce, "base": base}, **options)


def expected(hub: Hub, server: Running, base: str, nonce: str = NONCE) -> str:
    """Return the proof as a hub works it out from what it knows."""
    key = hashlib.sha256(hub.secret.encode()).digest()
    message = b"\n".join(each.encode() for each in (nonce, base, server.store.server_id))
    return hmac.new(key, message, "sha256").hexdigest()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, base_url="https://nest.example:8443", allow_host=("nas.example",))


async def test_it_signs_nonce_base_and_its_id_with_what_both_know(server: Running, linked: Hub) -> None:
    answer = await ask(linked, server.base)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert await answer.json() == {"proof": expected(linked, server, server.base)}


async def test_another_nonce_base_or_hub_is_another_proof(server: Running, linked: Hub, session: ClientSession) -> None:
    other = Hub(server.base, session)
    await other.register()
    answers = [
        await ask(linked, server.base),
        await ask(linked, server.base, NONCE + "x"),
        await ask(linked, server.base + "/"),
        await ask(other, server.base),
    ]
    assert len({(await answer.json())["proof"] for answer in answers}) == 4


async def test_every_name_of_its_own_is_signed_at_any_port(server: Running, linked: Hub) -> None:
    own = (
        f"http://wwn-{server.store.server_id[:8]}.local:1",
        f"https://WWN-{server.store.server_id[:8]}.local.",
        "https://nest.example",
        "http://nas.example:9553",
        "http://localhost:9553",
        "http://[::1]:9553",
    )
    for base in own:
        answer = await ask(linked, base)
        assert await answer.json() == {"proof": expected(linked, server, base)}, base


@pytest.mark.parametrize(
    "base",
    [
        "http://192.0.2.7:9553",
        "http://evil.local:9553",
        "http://nest.example.evil.example",
        "http://wwn-00000000.local",
        "http://0.0.0.0:9553",
    ],
)
async def test_a_relay_on_another_host_gets_no_proof(linked: Hub, base: str) -> None:
    answer = await ask(linked, base)
    assert await oauth_error(answer) == (400, "invalid_request")
    assert "not this server's" in (await answer.json())["error_description"]


@pytest.mark.parametrize(
    "base",
    [
        None,
        5,
        "",
        "127.0.0.1:9553",
        "ftp://127.0.0.1",
        "http://u@127.0.0.1",
        "http://127.0.0.1/x",
        "http://127.0.0.1/?x",
    ],
)
async def test_a_base_is_an_address_and_nothing_more(linked: Hub, base: Any) -> None:
    assert await oauth_error(await ask(linked, base)) == (400, "invalid_request")


@pytest.mark.parametrize(
    "nonce", [None, 5, "", "fifteen-letters", "a" * 201, "sixteen or more ", "sixteen-or-more\n", "ä" * 16]
)
async def test_a_nonce_is_one_long_word(server: Running, linked: Hub, nonce: Any) -> None:
    assert await oauth_error(await ask(linked, server.base, nonce)) == (400, "invalid_request")


async def test_a_hub_that_is_not_known_gets_an_error_that_says_no_more(server: Running, linked: Hub) -> None:
    linked.client_id = "unknown"
    answer = await ask(linked, server.base)
    assert await oauth_error(answer) == (401, "invalid_client")
    assert "proof" not in await answer.text()
    assert await oauth_error(await ask(linked, "http://192.0.2.7")) == (400, "invalid_request")


async def test_a_hub_that_withdrew_or_was_forgotten_is_not_known(server: Running, hub: Hub, clock: Clock) -> None:
    await hub.register()
    assert (await ask(hub, server.base)).status == 200
    clock.seconds += 3601
    assert (await ask(hub, server.base)).status == 401
    await hub.register()
    await hub.change(None, "DELETE")
    assert (await ask(hub, server.base)).status == 401


async def test_no_form_of_a_page_can_ask(server: Running, linked: Hub) -> None:
    url = f"{server.base}/oauth2/register/{linked.client_id}/proof"
    body = f'{{"nonce": "{NONCE}", "base": "{server.base}"}}'
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        answer = await linked.session.post(url, data=body, headers={"Content-Type": content_type})
        assert answer.status == 400


class TestLimit:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, proofs_per_minute=3)

    async def test_one_address_may_ask_only_so_often(self, server: Running, linked: Hub) -> None:
        assert [(await ask(linked, server.base)).status for _ in range(3)] == [200] * 3
        answer = await ask(linked, server.base)
        assert await oauth_error(answer) == (429, "too_many_requests")
        assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_the_limit_is_there_unless_somebody_changes_it() -> None:
    assert Settings().proofs_per_minute == 20


class TestElsewhere:
    """Asked through a proxy, which is how a test on one machine has an asker on another one."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, host="0.0.0.0", trusted_proxy=(ip_network("127.0.0.1/32"),))  # noqa: S104

    async def test_loopback_says_nothing_to_another_machine(self, server: Running, linked: Hub) -> None:
        asker = {"X-Forwarded-For": "192.0.2.7"}
        for base in ("http://127.0.0.1:9553", "http://localhost:9553", "http://[::1]:9553"):
            assert (await ask(linked, base)).status == 200
            assert await oauth_error(await ask(linked, base, headers=asker)) == (400, "invalid_request")

    async def test_every_address_of_the_machine_is_its_own_when_it_listens_to_all(
        self, server: Running, linked: Hub, another_network: tuple[str, ...]
    ) -> None:
        for base in another_network:
            assert await (await ask(linked, base)).json() == {"proof": expected(linked, server, base)}


@pytest.fixture
def another_network(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Let the machine have a network beside loopback, which not every machine has; return where it is there."""
    ips = [ifaddr.IP("192.0.2.33", 24, "eth9"), ifaddr.IP(("2001:db8::33", 0, 0), 64, "eth9")]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: [ifaddr.Adapter("eth9", "eth9", ips)])
    return "http://192.0.2.33:9553", "https://[2001:db8::33]"


async def test_an_address_that_it_does_not_listen_to_is_not_its_own(
    linked: Hub, another_network: tuple[str, ...]
) -> None:
    for base in another_network:
        assert await oauth_error(await ask(linked, base)) == (400, "invalid_request")


async def test_changing_a_description_keeps_the_proof(server: Running, linked: Hub, person: Person) -> None:
    await linked.change(metadata("away read"))
    answer = await ask(linked, server.base)
    assert await answer.json() == {"proof": expected(linked, server, server.base)}
