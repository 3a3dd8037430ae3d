"""Why a goal is out of reach, as the profile shows it. Said only where it was missed.

A goal that is missed and not here was not profiled yet.
"""

from collections.abc import Mapping
from typing import Final

LIMITS: Final[Mapping[str, str]] = {
    "unchanged": (
        "nothing is parsed, so what is left does not grow with the home: 55 us at 10 devices, where to parse takes 26. "
        "In the profile 28 % is waiting for the bytes with a time that is watched, 24 % that the history vouches for "
        "the moment, 19 % noting the sign of life and setting its timer, 13 % finding the event."
    ),
    "changed": (
        "in the profile at 10 devices 56 % is telling 26 followers for each device, where every entity finds out "
        "whether it shows something else; of that 21 % is writing 4 states through entities, with names, units and "
        "attributes, of which a bare async_set knows nothing. Waiting for the bytes takes 14 %, reading the document "
        "11 %, the history 8 %, the device registry's view of what changed 4 %."
    ),
    "setup": (
        "in the profile at 100 devices 86 % of the time is Home Assistant's adding of entities, equally the look into "
        "its registry and the first state as its largest parts (25 % each). A fifth of the entities, 275 of 1,334, is "
        "registered and disabled, which the bare ones are not counted with. Reading the document takes 5 %, making the "
        "entities 2 %, registering the devices 1 %."
    ),
    "reads": (
        "without sockets a read takes 130 microseconds of the processor, a bare handler 60. Of the 70 more "
        "some 30 are to ask SQLite whether anybody has written since the token was good, which nothing that is taken "
        "back may wait for; 20 are the layers that every request passes (language, log, refusals, journal, host, body, "
        "first run), 20 the path, the token's own part of the document and the answer's headers."
    ),
    "writes": (
        "without sockets a write takes 235 microseconds of the processor at 10 devices, a bare handler 73: what a read "
        "takes beside the bare one, and as much again for the rules, the home and its journal."
    ),
}
