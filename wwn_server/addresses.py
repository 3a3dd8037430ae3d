"""Which addresses may be reached by plain http: judged by spelling, never resolved."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

MAX_LENGTH: Final = 2000

_LOCAL_NETWORKS: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "::1/128",
        "fe80::/10",
        "fc00::/7",
    )
)
_LOCAL_SUFFIXES: Final = (".local", ".lan", ".internal", ".home.arpa", ".localhost")
_LABEL: Final = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
# Browsers read a name whose last part is a number as an IPv4 address of some spelling.
_NUMERIC_END: Final = re.compile(r"(^|\.)(\d+|0x[0-9a-f]*)\.?$")
_PRINTABLE: Final = re.compile(r"[!-~]+")


def split(url: str) -> SplitResult | None:
    """Return the parts of a URL that a browser and this program read alike, or nothing.

    That is: plain ASCII, http or https, a host, a sane port, no user, no fragment.
    """
    if len(url) > MAX_LENGTH or not _PRINTABLE.fullmatch(url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return None
    sound = parts.scheme in {"http", "https"} and host and _is_host(host)
    return parts if sound and "@" not in parts.netloc and "#" not in url else None


def is_reachable_plainly(host: str) -> bool:
    """Say whether http may be used for a host: it is the user's own network."""
    address = address_of(host)
    if address is not None:
        return any(address in network for network in _LOCAL_NETWORKS)
    return _is_local_name(host)


def is_own_name(host: str) -> bool:
    """Say whether a server in somebody's own network may be asked by this: any address, or a local name."""
    return address_of(host) is not None or _is_local_name(host)


def is_redirect_uri(url: str) -> bool:
    """Say whether a code may be sent there: https, or http in the user's own network."""
    parts = split(url)
    if parts is None or parts.hostname is None:
        return False
    return parts.scheme == "https" or is_reachable_plainly(parts.hostname)


def is_web_page(url: str) -> bool:
    """Say whether a link on a page may lead there."""
    page, _, fragment = url.partition("#")
    return split(page) is not None and "#" not in fragment and _is_plain(fragment)


def _is_plain(text: str) -> bool:
    return not text or bool(_PRINTABLE.fullmatch(text))


def _is_local_name(host: str) -> bool:
    name = host.lower().removesuffix(".")
    return "." not in name or name.endswith(_LOCAL_SUFFIXES)


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a text is, IPv4 in an IPv6 coat as IPv4, or nothing."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _is_host(host: str) -> bool:
    if "%" in host:
        return False
    if address_of(host) is not None:
        return True
    return bool(_NAME.fullmatch(host)) and not _NUMERIC_END.search(host)
