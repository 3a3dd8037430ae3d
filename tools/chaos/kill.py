"""Power cuts: the server is killed in the middle of its work, and what it had acknowledged has to be there afterwards.

Three hubs link and end links over HTTP as fast as they can, with a person at a browser each, until the process is
killed at a random moment. After the next start every answer that had arrived before is held against the server. What
was still under way may have happened or not; what is found then has to stay so.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from http import HTTPStatus
import json
from pathlib import Path
from random import Random
import re
import sqlite3
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, CookieJar

from tools.errors import ToolError
from tools.forms import parse_page
from tools.nest_home import NestHomeServer, NestPerson
from tools.ports import free_port

HUBS: Final = 3
# How long the server lives before it is killed; the first answers take a few milliseconds.
SHORTEST_LIFE: Final = 0.01
LONGEST_LIFE: Final = 1.5
# So often the round is the first of a new server, whose owner's account is being made.
NEW_SERVER_EVERY: Final = 5
REDIRECT: Final = "http://127.0.0.1:1/back"
NAME: Final = "anna"
PASSWORD: Final = "a long passphrase"  # noqa: S105

type Say = Callable[[str], None]
type Work = Coroutine[Any, Any, None]


@dataclass
class Ledger:
    """What the server has acknowledged, and what it had not yet answered when it was killed."""

    claimed: bool | None = False
    clients: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, bool] = field(default_factory=dict)
    uncertain: set[str] = field(default_factory=set)


@dataclass
class Figures:
    """What a campaign came to."""

    rounds: int = 0
    acknowledged: Counter[str] = field(default_factory=Counter)
    under_way: int = 0
    checked: int = 0
    broken: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "rounds": self.rounds,
            "acknowledged": dict(self.acknowledged),
            "under_way_when_killed": self.under_way,
            "checked_after_restarts": self.checked,
            "broken": self.broken,
        }


def kill(rounds: int, say: Say, report: Path | None, seed: int = 0) -> int:
    """Play so many power cuts and return the exit code."""
    figures = asyncio.run(play(rounds, seed, say))
    say(summary(figures))
    if report is not None:
        report.write_text(json.dumps(figures.as_dict(), indent=2) + "\n", encoding="utf-8")
    return 1 if figures.broken else 0


def summary(figures: Figures) -> str:
    """Return the figures for people."""
    lines = [f"{figures.rounds} power cuts. Acknowledged before them:"]
    lines += [f"  {count:6} {what}" for what, count in sorted(figures.acknowledged.items())]
    lines.append(f"Requests under way when the power was cut: {figures.under_way}.")
    lines.append(f"Held against the server after its restarts: {figures.checked} answers.")
    lines += [f"BROKEN: {each}" for each in figures.broken]
    return "\n".join([*lines, f"Lost or come back: {len(figures.broken)}."])


async def play(rounds: int, seed: int, say: Say) -> Figures:
    """Play a campaign. The same seed draws the same lives; what a life comes to is the machine's."""
    chance = Random(seed)  # noqa: S311
    figures = Figures()
    with TemporaryDirectory(prefix="wwn-kill-") as folder:
        home: _Home | None = None
        for number in range(rounds):
            if number % NEW_SERVER_EVERY == 0:
                if home is not None:
                    await home.end()
                home = _Home(Path(folder) / str(number), figures)
            if home is not None:
                await home.one_life(chance.uniform(SHORTEST_LIFE, LONGEST_LIFE), chance)
            if number % 10 == 9:  # noqa: PLR2004
                say(f"{number + 1} power cuts, {figures.checked} answers checked, {len(figures.broken)} broken")
        if home is not None:
            await home.end()
    return figures


