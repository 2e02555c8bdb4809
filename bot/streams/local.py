"""Reports of one machine: frames in an SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator

from bot.database import Database

_SCHEMA = (
    # AUTOINCREMENT: a number is never used again, even when every frame before it is forgotten.
    "CREATE TABLE frames (seq INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL);",
)
_PAGE = 64  # frames per read, so that a reader never holds more than a few megabytes
_CHUNK, _CHUNK_BYTES = 200, 512 * 1024  # forgotten per transaction at most, so that appends are not kept waiting


class LocalStream:
    """An ordered, durable log in a database of its own, whose schema it brings up to date."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.migrate(_SCHEMA)

    async def append(self, frame: bytes) -> int:
        """Make one frame durable; answers its sequence number. An empty frame waits for all before it.

        Raises:
            Retry: the disk is full.
        """
        return await self._database.write(lambda connection: _append(connection, frame))

    async def read(self, after: int) -> AsyncIterator[tuple[int, bytes]]:
        """Every frame after a sequence number, in order."""
        while page := await self._database.read(lambda connection: _page(connection, after)):  # noqa: B023 - awaited at once
            for seq, frame in page:
                yield seq, frame
            after = page[-1][0]

    async def rewrite(self, seq: int, frame: bytes) -> None:
        """Put another frame in the place of one."""
        statement = "UPDATE frames SET body = ? WHERE seq = ?"
        await self._database.write(lambda connection: connection.execute(statement, (frame, seq)).rowcount)

    async def trim(self, before: int) -> None:
        """Forget frames below a sequence number, a few at a time."""
        while await self._database.write(lambda connection: _forget(connection, before)):
            pass

    async def aclose(self) -> None:
        """Finish pending writes and let go."""
        await self._database.aclose()


def _append(connection: sqlite3.Connection, frame: bytes) -> int:
    if frame:
        return connection.execute("INSERT INTO frames (body) VALUES (?)", (frame,)).lastrowid or 0
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'frames'").fetchone()
    return last[0] if last else 0


def _page(connection: sqlite3.Connection, after: int) -> list[tuple[int, bytes]]:
    query = "SELECT seq, body FROM frames WHERE seq > ? ORDER BY seq LIMIT ?"
    return connection.execute(query, (after, _PAGE)).fetchall()


def _forget(connection: sqlite3.Connection, before: int) -> int:
    """Forget the oldest frames below a number, as many as one transaction may; answers how many."""
    query = "SELECT seq, length(body) FROM frames WHERE seq < ? ORDER BY seq LIMIT ?"
    size, last = 0, None
    for seq, length in connection.execute(query, (before, _CHUNK)):
        size += length
        if last is not None and size > _CHUNK_BYTES:
            break
        last = seq
    return 0 if last is None else connection.execute("DELETE FROM frames WHERE seq <= ?", (last,)).rowcount
