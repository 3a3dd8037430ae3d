"""Home Assistant's websocket interface: commands with answers, and what it announces by itself."""

import asyncio
from collections.abc import Callable
import itertools
from typing import Any, Self

from aiohttp import ClientError, ClientWebSocketResponse

from tools.errors import ToolError

type Json = dict[str, Any]
type Listener = Callable[[Json], None]


class HomeAssistantSocket:
    """One open connection."""

    def __init__(self, connection: ClientWebSocketResponse) -> None:
        """Take over a connection on which nothing was said yet."""
        self._connection = connection
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._listeners: dict[int, Listener] = {}
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Use it in a with block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop reading."""
        if self._reader:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def sign_in(self, access_token: str) -> None:
        """Authenticate, then start reading."""
        try:
            await self._connection.receive_json()
            await self._connection.send_json({"type": "auth", "access_token": access_token})
            answer = await self._connection.receive_json()
        except (ClientError, TypeError, ValueError) as err:
            msg = "Home Assistant closed the websocket while signing in."
            raise ToolError(msg) from err
        if answer["type"] != "auth_ok":
            msg = "Home Assistant does not take the access token on its websocket."
            raise ToolError(msg)
        self._reader = asyncio.create_task(self._read(), name="Home Assistant websocket")

    async def command(self, kind: str, **fields: Any) -> Any:
        """Send a command and return its result. Raises ToolError with the reason where it is refused."""
        return await self._send(next(self._ids), kind, fields)

    async def subscribe(self, listener: Listener, kind: str, **fields: Any) -> None:
        """Call a listener with each event of a subscription, as soon as it arrives."""
        number = next(self._ids)
        self._listeners[number] = listener
        await self._send(number, kind, fields)

    async def subscribe_to(self, event_type: str, listener: Listener) -> None:
        """Call a listener with the data of each event of one type on Home Assistant's bus."""
        await self.subscribe(lambda event: listener(event["data"]), "subscribe_events", event_type=event_type)

    async def entities(self, integration: str) -> list[Json]:
        """Return the registry's entities of an integration."""
        entities: list[Json] = await self.command("config/entity_registry/list")
        return [entity for entity in entities if entity["platform"] == integration]

    async def devices(self, entry_id: str) -> list[Json]:
        """Return the registry's devices of a link."""
        devices: list[Json] = await self.command("config/device_registry/list")
        return [device for device in devices if entry_id in device["config_entries"]]

    async def _send(self, number: int, kind: str, fields: Json) -> Any:
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            await self._connection.send_json({"id": number, "type": kind, **fields})
            return await answer
        except ClientError as err:
            msg = f"Home Assistant closed the websocket at {kind}."
            raise ToolError(msg) from err
        finally:
            del self._answers[number]

    async def _read(self) -> None:
        try:
            async for message in self._connection:
                self._take(message.json())
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(ToolError("Home Assistant closed the websocket."))

    def _take(self, message: Json) -> None:
        if message["type"] == "event":
            self._listeners[message["id"]](message["event"])
        elif (answer := self._answers.get(message["id"])) and not answer.done():
            if message.get("success", True):
                answer.set_result(message.get("result"))
            else:
                answer.set_exception(ToolError(f"Home Assistant refused: {message['error']['message']}"))
