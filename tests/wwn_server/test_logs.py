"""Nothing that opens anything is ever written to a log or told in a refusal."""

import asyncio
from collections.abc import Iterator
from io import StringIO
import json
import logging
from typing import Any

from aiohttp import ClientSession
import pytest

from wwn_server.homes.simulated import SimulatedHome
from wwn_server.logs import FORMATS, log_access, mask

from .conftest import Running
from .hub import Hub, metadata, refusal
from .person import PASSWORD, Person
from .test_token import PKCE, VERIFIER


@pytest.mark.parametrize(
    ("path", "masked"),
    [
        ("/", "/"),
        ("/devices?auth=c.secret", "/devices?***"),
        ("/oauth2/access_tokens/c.secret", "/oauth2/access_tokens/***"),
        ("/oauth2/access_token/c.secret", "/oauth2/access_token/***"),
        ("/oauth2/access%5Ftokens/c.secret", "/oauth2/access_tokens/***"),
        ("/devices/c.abcdefghijklmnopqrstuvwxyz/x", "/devices/***/x"),
        ("/oauth2/access_tokens/c.secret/more?x=1", "/oauth2/access_tokens/***?***"),
        ("/OAuth2/Access_Tokens/c.secret", "/OAuth2/Access_Tokens/***"),
        ("/x//access_tokens/c.secret", "/x//access_tokens/***"),
        ("/login/oauth2?client_id=a&state=secret", "/login/oauth2?***"),
    ],
)
def test_what_could_be_secret_in_an_address_is_masked(path: str, masked: str) -> None:
    assert mask(path) == masked


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.fixture(params=FORMATS)
def written(request: pytest.FixtureRequest) -> Iterator[StringIO]:
    """Whatever is logged at any level, as it would be written."""
    file, root = StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(file), root.level
    handler.setFormatter(FORMATS[request.param]())
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logging.getLogger("wwn_server").setLevel(logging.DEBUG)
    yield file
    root.removeHandler(handler)
    root.setLevel(level)


async def test_a_whole_life_of_a_link_leaves_no_secret_in_the_log(
    server: Running,
    hub: Hub,
    person: Person,
    session: ClientSession,
    log: pytest.LogCaptureFixture,
    written: StringIO,
) -> None:
    await hub.register()
    cookie = (await person.sign_in()).cookies["wwn_session"].value
    csrf = (await person.console())["csrf"]
    code = await hub.code(person, **PKCE)
    hub.token = (await (await hub.redeem(code, code_verifier=VERIFIER)).json())["access_token"]
    await session.get(f"{server.base}/devices?auth={hub.token}")
    async with session.get(f"{server.base}/?auth={hub.token}", headers={"Accept": "text/event-stream"}) as stream:
        await stream.content.readline()
        await hub.change(metadata("away read"))
        await hub.revoke()
        await stream.read()
    await session.get(f"{server.base}/nothing?auth={hub.token}")
    await session.post(f"{server.base}/oauth2/access_token?code={code}&client_secret={hub.secret}")
    await session.delete(f"{server.base}/oauth2//access_tokens/{hub.token}")
    assert "GET /devices?*** 200" in log.text
    assert "DELETE /oauth2/access_tokens/*** 204" in log.text
    assert "DELETE /oauth2/access_tokens/*** 204" in written.getvalue()
    for secret in (hub.token, code, hub.secret, cookie, csrf, PASSWORD, VERIFIER, "some-state"):
        assert secret not in log.text
        assert secret not in written.getvalue()


def formatted(kind: str, message: str, *values: object, **options: Any) -> str:
    record = logging.LogRecord(
        "wwn_server.x", logging.INFO, __file__, 1, message, values, **{"exc_info": None} | options
    )
    return FORMATS[kind]().format(record)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    "said",
    [
        "GET /?auth=SECRET&x=1",
        "code=SECRET",
        "client_id=a&client_secret=SECRET",
        "form: {'password=SECRET'}",
        "Cookie: a=b; wwn_session=SECRET; c=d",
        "DELETE /oauth2/access_tokens/SECRET",
        "Authorization: Bearer c.SECRETSECRETSECRETSECRETSECRET",
    ],
)
def test_a_secret_that_gets_into_a_sentence_or_a_traceback_is_masked(kind: str, said: str) -> None:
    assert "SECRET" not in formatted(kind, "%s", said)
    with pytest.raises(ValueError, match=r".") as error:
        int(said)
    shown = formatted(kind, "failed", exc_info=(error.type, error.value, error.tb))
    assert "ValueError" in shown
    assert "SECRET" not in shown


