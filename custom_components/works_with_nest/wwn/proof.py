"""The proof that a server at another address is the one that was linked (design, Moving).

HMAC-SHA256 over a fresh nonce, the address asked, and the server's id, keyed by SHA-256 of the client secret: only who
got that secret at linking can answer, and nothing secret is sent to ask.
"""

import hashlib
import hmac
import secrets

from aiohttp import ClientSession
from yarl import URL

from .auth import NestServer, RegisteredClient, async_ask_for_proof, async_discover
from .errors import WwnProtocolError


async def async_prove(session: ClientSession, known: NestServer, client: RegisteredClient, base: URL) -> NestServer:
    """Return the known server as it is found at another address. Raises WwnError where it cannot prove who it is."""
    found = await async_discover(session, base, known.fingerprint)
    if found.server_id != known.server_id:
        msg = "another server answers there"
        raise WwnProtocolError(msg)
    nonce, asked = secrets.token_urlsafe(32), str(base.origin())
    told = await async_ask_for_proof(session, found, client, nonce, asked)
    key = hashlib.sha256(client.client_secret.encode()).digest()
    wanted = hmac.new(key, f"{nonce}\n{asked}\n{known.server_id}".encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), told.encode()):
        msg = "the proof is wrong"
        raise WwnProtocolError(msg)
    return found
