"""The body of an answer, from a server that may be anything."""

import asyncio

from aiohttp import ClientResponse

from .const import MAX_EVENT_BYTES, REQUEST_TIMEOUT
from .errors import WwnProtocolError


async def read_body(response: ClientResponse) -> bytes:
    """Return the body of an answer, which may take neither for ever nor all memory."""
    body = bytearray()
    async with asyncio.timeout(REQUEST_TIMEOUT):
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > MAX_EVENT_BYTES:
                msg = f"an answer passed {MAX_EVENT_BYTES} bytes"
                raise WwnProtocolError(msg)
    return bytes(body)
