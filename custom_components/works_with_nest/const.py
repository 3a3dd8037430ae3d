"""Names and figures used all over the integration."""

from datetime import timedelta
import logging
from typing import Final

DOMAIN: Final = "works_with_nest"
LOGGER: Final = logging.getLogger(__package__)

# Keys of the entry's data. One without CONF_CLIENT is by a client of the person's own, which CONF_AUTH_IMPLEMENTATION
# names; no other has a registration that is ours to change and to remove.
CONF_AUTH_IMPLEMENTATION: Final = "auth_implementation"
CONF_BY_PIN: Final = "by_pin"
CONF_CLIENT: Final = "client"
CONF_HOMES: Final = "homes"
CONF_PERMISSIONS: Final = "permissions"
CONF_SERVER: Final = "server"
CONF_TOKEN: Final = "token"  # noqa: S105 - the name of a field, chosen by the OAuth helper

# Sent with the id of the entry, and a Transition or a LinkChange.
SIGNAL_TRANSITION: Final = f"{DOMAIN}_transition"
SIGNAL_LINK: Final = f"{DOMAIN}_link"
# Sent with the id of the entry at every sign of life, and whenever what is known may have changed.
SIGNAL_NEWS: Final = f"{DOMAIN}_news"

# Keys of the entry's options: CONF_HOMES, those of its data that are included; and how many months may pass between two
# tests of an alarm, 0 for any number.
CONF_TEST_MONTHS: Final = "test_months"
DAYS_OF_MONTH: Final = 365.25 / 12

# How long a link is down before a repair says so, in seconds.
DOWN_FOR_LONG: Final = 1800.0

# How long a good answer or a complete event stands for the present, in seconds.
LIVE_FOR: Final = 75.0
POLL_WITHOUT_STREAM: Final = timedelta(seconds=60)
POLL_BEHIND_STREAM: Final = timedelta(minutes=15)

# Where the repository lives; a reserved name until it has an address (held to pyproject.toml by a test).
REPOSITORY_URL: Final = "https://works-with-nest.example"
PRIVACY_POLICY_URL: Final = f"{REPOSITORY_URL}/blob/main/docs/privacy.md"