class _Home:
    """One server, over many lives."""

    def __init__(self, folder: Path, figures: Figures) -> None:
        self._data = folder / "data"
        self._server = NestHomeServer(self._data, folder / "server.log", "--speed", "0", "--no-limits")
        self._port = free_port()
        self._base = f"http://127.0.0.1:{self._port}"
        self._ledger = Ledger()
        self._figures = figures
        # They stay signed in over all lives, which is held against the server as well.
        self._people = [NestPerson(self._base, NAME, PASSWORD) for _ in range(HUBS)]

    async def one_life(self, seconds: float, chance: Random) -> None:
        """Start, check what was acknowledged before, work, and be killed."""
        await self._server.start(self._port)
        async with ClientSession(timeout=ClientTimeout(total=20)) as session:
            await self._check(session)
            working = [asyncio.create_task(work) for work in self._works(session, chance)]
            await asyncio.sleep(seconds)
            await self._server.process.kill()
            for result in await asyncio.gather(*working, return_exceptions=True):
                self._note(result)
        self._figures.rounds += 1

    async def end(self) -> None:
        """Check for the last time, end in order, and see that the file is sound."""
        for person in self._people:
            await person.close()
        await self._server.start(self._port)
        async with ClientSession(timeout=ClientTimeout(total=20)) as session:
            await self._check(session)
        if await self._server.stop() != 0:
            self._figures.broken.append("the server did not end in order")
        with sqlite3.connect(self._data / "wwn-server.sqlite3") as file:
            if (sound := file.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                self._figures.broken.append(f"the file is not sound: {sound}")
        file.close()

    def _works(self, session: ClientSession, chance: Random) -> list[Work]:
        if not self._ledger.claimed:
            return [self._claim()]
        return [self._link_and_unlink(session, person, Random(chance.random())) for person in self._people]  # noqa: S311

    def _note(self, result: object) -> None:
        """Count what a worker ended with: it has no other end than the server's."""
        cause = result.__cause__ if isinstance(result, ToolError) else result
        if isinstance(cause, ClientError | TimeoutError | ConnectionError):
            self._figures.under_way += 1
        elif isinstance(result, BaseException):
            self._figures.broken.append(f"{type(result).__name__}: {result}")

    # Work.

    async def _claim(self) -> None:
        async with ClientSession(cookie_jar=CookieJar(unsafe=True), timeout=ClientTimeout(total=20)) as browser:
            await self._claim_in(browser)

    async def _claim_in(self, session: ClientSession) -> None:
        code = re.search(r"set-up code is (\S+)", self._server.process.output())
        if code is None:
            msg = "the server printed no set-up code"
            raise ToolError(msg)
        async with session.get(f"{self._base}/first-run", headers={"Accept": "text/html"}) as page:
            form = parse_page(await page.text()).form("/first-run")
        if form is None:
            msg = "there is no form of a first run"
            raise ToolError(msg)
        fields = {"code": code[1], "username": NAME, "password": PASSWORD, "again": PASSWORD, "home": "Villa"}
        self._ledger.claimed = None
        await self._post(session, "/first-run", dict(form.fields) | fields)
        self._ledger.claimed = True
        self._figures.acknowledged["owner's accounts"] += 1

    async def _link_and_unlink(self, session: ClientSession, person: NestPerson, chance: Random) -> None:
        while True:
            await self._link(session, person, chance)
            if chance.random() < 0.5:  # noqa: PLR2004
                await self._revoke(session, chance)

    async def _link(self, session: ClientSession, person: NestPerson, chance: Random) -> None:
        client_id, secret = await self._register(session, chance)
        query = {"client_id": client_id, "state": "s", "redirect_uri": REDIRECT}
        back = await person.accept(f"/login/oauth2?{urlencode(query)}")
        self._figures.acknowledged["acceptances"] += 1
        form = {
            "code": parse_qs(urlsplit(back).query)["code"][0],
            "client_id": client_id,
            "client_secret": secret,
            "grant_type": "authorization_code",
        }
        async with session.post(f"{self._base}/oauth2/access_token", data=form) as answer:
            token = str((await answer.json())["access_token"])
        self._ledger.tokens[token] = True
        self._figures.acknowledged["links"] += 1

    async def _register(self, session: ClientSession, chance: Random) -> tuple[str, str]:
        said = {
            "client_name": "Hub",
            "redirect_uris": [REDIRECT],
            "policy_uri": "https://hub.example/privacy",
            "permissions": [{"name": "away read", "reason": "To see it"}],
        }
        async with session.post(f"{self._base}/oauth2/register", json=said) as answer:
            registered = await answer.json()
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            # One address may not register more often; the hubs that are known go on linking.
            return chance.choice(list(self._ledger.clients.items()))
        self._ledger.clients[registered["client_id"]] = registered["client_secret"]
        self._figures.acknowledged["registrations"] += 1
        return registered["client_id"], registered["client_secret"]

    async def _revoke(self, session: ClientSession, chance: Random) -> None:
        alive = [token for token, lives in self._ledger.tokens.items() if lives and token not in self._ledger.uncertain]
        if not alive:
            return
        token = chance.choice(alive)
        self._ledger.uncertain.add(token)
        async with session.delete(f"{self._base}/oauth2/access_tokens/{token}") as answer:
            await answer.read()
        self._ledger.uncertain.discard(token)
        self._ledger.tokens[token] = False
        self._figures.acknowledged["revocations"] += 1

    async def _post(self, session: ClientSession, path: str, form: dict[str, str]) -> None:
        headers = {"Origin": self._base, "Accept": "text/html"}
        async with session.post(f"{self._base}{path}", data=form, headers=headers, allow_redirects=False) as answer:
            if answer.status != HTTPStatus.SEE_OTHER:
                alerts = parse_page(await answer.text()).alerts
                msg = f"{path} was refused ({answer.status}): {' '.join(alerts)}"
                raise ToolError(msg)

    # Checking.

    async def _check(self, session: ClientSession) -> None:
        await self._check_account(session)
        for token in list(self._ledger.tokens):
            await self._check_token(session, token)
        for client_id in self._ledger.clients:
            await self._check_client(session, client_id)

    async def _check_account(self, session: ClientSession) -> None:
        async with session.get(f"{self._base}/first-run", headers={"Accept": "text/html"}) as page:
            is_claimed = parse_page(await page.text()).form("/first-run") is None
        self._hold("the owner's account is lost", self._ledger.claimed in (None, is_claimed))
        self._ledger.claimed = is_claimed

    async def _check_token(self, session: ClientSession, token: str) -> None:
        async with session.get(f"{self._base}/", headers={"Authorization": f"Bearer {token}"}) as answer:
            lives = answer.status == HTTPStatus.OK
        if token in self._ledger.uncertain:
            self._ledger.uncertain.discard(token)
            self._ledger.tokens[token] = lives
            return
        expected = self._ledger.tokens[token]
        self._hold("a link is lost" if expected else "a revoked link came back", lives == expected)

    async def _check_client(self, session: ClientSession, client_id: str) -> None:
        query = urlencode({"client_id": client_id, "state": "s", "redirect_uri": REDIRECT})
        async with session.get(f"{self._base}/login/oauth2?{query}", allow_redirects=False) as answer:
            # Whoever asks for a known hub is sent to sign in.
            self._hold("a registration is lost", answer.status == HTTPStatus.SEE_OTHER)

    def _hold(self, broken: str, holds: bool) -> None:  # noqa: FBT001
        self._figures.checked += 1
        if not holds:
            self._figures.broken.append(broken)
