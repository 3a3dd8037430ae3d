"""python-nest 4.2.0, which spoke to Google's service, with nothing but its addresses replaced.

It is what Home Assistant itself used for Works with Nest until 2023. The server is a process of its own; the person
who accepts is at a browser that only reads forms.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from wwn_server.store import Store

from .conftest import PASSWORD_HASH
from .hub import EVERYTHING, metadata
from .person import PASSWORD, hidden_fields
from .test_command import serving

nest = pytest.importorskip("nest.nest", reason="python-nest is not installed: run script/bootstrap")
requests = pytest.importorskip("requests", reason="requests is not installed: run script/bootstrap")

# It ends the thread of its stream by an error that it leaves to nobody, and is older than some of Python's ways.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning", "ignore::DeprecationWarning:nest"
)

REDIRECT = "https://hub.example/callback"
WITHIN = 20.0


class Browser:
    """A signed-in person who reads pages, presses buttons and does not follow where that leads."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.session = requests.Session()
        self.session.headers["Accept"] = "text/html"
        self.press("/sign-in", username="anna", password=PASSWORD)

    def press(self, path: str, to: str | None = None, **fields: str) -> Any:
        """Fill in the form of a page and send it."""
        form = hidden_fields(self.session.get(self.base + path, timeout=WITHIN).text)
        answer = self.session.post(self.base + (to or path), data=form | fields, allow_redirects=False, timeout=WITHIN)
        assert answer.status_code == 303, answer.text
        return answer

    def accept(self, url: str) -> str:
        """Accept on a consent page and return the code or PIN."""
        location = self.press(url.removeprefix(self.base), "/login/oauth2", decision="accept").headers["Location"]
        if not location.startswith("/"):
            return parse_qs(urlsplit(location).query)["code"][0]
        page = self.session.get(self.base + location, timeout=WITHIN).text
        return re.findall(r"<code>(.*)</code>", page)[0]


@pytest.fixture
def options() -> tuple[str, ...]:
    """What a test may replace to run the server otherwise."""
    return ()


with_and_without_a_shard = pytest.mark.parametrize("options", [(), ("--shard", "0")], ids=["one port", "with a shard"])