def test_lines_for_programs_are_json_with_the_parts_of_a_request(written: StringIO) -> None:
    log_access("192.0.2.1", "GET", "/devices?auth=x", 200, 1.6)
    line = written.getvalue().splitlines()[-1]
    if not line.startswith("{"):
        assert line.endswith(" INFO wwn_server.access: 192.0.2.1 GET /devices?*** 200 in 2 ms")
        return
    said = json.loads(line)
    assert said.pop("time").startswith("20")
    assert said == {
        "level": "INFO",
        "logger": "wwn_server.access",
        "message": "192.0.2.1 GET /devices?*** 200 in 2 ms",
        "remote": "192.0.2.1",
        "method": "GET",
        "path": "/devices?***",
        "status": 200,
        "milliseconds": 2,
    }


@pytest.mark.parametrize("kind", FORMATS)
def test_nobody_can_forge_a_line(kind: str) -> None:
    path = mask("/x%0A2026-11-24%20INFO%20forged%0d%1b[2J%E2%80%AE")
    assert formatted(kind, "%s", path).isprintable()
    assert formatted(kind, "a\nb\x1b[2J").isprintable()


async def test_a_mistake_of_ours_is_logged_without_the_token_and_told_as_documented(
    server: Running, linked: Hub, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        message = "a bug"
        raise RuntimeError(message)

    monkeypatch.setattr(SimulatedHome, "write", fail)
    (structure_id,) = server.home.document.group("structures")
    url = f"{server.base}/structures/{structure_id}?auth={linked.token}"
    answer = await linked.session.put(url, data=b'{"away":"home"}')
    body = await answer.json()
    assert answer.status == 500
    assert body["type"].endswith("#internal-error")
    assert "bug" not in str(body)
    assert "a bug" in log.text
    assert linked.token not in log.text


async def test_a_person_is_told_of_a_mistake_of_ours_on_a_page(
    person: Person, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wwn_server.store.accounts.Accounts.any", lambda _: 1 / 0)
    answer = await person.get("/sign-in")
    assert answer.status == 500
    assert "The server made a mistake" in await answer.text()
    assert "ZeroDivisionError" in log.text


async def test_a_body_that_can_not_be_unpacked_is_the_senders_mistake(
    linked: Hub, log: pytest.LogCaptureFixture
) -> None:
    headers = linked.bearer | {"Content-Encoding": "gzip"}
    answer = await linked.session.put(f"{linked.base}/structures/x", headers=headers, data=b"garbage")
    assert await refusal(answer) == (400, "invalid-content-sent")
    assert not [each for each in log.records if each.levelno > logging.INFO]


async def raw(server: Running, request: bytes) -> bytes:
    """Send bytes and return all that comes back."""
    host, port = server.base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    writer.write_eof()
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /devices?auth=c.secret HTTP/9.9\r\n\r\n",
        b"GET /devices?auth=c.secret\r\n\r\n",
        b"GET /devices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer c.secret\r\nBad Header\r\n\r\n",
        b"PUT /devices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer c.secret\r\nContent-Length: c.secret\r\n\r\n",
        b"PUT /devices HTTP/1.1\r\nHost: x\r\nCookie: c.secret\r\nTransfer-Encoding: chunked\r\n\r\nc.secret",
        b"PUT /devices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer c.secret\r\nContent-Length: 99\r\n\r\nc.secret",
        b"GET /devices?auth=c.secret" + b"a" * 10000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["version", "no version", "header", "length", "chunks", "half a body", "long"],
)
async def test_a_request_that_is_none_harms_nothing_and_is_not_logged(
    server: Running, log: pytest.LogCaptureFixture, request_bytes: bytes
) -> None:
    answer = await raw(server, request_bytes)
    assert answer == b"" or answer.split()[1].startswith(b"4")
    assert "c.secret" not in log.text
    assert (await raw(server, b"GET / HTTP/1.0\r\n\r\n")).split()[1] == b"401"
