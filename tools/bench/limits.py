"""Why a goal is out of reach, as the profile shows it. Said only where it was missed."""

from collections.abc import Mapping
from typing import Final

LIMITS: Final[Mapping[str, str]] = {
    "unchanged": (
        "what one event costs whatever is in it: its lines, a turn of the event loop, the timers of the watchdog "
        "and of the next poll, the history. With 10 devices that is more than parsing; it does not grow with "
        "them."
    ),
    "respelt": (
        "the bytes are other ones, so they are parsed as in the baseline, after they were put together from the "
        "chunks they come in; then each device is compared with the last one, field by field."
    ),
    "changed": (
        "in the profile at 10 devices 64 % is Home Assistant's own writing of states through entities, of which a "
        "bare async_set knows nothing; the climate entity has a quarter of that. All 10 to 15 entities of a "
        "device write when it changed, also those whose value is the same, which Home Assistant notes as "
        "reported; 2 or so of them are new states and in the baseline."
    ),
    "usual": ("the states that one device writes are the larger part of ours; see the row above."),
    "push_median": (
        "the reader only waits for the end of the event. Parsing it and writing the states of a device come on "
        "top of a latency of about half a millisecond; see the row of a changed document."
    ),
    "push_p99": ("as with the median."),
    "emergency": (
        "Home Assistant writes the states of all devices in one go, and an emergency that comes meanwhile waits "
        "for that."
    ),
    "setup": (
        "in the profile at 100 devices 96 % of the time is Home Assistant's adding of entities: a device looked "
        "up for each (13 %), its translated name, its first state. Bare ones have neither device nor translation. "
        "Making the entities takes 3 %, the document less."
    ),
    "memory": (
        "an entity with a device and a description holds more than one without, and the last document is kept to "
        "know what changed: its bytes, its parsed objects, its models."
    ),
    "idle": (
        "every 5 s the stream and the coordinator each look at two clocks, which is how a sleep of the machine is "
        "noticed: 12 times in the 30 s of a keep-alive. To look more seldom would show for longer as fresh what "
        "is old, and truth comes first."
    ),
    "streams_100": (
        "each stream puts its own bytes together, because its token is in them, where the baseline sends one "
        "object to all; and each write is watched for a reader that takes nothing."
    ),
    "idle_cpu": (
        "each write is watched for a reader that takes nothing, each keep-alive looks first whether there is "
        "something to tell, and twice a second the store is asked whether another process changed it."
    ),
    "idle_memory": (
        "a stream keeps its rights and how its events begin, and its request has passed the layers that every "
        "request passes, whose frames live as long as the stream."
    ),
    "reads": (
        "in the profile of what is not sending, two requests to the store (does the token stand, has the home an "
        "owner) are 13 %, and taking the token's homes and permissions out of it 5 %; the rest is spread over the "
        "layers that every request passes: language, proxies, log, refusals, host, body, first run."
    ),
    "writes": (
        "each write passes all that a read passes, then the rules; it changes the document, and is noted in the "
        "journal with the name of its hub, for which the store is asked again. A bare handler does none of this."
    ),
    "streams_500": (
        "each stream puts its own bytes together, because its token is in them, where the baseline sends one "
        "object to all; and each write is watched for a reader that takes nothing."
    ),
}
