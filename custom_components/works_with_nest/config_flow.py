"""Linking: find the server, choose what to share, accept on the server's page; and the same again later."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain, count
import logging
import time
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigFlowResult,
)
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.config_entry_oauth2_flow import AUTH_CALLBACK_PATH, AbstractOAuth2FlowHandler
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import voluptuous as vol
from yarl import URL

from .application_credentials import WwnOwnClient, async_own_clients
from .const import (
    CONF_AUTH_IMPLEMENTATION,
    CONF_BY_PIN,
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
from .included import included_homes
from .moving import announced_at, async_follow, is_less_secure
from .oauth import WwnOAuth2Implementation, browser_host, redirect_uri
from .options_flow import WwnOptionsFlow
from .relinking import async_relink
from .sentences import async_sentence
from .sharing import SHARED, async_reasons, choices_of, chosen_permissions
from .tokens import async_end_token
from .wwn import Document, NestServer, WwnClient, async_discover
from .wwn.auth import (
    RegisteredClient,
    Registration,
    async_delete_registration,
    async_register,
    async_update_registration,
    is_loopback,
    parse_address,
)
from .wwn.certificates import async_fingerprint, spelled
from .wwn.errors import (
    WwnAddressError,
    WwnAuthError,
    WwnCertificateChangedError,
    WwnCertificateError,
    WwnError,
    WwnProtocolError,
    WwnRefusedError,
    WwnResponseError,
    WwnSelfSignedError,
)
from .wwn.grants import granted
from .wwn.models import Permission
from .wwn.original import async_find_registering, async_find_service
from .wwn.proof import async_prove

CLIENT_NAME: Final = "Home Assistant"

CONF_ADDRESS: Final = "address"
CONF_SAME: Final = "same"
CONF_PIN: Final = "pin"
CONF_CREDENTIALS: Final = "credentials"
CONF_ACCEPT_AGAIN: Final = "accept_again"

ADDRESS: Final = {vol.Required(CONF_ADDRESS): TextSelector(TextSelectorConfig(type=TextSelectorType.TEXT))}
ADDRESS_SCHEMA: Final = vol.Schema(ADDRESS)
CERTIFICATE_SCHEMA: Final = vol.Schema({vol.Required(CONF_SAME, default=False): BooleanSelector()})
BY_PIN: Final = {vol.Required(CONF_BY_PIN, default=False): BooleanSelector()}
SHARE_SCHEMA: Final = vol.Schema({**SHARED, **BY_PIN})
# The credentials to choose from are filled in when they are known.
OWN_CLIENT_SCHEMA: Final = vol.Schema(
    {vol.Required(CONF_CREDENTIALS): SelectSelector(SelectSelectorConfig(options=[]))}
)
ACCEPT_SCHEMA: Final = vol.Schema(BY_PIN)
OWN_LINK_SCHEMA: Final = vol.Schema(
    {**ADDRESS, vol.Required(CONF_ACCEPT_AGAIN, default=False): BooleanSelector(), **BY_PIN}
)
RECONFIGURE_SCHEMA: Final = vol.Schema({**ADDRESS, **SHARED, **BY_PIN})
# What not accepting comes to, by what the dialogue is for.
DENIED: Final[dict[str | None, str]] = {
    SOURCE_USER: "access_denied",
    SOURCE_ZEROCONF: "access_denied",
    SOURCE_REAUTH: "not_renewed",
    SOURCE_RECONFIGURE: "not_changed",
}
PIN_SCHEMA: Final = vol.Schema({vol.Required(CONF_PIN): TextSelector(TextSelectorConfig(type=TextSelectorType.TEXT))})


class WwnFlowHandler(AbstractOAuth2FlowHandler, domain=DOMAIN):
    """Links a Nest home to Home Assistant."""

    DOMAIN = DOMAIN
    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        """Start with nothing known."""
        super().__init__()
        self._server: NestServer
        # The client that is registered for this link; None where the person brings one along.
        self._client: RegisteredClient | None = None
        self._is_own = False
        self._own: WwnOwnClient | None = None
        # Whether it was chosen in this dialogue, or is the only one.
        self._is_chosen = False
        self._permissions: tuple[Permission, ...] = ()
        self._by_pin = False
        # The certificates that a person confirmed, each for its host and port alone; the one that is shown, and the
        # form they had filled in when they were asked.
        self._confirmed: dict[tuple[str | None, int | None], str] = {}
        self._fingerprint = ""
        self._asked: dict[str, Any] = {}
        # What was said of the address that a link moves to.
        self._said = ""
        # Where the person comes back to; None where a PIN takes the way back.
        self._return_to: str | None = None
        # What was asked for before, to be put back where the person does not accept.
        self._asked_before: tuple[Permission, ...] | None = None
        # Whether a person set out to link again, and has not come to the end of it.
        self._is_linking_again = False

    @property
    @override
    def logger(self) -> logging.Logger:
        """Return the logger of the OAuth helper's own messages."""
        return LOGGER

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> WwnOptionsFlow:
        """Return what can be set on a link."""
        return WwnOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the server's address; first for the way in, where there is a client to bring along."""
        if user_input is None and await async_own_clients(self.hass):
            return await self.async_step_way()
        return await self._ask_for_address(user_input)

    async def async_step_way(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:  # noqa: ARG002
        """Let the person choose between a server that takes Home Assistant as it comes, and a client of their own."""
        return self.async_show_menu(step_id="way", menu_options=["address", "own_client"])

    async def async_step_address(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:  # noqa: ARG002
        """Go on without a client of one's own."""
        return await self._ask_for_address(None)

    async def async_step_own_client(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take the client that was brought along; ask which one, where there are several."""
        errors: dict[str, str] = {}
        own = await async_own_clients(self.hass)
        if not own:
            return self.async_abort(reason="missing_credentials")
        chosen = next(iter(own)) if len(own) == 1 else (user_input or {}).get(CONF_CREDENTIALS)
        if chosen in own:
            self._is_own, self._own, self._is_chosen = True, own[chosen], True
            return await (self.async_step_service() if self.source == SOURCE_USER else self._send_to_consent())
        options = [SelectOptionDict(value=key, label=each.name) for key, each in own.items()]
        selector = SelectSelector(SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST))
        schema = OWN_CLIENT_SCHEMA.extend({vol.Required(CONF_CREDENTIALS): selector})
        shown = self.add_suggested_values_to_schema(schema, {CONF_CREDENTIALS: self._own.domain} if self._own else None)
        return self.async_show_form(step_id="own_client", data_schema=shown, errors=errors)

    async def async_step_service(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the service is that the client was made at."""
        return await self._ask_for_address(user_input)

    async def async_step_accept(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what the client has to be set to, then send the person to the service's page."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._by_pin = user_input[CONF_BY_PIN]
            return await self._send_to_consent()
        values = {
            "name": self._server.name,
            "redirect": redirect_uri() or AUTH_CALLBACK_PATH,
            "notice": await self._notice(self._server),
        }
        return self.async_show_form(
            step_id="accept", data_schema=ACCEPT_SCHEMA, errors=errors, description_placeholders=values
        )

    async def _ask_for_address(self, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        """Ask for the address, and go on with what is there."""
        errors: dict[str, str] = {}
        values: dict[str, str] = {}
        if user_input is not None:
            try:
                self._server = await self._find(user_input[CONF_ADDRESS])
            except WwnAddressError as err:
                errors[CONF_ADDRESS] = f"address_{err.problem}"
            except WwnSelfSignedError:
                return await self._ask_about_certificate(user_input)
            except WwnError as err:
                errors[CONF_ADDRESS], values = translation_key(err), placeholders(err)
            else:
                return await (self.async_step_accept() if self._is_own else self._offer())
        step_id = "service" if self._is_own else "user"
        schema = self.add_suggested_values_to_schema(ADDRESS_SCHEMA, user_input)
        return self.async_show_form(step_id=step_id, data_schema=schema, errors=errors, description_placeholders=values)

    async def _ask_about_certificate(self, user_input: dict[str, Any]) -> ConfigFlowResult:
        """Keep what was filled in, and let the person compare the certificate that nobody else vouches for."""
        self._asked = user_input
        return await self.async_step_certificate()

    async def async_step_certificate(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show which certificate the server has, and go on with exactly that one if the person knows it."""
        errors: dict[str, str] = {}
        values = {"address": self._asked[CONF_ADDRESS], "fingerprint": spelled(self._fingerprint)}
        if user_input is not None:
            if user_input[CONF_SAME]:
                self._confirmed[_place_of(self._asked[CONF_ADDRESS])] = self._fingerprint
                return await self._go_on()
            errors[CONF_SAME] = "not_compared"
        else:
            try:
                self._fingerprint = await async_fingerprint(parse_address(self._asked[CONF_ADDRESS]))
            except WwnError as err:
                return self.async_abort(reason=translation_key(err), description_placeholders=placeholders(err))
            values["fingerprint"] = spelled(self._fingerprint)
        return self.async_show_form(
            step_id="certificate", data_schema=CERTIFICATE_SCHEMA, errors=errors, description_placeholders=values
        )

    async def _go_on(self) -> ConfigFlowResult:
        """Go on with the form that the question about the certificate came up on."""
        if self.source == SOURCE_RECONFIGURE:
            return await self.async_step_reconfigure(self._asked)
        return await self._ask_for_address(self._asked)

    @override
    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Take a server that announced itself; one whose certificate nobody vouches for is a question to the person."""
        scheme = discovery_info.properties.get("scheme") or "http"
        try:
            base = parse_address(str(URL.build(scheme=scheme, host=discovery_info.host, port=discovery_info.port)))
            if await async_follow(self.hass, discovery_info.properties.get("id"), base):
                return self.async_abort(reason="already_configured")
            self._server = await async_discover(async_get_clientsession(self.hass), base)
        except WwnCertificateError:
            return await self._offer_unproven(discovery_info, base)
        except (WwnError, ValueError) as err:
            LOGGER.debug("Passed over an announced server: %s", err)
            return self.async_abort(reason="not_works_with_nest")
        return await self._offer()

    async def _offer_unproven(self, discovery_info: ZeroconfServiceInfo, base: URL) -> ConfigFlowResult:
        """Offer a server by what it says of itself, and begin with what is wrong with its certificate."""
        if not (server_id := discovery_info.properties.get("id")):
            return self.async_abort(reason="not_works_with_nest")
        await self._claim(server_id)
        self.context["title_placeholders"] = {"name": discovery_info.name.removesuffix(f".{discovery_info.type}")}
        return await self._ask_for_address({CONF_ADDRESS: str(base)})

    async def _offer(self) -> ConfigFlowResult:
        """Ask what to share of the server; one that was found is not offered twice, nor once it is linked."""
        if self.source == SOURCE_ZEROCONF:
            await self._claim(self._server.server_id)
            self.context["title_placeholders"] = {"name": self._server.name}
        return await self.async_step_share()

    async def _claim(self, server_id: str) -> None:
        """Be the dialogue about a server that was found. Raises AbortFlow where it is linked, or not to be shown."""
        # Where a person has begun, another dialogue about the same server does not end theirs.
        await self.async_set_unique_id(server_id, raise_on_progress=self.unique_id is None)
        self._abort_if_unique_id_configured()
        entries = self._async_current_entries(include_ignore=False)
        if any(entry.data[CONF_SERVER]["server_id"] == server_id for entry in entries):
            reason = "already_configured"
            raise AbortFlow(reason)

    async def async_step_share(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which data to share, then send the person to the server's page."""
        errors: dict[str, str] = {}
        values = {
            "name": self._server.name,
            "address": str(self._server.base),
            "notice": await self._notice(self._server),
        }
        if user_input is not None:
            self._permissions, self._by_pin = chosen_permissions(user_input), user_input[CONF_BY_PIN]
            if not self._permissions:
                errors["base"] = "nothing_chosen"
            else:
                try:
                    return await self._send_to_consent()
                except WwnError as err:
                    errors["base"] = translation_key(err)
                    values |= placeholders(err)
        schema = self.add_suggested_values_to_schema(SHARE_SCHEMA, user_input)
        return self.async_show_form(step_id="share", data_schema=schema, errors=errors, description_placeholders=values)

    async def async_step_pin(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the person open the server's page, and type the PIN that it shows."""
        errors: dict[str, str] = {}
        values = {"name": self._server.name, "url": await self.flow_impl.async_generate_authorize_url(self.flow_id)}
        if user_input is not None:
            try:
                return await self._create({"code": user_input[CONF_PIN].strip()})
            except WwnRefusedError as err:
                errors[CONF_PIN] = "pin_refused"
                values |= placeholders(err)
            except WwnError as err:
                is_client = self._is_own and isinstance(err, WwnAuthError)
                errors["base"] = "client_refused" if is_client else translation_key(err)
                values |= placeholders(err)
        return self.async_show_form(
            step_id="pin", data_schema=PIN_SCHEMA, errors=errors, description_placeholders=values
        )

    @override
    async def async_step_creation(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Trade the code for the token. In place of the helper's, whose sentences could not say what to do."""
        try:
            return await self._create(self.external_data)
        except WwnError as err:
            LOGGER.debug("Linking failed: %s", err)
            is_client = self._is_own and isinstance(err, WwnAuthError)
            reason = "client_refused" if is_client else translation_key(err)
            return self.async_abort(reason=reason, description_placeholders=placeholders(err))

    async def _create(self, external_data: dict[str, Any]) -> ConfigFlowResult:
        """Make the link of what the server's page led to; where there is none, its token is ended. Raises WwnError."""
        token = await self.flow_impl.async_resolve_external_data(external_data)
        stored = {**token, "expires_at": time.time() + token["expires_in"]}
        try:
            return await self.async_oauth_create_entry(
                {CONF_AUTH_IMPLEMENTATION: self.flow_impl.domain, CONF_TOKEN: stored}
            )
        except WwnError:
            await self._end_unused(token["access_token"])
            raise

    @override
    async def async_step_authorize_rejected(self, data: None = None) -> ConfigFlowResult:
        """End where the person went back, or removed the link, instead of accepting; nothing was created or changed."""
        is_denied = self.external_data["error"] == "access_denied"
        return self.async_abort(
            reason=DENIED[self.source] if is_denied else "not_accepted",
            description_placeholders={"name": self._server.name, "error": self.external_data["error"]},
        )

    @override
    async def async_oauth_create_entry(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Read the homes that were shared, and make the link of those that are not linked yet."""
        document = await self._read(data[CONF_TOKEN]["access_token"])
        if self._is_own:
            # What is asked for was decided when the client was made; what was, stays asked for.
            self._permissions = tuple(sorted({*self._permissions, *granted(document)}))
        if self.source in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            return await self._relinked(data, document)
        taken = self._linked_homes()
        homes = sorted(document.structures.keys() - taken)
        if not homes:
            return await self._no_new_link(document, data[CONF_TOKEN]["access_token"])
        await self.async_set_unique_id(self._unused_id(homes), raise_on_progress=False)
        self._withdraw_card()
        left_out = sorted(document.structures.keys() & taken)
        return self.async_create_entry(
            title=home_names(document, homes),
            data={**data, **self._link_data(), CONF_HOMES: homes},
            description="left_out" if left_out else None,
            description_placeholders={"homes": home_names(document, left_out)},
        )

    def _unused_id(self, homes: list[str]) -> str:
        """Return what the link of some homes is known by: its first home that no link is known by.

        A link that a home was left out of goes on being known by it; one that came to the same id would replace it.
        """
        used = {entry.unique_id for entry in self._async_current_entries()}
        server_id = self._server.server_id
        plain = (f"{server_id}:{home}" for home in homes)
        numbered = (f"{server_id}:{homes[0]}:{number}" for number in count(2))
        return next(each for each in chain(plain, numbered) if each not in used)

    def _withdraw_card(self) -> None:
        """End the dialogue that offers the same server because it was found."""
        for flow in self._async_in_progress(include_uninitialized=True):
            if flow["context"].get("unique_id") == self._server.server_id:
                self.hass.config_entries.flow.async_abort(flow["flow_id"])

    async def _no_new_link(self, document: Document, token: str) -> ConfigFlowResult:
        """End where nothing that was shared is new; where no registration is taken back, its token would stay."""
        if self._is_own:
            await self._end_unused(token)
        if document.structures:
            return self.async_abort(reason="already_configured")
        return self.async_abort(reason="no_homes", description_placeholders={"name": self._server.name})

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Link again, after the link was ended on the server."""
        await self._take_up(entry_data)
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Tell what happened, then send the person to the server's page."""
        errors: dict[str, str] = {}
        values = {
            "server": self._server.name,
            "address": str(self._server.base),
            "notice": await self._notice(self._server),
        }
        if user_input is not None:
            self._is_linking_again, self._by_pin = True, user_input[CONF_BY_PIN]
            try:
                return await self._send_to_consent()
            except WwnError as err:
                errors["base"] = translation_key(err)
                values |= placeholders(err)
        schema = self.add_suggested_values_to_schema(ACCEPT_SCHEMA, {CONF_BY_PIN: self._by_pin})
        return self.async_show_form(
            step_id="reauth_confirm", data_schema=schema, errors=errors, description_placeholders=values
        )

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Change the server's address, or what is shared; only the second has to be accepted again."""
        entry, errors = self._get_reconfigure_entry(), dict[str, str]()
        await self._take_up(entry.data)
        if self._is_own:
            return await self.async_step_own_link(user_input)
        values = {"server": self._server.name, "notice": await self._notice(self._server)}
        if user_input is not None:
            try:
                found = await self._find(user_input[CONF_ADDRESS])
                if found.server_id != self._server.server_id:
                    errors[CONF_ADDRESS] = "other_server"
                elif is_less_secure(self._server, found.base):
                    errors[CONF_ADDRESS] = "less_secure"
                elif not await self._is_proven(found):
                    errors[CONF_ADDRESS] = "not_proven"
                elif not chosen_permissions(user_input):
                    errors["base"] = "nothing_chosen"
                else:
                    return await self._reconfigured(entry, found, user_input)
            except WwnAddressError as err:
                errors[CONF_ADDRESS] = f"address_{err.problem}"
            except WwnSelfSignedError:
                return await self._ask_about_certificate(user_input)
            except WwnError as err:
                errors["base"] = translation_key(err)
                values |= placeholders(err)
        address = announced_at(self.hass, entry) or str(self._server.base)
        before = {CONF_ADDRESS: address, **choices_of(self._permissions), CONF_BY_PIN: self._by_pin}
        shown = user_input or before
        schema = self.add_suggested_values_to_schema(RECONFIGURE_SCHEMA, shown)
        return self.async_show_form(
            step_id="reconfigure", data_schema=schema, errors=errors, description_placeholders=values
        )

    async def _is_proven(self, found: NestServer) -> bool:
        """Whether what was found is the server of the link: at another address only once it has proved that.

        Raises WwnConnectionError.
        """
        known, client = self._server, self._client
        if found.base.origin() == known.base.origin() or client is None:
            return True
        session, known = async_get_clientsession(self.hass), replace(known, fingerprint=found.fingerprint)
        try:
            await async_prove(session, known, client, found.base)
        except WwnProtocolError, WwnResponseError:
            return False
        return True

    async def async_step_own_link(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Change the service's address, or accept again there, for what is shared is decided at the service."""
        entry, errors = self._get_reconfigure_entry(), dict[str, str]()
        await self._take_up(entry.data)
        values = {
            "server": self._server.name,
            "redirect": redirect_uri() or AUTH_CALLBACK_PATH,
            "notice": await self._notice(self._server),
        }
        if user_input is not None:
            try:
                found = await self._find(user_input[CONF_ADDRESS])
                if is_less_secure(self._server, found.base):
                    errors[CONF_ADDRESS] = "less_secure"
                elif self._server.is_original or found.server_id == self._server.server_id:
                    # A host that stands for an id goes on standing for it after a move.
                    found = replace(found, server_id=self._server.server_id)
                    if result := await self._own_link_changed(entry, found, user_input):
                        return result
                errors.setdefault(CONF_ADDRESS, "other_server")
            except WwnAddressError as err:
                errors[CONF_ADDRESS] = f"address_{err.problem}"
            except WwnSelfSignedError:
                return await self._ask_about_certificate(user_input)
            except WwnError as err:
                errors["base"] = translation_key(err)
                values |= placeholders(err)
        shown = user_input or {CONF_ADDRESS: str(self._server.base), CONF_BY_PIN: self._by_pin}
        schema = self.add_suggested_values_to_schema(OWN_LINK_SCHEMA, shown)
        return self.async_show_form(
            step_id="own_link", data_schema=schema, errors=errors, description_placeholders=values
        )

    async def _own_link_changed(
        self, entry: ConfigEntry, found: NestServer, user_input: dict[str, Any]
    ) -> ConfigFlowResult | None:
        """Move the link, or accept again where it is wanted or needed; None where its homes are not there."""
        if result := await self._tell(found, user_input):
            return result
        self._server, self._by_pin = found, user_input[CONF_BY_PIN]
        document = await self._read_as_linked(entry)
        if document is not None and not document.structures.keys() >= included_homes(entry):
            return None
        if document is None or user_input[CONF_ACCEPT_AGAIN]:
            return await self._send_to_consent()
        return self._moved(entry)

    async def _reconfigured(
        self, entry: ConfigEntry, found: NestServer, user_input: dict[str, Any]
    ) -> ConfigFlowResult:
        """Move to where the server was found; where other data is wanted, or some is missing, ask for it."""
        if result := await self._tell(found, user_input):
            return result
        asked, chosen = set(self._permissions), chosen_permissions(user_input)
        self._server, self._permissions, self._by_pin = found, chosen, user_input[CONF_BY_PIN]
        document = await self._read_as_linked(entry)
        told = document.permissions if document else None
        if document is None or set(chosen) != asked or (told is not None and not told >= set(chosen)):
            self._asked_before = tuple(asked)
            return await self._send_to_consent()
        return self._moved(entry)

    @callback
    def _moved(self, entry: ConfigEntry) -> ConfigFlowResult:
        """End where nothing has to be accepted."""
        moved = {CONF_SERVER: self._server.as_dict(), CONF_BY_PIN: self._by_pin}
        return self.async_update_reload_and_abort(entry, data_updates=moved)

    async def _tell(self, found: NestServer, user_input: dict[str, Any]) -> ConfigFlowResult | None:
        """Say what a person should know of where a link moves to, once, before anything secret goes there."""
        notice = await self._notice(found)
        if not notice or notice in (self._said, await self._notice(self._server)):
            return None
        self._asked, self._said = user_input, notice
        return await self.async_step_new_address()

    async def async_step_new_address(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Go on to the new address once the person was told about it."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._asked = {**self._asked, **user_input}
            return await self._go_on()
        values = {"address": self._asked[CONF_ADDRESS], "notice": self._said}
        schema = self.add_suggested_values_to_schema(ACCEPT_SCHEMA, self._asked)
        return self.async_show_form(
            step_id="new_address", data_schema=schema, errors=errors, description_placeholders=values
        )

    async def _read_as_linked(self, entry: ConfigEntry) -> Document | None:
        """Return the newest document by the token of a link; None where that is not accepted any more."""
        try:
            return await self._read(entry.data[CONF_TOKEN]["access_token"])
        except WwnAuthError:
            return None

    async def _read(self, token: str) -> Document:
        return await WwnClient(async_get_clientsession(self.hass), self._server, token).read()

    @callback
    @override
    def async_remove(self) -> None:
        """Take back a registration that led to no link, and what a link was to be asked for; ask for a link again."""
        if self._is_linking_again and (entry := self.hass.config_entries.async_get_entry(self.context["entry_id"])):
            # After this dialogue is told to be over, or both would be shown.
            self.hass.loop.call_soon(entry.async_start_reauth, self.hass)
        if self._client is None:
            return
        if not self._is_in_use(self._client):
            ending = self._delete_registration(self._server, self._client)
        elif self._asked_before is not None:
            ending = self._restore_registration(self._server, self._client, self._asked_before)
        else:
            return
        self.hass.async_create_background_task(ending, f"{DOMAIN} abandoned registration")

    async def _find(self, typed: str) -> NestServer:
        """Return the server at what was typed, by the certificate that was confirmed for it. Raises WwnError."""
        find = async_find_service if self._is_own else async_find_registering
        session, place = async_get_clientsession(self.hass), _place_of(typed)
        try:
            return await find(session, typed, self._confirmed.get(place))
        except WwnCertificateChangedError:
            # Another one is as that of any server: it is trusted, or a person compares it.
            del self._confirmed[place]
            return await find(session, typed)

    async def _take_up(self, data: Mapping[str, Any]) -> None:
        """Go on from a link that there is."""
        self._server = NestServer.from_dict(data[CONF_SERVER])
        if self._server.fingerprint:
            self._confirmed.setdefault(_place_of(str(self._server.base)), self._server.fingerprint)
        self._is_own = CONF_CLIENT not in data
        if self._is_own:
            self._own = (await async_own_clients(self.hass)).get(data[CONF_AUTH_IMPLEMENTATION])
        else:
            self._client = RegisteredClient.from_dict(data[CONF_CLIENT])
        self._permissions = tuple(Permission(name) for name in data[CONF_PERMISSIONS])
        self._by_pin = data.get(CONF_BY_PIN, False)

    async def _notice(self, server: NestServer) -> str:
        """Return what a person should know before a server's page opens; mostly nothing."""
        page, here = server.consent_page.host or "", browser_host()
        if is_loopback(page) and (here is None or not is_loopback(here)):
            # A server that was found is shown before anybody's browser is there.
            maybe, certainly = "notice.options.page_may_be_on_one_machine", "notice.options.page_on_one_machine"
            path = maybe if here is None else certainly
            return await async_sentence(self.hass, "selector", path, {"page": page})
        if server.base.scheme == "http" and not is_loopback(server.base.host or ""):
            return await async_sentence(self.hass, "selector", "notice.options.plain_http")
        return ""

    async def _send_to_consent(self) -> ConfigFlowResult:
        """Bring the registration up to date, and open the server's page. Raises WwnError.

        Where the person's browser cannot be sent back, they type a PIN.
        """
        self._return_to = None if self._by_pin else redirect_uri()
        if self._is_own:
            return await self._send_as_own_client()
        try:
            client = await self._registered()
        except WwnRefusedError as err:
            if err.kind != "invalid_redirect_uri" or self._return_to is None:
                raise
            self._return_to = None
            client = await self._registered()
        return await self._open_page(client, DOMAIN)

    async def _send_as_own_client(self) -> ConfigFlowResult:
        """Open the service's page for the client that was brought along.

        Where it is not there any more, or another one that was added since may take its place, the person is asked.
        """
        if self._own is None or not (self._is_chosen or len(await async_own_clients(self.hass)) == 1):
            return await self.async_step_own_client()
        return await self._open_page(self._own.client, self._own.domain)

    async def _open_page(self, client: RegisteredClient, auth_domain: str) -> ConfigFlowResult:
        self.flow_impl = WwnOAuth2Implementation(self.hass, self._server, client, self._return_to, auth_domain)
        return await (self.async_step_pin() if self._return_to is None else self.async_step_auth())

    async def _registered(self) -> RegisteredClient:
        """Return the client, with what it asks for and where the person comes back to up to date. Raises WwnError."""
        session, registration = async_get_clientsession(self.hass), await self._registration(self._permissions)
        if self._client is not None:
            try:
                self._client = await async_update_registration(session, self._server, self._client, registration)
            except WwnAuthError:
                # The server no longer knows this client, so there is nothing left to keep of it.
                self._client = None
        if self._client is None:
            self._client = await async_register(session, self._server, registration)
        return self._client

    async def _registration(self, permissions: tuple[Permission, ...]) -> Registration:
        return Registration(
            client_name=CLIENT_NAME,
            redirect_uris=[] if self._return_to is None else [self._return_to],
            policy_uri=PRIVACY_POLICY_URL,
            permissions=await async_reasons(self.hass, permissions),
        )

    async def _relinked(self, data: dict[str, Any], document: Document) -> ConfigFlowResult:
        """Take the new token, if it shows every home of the link, whoever accepted."""
        entry = self._get_reauth_entry() if self.source == SOURCE_REAUTH else self._get_reconfigure_entry()
        if not document.structures.keys() >= included_homes(entry):
            await self._end_unused(data[CONF_TOKEN]["access_token"])
            return self.async_abort(reason="wrong_home", description_placeholders={"home": entry.title})
        self._asked_before, self._is_linking_again = None, False
        old_token = entry.data[CONF_TOKEN]["access_token"]
        gives_less = not {each.value for each in self._permissions} >= set(entry.data[CONF_PERMISSIONS])
        result = self.async_update_and_abort(entry, data_updates={**data, **self._link_data()})
        relinking = async_relink(self.hass, entry, old_token, gives_less=gives_less)
        self.hass.async_create_task(relinking, f"{DOMAIN} linked again")
        return result

    async def _end_unused(self, token: str) -> None:
        """End a token that led to no link."""
        try:
            await async_end_token(self.hass, self._server, token)
        except WwnError as err:
            LOGGER.debug("Could not end a token that is of no use: %s", err)

    def _link_data(self) -> dict[str, Any]:
        """Return what the link is made of, beside its token and its homes."""
        return {
            CONF_SERVER: self._server.as_dict(),
            **({CONF_CLIENT: self._client.as_dict()} if self._client else {}),
            CONF_PERMISSIONS: [permission.value for permission in self._permissions],
            CONF_BY_PIN: self._by_pin,
        }

    def _linked_homes(self) -> set[str]:
        """Return the homes of this server that are linked already."""
        return {
            home
            for entry in self._async_current_entries(include_ignore=False)
            if _is_same(self._server, NestServer.from_dict(entry.data[CONF_SERVER]))
            for home in included_homes(entry)
        }

    def _is_in_use(self, client: RegisteredClient) -> bool:
        return any(
            entry.data.get(CONF_CLIENT, {}).get("client_id") == client.client_id
            for entry in self._async_current_entries(include_ignore=False)
        )

    async def _delete_registration(self, server: NestServer, client: RegisteredClient) -> None:
        try:
            await async_delete_registration(async_get_clientsession(self.hass), server, client)
        except WwnError as err:
            LOGGER.debug("Left a registration behind, which the server drops within the hour: %s", err)

    async def _restore_registration(
        self, server: NestServer, client: RegisteredClient, permissions: tuple[Permission, ...]
    ) -> None:
        registration, session = await self._registration(permissions), async_get_clientsession(self.hass)
        try:
            await async_update_registration(session, server, client, registration)
        except WwnError as err:
            LOGGER.debug("Could not take back what the server was asked for: %s", err)


def _place_of(typed: str) -> tuple[str | None, int | None]:
    """Return the host and the port of a typed address. Raises WwnAddressError."""
    base = parse_address(typed)
    return base.host, base.port


def _is_same(server: NestServer, other: NestServer) -> bool:
    """Whether two are one, as far as can be told: a host that stands for an id may well have another name."""
    return server.server_id == other.server_id or (server.is_original and other.is_original)


def home_names(document: Document, homes: list[str]) -> str:
    """Return the names of some homes, for a person."""
    return ", ".join(document.structures[home].name or home for home in homes)
