"""A connection to an MQTT broker that comes back by itself."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
import logging
from socket import socket
import ssl
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, override

import aiomqtt
from aiomqtt.exceptions import MqttConnectError

from wwn_server.homes.source import Failure

from .reach import SECONDS, Address, ReachError, failure_of, resolved

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOGGER: Final = logging.getLogger(__name__)

# A broker that says nothing for this long is asked, and given up when it does not answer.
_KEEP_ALIVE_SECONDS: Final = 15
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0
# The answers of a broker that does not want this user (MQTT 3.1.1, 3.2.2.3; MQTT 5, 3.2.2.2).
_UNWANTED: Final = frozenset({4, 5, 134, 135})
_DENIED: Final = 128
# The list of all devices of a large Zigbee network is one message.
_LARGEST: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Login:
    """Where a broker is, and as whom to be there. The password is never shown."""

    address: Address
    username: str = ""
    password: str = field(default="", repr=False)


class Reader(Protocol):
    """Somebody who listens at a broker."""

    def connected(self) -> None:
        """Hear that messages come from now on."""

    def lost(self, failure: Failure) -> None:
        """Hear that none come any more, or yet."""

    def heard(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Hear a message; a retained one was said at some time before."""


class Broker:
    """Follows topics at a broker, and connects anew whenever the connection ends."""

    def __init__(self, login: Login, reader: Reader, topics: Iterable[str] = ()) -> None:
        """Prepare; nothing is connected yet."""
        self._login = login
        self._reader = reader
        self._topics = set(topics)
        # What the broker is known to pass on.
        self.following: set[str] = set()
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def follow(self, topics: Iterable[str]) -> None:
        """Follow these topics from now on, and no others."""
        self._topics = set(topics)
        self._wanted.set()

    async def start(self) -> None:
        """Begin to connect."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="broker")

    async def stop(self) -> None:
        """Disconnect."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            started = asyncio.get_running_loop().time()
            failure = await self._session()
            lasted = asyncio.get_running_loop().time() - started
            pause = _FIRST_PAUSE if lasted > _LONGEST_PAUSE else pause
            _LOGGER.warning("%s: %s. Next attempt in %.0f s", self._login.address, failure.value, pause)
            self._reader.lost(failure)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _session(self) -> Failure:
        """Listen until the connection ends, and return why it did."""
        try:
            async with asyncio.timeout(SECONDS):
                found = await resolved(self._login.address.host, self._login.address.port)
            async with AsyncExitStack() as stack:
                return await self._listen(await self._first(stack, [each["host"] for each in found]))
        except MqttConnectError as error:
            return Failure.CREDENTIALS if _code(error.rc) in _UNWANTED else Failure.FAULT
        except (aiomqtt.MqttError, OSError, ReachError) as error:
            return failure_of(error)
        except Exception:
            # Whatever this was, the next attempt is made all the same.
            _LOGGER.exception("The connection to %s ended", self._login.address)
            return Failure.FAULT

    async def _first(self, stack: AsyncExitStack, hosts: list[str]) -> aiomqtt.Client:
        """Return a client at the first of these addresses that answers.

        The name is not looked up anew: it could lead elsewhere by now.
        """
        *others, last = hosts
        for host in others:
            try:
                return await stack.enter_async_context(self._new_client(host))
            except MqttConnectError:
                raise
            except aiomqtt.MqttError:
                _LOGGER.debug("%s does not answer at %s", self._login.address, host)
        return await stack.enter_async_context(self._new_client(last))

    def _new_client(self, host: str) -> aiomqtt.Client:
        login = self._login
        return aiomqtt.Client(
            host,
            login.address.port,
            username=login.username or None,
            password=login.password or None,
            tls_context=_Named(login.address.host) if login.address.is_encrypted else None,
            timeout=SECONDS,
            keepalive=_KEEP_ALIVE_SECONDS,
        )

    async def _listen(self, client: aiomqtt.Client) -> Failure:
        self.following.clear()
        await self._catch_up(client)
        self._reader.connected()
        catching_up = asyncio.create_task(self._keep_up(client), name="broker topics")
        try:
            async for message in client.messages:
                self._tell(message)
        except aiomqtt.MqttError:
            _LOGGER.debug("The connection to %s ended", self._login.address)
        finally:
            catching_up.cancel()
            await asyncio.gather(catching_up, return_exceptions=True)
        return Failure.LOST

    async def _keep_up(self, client: aiomqtt.Client) -> None:
        """Follow what is wanted while the connection lasts; the reader of messages notices when it ends."""
        while True:
            await self._wanted.wait()
            await self._catch_up(client)

    async def _catch_up(self, client: aiomqtt.Client) -> None:
        self._wanted.clear()
        for topic in self.following - self._topics:
            await client.unsubscribe(topic)
            self.following.discard(topic)
        for topic in self._topics - self.following:
            granted = await client.subscribe(topic, qos=1)
            self.following.add(topic)
            if any(_code(each) >= _DENIED for each in granted):
                _LOGGER.warning("%s does not let this user follow %s", self._login.address, topic)

    def _tell(self, message: aiomqtt.Message) -> None:
        topic, payload = str(message.topic), message.payload
        if not isinstance(payload, bytes | bytearray) or len(payload) > _LARGEST:
            _LOGGER.warning("%s: a message at %s is too large, and was not read", self._login.address, topic)
            return
        try:
            self._reader.heard(topic, bytes(payload), retained=bool(message.retain))
        except Exception:
            # Whatever somebody says at one topic, the others are still heard.
            _LOGGER.exception("What was said at %s could not be heard", topic)


class _Named(ssl.SSLContext):
    """TLS with whom a name means, whatever address it is spoken to at: the certificate has to be for the name."""

    def __new__(cls, _: str) -> Self:
        """Make a context that trusts whom this machine trusts."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, name: str) -> None:
        """Be as strict as Python is by itself."""
        self._name = name
        self.verify_flags = ssl.create_default_context().verify_flags
        self.load_default_certs()

    @override
    def wrap_socket(self, sock: socket, *args: Any, **options: Any) -> ssl.SSLSocket:
        """Return a socket that takes nobody else for the one of that name. Whoever says nothing is not waited for."""
        sock.settimeout(SECONDS)
        own = {"server_hostname": self._name, "do_handshake_on_connect": True}
        try:
            return super().wrap_socket(sock, *args, **options | own)
        except ConnectionError:
            msg = "hung up, as those do who speak no TLS"
            raise ssl.SSLError(msg) from None


def _code(reason: object) -> int:
    """Return the number of what a broker answers, whichever version of the protocol it is of."""
    return int(getattr(reason, "value", reason))  # type: ignore[call-overload,no-any-return]
