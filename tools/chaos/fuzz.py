"""Nonsense: thousands of requests that make little sense, against the server as a process of its own.

Nothing of it may be answered with 500, end the process, write a traceback or a secret into its log, fill its memory, or
change the home: a refused write leaves the document as it was, to the byte, and one that is accepted is the new truth.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
import json
from pathlib import Path
from random import Random
import sys
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import ClientSession, ClientTimeout

from tools.nest_home import NestHomeServer, NestPerson
from tools.paths import CHECKOUT

from .nonsense import Keys, Nonsense, draw

WORKERS: Final = 8
# Connections that drip for as long as everything else lasts.
DRIPPING: Final = 10
PATIENCE: Final = 60.0
# Who sent half a request leaves after this long; whatever the server has said until then is read.
SHORT_PATIENCE: Final = 0.2
MOST_GROWTH_MIB: Final = 100
NAME: Final = "anna"
PASSWORD: Final = "a long passphrase"  # noqa: S105

type Say = Callable[[str], None]


@dataclass
class Figures:
    """What a run came to."""

    kinds: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    accepted_writes: int = 0
    comparisons: int = 0
    growth_mib: float = 0.0
    broken: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "requests": self.kinds.total(),
            "kinds": dict(self.kinds),
            "answers": dict(self.statuses),
            "accepted_writes": self.accepted_writes,
            "comparisons": self.comparisons,
            "memory_growth_mib": round(self.growth_mib, 1),
            "broken": self.broken,
        }


def fuzz(requests: int, say: Say, report: Path | None, seed: int = 0) -> int:
    """Send so many requests and return the exit code."""
    figures = asyncio.run(play(requests, seed, say))
    say(summary(figures))
    if report is not None:
        report.write_text(json.dumps(figures.as_dict(), indent=2) + "\n", encoding="utf-8")
    return 1 if figures.broken else 0


def summary(figures: Figures) -> str:
    """Return the figures for people."""
    lines = [f"{figures.kinds.total()} requests:"]
    lines += [f"  {count:6} {kind}" for kind, count in figures.kinds.most_common()]
    lines += ["Answers:", *(f"  {count:6} {status}" for status, count in sorted(figures.statuses.items()))]
    lines.append(f"Writes that made sense and were accepted: {figures.accepted_writes}.")
    lines.append(f"The home compared with what it has to be: {figures.comparisons} times.")
    lines.append(f"Memory of the process grew by {figures.growth_mib:.1f} MiB.")
    lines += [f"BROKEN: {each}" for each in figures.broken]
    return "\n".join([*lines, f"Broken: {len(figures.broken)}."])


async def play(requests: int, seed: int, say: Say) -> Figures:
    """Play a run; the same seed draws the same requests."""
    figures = Figures()
    with TemporaryDirectory(prefix="wwn-fuzz-") as folder:
        server = NestHomeServer(Path(folder) / "data", Path(folder) / "log", "--speed", "0", "--no-limits")
        await server.add_account(NAME, PASSWORD)
        await server.start()
        try:
            run = _Run(server, await _keys(server, Path(folder) / "data"), figures)
            async with run.dripping():
                await run.all(requests, seed, say)
            await run.look_at_the_rest()
        finally:
            code = await server.stop()
        if code != 0:
            figures.broken.append(f"the server ended with {code}")
    return figures


async def _keys(server: NestHomeServer, data: Path) -> Keys:
    async with NestPerson(server.base, NAME, PASSWORD) as person:
        await person.sign_in()
        document = await person.document()
        session = person.session_cookie()
    ids = (*document["devices"]["thermostats"], *document["structures"])
    writing = ("thermostat read/write", "away read/write", "eta write", "structure read/write", "smoke+co read")
    return Keys(await _token(data, ()), await _token(data, writing), session, tuple(ids))


async def _token(data: Path, permissions: tuple[str, ...]) -> str:
    asked = [word for each in permissions for word in ("--permission", each)]
    command = (sys.executable, "-m", "wwn_server", "token", "fuzz", "--data", str(data), *asked)
    process = await asyncio.create_subprocess_exec(*command, cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    return said.decode().strip()


class _Run:
    """One server under fire."""

    def __init__(self, server: NestHomeServer, keys: Keys, figures: Figures) -> None:
        self._server = server
        self._keys = keys
        self._figures = figures
        parts = urlsplit(server.base)
        self._address = (parts.hostname or "", parts.port or 0)
        self._memory = self._resident()
        self._truth: Any = None
        # What is compared must not be written at the same time.
        self._writing = asyncio.Lock()

    async def all(self, requests: int, seed: int, say: Say) -> None:
        """Send all requests, several at a time."""
        self._truth = await self._document()
        shares = [requests // WORKERS + (number < requests % WORKERS) for number in range(WORKERS)]
        done = Counter[int]()
        async with asyncio.TaskGroup() as group:
            for number, share in enumerate(shares):
                group.create_task(self._worker(Random(f"{seed} {number}"), share, done, say))  # noqa: S311

    async def _worker(self, chance: Random, share: int, done: Counter[int], say: Say) -> None:
        for _ in range(share):
            nonsense = draw(chance, self._keys)
            if nonsense.may_write:
                async with self._writing:
                    await self._send_and_compare(nonsense)
            else:
                await self._send(nonsense)
            done[0] += 1
            if done[0] % 1000 == 0:
                say(f"{done[0]} requests, {len(self._figures.broken)} broken")

    async def _send_and_compare(self, nonsense: Nonsense) -> None:
        status = await self._send(nonsense)
        document = await self._document()
        self._figures.comparisons += 1
        if document == self._truth:
            return
        if status == HTTPStatus.OK and nonsense.data.split()[0] in {b"PUT", b"PATCH"}:
            self._figures.accepted_writes += 1
        else:
            self._figures.broken.append(f"the home changed by {_quoted(nonsense)}, answered {status}")
        self._truth = document

    async def _send(self, nonsense: Nonsense) -> int | None:
        self._figures.kinds[nonsense.kind] += 1
        status = await self._status(nonsense)
        self._figures.statuses[str(status or "none, closed")] += 1
        if status is None and nonsense.is_whole:
            self._figures.broken.append(f"no answer to {_quoted(nonsense)}")
        if status is not None and status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._figures.broken.append(f"{status} for {_quoted(nonsense)}")
        return status

    async def _status(self, nonsense: Nonsense) -> int | None:
        """Return the status of the first answer, nothing where there is none."""
        reader, writer = await asyncio.open_connection(*self._address)
        line = b""
        try:
            async with asyncio.timeout(PATIENCE if nonsense.is_whole else SHORT_PATIENCE):
                # The server may refuse and close before all was sent; what it said is still there to be read.
                writer.write(nonsense.data)
                line = await reader.readline()
        except ConnectionError, TimeoutError:
            pass
        finally:
            writer.transport.abort()
        words = line.split()
        return int(words[1]) if len(words) > 1 and words[1].isdigit() else None

    async def _document(self) -> Any:
        headers = {"Authorization": f"Bearer {self._keys.writes}"}
        async with (
            ClientSession(timeout=ClientTimeout(total=PATIENCE)) as session,
            session.get(f"{self._server.base}/", headers=headers) as answer,
        ):
            return await answer.json()

    @asynccontextmanager
    async def dripping(self) -> AsyncIterator[None]:
        """Keep some connections that send a byte now and then."""
        drips = [asyncio.create_task(self._drip(number)) for number in range(DRIPPING)]
        try:
            yield
        finally:
            for each in drips:
                each.cancel()
            await asyncio.gather(*drips, return_exceptions=True)

    async def _drip(self, number: int) -> None:
        head = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n" + b"\r\n" * (number % 2)
        while True:
            self._figures.kinds["drop by drop"] += 1
            _, writer = await asyncio.open_connection(*self._address)
            with suppress(ConnectionError):
                for byte in head + b"X" * 1000:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.1)
            writer.transport.abort()

    async def look_at_the_rest(self) -> None:
        """Hold the end against the beginning: document, memory, log."""
        self._figures.comparisons += 1
        if await self._document() != self._truth:
            self._figures.broken.append("the home is not what it has to be")
        self._figures.growth_mib = (self._resident() - self._memory) / 1024
        if self._figures.growth_mib > MOST_GROWTH_MIB:
            self._figures.broken.append(f"memory grew by {self._figures.growth_mib:.0f} MiB")
        log = self._server.process.output()
        for secret in (self._keys.reads, self._keys.writes, self._keys.session, PASSWORD):
            if secret in log:
                self._figures.broken.append(f"a secret that begins with {secret[:3]} stands in the log")
        if "Traceback" in log:
            start = log.index("Traceback")
            self._figures.broken.append(f"a traceback stands in the log: {log[start - 300 : start + 3000]}")

    def _resident(self) -> int:
        """Return how much memory the process has now, in KiB."""
        status = Path(f"/proc/{self._server.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def _quoted(nonsense: Nonsense) -> str:
    return f"{nonsense.kind} {nonsense.data[:200]!r}"
