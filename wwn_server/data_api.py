"""Reads, streams and writes at any path of a home (protocol 4 and 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
import orjson

from .context import LINK, base_of, context_of, metadata_of, scope_of
from .document import (
    DEVICE_GROUPS,
    DEVICES,
    STRUCTURES,
    parse_path,
)
from .errors import (
    NO_STORE,
    Anchor,
    WireError,
    invalid_content,
    json_response,
    method_not_allowed,
    not_found,
    unauthorized,
)
from .homes.base import Write
from .naming import rename_home
from .pages import CONSOLE
from .pages.rendering import PageError, see_other
from .permissions import KNOWN_FIELDS, rights_of
from .requests import wants
from .rules import TYPES, Subject, check, prepared
from .streams import Stream
from .texts import t
from .views import is_visible

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .document import Document, Path
    from .store import Link

_BEARER: Final = "bearer "


async def answer_or_send_on(request: web.Request) -> web.StreamResponse:
    """Answer any request at any path of the main port that nothing else answers."""
    if token_of(request) is None and _is_person(request):
        return _page_for(request)
    context = context_of(request)
    if context.shard is None:
        return await handle(request)
    # Old clients know by the first answer alone that their token is gone (python-nest).
    await _linked(request)
    return context.shard.redirect(request, base_of(request))


async def handle(request: web.Request) -> web.StreamResponse:
    """Answer a request for data at any path."""
    link, token = await _linked(request)
    verb = _VERBS.get(request.method)
    if verb is None:
        raise method_not_allowed(request.method)
    return await verb(request, link, token)


async def _linked(request: web.Request) -> tuple[Link, str]:
    """Return the link that a request may use, and its token as it was sent."""
    # Reading the body takes time; whether the token still stands is asked after that.
    await request.read()
    token = token_of(request)
    link = context_of(request).store.links.by_token(token) if token else None
    if token is None or link is None:
        raise unauthorized()
    request[LINK] = link
    return link, token


def token_of(request: web.Request) -> str | None:
    """Return the token of a request: in its header, or as ``auth`` (protocol 1.7)."""
    header = request.headers.get("Authorization", "")
    if header.lower().startswith(_BEARER):
        return header[len(_BEARER) :].strip() or None
    return request.query.get("auth") or None


def _is_person(request: web.Request) -> bool:
    return request.method in {"GET", "HEAD"} and wants(request, "text/html")


def _page_for(request: web.Request) -> web.Response:
    """Lead a person from the root to the pages; at any other path there is none."""
    if request.path == "/":
        return see_other(CONSOLE)
    raise PageError(404, "page.unknown")


async def _read(request: web.Request, link: Link, token: str) -> web.StreamResponse:
    context = context_of(request)
    path = parse_path(request.rel_url.raw_path)
    if request.method == "GET" and wants(request, "text/event-stream"):
        return await _stream(request, link, token, path)
    context.limits.count_read(link.id)
    value = context.views.value(context.home.document, scope_of(link), metadata_of(context, link, token), path)
    if value is None:
        raise not_found()
    return web.Response(body=value, content_type="application/json", headers=NO_STORE)


async def _stream(request: web.Request, link: Link, token: str, path: Path) -> web.StreamResponse:
    context = context_of(request)
    context.limits.count_stream(link.id)
    stream = Stream(context, request, link, token, path)
    if stream.value() is None:
        raise not_found()
    try:
        return await context.streams.serve(stream)
    finally:
        # A stream may be open for days without another request.
        context.store.links.used(link.id)


async def _write(request: web.Request, link: Link, _: str) -> web.StreamResponse:
    context = context_of(request)
    context.limits.count_write(link.id)
    group, key, leaf = _target(parse_path(request.rel_url.raw_path))
    body = _parse(await request.read())
    document = context.home.document
    if not is_visible(document, scope_of(link), group, key):
        raise not_found()
    fields = _fields(body, leaf)
    _demand_writable(group, fields, rights_of(link.permissions).write)
    check(group, _subject(document, group, key), fields)
    context.limits.count_change(key)
    await context.home.write(Write(group, key, prepared(fields)))
    if "name" in fields:
        rename_home(context, key, fields["name"])
    return json_response(body, headers=NO_STORE)


_VERBS: Final[dict[str, Callable[[web.Request, Link, str], Awaitable[web.StreamResponse]]]] = {
    "GET": _read,
    "HEAD": _read,
    "PUT": _write,
    "PATCH": _write,
}


def _target(path: Path) -> tuple[str, str, str | None]:
    """Return group, id and, for a leaf path, the field that a write is for."""
    of_device = path[:1] == (DEVICES,)
    inside = path[1:] if of_device else path
    if inside and inside[0] not in (DEVICE_GROUPS if of_device else (STRUCTURES,)):
        raise not_found()
    match inside:
        case (group, key):
            return group, key, None
        case (group, key, leaf):
            return group, key, leaf
    # Google's service answered 200 to a write for several devices and changed one of them (protocol 5.2).
    several = len(inside) <= 1
    raise WireError(400, Anchor.NOT_WRITABLE, t("refusal.one_at_a_time" if several else "refusal.not_writable"))


def _subject(document: Document, group: str, key: str) -> Subject:
    thing = document.group(group)[key]
    return Subject(thing, document.group(STRUCTURES)[thing["structure_id"]])


def _parse(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise invalid_content() from None


def _fields(body: Any, leaf: str | None) -> dict[str, Any]:
    if leaf is None:
        if not isinstance(body, dict) or not body:
            raise invalid_content()
        return body
    if isinstance(body, dict | list) and dict not in TYPES.get(leaf, ()):
        raise invalid_content()
    return {leaf: body}


def _demand_writable(group: str, fields: dict[str, Any], writable: dict[str, frozenset[str]]) -> None:
    unknown = sorted(fields.keys() - KNOWN_FIELDS[group])
    if unknown:
        name = unknown[0][:40]
        message = t("refusal.unknown_field", field=name)
        raise WireError(400, Anchor.UNKNOWN_FIELD, message, {"field_name": name})
    barred = ", ".join(sorted(fields.keys() - writable.get(group, frozenset())))
    if barred:
        message = t("refusal.no_write_permission", fields=barred)
        raise WireError(400, Anchor.NO_WRITE_PERMISSION, message, {"fields": barred})