@pytest.fixture
def base(options: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server, which python-nest takes for Google's."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with closing(Store(tmp_path / "data")) as store:
        store.accounts.add("anna", PASSWORD_HASH)
    command = ("--data", tmp_path / "data", "--port", "0", "--no-announce", "--speed", "0", *options)
    with serving(*command) as (_, line):
        base = line.strip().removeprefix("Listening on ")
        monkeypatch.setattr(nest, "ACCESS_TOKEN_URL", f"{base}/oauth2/access_token")
        monkeypatch.setattr(nest, "AUTHORIZE_URL", f"{base}/login/oauth2?client_id={{0}}&state={{1}}")
        monkeypatch.setattr(nest, "API_URL", base)
        yield base


@pytest.fixture
def browser(base: str) -> Browser:
    return Browser(base)


def client(base: str, *redirect_uris: str, permissions: tuple[str, ...] = EVERYTHING, **options: Any) -> Any:
    """Return python-nest with a client of its own, as a developer would have made one on Google's pages."""
    said = metadata(*permissions, redirect_uris=list(redirect_uris))
    registered = requests.post(f"{base}/oauth2/register", json=said, timeout=WITHIN).json()
    return nest.Nest(
        client_id=registered["client_id"], client_secret=registered["client_secret"], product_version=1, **options
    )


@pytest.fixture
def linked(base: str, browser: Browser) -> Iterator[Any]:
    napi = client(base)
    napi.request_token(browser.accept(napi.authorize_url))
    yield napi
    requests.delete(f"{base}/oauth2/access_tokens/{napi.access_token}", timeout=WITHIN)
    if napi._event_thread is not None:
        napi._event_thread.join(WITHIN)
        assert not napi._event_thread.is_alive()


def eventually(napi: Any, what: Callable[[], Any], value: object) -> None:
    """Wait until what python-nest shows is this, which only its stream can bring."""
    deadline = time.monotonic() + WITHIN
    while what() != value:
        napi.update_event.wait(0.2)
        napi.update_event.clear()
        assert time.monotonic() < deadline, (what(), value)


def room(napi: Any, name: str) -> Any:
    return next(each for each in napi.thermostats if each.where == name)


@pytest.mark.parametrize(("redirect_uris", "length"), [((), 8), ((REDIRECT,), 16)], ids=["PIN", "redirect"])
def test_it_is_authorized(
    base: str, browser: Browser, tmp_path: Path, redirect_uris: tuple[str, ...], length: int
) -> None:
    cache = tmp_path / "token.json"
    napi = client(base, *redirect_uris, access_token_cache_file=str(cache))
    assert napi.never_authorized
    code = browser.accept(napi.authorize_url)
    assert len(code) == length
    napi.request_token(code)
    assert not napi.invalid_access_token
    again = nest.Nest(access_token_cache_file=str(cache))
    assert again.access_token == napi.access_token
    assert again._get("/metadata/client_version") == 1


def test_it_says_what_is_wrong_with_a_code(base: str, browser: Browser) -> None:
    napi = client(base)
    with pytest.raises(nest.AuthorizationError, match="authorization code not found"):
        napi.request_token("AAAAAAAA")


@with_and_without_a_shard
def test_it_reads_the_home(linked: Any) -> None:
    (home,) = linked.structures
    assert not linked.authorization_required
    assert (home.name, home.away, home.country_code, home.postal_code) == ("Home", "home", "GB", "W1A 1AA")
    assert (home.num_thermostats, home.num_smokecoalarms, home.security_state) == (2, 3, None)
    assert {each.where for each in linked.thermostats} == {"Living Room", "Bedroom"}
    living_room = room(linked, "Living Room")
    assert (living_room.mode, living_room.target) == ("heat-cool", (20, 24.5))
    assert (living_room.temperature_scale, living_room.eco_temperature) == ("C", (15.5, 26.5))
    assert (living_room.can_heat, living_room.can_cool, living_room.is_locked) == (True, True, False)
    assert living_room.structure.name == "Home"
    assert {each.where for each in linked.smoke_co_alarms} == {"Hallway", "Kitchen", "Bedroom"}
    assert {(each.smoke_status, each.co_status, each.battery_health) for each in linked.smoke_co_alarms} == {
        ("ok", "ok", "ok")
    }


@with_and_without_a_shard
def test_it_sets_temperatures_and_modes(linked: Any) -> None:
    bedroom, living_room = room(linked, "Bedroom"), room(linked, "Living Room")
    bedroom.target = 18.4
    eventually(linked, lambda: bedroom.target, 18.5)
    living_room.target = (19, 23.5)
    eventually(linked, lambda: living_room.target, (19, 23.5))
    living_room.mode = "eco"
    eventually(linked, lambda: (living_room.mode, living_room.previous_mode), ("eco", "heat-cool"))
    living_room.mode = living_room.previous_mode
    eventually(linked, lambda: living_room.mode, "heat-cool")


@with_and_without_a_shard
def test_it_is_told_why_a_write_was_refused(linked: Any) -> None:
    bedroom = room(linked, "Bedroom")
    with pytest.raises(nest.APIError, match="Temperature C value is too high: 40"):
        bedroom.target = 40
    with pytest.raises(nest.APIError, match=r"No write permission\(s\) for field\(s\): eco_temperature_low_c"):
        bedroom.eco_temperature = (10, None)


def test_it_sends_the_home_away_and_says_when_somebody_comes(linked: Any) -> None:
    (home,) = linked.structures
    home.away = True
    eventually(linked, lambda: (home.away, room(linked, "Bedroom").mode), ("away", "eco"))
    begin = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    home.set_eta("trip", begin)
    eventually(linked, lambda: home.eta_begin, begin)
    home.cancel_eta("trip")
    eventually(linked, lambda: home.eta_begin in {None, datetime(1970, 1, 1, tzinfo=UTC)}, value=True)
    home.away = False
    eventually(linked, lambda: home.away, "home")


@with_and_without_a_shard
def test_its_stream_brings_what_others_do(base: str, browser: Browser, linked: Any) -> None:
    kitchen = next(each for each in linked.smoke_co_alarms if each.where == "Kitchen")
    browser.press("/console", f"/console/alarms/{kitchen.serial}", smoke_alarm_state="emergency")
    eventually(linked, lambda: (kitchen.smoke_status, kitchen.color_status), ("emergency", "red"))


def test_it_sees_only_what_was_accepted(base: str, browser: Browser) -> None:
    napi = client(base, permissions=("smoke+co read",))
    napi.request_token(browser.accept(napi.authorize_url))
    document = napi._get("/")
    (home,) = document["structures"].values()
    assert set(document["devices"]) == {"smoke_co_alarms"}
    assert len(home["thermostats"]) == 2
    with pytest.raises(nest.APIError):
        napi._get(f"/devices/thermostats/{home['thermostats'][0]}")


@with_and_without_a_shard
def test_it_notices_that_its_connection_was_removed(browser: Browser, linked: Any) -> None:
    assert linked.structures
    (link_id,) = re.findall(
        r'href="/connections/(\d+)/remove"', browser.session.get(f"{browser.base}/connections").text
    )
    browser.press(f"/connections/{link_id}/remove")
    linked._event_thread.join(WITHIN)
    with pytest.raises(nest.AuthorizationError):
        _ = linked.structures
    assert linked.invalid_access_token
