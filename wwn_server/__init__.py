"""The Nest side of a Works with Nest link: a server that shares a home with hubs."""

from typing import Final

__version__: Final = "0.1.0"
REPOSITORY_URL: Final = "https://works-with-nest.example"
