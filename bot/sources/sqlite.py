"""Counts out of a SQLite database, read and never written."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import AfterValidator, Field

from bot.ports import Errand, Http
from bot.sources.counting import Row, Span
from bot.sources.pages import Unread
from bot.sources.tables import MOST_ROWS, TableFeed, rows

_LONGEST = 1_000_000
_STEPS = 10_000
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})


def _absolute(value: str) -> str:
    if not Path(value).is_absolute():
        raise ValueError("write the whole path, from the root: /var/lib/shop/orders.db")
    return value


class Sqlite(TableFeed):
    """Counts out of a SQLite file of another program, opened for reading only.

    The statement gives rows of a bucket's start (Unix seconds, or a time such as `2026-11-22 14:05`, which counts as
    UTC), a number, and if you like columns named `region`, `platform` and `symptom`. `:since` and `:until` stand for the
    limits in Unix seconds. It can read and nothing else, and is cut off when it takes longer than `timeout`.
    """

    kind: Literal["sqlite"]
    """The word that says what this watch is."""
    path: Annotated[str, AfterValidator(_absolute), Field(examples=["/var/lib/shop/orders.db"])]
    """The file."""
    statement: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10_000,
            examples=["select at / 60 * 60, count(*) from complaints where at >= :since and at < :until group by 1"],
        ),
    ]
    """What to ask: one SELECT."""

    async def count(self, http: Http, errand: Errand, span: Span) -> Iterable[Row]:  # noqa: ARG002 - no web is needed
        """Run the statement in a thread of its own, and interrupt it when its time is over."""
        connection = await asyncio.to_thread(self._open)
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                found = await _run(connection, self.statement, span)
        except TimeoutError as exc:
            raise self.late() from exc
        finally:
            await asyncio.to_thread(connection.close)
        return self.filled(found, span)

    def _open(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                f"file:{quote(self.path)}?mode=ro", uri=True, timeout=2.0, check_same_thread=False
            )
            connection.execute("pragma query_only = on")
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
        except sqlite3.Error as exc:
            raise Unread("connect", f"cannot open {self.path}: {exc}") from exc
        connection.set_authorizer(_allow)
        return connection


PLUGIN = Sqlite


async def _run(connection: sqlite3.Connection, statement: str, span: Span) -> list[Row]:
    """The rows; a statement whose time is over ends at its next few thousand steps, and is waited for."""
    over = threading.Event()
    connection.set_progress_handler(over.is_set, _STEPS)
    running = asyncio.create_task(asyncio.to_thread(_rows, connection, statement, span))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        over.set()
        await asyncio.wait([running])
        running.exception()
        raise


def _rows(connection: sqlite3.Connection, statement: str, span: Span) -> list[Row]:
    try:
        cursor = connection.execute(statement, {"since": span.first, "until": span.last})
        names = [column[0] for column in cursor.description or ()]
        raw = cursor.fetchmany(MOST_ROWS + 1)
    except sqlite3.Error as exc:
        raise Unread("wrong_shape", f"the statement fails: {exc}") from exc
    return rows(names, raw)


def _allow(action: int, *_: object) -> int:
    """Reading, and nothing else: no other files, no settings, no writing."""
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY
