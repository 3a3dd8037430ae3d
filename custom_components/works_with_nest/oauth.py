"""Account linking as Home Assistant's OAuth helper sees it, for a client registered while linking or brought along."""

import logging
import secrets
from typing import Any, Final, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers import http
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.config_entry_oauth2_flow import (
    AUTH_CALLBACK_PATH,
    HEADER_FRONTEND_BASE,
    LocalOAuth2ImplementationWithPkce,
)
from yarl import URL

from .const import DOMAIN
from .wwn import NestServer
from .wwn.auth import RegisteredClient, async_exchange_code

LOGGER: Final = logging.getLogger(__name__)


def redirect_uri() -> str | None:
    """Return where the server sends the person back: the address that their browser uses for Home Assistant.

    Straight back and not through a public page, so that linking works without internet. None outside a step that a
    person submitted in a browser.
    """
    request = http.current_request.get()
    base = request.headers.get(HEADER_FRONTEND_BASE) if request else None
    return f"{base}{AUTH_CALLBACK_PATH}" if base else None


def browser_host() -> str | None:
    """Return the host that the person's browser uses for Home Assistant; None where there is no browser."""
    return URL(here).host if (here := redirect_uri()) else None


class WwnOAuth2Implementation(LocalOAuth2ImplementationWithPkce):
    """One client on one server."""

    def __init__(
        self,
        hass: HomeAssistant,
        server: NestServer,
        client: RegisteredClient,
        redirect_to: str | None,
        auth_domain: str = DOMAIN,
    ) -> None:
        """Link to this server as this client, and come back to this address; without one, by a PIN."""
        super().__init__(
            hass,
            auth_domain,
            client.client_id,
            str(server.consent_page),
            str(server.token_endpoint),
            client.client_secret,
        )
        self._server = server
        self._client = client
        self._redirect_to = redirect_to

    @property
    @override
    def redirect_uri(self) -> str:
        """Return where the person comes back to; nowhere with a PIN."""
        return self._redirect_to or ""

    @property
    @override
    def extra_authorize_data(self) -> dict[str, Any]:
        """Return the challenge, where the server knows what to do with one."""
        return {} if self._server.is_original else super().extra_authorize_data

    @override
    async def async_generate_authorize_url(self, flow_id: str) -> str:
        """Return the address of the server's page. Nobody comes back with a PIN: its state is for the server alone."""
        if self._redirect_to is not None:
            url = URL(await super().async_generate_authorize_url(flow_id))
        else:
            query = {"response_type": "code", "client_id": self.client_id, "state": secrets.token_urlsafe(16)}
            url = URL(self.authorize_url).with_query(query).update_query(self.extra_authorize_data)
        # The protocol as it always was has no such parameter (protocol 1.2).
        return str(url.without_query_params("response_type") if self._server.is_original else url)

    @override
    async def async_resolve_external_data(self, external_data: Any) -> dict[str, Any]:
        """Return the token for the code. Raises WwnError.

        Through our own client, because the helper's would follow a redirect with the code and the secret in hand.
        """
        return await async_exchange_code(
            async_get_clientsession(self.hass),
            self._server,
            self._client,
            external_data["code"],
            self._token_fields(),
        )

    def _token_fields(self) -> dict[str, Any]:
        """Return what goes with the code, beside who asks; nothing in the protocol as it always was (protocol 1.4)."""
        if self._server.is_original:
            return {}
        return {**({"redirect_uri": self._redirect_to} if self._redirect_to else {}), **self.extra_token_resolve_data}
