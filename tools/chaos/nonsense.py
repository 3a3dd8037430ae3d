"""Requests that make little sense, as bytes: whatever confused programs, broken networks and the wicked could send."""

from collections.abc import Callable
from dataclasses import dataclass
import json
from random import Random
from typing import Any, Final
from urllib.parse import quote

BIG: Final = 10_000_000
_DEEPEST: Final = 3

_METHODS: Final = (
    "GET",
    "GET",
    "PUT",
    "PUT",
    "PATCH",
    "POST",
    "POST",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "BREW",
    "get",
)
_PATHS: Final = (
    "/", "/devices", "/devices/thermostats", "/devices/smoke_co_alarms", "/structures", "/metadata", "/login/oauth2",
    "/login/oauth2/pin", "/oauth2/access_token", "/oauth2/access_tokens/c.x", "/oauth2/register", "/oauth2/register/x",
    "/sign-in", "/sign-out", "/first-run", "/console", "/console/home", "/console/alarms/x", "/connections",
    "/connections/1/remove", "/connections/1/permissions", "/connections/1/homes", "/members", "/members/invitations",
    "/members/1/remove", "/members/invitations/1/withdraw", "/join", "/account", "/account/password",
    "/account/sign-out", "/catalogue", "/catalogue/home-assistant", "/health", "/learn/thermostat", "/console/events",
    "/console/devices",
    "/console/devices/x/remove", "/console/thermostats/x", "/oauth2/register/x/proof", "/static/wwn.css",
    "/static/../texts/en.json",
    "/.well-known/oauth-authorization-server", "/nothing", "*", "//", "/%00", "/%ff", "/..%2f..%2fetc/passwd",
)  # fmt: skip
_PIECES: Final = (
    "/", "//", "..", ".", "%00", "%2f", "%2e%2e", "%ff", "%", "%zz", "é", "\u202e", "devices", "structures", "metadata",
    "away", "hvac_mode", "eta", "target_temperature_c", ".json", "?", "&", "=", "#", ";", "auth=", "next=//e.example",
    "client_id=", "state=", "a" * 300, "[", "]", "{", "'", '"', "<script>", "\\", " ", "0", "-1", "null",
)  # fmt: skip
_FIELDS: Final = (
    "away", "name", "hvac_mode", "target_temperature_c", "target_temperature_f", "target_temperature_low_c",
    "target_temperature_high_c", "fan_timer_active", "fan_timer_duration", "label", "temperature_scale", "eta",
    "locked_temp_min_c", "is_online", "smoke_alarm_state", "device_id", "", "__proto__", "client_name", "redirect_uris",
    "policy_uri", "permissions", "nonce", "base",
)  # fmt: skip
_FORM_FIELDS: Final = (
    "csrf", "username", "password", "again", "next", "code", "home", "client_id", "client_secret", "grant_type",
    "state", "redirect_uri", "decision", "response_type", "code_challenge", "code_verifier",
    "permission", "extent", "away",
)  # fmt: skip
_RAW_VALUES: Final = (
    "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" * 400, "0.1e-400", "-0", "1_000", "0x10", "01", "+1", "nul",
    "tru", "'a'", '"\\ud800"', '"\\u0000"', '"' + "x" * 5000 + '"', "[" * 20000, '{"a":' * 8000, "//", "",
)  # fmt: skip
_SENSIBLE: Final = (
    "null", "true", "false", "0", "20", "20.5", "20.7", "68", "75", "15", "1e2", "1e999", "-5", "[]", "{}", '"home"',
    '"away"', '"heat"', '"cool"', '"heat-cool"', '"eco"', '"off"', '"C"', '"F"', '"name"', '"é"', '"20"', "2" * 30,
    "NaN", '{"trip_id":"t","estimated_arrival_window_begin":"2026-11-24T12:00:00Z"}', '{"trip_id":1}', "'", '"\\ud800"',
)  # fmt: skip
_TRUE_WRITES: Final = (
    ("away", '"away"'), ("away", '"home"'), ("hvac_mode", '"heat"'), ("hvac_mode", '"cool"'), ("hvac_mode", '"off"'),
    ("target_temperature_c", "20.5"), ("target_temperature_f", "70"), ("name", '"Villa"'), ("fan_timer_active", "true"),
)  # fmt: skip
_TYPES: Final = (
    "application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "", ";;;", "x",
    "multipart/form-data; boundary=x", "application/json; charset=utf-16", "application/json; charset=nonsense",
)  # fmt: skip
_ACCEPTED: Final = ("*/*", "text/html", "application/json", "text/event-stream", "", "text/html;q=x", ",,,")
_HOSTS: Final = ("127.0.0.1", "localhost", "nas.local:1", "evil.example", "", "a b", "[::1]", "[", "é", "a" * 5000)
_ODD_HEADERS: Final = (
    b"X: " + b"y" * 9000, b"X" * 9000 + b": y", b"Content-Length: 1\r\nContent-Length: 2",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Transfer-Encoding: chunked\r\nContent-Length: 3",
    b"Expect: 100-continue", b"Expect: nonsense",
    b"Upgrade: websocket\r\nConnection: Upgrade", b"Content-Encoding: gzip",
    b"Content-Encoding: br",
    b"Transfer-Encoding: gzip, chunked", b"No colon", b" : folded", b"A: b\r\n c", b"\x00: \x00",
    b"X: \xff\xfe",
    b"Range: bytes=0-1,5-2", b"Cookie: =; ; wwn_session=\xff", b"Cookie: " + b"a=b; " * 1500,
    b"Origin: null",
    b"Origin: http://[",
    b"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https",
    b"Authorization: Basic %%%",
    b"Authorization: Bearer", b"Authorization: Bearer \xff",
    b"Authorization: Digest a=b",
    b"Connection: keep-alive, close, x", b"Host: second", b"If-None-Match: *",
    b"\r\nGET / HTTP/1.1",
)  # fmt: skip
_FIRST_LINES: Final = (
    b"", b"\r\n", b"GET", b"GET /", b"GET / HTTP/9.9", b"GET / HTTP/1.1 x", b"GET  / HTTP/1.1", b"\x16\x03\x01\x02\x00",
    b"PRI * HTTP/2.0", b"GET http://evil.example/ HTTP/1.1", b"GET /" + b"a" * 20000 + b" HTTP/1.1", b"\xff\xfe\xfd",
    b"CONNECT evil.example:443 HTTP/1.1", b"OPTIONS * HTTP/1.1", b"GET /\x00 HTTP/1.1", b"GET ? HTTP/1.1",
    b"GET //evil.example/ HTTP/1.1", b"POST / HTTP/1.0", b"SSH-2.0-OpenSSH", b"{}" * 500, b"GET /\xc3\xa9 HTTP/1.1",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens something, for some of the requests: a link that may only look, one that may write, a session."""

    reads: str
    writes: str
    session: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Nonsense:
    """One request. ``is_whole``: an answer is owed; ``may_write``: it carries a right to change the home."""

    kind: str
    data: bytes
    is_whole: bool = True
    may_write: bool = False


def draw(chance: Random, keys: Keys) -> Nonsense:
    """Return the next request."""
    kinds, weights = zip(*_KINDS.items(), strict=True)
    kind: Callable[[Random, Keys], Nonsense] = chance.choices(kinds, weights)[0]
    return kind(chance, keys)


def _sound(chance: Random, keys: Keys) -> Nonsense:
    """Return a request that is HTTP, whatever it says."""
    right = chance.choice(("", "", keys.reads, keys.writes, "c." + "x" * 140, "é"))
    body = _body(chance)
    head = [
        f"{chance.choice(_METHODS)} {_path(chance, keys, right)} HTTP/1.1".encode(),
        b"Host: " + (chance.choice(_HOSTS) if _now_and_then(chance, 0.1) else "127.0.0.1").encode(),
        b"Connection: close",
        f"Content-Length: {len(body)}".encode(),
        f"Content-Type: {chance.choice(_TYPES)}".encode(),
        f"Accept: {chance.choice(_ACCEPTED)}".encode(),
    ]
    if right and _now_and_then(chance, 0.8):
        head.append(f"Authorization: Bearer {right}".encode())
    if _now_and_then(chance, 0.3):
        head.append(f"Cookie: wwn_session={keys.session}".encode())
    return Nonsense("odd request", b"\r\n".join(head) + b"\r\n\r\n" + body, may_write=right == keys.writes)


def _odd_header(chance: Random, keys: Keys) -> Nonsense:
    """Return a request with a header that is none, or one too many."""
    path = _path(chance, keys, "").encode()
    odd = b"\r\n".join(chance.choices(_ODD_HEADERS, k=chance.randint(1, 3)))
    bearer = b"Authorization: Bearer " + keys.reads.encode()
    data = b"%b %b HTTP/1.1\r\nHost: 127.0.0.1\r\n%b\r\n%b\r\n\r\n" % (
        chance.choice(_METHODS).encode(),
        path,
        bearer,
        odd,
    )
    # Some of them announce a body that never comes.
    return Nonsense("odd header", data + _body(chance)[:100], is_whole=False)


def _odd_line(chance: Random, _: Keys) -> Nonsense:
    line = chance.choice(_FIRST_LINES)
    return Nonsense("odd first line", line + b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", is_whole=False)


def _bytes(chance: Random, _: Keys) -> Nonsense:
    return Nonsense("just bytes", chance.randbytes(chance.randint(1, 3000)), is_whole=False)


def _half(chance: Random, keys: Keys) -> Nonsense:
    """Return a request whose sender leaves in the middle of it."""
    whole = _sound(chance, keys).data
    return Nonsense("half a request", whole[: chance.randint(1, max(1, len(whole) - 1))], is_whole=False)


def _chunks(chance: Random, keys: Keys) -> Nonsense:
    """Return a body in pieces, of which some lie about how long they are."""
    sizes = chance.choices((b"1", b"5", b"fffffffffff", b"-1", b"x", b"0", b"", b"3;ext=" + b"y" * 5000), k=5)
    body = b"".join(size + b"\r\n" + b"a" * 5 + b"\r\n" for size in sizes) + b"0\r\n\r\n"
    head = b"PUT %b HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n" % _path(chance, keys, "").encode()
    return Nonsense(
        "odd chunks", head + b"Authorization: Bearer %b\r\n\r\n" % keys.reads.encode() + body, is_whole=False
    )


def _big(chance: Random, keys: Keys) -> Nonsense:
    """Return a body of ten megabytes."""
    body = chance.choice((b"x", b"[", b'{"a":')) * BIG
    line = f"{chance.choice(('PUT', 'POST', 'GET'))} {_path(chance, keys, '')} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    line += f"Connection: close\r\nContent-Length: {BIG}\r\n"
    head = line.encode() + b"Authorization: Bearer %b\r\n\r\n" % keys.writes.encode()
    return Nonsense("ten megabytes", head + body[:BIG], may_write=True)


def _pipelined(chance: Random, keys: Keys) -> Nonsense:
    """Return many requests at once, before any was answered."""
    one = b"GET /devices HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\n\r\n" % keys.reads.encode()
    last = one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    return Nonsense("many at once", one * chance.randint(2, 40) + last)


def _nearly(chance: Random, keys: Keys) -> Nonsense:
    """Return a write that could make sense, and now and then does."""
    thing = chance.choice([f"/{where}/{each}" for each in keys.ids for where in ("structures", "devices/thermostats")])
    field, value = chance.choice(_FIELDS), chance.choice(_SENSIBLE)
    if _now_and_then(chance, 0.3):
        field, value = chance.choice(_TRUE_WRITES)
    leaf = _now_and_then(chance, 0.5)
    path, body = (f"{thing}/{quote(field)}", value) if leaf else (thing, f'{{"{field}":{value}}}')
    head = f"{chance.choice(('PUT', 'PATCH'))} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    head += f"Authorization: Bearer {keys.writes}\r\nContent-Length: {len(body.encode())}\r\n\r\n"
    return Nonsense("nearly a write", (head + body).encode(), may_write=True)


_KINDS: Final[dict[Callable[[Random, Keys], Nonsense], float]] = {
    _sound: 60,
    _nearly: 10,
    _odd_header: 10,
    _odd_line: 5,
    _bytes: 3,
    _half: 6,
    _chunks: 4,
    _big: 0.3,
    _pipelined: 1,
}


def _path(chance: Random, keys: Keys, right: str) -> str:
    """Return a path: one of the server's, with or without pieces that do not belong there."""
    known = (
        *_PATHS,
        *(f"/devices/thermostats/{each}" for each in keys.ids),
        *(f"/structures/{each}" for each in keys.ids),
    )
    path = chance.choice(known)
    if _now_and_then(chance, 0.3):
        path += f"/{chance.choice(_FIELDS)}"
    if _now_and_then(chance, 0.4):
        path += "".join(chance.choices(_PIECES, k=chance.randint(1, 4)))
    if right and _now_and_then(chance, 0.2):
        path += f"?auth={right}"
    return quote(path, safe="/?&=%#;:[]{}'\"<>\\*.,@!$()+~")


def _now_and_then(chance: Random, share: float) -> bool:
    return chance.random() < share


def _body(chance: Random) -> bytes:
    return chance.choice((_json, _json, _form, _raw))(chance)


def _json(chance: Random) -> bytes:
    if _now_and_then(chance, 0.3):
        return chance.choice(_RAW_VALUES).encode()
    text = json.dumps(_value(chance, 0))
    # What json can't say is put in by hand.
    return text.replace('"RAW"', chance.choice(_RAW_VALUES)).encode(errors="replace")


def _value(chance: Random, depth: int) -> Any:
    simple: tuple[Any, ...] = (
        None, True, False, 0, -1, 1e308, 2**70, 20.5, 21, 75, "RAW", "", "home", "away", "heat", "off", "eco",
        "x" * 1000, "\u0000", "\u202e", "2026-11-24T12:00:00Z", "trip", "C", "F",
    )  # fmt: skip
    if depth > _DEEPEST or (depth and _now_and_then(chance, 0.4)):
        return chance.choice(simple)
    if _now_and_then(chance, 0.2):
        return [_value(chance, depth + 1) for _ in range(chance.randint(0, 4))]
    return {chance.choice(_FIELDS): _value(chance, depth + 1) for _ in range(chance.randint(0, 4))}


def _form(chance: Random) -> bytes:
    pairs = [
        f"{chance.choice(_FORM_FIELDS)}={quote(str(_value(chance, 4))[:200])}" for _ in range(chance.randint(0, 8))
    ]
    return chance.choice(("&", "&", ";", "&&")).join(pairs).encode() * chance.choice((1, 1, 1, 200))


def _raw(chance: Random) -> bytes:
    return chance.randbytes(chance.randint(0, 200)) if _now_and_then(chance, 0.7) else b"x" * 70000
