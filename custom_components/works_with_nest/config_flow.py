"""Linking: find the server, choose what to share, accept on the server's page."""

from collections.abc import Mapping
import logging
import time
from typing import Any, Final, override

from homeassistant.config_entries import SOURCE_REAUTH, ConfigFlowResult
from homeassistant.core import callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2FlowHandler
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.helpers.translation import async_get_translations
import voluptuous as vol
from yarl import URL

from .const import (
    CONF_CLIENT,
    CONF_HOMES,
    CONF_PERMISSIONS,
    CONF_SERVER,
    CONF_TOKEN,
    DOMAIN,
    LOGGER,
    PRIVACY_POLICY_URL,
)
from .errors import placeholders, translation_key
from .oauth import WwnOAuth2Implementation, redirect_uri
from .wwn import Document, NestServer, WwnClient, async_discover
from .wwn.auth import (
    RegisteredClient,
    Registration,
    async_delete_registration,
    async_register,
    async_revoke,
    async_update_registration,
    parse_address,
)
from .wwn.errors import WwnAddressError, WwnAuthError, WwnError
from .wwn.models import Permission

CLIENT_NAME: Final = "Home Assistant"

CONF_ADDRESS: Final = "address"
CONF_THERMOSTAT: Final = "thermostat"
CONF_AWAY: Final = "away"
CONF_SMOKE_CO: Final = "smoke_co"
CONF_ARRIVALS: Final = "arrivals"

NOTHING: Final = "nothing"
SEE: Final = "see"
CHANGE: Final = "change"

# What can be chosen for each kind of data, and the permission that asks for it.
PERMISSION_OF_CHOICE: Final[Mapping[str, Mapping[object, Permission]]] = {
    CONF_THERMOSTAT: {SEE: Permission.THERMOSTAT_READ, CHANGE: Permission.THERMOSTAT_READ_WRITE},
    CONF_AWAY: {SEE: Permission.AWAY_READ, CHANGE: Permission.AWAY_READ_WRITE},
    CONF_SMOKE_CO: {True: Permission.SMOKE_CO_READ},
    CONF_ARRIVALS: {True: Permission.ETA_WRITE},
}

ADDRESS_SCHEMA: Final = vol.Schema(
    {vol.Required(CONF_ADDRESS): TextSelector(TextSelectorConfig(type=TextSelectorType.TEXT))}
)
ACCESS: Final = SelectSelector(SelectSelectorConfig(options=[CHANGE, SEE, NOTHING], translation_key="access"))
SHARE_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_THERMOSTAT, default=CHANGE): ACCESS,
        vol.Required(CONF_AWAY, default=CHANGE): ACCESS,
        vol.Required(CONF_SMOKE_CO, default=True): BooleanSelector(),
        # Of use only to those who tell it from an automation, so it is asked for by them.
        vol.Required(CONF_ARRIVALS, default=False): BooleanSelector(),
    }
)


