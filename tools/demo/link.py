"""The demo's own linking: it goes a person's way, and says so."""

import asyncio

from tools.home_assistant import HomeAssistantApi
from tools.linking import link_all
from tools.nest_home import NestPerson

from .state import USERNAME
from .voice import keep_saying, say


async def link_now(api: HomeAssistantApi, person: NestPerson) -> float:
    """Link with all there is to share and return how many seconds it took. Raises ToolError."""
    say(f"Linking Home Assistant to {person.base}: its address, what to share, the server's page ...")

    async def accept(url: str) -> str:
        say(f"  At the Nest home's consent page: signing in as {USERNAME} and accepting")
        return await person.accept(url)

    clock = asyncio.get_running_loop().time
    begun = clock()
    entry = await keep_saying("linking", link_all(api, person.base, accept))
    seconds = round(clock() - begun, 2)
    say(f'  Linked: "{entry["title"]}", after {seconds} s')
    return seconds
