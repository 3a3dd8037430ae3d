"""What a person does with their hands at a page, counted while it is done."""

from dataclasses import dataclass

from playwright.async_api import Locator


@dataclass(slots=True)
class Hand:
    """A hand at mouse and keyboard, with how often it clicked and how many characters it typed."""

    clicks: int = 0
    typed: int = 0

    async def click(self, target: Locator) -> None:
        """Click on something, once it can be."""
        await target.click()
        self.clicks += 1

    async def write(self, field: Locator, text: str) -> None:
        """Click into a field and type: always both, so that the count does not hang on where a page puts its cursor."""
        await self.click(field)
        await field.fill(text)
        self.typed += len(text)
