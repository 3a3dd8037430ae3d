"""The hub's half of the Works with Nest protocol: asyncio, aiohttp and orjson, and nothing of Home Assistant."""

from .auth import NestServer, async_discover
from .client import WwnClient
from .models import Document

__all__ = ["Document", "NestServer", "WwnClient", "async_discover"]
