"""What a link may see and change, where the service does not list it: read from what it shows and refuses.

The protocol has no list of permissions (protocol 2.5); metadata.permissions is an addition of our server. Without it
these facts are sure: an object that is shown may be read, ids that are listed while none of their objects is there may
not be, and neither may be written what was refused for lack of permission.
"""

from typing import Final

from .models import Document, Permission

# All that is of use here. A service with a client made by hand does not say which of it the client asks for.
USED: Final = frozenset(
    {
        Permission.THERMOSTAT_READ_WRITE,
        Permission.AWAY_READ_WRITE,
        Permission.SMOKE_CO_READ,
        Permission.ETA_WRITE,
    }
)
OF_THERMOSTATS: Final = frozenset({Permission.THERMOSTAT_READ, Permission.THERMOSTAT_READ_WRITE})
OF_ALARMS: Final = frozenset({Permission.SMOKE_CO_READ})


def shown(document: Document) -> frozenset[Permission]:
    """Return what may be read for certain, because it is there."""
    thermostats = {Permission.THERMOSTAT_READ} if document.thermostats else set()
    return frozenset(thermostats) | (OF_ALARMS if document.alarms else frozenset())


def withheld(document: Document) -> frozenset[Permission]:
    """Return what a document does not open: ids are listed, and not one of their objects is there.

    A single document may be a part, so two have to say it. One that lists its permissions says it better.
    """
    if document.permissions is not None:
        return frozenset()
    homes = document.structures.values()
    thermostats = not document.thermostats and any(home.thermostat_ids for home in homes)
    alarms = not document.alarms and any(home.alarm_ids for home in homes)
    return (OF_THERMOSTATS if thermostats else frozenset()) | (OF_ALARMS if alarms else frozenset())


def granted(document: Document) -> frozenset[Permission]:
    """Return what a client made by hand has: what the service lists, else all that nothing speaks against."""
    return USED - withheld(document) if document.permissions is None else document.permissions


def needed_for(path: str) -> Permission:
    """Return what a write needs, by its path."""
    if path.startswith("/devices/thermostats/"):
        return Permission.THERMOSTAT_READ_WRITE
    return Permission.ETA_WRITE if path.endswith("/eta") else Permission.AWAY_READ_WRITE
