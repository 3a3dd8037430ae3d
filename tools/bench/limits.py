"""Why a goal is out of reach, as the profile shows it. Said only where it was missed.

A goal that is missed and not here was not profiled yet.
"""

from collections.abc import Mapping
from typing import Final

LIMITS: Final[Mapping[str, str]] = {
    "changed": (
        "in the profile at 10 devices 64 % is Home Assistant's own writing of states through entities, of which a "
        "bare async_set knows nothing; the climate entity has a quarter of that. All 10 to 15 entities of a "
        "device write when it changed, also those whose value is the same, which Home Assistant notes as "
        "reported; 2 or so of them are new states and in the baseline."
    ),
    "setup": (
        "in the profile at 100 devices 96 % of the time is Home Assistant's adding of entities: a device looked "
        "up for each (13 %), its translated name, its first state. Bare ones have neither device nor translation. "
        "Making the entities takes 3 %, the document less."
    ),
    "idle": (
        "every 5 s the stream and the coordinator each look at two clocks, which is how a sleep of the machine is "
        "noticed: 12 times in the 30 s of a keep-alive. To look more seldom would show for longer as fresh what "
        "is old, and truth comes first."
    ),
    "reads": (
        "in the profile of what is not sending, two requests to the store (does the token stand, has the home an "
        "owner) are 13 %, and taking the token's homes and permissions out of it 5 %; the rest is spread over the "
        "layers that every request passes: language, proxies, log, refusals, host, body, first run."
    ),
}
