"""The Nest side: the server as a process, and a person at its pages."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from http import HTTPStatus
from pathlib import Path
import sqlite3
import ssl
import sys
from typing import Any, Final, Literal, Self

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, CookieJar, TCPConnector
from yarl import URL

from .errors import ToolError
from .forms import Form, parse_page
from .paths import CHECKOUT
from .ports import LOOPBACK
from .processes import ManagedProcess

READY_LINE: Final = "Listening on "
SET_UP_LINE: Final = "The set-up code is "
STARTS_WITHIN: Final = 30.0
CONSENT: Final = "/login/oauth2"
CONNECTIONS: Final = "/connections"
SIGN_IN: Final = "/sign-in"
DATABASE: Final = "wwn-server.sqlite3"
SHUT_OUT: Final = "DELETE FROM members WHERE account_id = (SELECT id FROM accounts WHERE name = ?)"

type Document = dict[str, Any]


class NestHomeServer:
    """``wwn_server`` as a process of its own, on loopback."""

    def __init__(self, data: Path, log: Path, *options: str, keep_open: Sequence[int] = ()) -> None:
        """Keep accounts and links in a folder, what the server says in a log, and some of our files open in it."""
        self.base = ""
        self._data = data
        self._command = (sys.executable, "-m", "wwn_server", "--data", str(data))
        self._options = options
        self._log = log
        self._keep_open = keep_open
        self.process = self._new_process(0)

    async def add_account(self, name: str, password: str) -> None:
        """Make an account, once. Raises ToolError."""
        self._data.mkdir(parents=True, exist_ok=True)
        command = (*self._command, "account", "add", name)
        process = await asyncio.create_subprocess_exec(*command, cwd=CHECKOUT, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        _, said = await process.communicate(f"{password}\n".encode())
        if process.returncode:
            msg = f"The Nest server made no account:\n{said.decode(errors='replace').strip()}"
            raise ToolError(msg)

    async def add_stranger(self, name: str, password: str) -> None:
        """Make the account of somebody who belongs to no home, once it was started. No page can: all here belong."""
        await self.add_account(name, password)
        with closing(sqlite3.connect(self._data / DATABASE)) as database, database:
            database.execute(SHUT_OUT, (name,))

    async def start(self, port: int = 0) -> str:
        """Start it and return its address once it listens; 0 is any free port. Raises ProcessError."""
        self._data.mkdir(parents=True, exist_ok=True)
        self.process = self._new_process(port)
        await self.process.start(CHECKOUT, self._keep_open)
        line = await self.process.wait_for_line(lambda line: line.startswith(READY_LINE), STARTS_WITHIN)
        self.base = line.removeprefix(READY_LINE).strip()
        return self.base

    async def set_up_code(self) -> str:
        """Return the code that it printed for first run. Raises ProcessError."""
        line = await self.process.wait_for_line(lambda line: SET_UP_LINE in line, STARTS_WITHIN)
        return line.rpartition(SET_UP_LINE)[2].strip()

    async def stop(self) -> int | None:
        """End it and return its exit code."""
        return await self.process.stop()

    def _new_process(self, port: int) -> ManagedProcess:
        options = ("--host", LOOPBACK, "--port", str(port), "--no-announce", *self._options)
        return ManagedProcess("The Nest server", (*self._command, *options), self._log)


class NestPerson:
    """A member of the Nest home, at a browser: signs in, decides about hubs, plays with the home."""

    def __init__(self, base: str, username: str, password: str, certificate: Path | None = None) -> None:
        """Go to this server as this person, who trusts its certificate."""
        self.base = base
        self._credentials = {"username": username, "password": password}
        self._csrf = ""
        # A jar that takes cookies from a bare address.
        trusted = ssl.create_default_context(cafile=certificate) if certificate else True
        self._session = ClientSession(
            connector=TCPConnector(ssl=trusted),
            cookie_jar=CookieJar(unsafe=True),
            headers={"Accept": "text/html"},
            timeout=ClientTimeout(total=30),
        )

    async def __aenter__(self) -> Self:
        """Use it in a with block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the browser."""
        await self.close()

    async def close(self) -> None:
        """Close the browser."""
        await self._session.close()

    async def sign_in(self) -> None:
        """Sign in, if not done yet. Raises ToolError where the server does not take the password."""
        await self.read(SIGN_IN)

    def session_cookie(self) -> str:
        """Return what a browser would send to stay signed in."""
        return next(cookie.value for cookie in self._session.cookie_jar if cookie.key == "wwn_session")

    async def accept(self, consent_url: str) -> str:
        """Accept what a hub asks for; return the address the server sends the browser back to."""
        return await self._decide(consent_url, "accept")

    async def decline(self, consent_url: str) -> str:
        """Go back instead of accepting; return the address the server sends the browser back to."""
        return await self._decide(consent_url, "back")

    async def remove(self, consent_url: str) -> str:
        """Remove the links of the hub that asks; return the address the server sends the browser back to."""
        return await self._decide(consent_url, "remove")

    async def take_back(self, permission: str) -> None:
        """Take back one kind of data from every link of the home. Raises ToolError."""
        for link, fields in (await self._links()).items():
            await self._post(f"{link}/permissions", {**fields, "permission": permission})

    async def remove_links(self) -> None:
        """Remove every link of the home. Raises ToolError."""
        for link, fields in (await self._links()).items():
            await self._post(f"{link}/remove", fields)

    async def read(self, url: str) -> str:
        """Return one of the server's pages as it is, after signing in where it asks for that."""
        async with self._request("GET", self._path(url)) as response:
            html = await response.text()
        sign_in = parse_page(html).form(SIGN_IN)
        return await self.read(await self._submit_sign_in(sign_in)) if sign_in else html

    async def document(self) -> Document:
        """Return the home as its console shows it."""
        document: Document = (await self._console())["document"]
        return document

    async def set_alarm(
        self,
        device_id: str,
        *,
        smoke: Literal["ok", "warning", "emergency"] | None = None,
        carbon_monoxide: Literal["ok", "warning", "emergency"] | None = None,
        battery: Literal["ok", "replace"] | None = None,
        is_manual_test_active: bool | None = None,
        is_online: bool | None = None,
    ) -> None:
        """Let an alarm sense something, test it, drain its battery, or cut it off or back on."""
        asked = {
            "smoke_alarm_state": smoke,
            "co_alarm_state": carbon_monoxide,
            "battery_health": battery,
            "is_manual_test_active": is_manual_test_active,
            "is_online": is_online,
        }
        await self._play(f"/console/alarms/{device_id}", asked)

    async def set_thermostat(
        self,
        device_id: str,
        *,
        is_locked: bool | None = None,
        is_using_emergency_heat: bool | None = None,
        sunlight: Literal["off", "on", "correcting"] | None = None,
        is_online: bool | None = None,
    ) -> None:
        """Lock a thermostat, switch its emergency heat, let it sit in the sun, or cut it off or back on."""
        asked = {
            "is_locked": is_locked,
            "is_using_emergency_heat": is_using_emergency_heat,
            "sunlight": sunlight,
            "is_online": is_online,
        }
        await self._play(f"/console/thermostats/{device_id}", asked)

    async def set_surroundings(
        self,
        *,
        outside_celsius: float | None = None,
        speed: float | None = None,
        rush_hour: bool | None = None,
    ) -> None:
        """Change the temperature outside, the speed of time, or whether there is an energy rush hour."""
        asked = {"outside_temperature": outside_celsius, "speed": speed, "rush_hour": rush_hour}
        await self._play("/console/home", asked)

    async def add_device(self, group: Literal["thermostats", "smoke_co_alarms"], room: str) -> None:
        """Hang up a device in a room of the home."""
        await self._play("/console/devices", {"group": group, "room": room})

    async def remove_device(self, device_id: str) -> None:
        """Take a device down."""
        await self._play(f"/console/devices/{device_id}/remove", {})

    async def set_away(self, away: Literal["home", "away"]) -> None:
        """Let everybody leave, or somebody come home."""
        await self._play("/console/home", {"away": away})

    async def _links(self) -> dict[str, dict[str, str]]:
        """Return the fields of the forms of every link, by where its pages are."""
        end = "/permissions"
        forms = parse_page(await self.read(CONNECTIONS)).forms
        return {form.action.removesuffix(end): form.fields for form in forms if form.action.endswith(end)}

    async def _console(self) -> dict[str, Any]:
        async with self._request("GET", "/console", headers={"Accept": "application/json"}) as response:
            if response.ok:
                answer: dict[str, Any] = await response.json()
                return answer
        msg = f"The Nest server does not show its console ({response.status}); is the person signed in?"
        raise ToolError(msg)

    async def _play(self, path: str, asked: Mapping[str, str | float | bool | None]) -> None:
        fields = {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in asked.items()
            if value is not None
        }
        # The same for all forms of a session.
        self._csrf = self._csrf or (await self._console())["csrf"]
        await self._post(path, {"csrf": self._csrf, **fields})

    async def _decide(self, consent_url: str, decision: str) -> str:
        page = parse_page(await self.read(consent_url))
        form = page.form(CONSENT)
        if form is None:
            msg = f"The Nest server shows no consent page: {' '.join(page.alerts) or 'no form, and no reason'}"
            raise ToolError(msg)
        return await self._post(CONSENT, {**form.fields, "decision": decision})

    async def _submit_sign_in(self, form: Form) -> str:
        """Return where the server sends the person after signing in."""
        return await self._post(SIGN_IN, {**form.fields, **self._credentials})

    def _path(self, url: str) -> str:
        """Return an address of this server without the server. Raises ToolError for any other."""
        if not URL(url).absolute:
            return url
        if URL(url).origin() != URL(self.base).origin():
            msg = f"This page is not on {self.base}, but at {URL(url).origin()}."
            raise ToolError(msg)
        return URL(url, encoded=True).raw_path_qs

    async def _post(self, path: str, fields: Mapping[str, str]) -> str:
        """Submit a form of the server's and return where it leads. Raises ToolError with the reason it gives."""
        headers = {"Origin": self.base}
        async with self._request("POST", path, data=fields, headers=headers, allow_redirects=False) as response:
            if response.status in {HTTPStatus.FOUND, HTTPStatus.SEE_OTHER}:
                return response.headers["Location"]
            alerts = parse_page(await response.text()).alerts
        msg = f"The Nest server refused ({response.status}): {' '.join(alerts) or 'no reason given'}"
        raise ToolError(msg)

    @asynccontextmanager
    async def _request(self, method: str, path: str, **options: Any) -> AsyncIterator[ClientResponse]:
        # As it stands, for what the server put into a query must come back unchanged.
        url = URL(self.base + path, encoded=True)
        try:
            async with self._session.request(method, url, **options) as response:
                yield response
        except (ClientError, TimeoutError) as err:
            msg = f"The Nest server does not answer at {self.base}: {err or type(err).__name__}"
            raise ToolError(msg) from err
