"""Turning templates into answers that a browser treats with care."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from wwn_server import REPOSITORY_URL, pages
from wwn_server.passwords import SHORTEST_PASSWORD
from wwn_server.texts import language, t

if TYPE_CHECKING:
    from collections.abc import Mapping

_POLICY: Final = (
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
# For the one page that has a script, and listens to events.
_LIVE: Final = ("script-src 'self'", "connect-src 'self'")
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_PLACES: Final = {name.lower(): value for name, value in vars(pages).items() if name.isupper()}
_DOCS: Final = {"security": f"{REPOSITORY_URL}/blob/main/docs/security.md#plain-http"}
_STATIC: Final = {
    pages.STYLE: ("wwn.css", "text/css"),
    pages.ICON: ("wwn.svg", "image/svg+xml"),
    pages.CONSOLE_SCRIPT: ("console.js", "text/javascript"),
}

_TEMPLATES: Final = Environment(
    loader=PackageLoader("wwn_server", "pages/templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals.update({"t": t, "places": _PLACES, "docs": _DOCS, "shortest_password": SHORTEST_PASSWORD})


class PageError(Exception):
    """Something went wrong that a person should read about."""

    def __init__(self, status: int, key: str) -> None:
        """Name the HTTP status and the key of the sentence."""
        super().__init__(key)
        self.status = status
        self.text = t(key)


def page(
    template: str,
    values: Mapping[str, object] | None = None,
    *,
    status: int = 200,
    form_target: str | None = None,
    live: bool = False,
) -> web.Response:
    """Return a page; a ``live`` one runs a script of ours.

    ``form_target`` is the one address elsewhere that a form's answer may redirect to:
    browsers hold ``form-action`` against that redirect as well.
    """
    text = _TEMPLATES.get_template(template).render(**(values or {}), language=language.get())
    targets = ["'self'"] + ([_source(form_target)] if form_target else [])
    policy = "; ".join((*_POLICY, *(_LIVE if live else ()), f"form-action {' '.join(targets)}"))
    headers = _HEADERS | {"Content-Security-Policy": policy}
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def fragment(template: str, values: Mapping[str, object]) -> Markup:
    """Return a part of a page."""
    return Markup(_TEMPLATES.get_template(template).render(**values).strip())  # noqa: S704


def message_page(text: str, status: int) -> web.Response:
    """Return a page that says one thing."""
    return page("message.html", {"text": text}, status=status)


def see_other(location: str) -> web.Response:
    """Send a browser on after a form, to exactly this address."""
    headers = {"Location": location, "Cache-Control": "no-store"}
    return web.Response(status=303, headers=headers)


async def static(request: web.Request) -> web.Response:
    """Answer the style sheet, the icon or the script."""
    name, content_type = _STATIC[request.path]
    file = resources.files("wwn_server") / "pages" / "static" / name
    headers = {"Cache-Control": "max-age=300", "X-Content-Type-Options": "nosniff"}
    return web.Response(body=file.read_bytes(), content_type=content_type, headers=headers)


def _source(url: str) -> str:
    """Return an address as a source of the policy, which can't name IPv6 hosts."""
    parts = urlsplit(url)
    if ":" in (parts.hostname or ""):
        return f"{parts.scheme}:"
    return f"{parts.scheme}://{parts.netloc}"
