"""The Nest side of the campaign: the real server behind the proxy, a person at its console, and what is true there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
import secrets
import sys
import time
from typing import Any, Final, Literal, override

from aiohttp import ClientSession
from yarl import URL

from tools.errors import ToolError
from tools.nest_home import NestHomeServer, NestPerson
from tools.ports import LOOPBACK
from tools.processes import ManagedProcess

from .record import Truth
from .story import Step

NAME: Final = "ada"
# The simulated home ends a manual test by itself after a minute of its time, which must be longer than any phase.
HOME_SPEED: Final = 10.0
BACK: Final = "http://localhost/auth/external/callback"
REASONS: Final = {
    "thermostat read/write": "Home Assistant shows and sets your temperatures",
    "away read/write": "Home Assistant shows and sets whether somebody is home",
    "smoke+co read": "Home Assistant shows what your alarms sense",
}
AS_FOUND: Final[dict[str, Any]] = {
    "is_online": True,
    "smoke": "ok",
    "carbon_monoxide": "ok",
    "battery": "ok",
    "is_manual_test_active": False,
}


class QuickNestServer(NestHomeServer):
    """``wwn_server`` with its keep-alive shortened, and a home that lives faster."""

    @override
    def _new_process(self, port: int) -> ManagedProcess:
        command = (sys.executable, "-m", "tools.chaos.quick_server", "--data", str(self._data))
        where = ("--host", LOOPBACK, "--port", str(port), "--no-announce")
        # A link that lives so fast asks for more in an hour than anybody may.
        how = ("--no-limits", "--speed", f"{HOME_SPEED:.0f}")
        return ManagedProcess("The Nest server", (*command, *where, *how), self._log)


@dataclass(frozen=True, slots=True)
class Granted:
    """What a hub has after linking. All but the ids is secret."""

    client_id: str
    client_secret: str
    access_token: str


class Nest:
    """A server with one home and one link, and a person at its console."""

    def __init__(self, server: QuickNestServer, password: str) -> None:
        """Use a server that runs."""
        self.server = server
        self.password = password
        self.truth = Truth()
        self.alarms: list[str] = []
        self.homes: list[str] = []
        self._person: NestPerson | None = None

    @property
    def port(self) -> int:
        """Where the server listens."""
        return URL(self.server.base).port or 0

    @property
    def person(self) -> NestPerson:
        """Return the person, who is signed in."""
        if self._person is None:
            msg = "Nobody is signed in at the Nest server."
            raise ToolError(msg)
        return self._person

    @classmethod
    @asynccontextmanager
    async def running(cls, folder: Path) -> AsyncIterator[Nest]:
        """Run a new server in a folder, and sign in."""
        password = secrets.token_urlsafe(12)
        server = QuickNestServer(folder / "nest", folder / "nest.log")
        await server.add_account(NAME, password)
        nest = cls(server, password)
        try:
            await server.start()
            await nest.sign_in()
            yield nest
        finally:
            await nest.sign_out()
            await server.stop()

    async def sign_in(self) -> None:
        """Open the console."""
        await self.sign_out()
        self._person = NestPerson(self.server.base, NAME, self.password)
        await self._person.sign_in()
        document = await self._person.document()
        self.alarms = sorted(document["devices"]["smoke_co_alarms"])
        self.homes = sorted(document["structures"])

    async def sign_out(self) -> None:
        """Close the console."""
        if self._person is not None:
            await self._person.__aexit__()
            self._person = None

    async def reset(self) -> None:
        """Bring the home to where every run begins, and know nothing but that."""
        for alarm in self.alarms:
            await self._set_alarm(alarm, **AS_FOUND)
        await self.person.set_away("home")
        self.truth = Truth()
        await self.look(time.monotonic())

    async def take(self, step: Step) -> None:
        """Let something happen, and learn what is true then."""
        begun = time.monotonic()
        change = dict(step.change)
        if step.alarm is None:
            await self.person.set_away(change["away"])
        else:
            await self._set_alarm(self.alarms[step.alarm], **change)
        await self.look(begun)

    async def look(self, begun: float) -> None:
        """Learn what is true, and became so since a moment."""
        self.truth.learn(await self.person.document(), begun, time.monotonic())

    def said(self) -> str:
        """Return the server's log since its last start."""
        return self.server.process.output()

    async def restart(self, how: Literal["stop", "kill"]) -> None:
        """End the server as told, and start it again at the same place; its home may begin anew."""
        begun, port = time.monotonic(), self.port
        await self.server.process.stop(grace=15.0 if how == "stop" else 0.0)
        await self.server.start(port)
        await self.sign_in()
        await self.look(begun)

    async def link(self) -> Granted:
        """Link a hub as a program does: register, let the person accept, change the code for a token."""
        base = self.server.base
        asked = {
            "client_name": "Campaign",
            "redirect_uris": [BACK],
            "policy_uri": "https://works-with-nest.example/privacy",
            "permissions": [{"name": name, "reason": reason} for name, reason in REASONS.items()],
        }
        async with ClientSession() as session:
            async with session.post(f"{base}/oauth2/register", json=asked) as answer:
                client = await answer.json()
            consent = URL(f"{base}/login/oauth2").with_query(
                client_id=client["client_id"], state="campaign", redirect_uri=BACK
            )
            code = URL(await self.person.accept(str(consent))).query["code"]
            form = {name: client[name] for name in ("client_id", "client_secret")}
            form |= {"code": code, "grant_type": "authorization_code"}
            async with session.post(f"{base}/oauth2/access_token", data=form) as answer:
                token = (await answer.json())["access_token"]
        return Granted(client["client_id"], client["client_secret"], token)

    async def _set_alarm(self, alarm: str, **change: Any) -> None:
        await self.person.set_alarm(alarm, **change)
