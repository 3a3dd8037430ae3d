"""Whatever is sent, the answer is a clear refusal, and the home stays as it was."""

import asyncio
from random import Random

import pytest
from yarl import URL

from .conftest import Running
from .hub import Hub
from .test_writes import structure_path, thermostat_path

REQUESTS = 600
METHODS = ("GET", "PUT", "PATCH", "POST", "DELETE", "HEAD", "OPTIONS", "BREW")
PIECES = (
    "/", "//", "..", "%00", "%2f", "%ff", "\u00e9", "devices", "thermostats", "structures", "metadata", ".json",
    "login", "oauth2", "register", "access_token", "access_tokens", "console", "alarms", "sign-in", "sign-out",
    "static", "away", "target_temperature_c", "hvac_mode", "?", "&", "=", "auth", "next", "client_id", "state",
    "a" * 300, "[", "'", '"', "<",
)  # fmt: skip
BODIES = (
    b"", b"null", b"{}", b"[]", b"[[[[", b"1e400", b"-1", b"NaN", b'"\\ud800"', b"\xff\xfe\x00",
    b'{"away":"inside out"}', b'{"hvac_mode":["heat"]}', b'{"target_temperature_c":1e30}', b'{"":""}',
    b'{"eta":{"trip_id":[],"estimated_arrival_window_begin":{}}}', b'{"eta":{"":0}}', b'{"name":"\\u0000"}',
    b'{"fan_timer_duration":1e300}', b'{"fan_timer_duration":18446744073709551615}', b'{"label":{}}',
    b'{"temperature_scale":"\\u212a"}', b'{"fan_timer_active":0}',
    b'{"target_temperature_c":null}', b'{"client_name":1,"redirect_uris":{},"permissions":[[]]}',
    b"csrf=%ff&a=%zz", b"a=1;b=2&&&==", b"{" * 30000, b"x" * 70000,
)  # fmt: skip
TYPES = ("application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "x", "a/b;c=d")
ACCEPTED = ("*/*", "text/html", "application/json")


async def test_random_requests_are_refused_and_change_nothing(server: Running, linked: Hub) -> None:
    chance = Random(2014)  # noqa: S311
    targets = (structure_path(server), thermostat_path(server), *PIECES)
    before = server.home.document
    seen = set()
    for _ in range(REQUESTS):
        path = "/" + "".join(chance.choices(targets, k=chance.randint(1, 5)))
        method, body = chance.choice(METHODS), chance.choice(BODIES)
        headers = {
            "Content-Type": chance.choice(TYPES),
            "Accept": chance.choice(ACCEPTED),
            "Cookie": chance.choice(("", "wwn_session=x", "wwn_session=\u00e9", "wwn_form=x; ;=")),
            "Authorization": chance.choice((linked.bearer["Authorization"], "Basic e", "Bearer \u00e9", "")),
        }
        url = URL(linked.base + path.replace("\u00e9", "%E9"), encoded=True)
        answer = await linked.session.request(method, url, data=body, headers=headers, allow_redirects=False)
        seen.add(answer.status)
        assert answer.status < 500, (method, path, body, headers)
        await answer.read()
    assert server.home.document is before
    assert (await linked.get()).status == 200
    assert seen >= {200, 303, 400, 401, 404, 405, 413}


@pytest.mark.parametrize(
    ("line", "headers"),
    [
        (b"GET / HTTP/1.1", b"Authorization: Bearer \xff"),
        (b"GET /console HTTP/1.1", b"Cookie: wwn_session=\xff"),
        (b"GET /sign-in HTTP/1.1", b"Cookie: wwn_form=\xff"),
        (b"GET /.well-known/oauth-authorization-server HTTP/1.1", b"Host: a\xffb"),
        (b"OPTIONS * HTTP/1.1", b"X: y"),
        (b"CONNECT example.com:80 HTTP/1.1", b"X: y"),
        (b"POST /sign-in HTTP/1.1", b"Origin: http://[\r\nContent-Length: 0"),
    ],
)
async def test_bytes_that_no_browser_sends_are_no_fault_of_the_server(
    server: Running, line: bytes, headers: bytes
) -> None:
    url = URL(server.base)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    host = b"" if headers.startswith(b"Host") else b"Host: 127.0.0.1\r\n"
    writer.write(line + b"\r\n" + host + headers + b"\r\nConnection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert 200 <= int(answer.split()[1]) < 500, answer
