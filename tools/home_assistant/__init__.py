"""A real Home Assistant: as a process, and what a person and their browser do with it."""

from .api import HomeAssistantApi
from .server import EXIT_TO_RESTART, HomeAssistantServer
from .socket import HomeAssistantSocket
from .states import LiveStates, State, States

__all__ = [
    "EXIT_TO_RESTART",
    "HomeAssistantApi",
    "HomeAssistantServer",
    "HomeAssistantSocket",
    "LiveStates",
    "State",
    "States",
]
