from aiohttp import ClientSession
import pytest

from wwn_server.settings import Settings

from .conftest import Running

PATH = "/.well-known/oauth-authorization-server"


async def test_the_document_names_every_endpoint_at_the_address_it_was_fetched_from(
    server: Running, session: ClientSession
) -> None:
    document = await (await session.get(server.base + PATH)).json()
    assert document == {
        "issuer": server.base,
        "authorization_endpoint": f"{server.base}/login/oauth2",
        "token_endpoint": f"{server.base}/oauth2/access_token",
        "registration_endpoint": f"{server.base}/oauth2/register",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "works_with_nest": {
            "protocol": 1,
            "api_root": server.base,
            "revocation_template": server.base + "/oauth2/access_tokens/{access_token}",
            "server_id": server.store.server_id,
            "name": "My Nest home",
        },
    }


async def test_the_host_is_the_one_that_was_asked_for(server: Running, session: ClientSession) -> None:
    answer = await session.get(server.base + PATH, headers={"Host": "nest.local:9553"})
    assert (await answer.json())["issuer"] == "http://nest.local:9553"


async def test_the_name_is_what_the_owner_said(server: Running, session: ClientSession) -> None:
    server.store.rename("Villa Nest")
    document = await (await session.get(server.base + PATH)).json()
    assert document["works_with_nest"]["name"] == "Villa Nest"


class TestWithAnAddressForBrowsers:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return Settings(data=settings.data, announce=False, base_url="https://nest.example")

    async def test_it_is_told(self, server: Running, session: ClientSession) -> None:
        document = await (await session.get(server.base + PATH)).json()
        assert document["works_with_nest"]["browser_url"] == "https://nest.example"
        assert document["issuer"] == server.base


async def test_no_answer_tells_the_version_of_what_serves_it(server: Running, session: ClientSession) -> None:
    for path in (PATH, "/", "/sign-in", "/static/wwn.css", "/nothing"):
        answer = await session.get(server.base + path)
        assert answer.headers["Server"] == "wwn-server"


async def test_a_watcher_may_ask_with_head(server: Running, session: ClientSession) -> None:
    for path in (PATH, "/sign-in", "/static/wwn.css"):
        assert (await session.head(server.base + path)).status == 200


async def test_a_wrong_verb_gets_the_documented_shape(server: Running, session: ClientSession) -> None:
    answer = await session.put(server.base + PATH)
    assert answer.status == 405
    assert (await answer.json())["type"].endswith("#method-not-allowed")
