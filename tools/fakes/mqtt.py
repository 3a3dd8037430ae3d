"""A client on the broker that keeps its connection, for fakes that publish."""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
import logging
import socket
from typing import Final, Self

import aiomqtt

from tools.ports import LOOPBACK

from .broker import Broker

TRY_AGAIN: Final = 0.2

type Heard = Callable[[str, bytes], Awaitable[None]]


class Client:
    """Connected whenever the broker is there; says what has to be said anew each time it is."""

    def __init__(
        self,
        broker: Broker,
        *,
        subscribe: tuple[str, ...] = (),
        heard: Heard | None = None,
        connected: Callable[[], Awaitable[None]] | None = None,
        will: aiomqtt.Will | None = None,
    ) -> None:
        """Describe it: what it listens to, who is told, and what the broker says for it when it is lost."""
        self._broker = broker
        self._subscribe = subscribe
        self._heard = heard
        self._connected = connected
        self._will = will
        self._client: aiomqtt.Client | None = None
        self._ready = asyncio.Event()
        self._is_over = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Connect, and return once that is done."""
        self._is_over = False
        self._ready.clear()
        self._task = asyncio.create_task(self._stay_connected(), name="fake on MQTT")
        await self._ready.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect in order."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def publish(self, topic: str, payload: str | bytes, *, retain: bool = False, qos: int = 0) -> None:
        """Publish, where there is a connection; otherwise it is lost, as with the real ones."""
        if self._client is not None:
            with contextlib.suppress(aiomqtt.MqttError):
                await self._client.publish(topic, payload, qos=qos, retain=retain)

    async def crash(self) -> None:
        """Break the connection without a word, so that the broker says the will, and stay away."""
        self._is_over = True
        connection = self._client._client.socket() if self._client else None  # noqa: SLF001 - rudeness has no method
        if isinstance(connection, socket.socket):
            connection.shutdown(socket.SHUT_RDWR)
        if self._task:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _stay_connected(self) -> None:
        while not self._is_over:
            with contextlib.suppress(aiomqtt.MqttError):
                await self._connect_once()
            await asyncio.sleep(TRY_AGAIN)

    async def _connect_once(self) -> None:
        name, password = self._broker.sign_in or (None, None)
        async with aiomqtt.Client(
            LOOPBACK,
            self._broker.port,
            username=name,
            password=password,
            will=self._will,
            timeout=5,
            logger=_QUIET,
        ) as client:
            for topic in self._subscribe:
                await client.subscribe(topic)
            self._client = client
            try:
                if self._connected:
                    await self._connected()
                self._ready.set()
                async for message in client.messages:
                    if self._heard and isinstance(message.payload, bytes):
                        await self._heard(message.topic.value, message.payload)
            finally:
                self._client = None


# A broker that goes away is what the fakes are for, and no news.
_QUIET: Final = logging.getLogger(f"{__name__}.quiet")
_QUIET.setLevel(logging.CRITICAL)
