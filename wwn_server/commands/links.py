"""Links, the hubs that hold them, and tokens for scripts."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from wwn_server.spoken import READING
from wwn_server.store import Account, Consent, Registration, RequestedPermission, Store

from .accounts import account_of
from .speech import OK, CommandError, remark, tell
from .table import day_and_time, tell_table

if TYPE_CHECKING:
    import argparse

    from wwn_server.settings import Settings

_REASON: Final = "Made on the command line for a script of this home"
# Each hub has one, for the page of a consent; nobody opens that for a script.
_POLICY: Final = "http://localhost/"


def list_links(settings: Settings, _: argparse.Namespace) -> int:
    """Show every link."""
    with closing(Store(settings.data)) as store:
        connections = store.links.connections()
    tell_table(
        ("ID", "HUB", "SINCE", "LAST USED", "MADE BY", "MAY"),
        (
            (
                each.link.id,
                each.hub,
                day_and_time(each.since),
                day_and_time(each.last_used),
                each.member,
                ", ".join(sorted(each.link.permissions)),
            )
            for each in connections
        ),
    )
    return OK


def remove_link(settings: Settings, options: argparse.Namespace) -> int:
    """End a link."""
    with closing(Store(settings.data)) as store:
        if store.links.get(options.link) is None:
            msg = f"There is no link {options.link}. wwn-server link list shows all."
            raise CommandError(msg)
        store.links.remove(options.link)
    remark(f"Removed link {options.link}.")
    return OK


def list_clients(settings: Settings, _: argparse.Namespace) -> int:
    """Show every hub."""
    with closing(Store(settings.data)) as store:
        hubs = [(each.id, each.registration.name, len(_links_of(store, each.id))) for each in store.clients.all()]
    tell_table(("ID", "HUB", "LINKS"), hubs)
    return OK


def remove_client(settings: Settings, options: argparse.Namespace) -> int:
    """Forget a hub, and end its links."""
    with closing(Store(settings.data)) as store:
        client = store.clients.get(options.client)
        if client is None:
            msg = f"There is no hub {options.client}. wwn-server client list shows all."
            raise CommandError(msg)
        ended = store.clients.remove(client)
    remark(f"Removed {client.registration.name!r} and {len(ended)} of its links.")
    return OK


def make_token(settings: Settings, options: argparse.Namespace) -> int:
    """Link a script, and print its token."""
    with closing(Store(settings.data)) as store:
        account = account_of(store, options.account) if options.account else _owner(store)
        homes = store.accounts.homes_of(account)
        if not homes:
            msg = f"{account.name} belongs to no home yet. Start the server once, then try again."
            raise CommandError(msg)
        asked = tuple(RequestedPermission(name, _REASON) for name in dict.fromkeys(options.permission or READING))
        client, _ = store.clients.register(Registration(options.title, _POLICY, (), asked))
        consent = Consent(client=client, account=account, homes=homes, redirect_uri=None, challenge=None)
        code, _ = store.links.accept(consent)
        token = store.links.redeem(code, client, None, None)
    tell(token)
    remark("This is the token; it is not shown again. It opens what the link may do: keep it to the script.")
    return OK


def _links_of(store: Store, client_id: str) -> list[int]:
    return [each.link.id for each in store.links.connections() if each.link.client_id == client_id]


def _owner(store: Store) -> Account:
    owner = store.accounts.owner()
    if owner is None:
        msg = "There is no account yet. Make one with wwn-server account add NAME."
        raise CommandError(msg)
    return owner
