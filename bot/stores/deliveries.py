"""What hooks remember, in the house's SQLite file: alerts, and the names of messages already taken in."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b

from bot.database import Database
from bot.stores.sqlite import SCHEMA

_MOST = 100_000  # names of messages in all, about 50 bytes each


class DeliveryStore:
    """Implements the hooks' ledger. Opening it brings the schema up to date."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.migrate(SCHEMA)

    async def recall(self) -> Mapping[str, bytes]:
        """The memory of every watch that has one, under `service/watch`."""
        query = "SELECT watch, body FROM alerts"
        return dict(await self._database.read(lambda connection: connection.execute(query).fetchall()))

    async def known(self, watch: str, ids: Sequence[str]) -> frozenset[str]:
        """Those of the messages that were taken in before."""
        query = "SELECT 1 FROM messages WHERE watch = ? AND id = ?"

        def look(connection: sqlite3.Connection) -> frozenset[str]:
            return frozenset(name for name in ids if connection.execute(query, (watch, _digest(name))).fetchone())

        return await self._database.read(look) if ids else frozenset()

    async def keep(self, watch: str, memory: bytes, ids: Sequence[str], now: datetime) -> None:
        """One atomic write: the watch's memory, and the names of the messages that made it so.

        Raises:
            Retry: the disk cannot take it now; nothing is kept.
        """
        names = [(watch, _digest(name), int(now.timestamp())) for name in ids]

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR IGNORE INTO messages (watch, id, at) VALUES (?, ?, ?)", names)
            connection.execute("INSERT OR REPLACE INTO alerts (watch, body) VALUES (?, ?)", (watch, memory))

        await self._database.write(write)

    async def forget(self, before: datetime) -> None:
        """Let go of names from before then, and of the oldest when there are too many."""
        surplus = (
            "DELETE FROM messages WHERE at <= (SELECT at FROM messages ORDER BY at DESC LIMIT 1 OFFSET ?)",
            (_MOST,),
        )

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM messages WHERE at < ?", (int(before.timestamp()),))
            connection.execute(*surplus)

        await self._database.write(write)


def _digest(name: str) -> bytes:
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