class WwnFlowHandler(AbstractOAuth2FlowHandler, domain=DOMAIN):
    """Links a Nest home to Home Assistant."""

    DOMAIN = DOMAIN
    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        """Start with nothing known."""
        super().__init__()
        self._server: NestServer
        self._client: RegisteredClient | None = None
        self._permissions: tuple[Permission, ...] = ()

    @property
    @override
    def logger(self) -> logging.Logger:
        """Return the logger of the OAuth helper's own messages."""
        return LOGGER

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the server's address."""
        errors: dict[str, str] = {}
        values: dict[str, str] = {}
        if user_input is not None:
            try:
                self._server = await self._discover(parse_address(user_input[CONF_ADDRESS]))
            except WwnAddressError as err:
                errors[CONF_ADDRESS] = f"address_{err.problem}"
            except WwnError as err:
                errors[CONF_ADDRESS], values = translation_key(err), placeholders(err)
            else:
                return await self.async_step_share()
        schema = self.add_suggested_values_to_schema(ADDRESS_SCHEMA, user_input)
        return self.async_show_form(step_id="user", data_schema=schema, errors=errors, description_placeholders=values)

    @override
    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Take a server that announced itself."""
        scheme = discovery_info.properties.get("scheme") or "http"
        try:
            base = URL.build(scheme=scheme, host=discovery_info.host, port=discovery_info.port)
            self._server = await self._discover(parse_address(str(base)))
        except (WwnError, ValueError) as err:
            LOGGER.debug("Passed over an announced server: %s", err)
            return self.async_abort(reason="not_works_with_nest")
        await self.async_set_unique_id(self._server.server_id)
        self._abort_if_unique_id_configured()
        if self._linked_homes():
            return self.async_abort(reason="already_configured")
        self.context["title_placeholders"] = {"name": self._server.name}
        return await self.async_step_share()

    async def async_step_share(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which data to share, then send the person to the server's page."""
        errors: dict[str, str] = {}
        values = {"name": self._server.name, "address": str(self._server.base)}
        if user_input is not None:
            self._permissions = chosen_permissions(user_input)
            if not self._permissions:
                errors["base"] = "nothing_chosen"
            elif (return_to := redirect_uri()) is None:
                errors["base"] = "no_browser_address"
            else:
                try:
                    return await self._send_to_consent(return_to)
                except WwnError as err:
                    errors["base"] = translation_key(err)
                    values |= placeholders(err)
        schema = self.add_suggested_values_to_schema(SHARE_SCHEMA, user_input)
        return self.async_show_form(step_id="share", data_schema=schema, errors=errors, description_placeholders=values)

    @override
    async def async_step_creation(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Trade the code for the token. In place of the helper's, whose sentences could not say what to do."""
        try:
            token = await self.flow_impl.async_resolve_external_data(self.external_data)
            return await self.async_oauth_create_entry(
                {
                    "auth_implementation": DOMAIN,
                    CONF_TOKEN: {**token, "expires_at": time.time() + token["expires_in"]},
                }
            )
        except WwnError as err:
            LOGGER.debug("Linking failed: %s", err)
            return self.async_abort(reason=translation_key(err), description_placeholders=placeholders(err))

    @override
    async def async_step_authorize_rejected(self, data: None = None) -> ConfigFlowResult:
        """End where the person went back instead of accepting; nothing was created or changed."""
        return self.async_abort(
            reason="access_denied" if self.external_data["error"] == "access_denied" else "not_accepted",
            description_placeholders={"name": self._server.name, "error": self.external_data["error"]},
        )

    @override
    async def async_oauth_create_entry(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Read the homes that were shared, and make the link of those that are not linked yet."""
        token = data[CONF_TOKEN]["access_token"]
        document = await WwnClient(async_get_clientsession(self.hass), self._server, token).read()
        if self.source == SOURCE_REAUTH:
            return await self._relinked(data, document)
        if not document.structures:
            return self.async_abort(reason="no_homes", description_placeholders={"name": self._server.name})
        taken = self._linked_homes()
        homes = sorted(document.structures.keys() - taken)
        if not homes:
            return self.async_abort(reason="already_configured")
        await self.async_set_unique_id(f"{self._server.server_id}:{homes[0]}", raise_on_progress=False)
        left_out = sorted(document.structures.keys() & taken)
        return self.async_create_entry(
            title=home_names(document, homes),
            data={**data, **self._link_data(), CONF_HOMES: homes},
            description="left_out" if left_out else None,
            description_placeholders={"homes": home_names(document, left_out)},
        )

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Link again, after the link was ended on the server."""
        self._server = NestServer.from_dict(entry_data[CONF_SERVER])
        self._client = RegisteredClient.from_dict(entry_data[CONF_CLIENT])
        self._permissions = tuple(Permission(name) for name in entry_data[CONF_PERMISSIONS])
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Tell what happened, then send the person to the server's page."""
        errors: dict[str, str] = {}
        values = {"server": self._server.name, "address": str(self._server.base)}
        if user_input is not None:
            if (return_to := redirect_uri()) is None:
                errors["base"] = "no_browser_address"
            else:
                try:
                    return await self._send_to_consent(return_to)
                except WwnError as err:
                    errors["base"] = translation_key(err)
                    values |= placeholders(err)
        return self.async_show_form(step_id="reauth_confirm", errors=errors, description_placeholders=values)

    @callback
    @override
    def async_remove(self) -> None:
        """Take back a registration that led to no link."""
        if self._client is None or self._is_in_use(self._client):
            return
        self.hass.async_create_background_task(
            self._delete_registration(self._server, self._client), f"{DOMAIN} abandoned registration"
        )

    async def _discover(self, base: URL) -> NestServer:
        return await async_discover(async_get_clientsession(self.hass), base)

    async def _send_to_consent(self, return_to: str) -> ConfigFlowResult:
        """Bring the registration up to date with what is asked for and where the person comes back to."""
        session, server = async_get_clientsession(self.hass), self._server
        registration = Registration(
            client_name=CLIENT_NAME,
            redirect_uris=[return_to],
            policy_uri=PRIVACY_POLICY_URL,
            permissions=await self._reasons(),
        )
        if self._client is not None:
            try:
                self._client = await async_update_registration(session, server, self._client, registration)
            except WwnAuthError:
                # The server no longer knows this client, so there is nothing left to keep of it.
                self._client = None
        if self._client is None:
            self._client = await async_register(session, server, registration)
        self.flow_impl = WwnOAuth2Implementation(self.hass, server, self._client, return_to)
        return await self.async_step_auth()

    async def _reasons(self) -> dict[Permission, str]:
        """Return what is asked for, each with the sentence that stands beside its switch."""
        texts = await async_get_translations(self.hass, self.hass.config.language, "config", {DOMAIN})
        reasons = {
            permission: texts[f"component.{DOMAIN}.config.step.share.data_description.{field}"]
            for field, choices in PERMISSION_OF_CHOICE.items()
            for permission in choices.values()
        }
        return {permission: reasons[permission] for permission in self._permissions}

    async def _relinked(self, data: dict[str, Any], document: Document) -> ConfigFlowResult:
        """Take the new token, if it shows every home of the link, whoever accepted."""
        entry = self._get_reauth_entry()
        if not document.structures.keys() >= set(entry.data[CONF_HOMES]):
            await async_revoke(async_get_clientsession(self.hass), self._server, data[CONF_TOKEN]["access_token"])
            return self.async_abort(reason="wrong_home", description_placeholders={"home": entry.title})
        return self.async_update_reload_and_abort(entry, data_updates={**data, **self._link_data()})

    def _link_data(self) -> dict[str, Any]:
        """Return what the link is made of, beside its token and its homes."""
        if self._client is None:
            msg = "linked without a client"
            raise RuntimeError(msg)
        return {
            CONF_SERVER: self._server.as_dict(),
            CONF_CLIENT: self._client.as_dict(),
            CONF_PERMISSIONS: [permission.value for permission in self._permissions],
        }

    def _linked_homes(self) -> set[str]:
        """Return the homes of this server that are linked already."""
        return {
            home
            for entry in self._async_current_entries(include_ignore=False)
            if entry.data[CONF_SERVER]["server_id"] == self._server.server_id
            for home in entry.data[CONF_HOMES]
        }

    def _is_in_use(self, client: RegisteredClient) -> bool:
        return any(
            entry.data[CONF_CLIENT]["client_id"] == client.client_id
            for entry in self._async_current_entries(include_ignore=False)
        )

    async def _delete_registration(self, server: NestServer, client: RegisteredClient) -> None:
        try:
            await async_delete_registration(async_get_clientsession(self.hass), server, client)
        except WwnError as err:
            LOGGER.debug("Left a registration behind, which the server drops within the hour: %s", err)


def chosen_permissions(user_input: Mapping[str, Any]) -> tuple[Permission, ...]:
    """Return the permissions for what was chosen on the form."""
    return tuple(
        choices[user_input[field]] for field, choices in PERMISSION_OF_CHOICE.items() if user_input[field] in choices
    )


def home_names(document: Document, homes: list[str]) -> str:
    """Return the names of some homes, for a person."""
    return ", ".join(document.structures[home].name or home for home in homes)
