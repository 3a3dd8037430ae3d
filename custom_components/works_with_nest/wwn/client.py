"""One link's requests: reads and writes, with redirects followed by hand (protocol 4.1, 4.2, 5.1)."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
import orjson
from yarl import URL

from .auth import NO_ADDRESS, NestServer
from .body import read_body
from .certificates import CERTIFICATE_ERRORS, certificate_error
from .clock import Instant
from .const import KNOWN_FOR, LONGEST_BLOCK, MAX_REDIRECTS, REQUEST_TIMEOUT, SHORTEST_BLOCK, WRITE_PAUSE
from .errors import (
    WwnAuthError,
    WwnBlockedError,
    WwnConnectionError,
    WwnProtocolError,
    WwnRedirectError,
    WwnRefusedError,
    WwnResponseError,
    response_error,
)
from .grants import needed_for
from .models import Document, DocumentReader, HvacMode, Permission, Presence, TemperatureScale
from .pending import PendingWrites
from .writes import MergedWrites

# 303 and 301 would turn a write into a read; the service uses 307 alone, and 308 means the same (protocol 4.2).
REDIRECTS: Final = frozenset({HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT})
NO_CONNECTION: Final = "no connection"
# Streams last; how long each piece may take is watched where they are read.
NO_TOTAL_TIMEOUT: Final = ClientTimeout(total=None)
# What is answered to a write without the permission for it (protocol 7.3).
NO_WRITE_PERMISSION: Final = "no-write-permission"


class WwnClient:
    """Reads and writes one link's homes.

    Remembers the shard that the service redirects to, and forgets it as soon as anything goes wrong there. The token is
    sent to the server's own host, on any port but never less securely, and to the shards it declared: nowhere else.
    """

    def __init__(self, session: ClientSession, server: NestServer, access_token: str) -> None:
        """Take the session to use, the server, and the token of the link."""
        self._session = session
        self._server = server
        self._token = access_token.encode()
        self._authorization = {"Authorization": f"Bearer {access_token}"}
        self._shard: URL | None = None
        self._reader = DocumentReader()
        self._taken = 0
        # The bytes that a document was pushed in, and that document.
        self._put: tuple[bytes, Document] | None = None
        self._heard: Instant | None = None
        self._pending = PendingWrites()
        # Until when each thing takes no more writes, and why, by its path.
        self._blocks: dict[str, tuple[float, WwnBlockedError]] = {}
        # What was refused for lack of permission, and the version of the client's wishes that was accepted then.
        self._denied: dict[Permission, int | None] = {}
        # How often each status came in place of a good answer.
        self.refusals: Counter[int] = Counter()
        self._writes = MergedWrites(self._send_write, WRITE_PAUSE)

    async def read(self) -> Document:
        """Return the newest document. Raises WwnError."""
        taken, asked = self._taken, Instant.now()
        content = await self._content("GET", "/")
        if self._taken != taken:
            # A push overtook this answer, which may be older than what the push brought.
            return self._reader.last
        try:
            return self.document(orjson.loads(content), asked)
        except orjson.JSONDecodeError:
            self._shard = None
            msg = "the document is not JSON"
            raise WwnProtocolError(msg) from None

    @property
    def denied(self) -> frozenset[Permission]:
        """Return what a write was refused for, until one is taken or a person accepts other wishes (protocol 2.4)."""
        version = self._reader.last.client_version
        return frozenset(permission for permission, then in self._denied.items() if then == version)

    @property
    def knows(self) -> bool:
        """Whether the newest document can be relied on: what was heard last is younger than a keep-alive's time."""
        return self._heard is not None and self._heard.age() < KNOWN_FOR

    def hear(self, heard: Instant) -> None:
        """Take the server's word that its newest document held at a time."""
        self._heard = heard

    def document(self, raw: object, heard: Instant | None = None) -> Document:
        """Return the document in a parsed root; what did not change since the last one is the same object.

        heard: when it was so for certain; now, where nothing is said.
        """
        return self._taken_in(self._reader.read(raw), heard or Instant.now())

    def pushed(self, put: bytes, heard: Instant) -> Document:
        """Return the document that was pushed in these bytes. Raises WwnProtocolError.

        The very bytes of the newest document are not parsed again: with 100 devices that takes a tenth of the time.
        """
        if self._put is None or self._put[1] is not self._reader.last or self._put[0] != put:
            self._put = put, self.document(_root_of(put), heard)
            return self._put[1]
        return self._taken_in(self._reader.last, heard)

    def _taken_in(self, document: Document, heard: Instant) -> Document:
        self._taken += 1
        self.hear(heard)
        self._pending.take(document)
        return document

    async def set_hvac_mode(self, device_id: str, mode: HvacMode) -> None:
        """Set what a thermostat does. Raises WwnError."""
        await self._write_thermostat(device_id, {"hvac_mode": mode.value})

    async def set_target(self, device_id: str, scale: TemperatureScale, value: float) -> None:
        """Set the target of a thermostat in heat or cool, in its own scale. Raises WwnError."""
        await self._write_thermostat(device_id, {f"target_temperature_{scale.suffix}": _stepped(scale, value)})

    async def set_range(self, device_id: str, scale: TemperatureScale, low: float, high: float) -> None:
        """Set both bounds of a thermostat in heat-cool, in its own scale, in one write. Raises WwnError."""
        low, high = _stepped(scale, low), _stepped(scale, high)
        bounds = {f"target_temperature_low_{scale.suffix}": low, f"target_temperature_high_{scale.suffix}": high}
        thermostat = self._reader.last.thermostats.get(device_id)
        if thermostat is not None and thermostat.target_high is not None and high > thermostat.target_high:
            # Moving up, so that a service that takes them one after the other never sees low above high (protocol 5.3).
            bounds = dict(reversed(bounds.items()))
        await self._write_thermostat(device_id, bounds)

    async def set_presence(self, structure_id: str, presence: Presence) -> None:
        """Set a home to home or away. Raises WwnError."""
        await self._writes.write(f"/structures/{structure_id}", {"away": presence.value})

    async def start_fan(self, device_id: str, minutes: int | None = None) -> None:
        """Run the fan for some minutes, by default as long as last time. Raises WwnError."""
        length = {} if minutes is None else {"fan_timer_duration": minutes}
        await self._write_thermostat(device_id, {"fan_timer_active": True, **length})

    async def stop_fan(self, device_id: str) -> None:
        """Stop the fan timer. Raises WwnError."""
        await self._write_thermostat(device_id, {"fan_timer_active": False})

    async def set_eta(self, structure_id: str, trip_id: str, begin: datetime, end: datetime) -> None:
        """Tell a home that somebody arrives between two times; the same trip again replaces it. Raises WwnError."""
        await self._write_eta(structure_id, trip_id, begin=_wire_time(begin), end=_wire_time(end))

    async def cancel_eta(self, structure_id: str, trip_id: str) -> None:
        """Tell a home that nobody arrives with this trip (protocol 5.5). Raises WwnError."""
        await self._write_eta(structure_id, trip_id, begin=0, end=0)

    async def _write_eta(self, structure_id: str, trip_id: str, *, begin: str | int, end: str | int) -> None:
        # Not merged: a quick second write may be of another trip.
        await self._send_write(
            f"/structures/{structure_id}/eta",
            {"trip_id": trip_id, "estimated_arrival_window_begin": begin, "estimated_arrival_window_end": end},
        )

    async def _write_thermostat(self, device_id: str, fields: Mapping[str, Any]) -> None:
        await self._writes.write(f"/devices/thermostats/{device_id}", fields)

    async def _send_write(self, path: str, fields: Mapping[str, Any]) -> bool:
        """Send a write, unless it is known that it would change nothing; return whether it was sent.

        That it was accepted does not mean it was carried out, the next document says so. While the service takes no
        more writes to a thing it is not asked again (protocol 6).
        """
        if self._pending.is_in_force(path, fields, self._reader.last if self.knows else None):
            return False
        self._raise_if_blocked(path)
        try:
            await self._content("PUT", path, orjson.dumps(fields))
        except WwnBlockedError as err:
            wait = SHORTEST_BLOCK if err.retry_after is None else min(err.retry_after, LONGEST_BLOCK)
            self._blocks[path] = (asyncio.get_running_loop().time() + wait, err)
            raise
        except WwnRefusedError as err:
            if err.kind.lower() == NO_WRITE_PERMISSION:
                self._denied[needed_for(path)] = self._reader.last.client_version
            raise
        self._denied.pop(needed_for(path), None)
        self._pending.add(path, fields)
        return True

    def _raise_if_blocked(self, path: str) -> None:
        until, err = self._blocks.get(path, (0.0, None))
        if err is None:
            return
        if (left := until - asyncio.get_running_loop().time()) > 0:
            raise WwnBlockedError(err.status, err.kind, err.message, err.instance, left)
        del self._blocks[path]

    async def _content(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Return what is answered.

        A refused token is tried once more from the root host, since one that got lost at a redirect looks the same
        (protocol 4.2 and 9). All of it together has the time of one request: polls of a minute have to fit into the
        time for which an answer stands for the present.
        """
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT):
                try:
                    return await self._content_once(method, path, body)
                except WwnAuthError:
                    return await self._content_once(method, path, body)
        except TimeoutError:
            raise WwnConnectionError(NO_CONNECTION) from None

    async def _content_once(self, method: str, path: str, body: bytes | None) -> bytes:
        async with self._answer(method, path, body) as response:
            return await read_body(response)

    def without_token(self, content: bytes) -> bytes:
        """Return what a server said without the token, should it say that: what it says is shown and logged."""
        return content.replace(self._token, b"...")

    async def _raise_for_status(self, response: ClientResponse) -> None:
        if response.status == HTTPStatus.OK:
            return
        if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
            self._shard = None
            msg = f"redirected with {response.status}, which would change the request"
            raise WwnRedirectError(msg)
        content = self.without_token(await read_body(response))
        try:
            body = orjson.loads(content)
        except orjson.JSONDecodeError:
            body = None
        raise response_error(response.status, body, response.headers.get("Retry-After"))

    @asynccontextmanager
    async def open_stream(self) -> AsyncGenerator[ClientResponse]:
        """Open the event stream of the root. Raises WwnError."""
        async with self._answer("GET", "/", accept="text/event-stream") as response:
            yield response

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, body: bytes | None = None, accept: str = "application/json"
    ) -> AsyncGenerator[ClientResponse]:
        """Give the good answer to a request. Whatever goes wrong, the shard is forgotten and a WwnError raised."""
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT):
                response = await self._final_response(method, path, body, accept)
            async with response:
                await self._raise_for_status(response)
                yield response
        except WwnResponseError as err:
            self._shard = None
            self.refusals[err.status] += 1
            raise
        except CERTIFICATE_ERRORS as err:
            self._shard = None
            raise certificate_error(err) from None
        except TimeoutError, ClientError, OSError:
            self._shard = None
            # Without the cause: its text holds the URL, which the error must not.
            raise WwnConnectionError(NO_CONNECTION) from None
        except BaseException:
            self._shard = None
            raise

    async def _final_response(self, method: str, path: str, body: bytes | None, accept: str) -> ClientResponse:
        """Return the first answer that is no redirect; method, body and authorization stay what they were."""
        headers = {**self._authorization, "Accept": accept, "Content-Type": "application/json"}
        url = _below(self._shard or self._server.api_root, path)
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._response(method, url, data=body, headers=headers)
            if response.status not in REDIRECTS:
                return response
            response.release()
            url = self._trusted(url, response.headers.get("Location", ""))
            self._shard = _above(url, path)
        msg = f"more than {MAX_REDIRECTS} redirects"
        raise WwnRedirectError(msg)

    async def _response(self, method: str, url: URL, **kwargs: Any) -> ClientResponse:
        kwargs |= {"allow_redirects": False, "timeout": NO_TOTAL_TIMEOUT, "ssl": self._server.trust(url)}
        try:
            return await self._session.request(method, url, **kwargs)
        except ValueError:
            # An address that nobody can be asked at, such as one with a name that is too long.
            raise WwnConnectionError(NO_CONNECTION) from None

    def _trusted(self, asked: URL, location: str) -> URL:
        """Return where a redirect leads, if that may be given the token."""
        try:
            url = asked.join(URL(location))
            origin = url.origin()
        except NO_ADDRESS:
            msg = "redirected to no address"
            raise WwnRedirectError(msg) from None
        base = self._server.base
        own = url.host == base.host and url.scheme in {base.scheme, "https"}
        is_less_secure = asked.scheme == "https" and url.scheme != "https"
        if is_less_secure or url.user or url.password or not (own or origin in self._server.shards):
            msg = "redirected to a host that is not the server's"
            raise WwnRedirectError(msg)
        return url


def _root_of(put: bytes) -> object:
    """Return the root that an event holds. Raises WwnProtocolError."""
    try:
        parsed = orjson.loads(put)
    except orjson.JSONDecodeError:
        msg = "an event is not JSON"
        raise WwnProtocolError(msg) from None
    if not isinstance(parsed, dict) or "data" not in parsed or parsed.get("path") != "/":
        msg = "a put holds no whole document"
        raise WwnProtocolError(msg)
    return parsed["data"]


def _below(root: URL, path: str) -> URL:
    return root.with_path(root.path.rstrip("/") + path)


def _above(url: URL, path: str) -> URL:
    """Return the root that a redirect leads to; the service keeps the path asked for (protocol 4.2)."""
    return url.with_path(url.path.removesuffix(path) or "/") if url.path.endswith(path) else url.origin()


def _wire_time(moment: datetime) -> str:
    """Return a time as the wire has it (protocol 3.1)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _stepped(scale: TemperatureScale, value: float) -> float:
    """Return the nearest temperature a thermostat takes: a whole degree Fahrenheit, half a degree Celsius."""
    if scale is TemperatureScale.FAHRENHEIT:
        return round(value)
    return round(value * 2) / 2
