"""The counts of past weeks, one row per service and hour, in the house's SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

import msgspec

from bot.core.hours import HOUR, Hour
from bot.database import Database
from bot.stores.sqlite import SCHEMA

_KEEP = 400 * 24  # hours: a year to compare with, about 300 bytes for each hour in which something was counted
_INSERT = "INSERT OR REPLACE INTO counts (service, hour, fed, body) VALUES (?, ?, ?, ?)"

_encode = msgspec.json.encode
_hour = msgspec.json.Decoder(Hour).decode


class CountStore:
    """Implements the intake's archive. Opening it brings the schema up to date."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.migrate(SCHEMA)

    async def keep(self, hours: Sequence[Hour]) -> None:
        """Write hours, in place of what was kept for them; those of more than 400 days ago go."""
        rows = [(hour.service, hour.number, hour.windows, _encode(hour)) for hour in hours]
        await self._database.write(lambda connection: _keep(connection, rows))

    async def hours(self, service: str, first: int, last: int) -> Sequence[Hour]:
        """The hours of a service from number first to last, both included, in order."""
        query = "SELECT body FROM counts WHERE service = ? AND hour BETWEEN ? AND ? ORDER BY hour"
        rows = await self._database.read(
            lambda connection: connection.execute(query, (service, first, last)).fetchall()
        )
        return [_hour(row[0]) for row in rows]

    async def fed(self) -> Mapping[str, float]:
        """Until when (Unix seconds) ready-made counts were kept for a service, for those that had any."""
        query = "SELECT service, max(hour) FROM counts WHERE fed GROUP BY service"
        rows = await self._database.read(lambda connection: connection.execute(query).fetchall())
        return {service: (hour + 1) * float(HOUR) for service, hour in rows}


def _keep(connection: sqlite3.Connection, rows: Sequence[tuple[str, int, bool, bytes]]) -> None:
    connection.executemany(_INSERT, rows)
    oldest = [(service, hour - _KEEP) for service, hour, _, _ in rows]
    connection.executemany("DELETE FROM counts WHERE service = ? AND hour < ?", oldest)
