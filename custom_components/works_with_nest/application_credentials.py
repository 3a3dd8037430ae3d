"""Clients that people made by hand at a service: id and secret are kept by Home Assistant's application credentials."""

from homeassistant.components.application_credentials import AuthImplementation, AuthorizationServer, ClientCredential
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import AUTH_CALLBACK_PATH, async_get_implementations

from .const import DOMAIN
from .wwn.auth import RegisteredClient


class WwnOwnClient(AuthImplementation):
    """A client that was brought along. Which service it is for is asked afterwards, so it links nothing by itself."""

    def __init__(self, hass: HomeAssistant, auth_domain: str, credential: ClientCredential) -> None:
        """Take the credential; nobody knows an address yet."""
        super().__init__(hass, auth_domain, credential, AuthorizationServer(authorize_url="", token_url=""))

    @property
    def client(self) -> RegisteredClient:
        """Return who the hub is to the service."""
        return RegisteredClient(client_id=self.client_id, client_secret=self.client_secret, version=1)


async def async_get_auth_implementation(
    hass: HomeAssistant, auth_domain: str, credential: ClientCredential
) -> WwnOwnClient:
    """Return what stands for a credential."""
    return WwnOwnClient(hass, auth_domain, credential)


async def async_get_description_placeholders(hass: HomeAssistant) -> dict[str, str]:
    """Return what the dialogue that asks for a credential names."""
    return {"path": AUTH_CALLBACK_PATH}


async def async_own_clients(hass: HomeAssistant) -> dict[str, WwnOwnClient]:
    """Return every client that was brought along, by what the entry keeps of it."""
    found = await async_get_implementations(hass, DOMAIN)
    return {key: each for key, each in found.items() if isinstance(each, WwnOwnClient)}
