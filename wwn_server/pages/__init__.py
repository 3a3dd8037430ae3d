"""The pages that people see, and where they are."""

from typing import Final

ACCOUNT: Final = "/account"
CATALOGUE: Final = "/catalogue"
CONNECTIONS: Final = "/connections"
CONSENT: Final = "/login/oauth2"
CONSOLE: Final = "/console"
FIRST_RUN: Final = "/first-run"
HEALTH: Final = "/health"
ICON: Final = "/static/wwn.svg"
JOIN: Final = "/join"
LEARN: Final = "/learn"
MEMBERS: Final = "/members"
PIN: Final = "/login/oauth2/pin"
SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"
STYLE: Final = "/static/wwn.css"
