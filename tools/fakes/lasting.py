"""What is there as long as a block lasts."""

from typing import Self


class Lasting:
    """Starts with a block, and stops with it."""

    async def __aenter__(self) -> Self:
        """Be there."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Be gone."""
        await self.stop()

    async def start(self, port: int = 0) -> str:
        """Listen, on a free port if none is named, and return the address."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Close everything."""
        raise NotImplementedError
