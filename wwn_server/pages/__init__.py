"""The pages that people see, and where they are."""

from typing import Final

CONNECTIONS: Final = "/connections"
CONSOLE: Final = "/console"
CONSENT: Final = "/login/oauth2"
PIN: Final = "/login/oauth2/pin"
FIRST_RUN: Final = "/first-run"
SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"
STYLE: Final = "/static/wwn.css"
ICON: Final = "/static/wwn.svg"
