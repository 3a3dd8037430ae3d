"""How much a person does for a link, by each way in: counted while it is done, in a real browser.

Prints the rows of the table in docs/linking.md; the browser tests hold the document to them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
import json
from pathlib import Path
import sys
import tempfile
from typing import Final

from aiohttp import ClientSession

from .alone import run_alone
from .browser import chromium
from .demo.servers import started
from .demo.state import USERNAME, held
from .errors import ToolError
from .frontend import Frontend
from .hand import Hand
from .linking import DOMAIN
from .nest_pages import PlainHub
from .original_service import OriginalService
from .paths import CHECKOUT
from .ports import free_port
from .walks import CREDENTIAL_NAME, Walker, link_by_pin, link_own_client, link_typed, open_integration

DOCUMENT: Final = CHECKOUT / "docs" / "linking.md"
FOUND: Final = "Found by itself"
TYPED: Final = "Address typed"
BY_PIN: Final = "Address and PIN typed"
OWN_CLIENT: Final = "A client of one's own"


def row(way: str, linking: Hand, signing_in: Hand) -> str:
    """Return the row of a way."""
    return f"| {way} | {linking.clicks} | {linking.typed} | {signing_in.clicks} | {signing_in.typed} |"


async def found_row() -> str:
    """Walk the way of a server that announces itself. Raises ToolError."""
    *_, done = (await run_alone("tools.found")).splitlines()
    walked = json.loads(done)
    return row(FOUND, Hand(**walked["linking"]), Hand(**walked["signing_in"]))


async def counted(folder: Path) -> AsyncIterator[str]:
    """Walk each way, and yield its row."""
    yield await found_row()
    async with _walkers(folder) as new_walker:
        for way, link in ((TYPED, link_typed), (BY_PIN, link_by_pin)):
            walker = await new_walker()
            await link(walker)
            yield row(way, walker.linking, walker.signing_in)
        walker = await new_walker()
        await walk_own_client(walker)
        yield row(OWN_CLIENT, walker.linking, walker.signing_in)


async def walk_own_client(walker: Walker) -> None:
    """Link by a client that was made at a service of the original protocol; what is done there is not counted."""
    async with ClientSession() as session, OriginalService(walker.nest) as service:
        client = PlainHub(walker.nest, session, CREDENTIAL_NAME)
        await client.register(f"{walker.frontend.base}/auth/external/callback")
        await link_own_client(walker, service.base, client.credentials)
        await open_integration(walker)


@asynccontextmanager
async def _walkers(folder: Path) -> AsyncIterator[Callable[[], Awaitable[Walker]]]:
    """Start both servers, and make people who have not linked anything yet."""
    async with held(folder) as state:
        state.keep(nest_port=free_port(), home_assistant_port=free_port())
        async with started(state) as servers, servers.signed_in() as api, chromium() as browser:

            async def new_walker() -> Walker:
                for entry in await api.entries(DOMAIN):
                    await api.remove_entry(entry["entry_id"])
                password = state.kept.nest_password
                frontend = await Frontend.open(browser, api)
                return Walker(frontend=frontend, nest=servers.nest.base, name=USERNAME, password=password)

            yield new_walker


async def _print(folder: Path) -> None:
    rows = [each async for each in counted(folder)]
    print("\n".join(rows))


def main() -> None:
    """Walk, and print."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(_print(Path(folder)))
    except ToolError as err:
        sys.exit(f"python -m tools.effort: {err}")


if __name__ == "__main__":
    main()
