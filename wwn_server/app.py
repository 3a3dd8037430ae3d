"""The application: its routes, and what holds for every answer."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from aiohttp import web

from . import data_api, discovery, oauth, proof, registration
from .attempts import CodeAttempts, SetUpCode, SignInAttempts
from .context import CONTEXT, Context
from .document import STRUCTURES
from .errors import (
    Anchor,
    OAuthError,
    WireError,
    invalid_content,
    method_not_allowed,
    not_found,
)
from .finding import Finder
from .gate import own_host, whole_body
from .journal import Journal, noting
from .limits import DataLimits, SlidingWindow
from .logs import log_access, mask
from .naming import restore_names
from .pages import (
    ACCOUNT,
    CATALOGUE,
    CONNECTIONS,
    CONSENT,
    CONSOLE,
    CONSOLE_SCRIPT,
    FIRST_RUN,
    HEALTH,
    ICON,
    JOIN,
    LEARN,
    MEMBERS,
    PIN,
    SIGN_IN,
    SIGN_OUT,
    SOURCES,
    STYLE,
    account,
    catalogue,
    connections,
    consent,
    console,
    first_run,
    health,
    join,
    learn,
    members,
    pin,
    sign_in,
    sources,
)
from .pages.languages import speaking
from .pages.rendering import PageError, message_page, static
from .passwords import Passwords
from .proxies import behind_proxies
from .requests import wants
from .settings import MAX_BODY_BYTES
from .shard import Shard
from .speaker import SERVER_NAME
from .streams import Streams
from .texts import t
from .views import Views
from .watch import watched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiohttp.typedefs import Handler

    from .homes.base import Home
    from .settings import Settings
    from .store import Store

_LOGGER: Final = logging.getLogger(__name__)

_VERBS: Final = {"GET": ("GET", "HEAD")}
_ROUTES: Final = (
    ("GET", "/.well-known/oauth-authorization-server", discovery.handle),
    ("GET", CONSENT, consent.show),
    ("POST", CONSENT, consent.decide),
    ("GET", PIN, pin.show),
    ("POST", "/oauth2/access_token", oauth.issue_token),
    ("DELETE", "/oauth2/access_tokens/{token}", oauth.revoke_token),
    ("POST", "/oauth2/register", registration.register),
    ("PUT", "/oauth2/register/{client_id}", registration.replace),
    ("DELETE", "/oauth2/register/{client_id}", registration.remove),
    ("POST", "/oauth2/register/{client_id}/proof", proof.prove),
    ("GET", FIRST_RUN, first_run.show),
    ("POST", FIRST_RUN, first_run.submit),
    ("GET", SIGN_IN, sign_in.show),
    ("POST", SIGN_IN, sign_in.submit),
    ("POST", SIGN_OUT, sign_in.sign_out),
    ("GET", CONSOLE, console.show),
    ("GET", f"{CONSOLE}/events", console.events),
    ("POST", f"{CONSOLE}/home", console.set_home),
    ("POST", f"{CONSOLE}/alarms/{{device_id}}", console.set_alarm),
    ("POST", f"{CONSOLE}/thermostats/{{device_id}}", console.set_thermostat),
    ("POST", f"{CONSOLE}/devices", console.add_device),
    ("POST", f"{CONSOLE}/devices/{{device_id}}/remove", console.remove_device),
    ("GET", CONNECTIONS, connections.show),
    ("GET", f"{CONNECTIONS}/{{id}}/remove", connections.confirm),
    ("POST", f"{CONNECTIONS}/{{id}}/remove", connections.remove),
    ("POST", f"{CONNECTIONS}/{{id}}/permissions", connections.take_back),
    ("POST", f"{CONNECTIONS}/{{id}}/homes", connections.take_home_back),
    ("GET", CATALOGUE, catalogue.show),
    ("POST", f"{CATALOGUE}/home-assistant", catalogue.set_home_assistant),
    ("GET", MEMBERS, members.show),
    ("POST", f"{MEMBERS}/invitations", members.invite),
    ("POST", f"{MEMBERS}/invitations/{{id}}/withdraw", members.withdraw),
    ("GET", f"{MEMBERS}/{{id}}/remove", members.confirm),
    ("POST", f"{MEMBERS}/{{id}}/remove", members.remove),
    ("GET", SOURCES, sources.show),
    ("POST", SOURCES, sources.add),
    ("GET", f"{SOURCES}/add/{{kind}}", sources.ask),
    ("POST", f"{SOURCES}/add/{{kind}}", sources.look),
    ("GET", f"{SOURCES}/{{id}}/remove", sources.confirm),
    ("POST", f"{SOURCES}/{{id}}/remove", sources.remove),
    ("GET", JOIN, join.show),
    ("POST", JOIN, join.submit),
    ("GET", ACCOUNT, account.show),
    ("POST", f"{ACCOUNT}/password", account.change_password),
    ("POST", f"{ACCOUNT}/sign-out", account.sign_out_everywhere),
    ("GET", HEALTH, health.show),
    ("GET", f"{LEARN}/{{category}}", learn.show),
    ("GET", STYLE, static),
    ("GET", ICON, static),
    ("GET", CONSOLE_SCRIPT, static),
)


def create_app(settings: Settings, store: Store, home: Home) -> web.Application:
    """Return the server of one home. Starting it starts the home, too.

    The store stays the caller's to close.
    """
    app = _bare_app(_context(settings, store, home))
    app.middlewares.insert(0, speaking)
    app.middlewares.append(first_run.unclaimed)
    for method, path, handler in _ROUTES:
        for verb in _VERBS.get(method, (method,)):
            app.router.add_route(verb, path, handler)
    for path in dict.fromkeys(path for _, path, _ in _ROUTES):
        app.router.add_route("*", path, _wrong_method)
    app.router.add_route("*", "/{path:.*}", data_api.answer_or_send_on)
    app.cleanup_ctx.append(_living_home)
    return app


def create_shard_app(app: web.Application) -> web.Application:
    """Return what answers on the second port of a server: the data, and nothing else."""
    shard = _bare_app(app[CONTEXT])
    shard.router.add_route("*", "/{path:.*}", data_api.handle)
    return shard


def _bare_app(context: Context) -> web.Application:
    passed = (*behind_proxies(context.settings), _access_log, _refusals, noting, own_host, whole_body)
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=passed)
    app[CONTEXT] = context
    app.on_response_prepare.append(_hide_version)
    app.on_shutdown.append(_end_streams)
    return app


def _context(settings: Settings, store: Store, home: Home) -> Context:
    return Context(
        settings=settings,
        store=store,
        home=home,
        views=Views(),
        streams=Streams(settings.farewell_seconds),
        passwords=Passwords(),
        registrations=SlidingWindow(settings.registrations_per_minute, 60),
        proofs=SlidingWindow(settings.proofs_per_minute, 60),
        limits=DataLimits(settings),
        shard=None if settings.shard is None else Shard(),
        set_up=SetUpCode(),
        sign_ins=SignInAttempts(),
        codes=CodeAttempts(),
        finder=Finder(settings.host),
        journal=Journal(),
        finds=sources.Finds(),
    )


async def _living_home(app: web.Application) -> AsyncIterator[None]:
    context = app[CONTEXT]
    await context.home.start()
    context.store.accounts.adopt_homes(context.home.document.group(STRUCTURES))
    restore_names(context)
    first_run.invite(context)
    unsubscribe = context.home.subscribe(context.streams.wake)
    async with watched(context):
        yield
    unsubscribe()
    await context.home.stop()
    context.passwords.close()


async def _end_streams(app: web.Application) -> None:
    await app[CONTEXT].streams.close()


async def _hide_version(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = SERVER_NAME


async def _wrong_method(request: web.Request) -> web.StreamResponse:
    raise method_not_allowed(request.method)


@web.middleware
async def _access_log(request: web.Request, handler: Handler) -> web.StreamResponse:
    started = time.monotonic()
    response = await handler(request)
    log_access(request.remote, request.method, request.raw_path, response.status, (time.monotonic() - started) * 1000)
    return response


def _too_large() -> WireError:
    return WireError(413, Anchor.TOO_LARGE, t("refusal.too_large"))


# What aiohttp itself refuses, in our words. It knows no path for a request such as "OPTIONS *".
_REFUSALS: Final[tuple[tuple[type[Exception], Callable[[], WireError]], ...]] = (
    (web.HTTPRequestEntityTooLarge, _too_large),
    (web.RequestPayloadError, invalid_content),
    (web.HTTPNotFound, not_found),
)
_REFUSED_BY_AIOHTTP: Final = tuple(kind for kind, _ in _REFUSALS)


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (WireError, OAuthError) as error:
        return error.response()
    except PageError as error:
        return message_page(error.text, error.status)
    except _REFUSED_BY_AIOHTTP as error:
        return next(refuse for kind, refuse in _REFUSALS if isinstance(error, kind))().response()
    except ConnectionError:
        # The asker is gone, and there is nobody to answer.
        raise
    except Exception:
        _LOGGER.exception("A request failed: %s %s", request.method, mask(request.raw_path))
        return _fault(request)


def _fault(request: web.Request) -> web.Response:
    if wants(request, "text/html"):
        return message_page(t("page.server_fault"), 500)
    return WireError(500, Anchor.INTERNAL, t("refusal.internal")).response()
