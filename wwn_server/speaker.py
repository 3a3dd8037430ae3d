"""HTTP on one connection: what can't be read at all is answered as everything else is, and says nothing of us."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from .errors import Anchor, WireError
from .logs import HTTP_LOG
from .texts import t

if TYPE_CHECKING:
    from aiohttp.web_request import BaseRequest

    from .settings import Settings

SERVER_NAME: Final = "wwn-server"

# The application writes its own log of requests, without secrets.
LOGGING: Final[dict[str, Any]] = {"access_log": None, "logger": HTTP_LOG}
# What is left of a body that was refused is read for so long, so that its sender reads why.
_LINGERING_SECONDS: Final = 5.0


def speaker_options(settings: Settings) -> dict[str, Any]:
    """Return how HTTP is spoken."""
    return LOGGING | {"keepalive_timeout": settings.idle_seconds, "lingering_time": _LINGERING_SECONDS}


class Speaker(web.RequestHandler):
    """Reads requests, and hands them on to the application."""

    __slots__ = ()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what never became a request, or what nothing else caught; then the connection ends."""
        # It logs, and refuses to answer a second time. Its own answer names the program's parts and versions.
        super().handle_error(request, status, exc, message)
        response = _refusal(status).response()
        response.headers["Server"] = SERVER_NAME
        response.force_close()
        return response


def _refusal(status: int) -> WireError:
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return WireError(status, Anchor.INVALID_CONTENT, t("refusal.unreadable"))
    return WireError(status, Anchor.INTERNAL, t("refusal.internal"))
