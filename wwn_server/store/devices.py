"""Devices that sources ever had: their ids on the wire, what people call them, what they told last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wwn_server.homes.kept import KeptDevice

if TYPE_CHECKING:
    from .database import Database


class Devices:
    """All devices of sources; none is ever forgotten, so that each is the same when it comes back."""

    def __init__(self, database: Database) -> None:
        """Work on a database."""
        self._database = database

    def all(self) -> list[KeptDevice]:
        """Return all that were ever there."""
        return [KeptDevice(**row) for row in self._database.all("SELECT * FROM devices ORDER BY kind, key")]

    def keep(self, device: KeptDevice) -> None:
        """Keep a device as it is now; its id stays what it was first."""
        self._database.change(
            """
            INSERT INTO devices (kind, key, id, source, told, name, room) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT (kind, key) DO UPDATE SET source = ?4, told = ?5, name = ?6, room = ?7
            """,
            device.kind,
            device.key,
            device.id,
            device.source,
            device.told,
            device.name,
            device.room,
        )
