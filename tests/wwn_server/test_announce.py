import asyncio
import logging
from uuid import uuid4

import ifaddr
import pytest
from zeroconf import InterfaceChoice
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from wwn_server import announce
from wwn_server.announce import SERVICE_TYPE, Announcement, Service, announced, describe, interfaces, urls
from wwn_server.serving import _tell_urls

# An id of its own: other servers on this machine may be announced meanwhile.
SERVICE = Service("127.0.0.1", 9553, str(uuid4()), "Villa Nest")
SHORT_ID = SERVICE.server_id[:8]


async def found(seconds: float) -> dict[str, AsyncServiceInfo]:
    """Return what a browser on loopback hears of within a time, or as soon as it hears of ours."""
    heard: dict[str, AsyncServiceInfo] = {}
    news = asyncio.Event()
    zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"])

    def changed(name: str, **_: object) -> None:
        heard[name] = AsyncServiceInfo(SERVICE_TYPE, name)
        if SHORT_ID in name:
            news.set()

    browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE_TYPE, handlers=[changed])
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        pass
    for info in heard.values():
        await info.async_request(zeroconf.zeroconf, 3000)
    await browser.async_cancel()
    await zeroconf.async_close()
    return heard


async def test_a_server_on_loopback_is_found_there_and_gone_when_it_ends() -> None:
    async with announced(SERVICE):
        heard = await found(5)
    (info,) = [each for each in heard.values() if each.properties.get(b"id") == SERVICE.server_id.encode()]
    assert info.name == f"Villa Nest {SHORT_ID}.{SERVICE_TYPE}"
    assert info.port == 9553
    assert info.parsed_addresses() == ["127.0.0.1"]
    assert info.properties == {b"id": SERVICE.server_id.encode(), b"path": b"/", b"scheme": b"http"}


async def test_a_network_that_will_not_have_it_costs_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**_: object) -> None:
        message = "no network"
        raise OSError(message)

    monkeypatch.setattr(announce, "AsyncZeroconf", fail)
    announcement = Announcement(SERVICE)
    await announcement.start()
    await announcement.close()
    (record,) = [each for each in caplog.records if each.name == announce.__name__]
    assert record.levelno == logging.WARNING
    assert "type its address" in record.message


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("192.168.1.5", ["192.168.1.5"]),
        ("::1", ["::1"]),
        ("0.0.0.0", InterfaceChoice.All),  # noqa: S104
        ("::", InterfaceChoice.All),
    ],
)
def test_it_is_announced_where_it_listens(address: str, expected: object) -> None:
    assert interfaces(address) == expected


@pytest.mark.parametrize(
    ("listened", "told"),
    [
        ("0.0.0.0", ["http://192.168.1.5:1"]),  # noqa: S104
        ("::", ["http://[fd00::5]:1"]),
        ("127.0.0.1", []),
    ],
)
def test_on_all_interfaces_the_addresses_of_their_kind_are_told_that_others_reach(
    listened: str, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spelled = ("127.0.0.1", "192.168.1.5", ("::1", 0, 0), ("fd00::5", 0, 0), ("fe80::1", 0, 2))
    ips = [ifaddr.IP(each, 24, "lan") for each in spelled]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: [ifaddr.Adapter("lan", "lan", ips)])
    service = Service(listened, 1, SERVICE.server_id, "x")
    assert urls(service) == told
    assert len(describe(service).parsed_addresses()) == 1


def test_a_server_on_all_interfaces_says_what_to_type(caplog: pytest.LogCaptureFixture) -> None:
    everywhere = Service("0.0.0.0", 9553, SERVICE.server_id, "x", "https")  # noqa: S104
    with caplog.at_level(logging.INFO):
        for service in (everywhere, SERVICE):
            _tell_urls(service)
    own = describe(everywhere).parsed_addresses()
    told = [f"Other machines reach it at {', '.join(f'https://{each}:9553' for each in own)}"]
    assert [each.message for each in caplog.records] == (told if own else [])


@pytest.mark.parametrize("name", ["a.b.c", "ü" * 60, "x" * 60, "back\\slash", "\x00", "...", "🏠" * 40])
def test_any_name_makes_a_label(name: str) -> None:
    label = describe(Service("127.0.0.1", 1, SERVICE.server_id, name)).name.removesuffix(f".{SERVICE_TYPE}")
    assert len(label.encode()) <= 63
    assert "." not in label
    assert label.endswith(SHORT_ID)
