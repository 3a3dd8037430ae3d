"""Dashboards of a linked home: made by program, and looked at in a browser."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from .demo.servers import Servers
from .frontend import Frontend
from .home_assistant import HomeAssistantApi
from .linking import link_all
from .nest_home import NestPerson

CARD_TYPE: Final = "custom:works-with-nest-alarms"
STRATEGY: Final = {"strategy": {"type": "custom:works-with-nest"}}
CARD_PATH: Final = "nest-alarms"
HOMES_PATH: Final = "nest-homes"


@asynccontextmanager
async def linked(servers: Servers, api: HomeAssistantApi) -> AsyncIterator[NestPerson]:
    """Link all there is, and let the person of the Nest home in."""
    async with servers.person() as person:
        await person.sign_in()
        await link_all(api, person.base, person.accept)
        yield person


def card_dashboard(**card: object) -> Mapping[str, Any]:
    """Return a dashboard with one alarm card."""
    cards = [{"type": CARD_TYPE, "grid_options": {"columns": "full"}, **card}]
    view = {"title": "Alarms", "path": "alarms", "type": "sections", "max_columns": 1}
    return {"views": [{**view, "sections": [{"type": "grid", "cards": cards}]}]}


async def save_dashboard(api: HomeAssistantApi, path: str, title: str, config: Mapping[str, Any]) -> None:
    """Make a dashboard of its own, or another of one that is there."""
    async with api.socket() as socket:
        if path not in {each["url_path"] for each in await socket.command("lovelace/dashboards/list")}:
            await socket.command("lovelace/dashboards/create", url_path=path, title=title, mode="storage")
        await socket.command("lovelace/config/save", url_path=path, config=config)


async def open_card(frontend: Frontend, api: HomeAssistantApi, **card: object) -> None:
    """Save a dashboard with an alarm card and open it."""
    await save_dashboard(api, CARD_PATH, "Alarms", card_dashboard(**card))
    await frontend.go(f"/{CARD_PATH}/alarms")
    await frontend.page.locator("works-with-nest-alarms .alarm").first.wait_for()


async def alarm_in(person: NestPerson, room: str) -> str:
    """Return the id of the alarm in a room."""
    alarms: dict[str, dict[str, object]] = (await person.document())["devices"]["smoke_co_alarms"]
    return next(key for key, alarm in alarms.items() if alarm["where_name"] == room)
