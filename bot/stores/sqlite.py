"""State in one SQLite file: cases, incidents with their timelines, threads, and small blobs."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import msgspec

from bot.core.model import Case, Entry, Incident, Thread
from bot.database import Database
from bot.ports import Conflict

SCHEMA = tuple(
    script.read_text("utf-8")
    for script in sorted((files("bot.stores") / "migrations").iterdir(), key=lambda script: script.name)
    if script.name.endswith(".sql")
)

_BEHIND = """
    SELECT t.incident, t.channel, t.ref, t.heard, t.shown, t.closed, t.trying, t.tried_at, t.dead, i.body
    FROM threads t JOIN incidents i ON i.id = t.incident
    WHERE t.awake AND t.channel = ? AND t.dead = ''
      AND (t.heard < i.seq OR t.shown < i.rev OR (i.state = 'closed' AND NOT t.closed))
    ORDER BY t.ref != '', i.opened_at
"""
_THREADS = """
    SELECT incident, channel, ref, heard, shown, closed, trying, tried_at, dead
    FROM threads WHERE incident = ? ORDER BY channel
"""
_DEAD = """
    SELECT t.incident, t.channel, t.ref, t.heard, t.shown, t.closed, t.trying, t.tried_at, t.dead, i.body
    FROM threads t JOIN incidents i ON i.id = t.incident
    WHERE t.dead != '' AND (?1 = '' OR t.channel = ?1) ORDER BY i.opened_at DESC, t.channel
"""
_REVIVE = """
    UPDATE threads SET dead = '', awake = 1 WHERE dead != '' AND (?1 = '' OR channel = ?1) AND incident IN (
        SELECT id FROM incidents WHERE state != 'closed' OR opened_at >= ?2)
"""
_MARK = """
    INSERT OR REPLACE INTO threads (incident, channel, ref, heard, shown, closed, trying, tried_at, dead, awake)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NOT EXISTS (
        SELECT 1 FROM incidents WHERE id = ?1 AND seq <= ?4 AND rev <= ?5 AND (state != 'closed' OR ?6)))
"""
_INCIDENT = """
    INSERT OR REPLACE INTO incidents (id, service, state, opened_at, rev, seq, body) VALUES (?, ?, ?, ?, ?, ?, ?)
"""

_encode = msgspec.json.encode
_case = msgspec.json.Decoder(Case).decode
_incident = msgspec.json.Decoder(Incident).decode
_entry = msgspec.json.Decoder(Entry).decode


class SqliteStore:
    """The house's memory. Opening it brings the schema up to date.

    Raises:
        Refused: the file was written by a newer program.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        database.migrate(SCHEMA)

    async def load(self, service: str) -> Case:
        """The case with its version; a fresh one for a service never seen."""
        row = await self._one("SELECT body FROM cases WHERE service = ?", service)
        return _case(row[0]) if row else Case(service=service)

    async def save(self, case: Case, entries: Sequence[Entry], channels: Sequence[str]) -> Case:
        """One atomic write: the case under compare-and-set, its entries, and a thread for each channel that has none.

        Threads and the incident's own row begin when it has opened. Answers the case with its new version.

        Raises:
            Conflict: somebody saved a newer version first.
            Retry: the disk is full.
        """
        after = msgspec.structs.replace(case, version=case.version + 1)
        await self._database.write(lambda connection: _save(connection, after, entries, channels))
        return after

    async def cases(self, prefix: str) -> Sequence[Case]:
        """The cases of every service whose name begins so."""
        query = "SELECT body FROM cases WHERE substr(service, 1, length(?1)) = ?1 ORDER BY service"
        return [_case(row[0]) for row in await self._all(query, prefix)]

    async def behind(self, channel: str) -> Sequence[tuple[Thread, Incident]]:
        """Threads of a channel that have something yet to hear, show or close, unopened ones first; no dead ones."""
        return [(_thread(row), _incident(row[-1])) for row in await self._all(_BEHIND, channel)]

    async def mark(self, thread: Thread) -> None:
        """Remember how far a thread is."""
        tried = thread.tried_at and _moment(thread.tried_at)
        row = (*msgspec.structs.astuple(thread)[:7], tried, thread.dead)
        await self._database.write(lambda connection: connection.execute(_MARK, row).rowcount)

    async def dead(self, channel: str = "") -> Sequence[tuple[Thread, Incident]]:
        """The dead letters: threads that a person must do something for, of one channel or of all, newest first."""
        return [(_thread(row), _incident(row[-1])) for row in await self._all(_DEAD, channel)]

    async def revive(self, channel: str = "", since: datetime | None = None) -> int:
        """Let dead threads be tried again; answers how many. `since` leaves past incidents that opened before alone."""
        values = (channel, _moment(since) if since else "")
        return await self._database.write(lambda connection: connection.execute(_REVIVE, values).rowcount)

    async def incident(self, incident: str) -> Incident | None:
        """One incident, alive or past."""
        row = await self._one("SELECT body FROM incidents WHERE id = ?", incident)
        return _incident(row[0]) if row else None

    async def incidents(self, *, service: str = "", limit: int = 100) -> Sequence[Incident]:
        """Incidents of services that opened, newest first; what ails the house itself is none of them."""
        query = "SELECT body FROM incidents {} ORDER BY opened_at DESC, id DESC LIMIT ?"
        if service:
            rows = await self._all(query.format("WHERE service = ?"), service, limit)
        else:
            rows = await self._all(query.format("WHERE service NOT LIKE '.%'"), limit)
        return [_incident(row[0]) for row in rows]

    async def entries(self, incident: str, after: int = 0) -> Sequence[Entry]:
        """The timeline of an incident, in order."""
        query = "SELECT body FROM entries WHERE incident = ? AND seq > ? ORDER BY seq"
        return [_entry(row[0]) for row in await self._all(query, incident, after)]

    async def threads(self, incident: str) -> Sequence[Thread]:
        """The copies of an incident, by channel name."""
        return [_thread(row) for row in await self._all(_THREADS, incident)]

    async def put(self, key: str, value: bytes) -> None:
        """Keep a small named blob (detector memory, schema hashes)."""
        statement = "INSERT OR REPLACE INTO blobs (key, value) VALUES (?, ?)"
        await self._database.write(lambda connection: connection.execute(statement, (key, value)).rowcount)

    async def get(self, key: str) -> bytes | None:
        """The blob, if it was kept."""
        row = await self._one("SELECT value FROM blobs WHERE key = ?", key)
        return row[0] if row else None

    async def aclose(self) -> None:
        """Finish pending writes and let go."""
        await self._database.aclose()

    async def _all(self, query: str, *values: object) -> list[Any]:
        return await self._database.read(lambda connection: connection.execute(query, values).fetchall())

    async def _one(self, query: str, *values: object) -> Any:
        return await self._database.read(lambda connection: connection.execute(query, values).fetchone())


