"""Figures of the wire, in seconds and bytes unless said otherwise."""

from typing import Final

# The version of what our server adds to the wire; see its discovery document.
PROTOCOL: Final = 1

# Longer than an answer on a home network ever takes, short enough to fit a poll of one minute into the live window.
REQUEST_TIMEOUT: Final = 12.0

# Keep-alives come every 30 s (protocol 4.3); two and a half periods without a complete event and the stream is dead.
STREAM_SILENCE: Final = 75.0

# No home comes near; past it the other end is not sending a document.
MAX_EVENT_BYTES: Final = 16 * 1024 * 1024

# One hop to the shard and one more for a shard that moved (protocol 4.2).
MAX_REDIRECTS: Final = 3

# What production tokens lived, for a service that forgets to say it (protocol 1.4).
TOKEN_LIFETIME: Final = 315_360_000

# A slider sends a value for each step it is dragged over; the limits on writes are tight (protocol 6).
WRITE_PAUSE: Final = 1.0

# After one keep-alive that did not come, nobody knows whether what was shown last is still so: then a write is sent.
KNOWN_FOR: Final = 35.0

# How long a write that was accepted may take to show in a document (protocol 5.1); after that it came to nothing.
PENDING_FOR: Final = 10.0

# A service that blocks may not say for how long, or for no time, or for ever (protocol 6).
SHORTEST_BLOCK: Final = 60.0
LONGEST_BLOCK: Final = 3600.0
