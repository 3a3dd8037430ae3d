"""Fakes on http misbehave when they are told to, and only then."""

from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout
import pytest

from tools.fakes import Fault, Hub, NoLongerEvil

KINDS = [NoLongerEvil, Hub]


async def ask(session: ClientSession, fake: NoLongerEvil | Hub) -> tuple[int, bytes]:
    path = "/api/devices" if isinstance(fake, NoLongerEvil) else f"/api/connect/v2/devices?key={fake.key}"
    timeout = ClientTimeout(total=0.5)
    async with session.get(fake.base + path, allow_redirects=False, timeout=timeout) as answer:
        return answer.status, await answer.read()


@pytest.mark.parametrize("kind", KINDS)
async def test_it_goes_away_and_comes_back_on_its_port(session: ClientSession, kind: Any) -> None:
    async with kind() as fake:
        base = fake.base
        await fake.go_away()
        with pytest.raises(ClientError):
            await ask(session, fake)
        await fake.come_back()
        assert (await ask(session, fake))[0] == 200
        assert fake.base == base


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.SLOW])
async def test_what_is_cut_or_slow_gives_no_answer(session: ClientSession, fault: Fault) -> None:
    async with NoLongerEvil() as fake:
        fake.misbehave(fault)
        with pytest.raises((ClientError, TimeoutError)):
            await ask(session, fake)


@pytest.mark.parametrize(
    ("fault", "code", "begins"),
    [
        (Fault.NONE, 200, b'{"devices": []'),
        (Fault.ERROR, 500, b"500 Internal"),
        (Fault.DENIED, 401, b"<h1>401"),
        (Fault.GARBAGE, 200, b'{"devices": [{'),
        (Fault.BINARY, 200, b"\x80\x81"),
        (Fault.PAGE, 200, b"<!doctype html>"),
        (Fault.OTHER_SHAPE, 200, b"[null, "),
        (Fault.EMPTY, 200, b""),
        (Fault.REDIRECT, 307, b""),
    ],
)
async def test_what_is_wrong_can_be_read(session: ClientSession, fault: Fault, code: int, begins: bytes) -> None:
    async with NoLongerEvil() as fake:
        fake.misbehave(fault)
        status, body = await ask(session, fake)
        assert (status, body[: len(begins) or None]) == (code, begins)


async def test_what_is_big_is_over_a_megabyte(session: ClientSession) -> None:
    async with Hub() as fake:
        fake.misbehave(Fault.BIG)
        assert len((await ask(session, fake))[1]) > 1024 * 1024


async def test_who_follows_a_redirect_is_counted(session: ClientSession) -> None:
    async with NoLongerEvil() as fake:
        fake.misbehave(Fault.REDIRECT, "/api/devices")
        assert (await session.get(f"{fake.base}/health")).status == 200
        assert fake.strangers == 0
        await session.get(f"{fake.base}/api/devices")
        assert fake.strangers == 1
        assert fake.asked == [("GET", "/health"), ("GET", "/api/devices")]