def unsound(connection: sqlite3.Connection) -> str:
    """What in a file of ours cannot be read, or nothing. Reads every case, incident and line; a newer program's are its own."""
    if connection.execute("PRAGMA user_version").fetchone()[0] > len(SCHEMA):
        return ""
    for table, decode in (("cases", _case), ("incidents", _incident), ("entries", _entry)):
        for (body,) in connection.execute(f"SELECT body FROM {table}"):  # noqa: S608  # our own three names
            try:
                decode(body)
            except (msgspec.DecodeError, UnicodeDecodeError) as exc:
                return f"one of its {table} cannot be read: {exc}"
    return ""


def _save(connection: sqlite3.Connection, case: Case, entries: Sequence[Entry], channels: Sequence[str]) -> None:
    _swap(connection, case)
    incident = case.incident
    if incident is None or incident.opened_at is None:
        return
    columns = (incident.id, incident.service, incident.state, _moment(incident.opened_at), incident.rev, incident.seq)
    connection.execute(_INCIDENT, (*columns, _encode(incident)))
    if entries:
        _tell(connection, case, entries)
    if channels:
        connection.executemany(
            "INSERT OR IGNORE INTO threads (incident, channel) VALUES (?, ?)",
            [(incident.id, channel) for channel in channels],
        )
    connection.execute("UPDATE threads SET awake = 1 WHERE incident = ?", (incident.id,))


def _tell(connection: sqlite3.Connection, case: Case, entries: Sequence[Entry]) -> None:
    rows = [(entry.incident, entry.seq, _encode(entry)) for entry in entries]
    try:
        connection.executemany("INSERT INTO entries (incident, seq, body) VALUES (?, ?, ?)", rows)
    except sqlite3.IntegrityError as exc:
        raise Conflict(f"{case.service}: a line of this number stands in the timeline already") from exc


def _swap(connection: sqlite3.Connection, case: Case) -> None:
    """Write the case only where the version before it still stands."""
    body = _encode(case)
    if case.version == 1:
        statement = "INSERT OR IGNORE INTO cases (version, body, service) VALUES (?, ?, ?)"
        written = connection.execute(statement, (case.version, body, case.service))
    else:
        statement = "UPDATE cases SET version = ?, body = ? WHERE service = ? AND version = ?"
        written = connection.execute(statement, (case.version, body, case.service, case.version - 1))
    if not written.rowcount:
        raise Conflict(f"{case.service}: version {case.version} was saved by somebody else first")


def _thread(row: tuple[Any, ...]) -> Thread:
    incident, channel, ref, heard, shown, closed, trying, tried_at, dead = row[:9]
    return Thread(
        incident=incident,
        channel=channel,
        ref=ref,
        heard=heard,
        shown=shown,
        closed=bool(closed),
        trying=trying,
        tried_at=datetime.fromisoformat(tried_at) if tried_at else None,
        dead=dead,
    )


def _moment(at: datetime) -> str:
    """Sortable text: always UTC, always with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
