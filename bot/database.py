"""One SQLite file: one writer thread with group commit, a reader beside it.

Every write waits for a `synchronous=FULL` commit, which on WAL is one flush to the disk; jobs that queue up meanwhile
share the next one. Only the writer's connection can write or checkpoint, which also keeps clear of the WAL-reset race of
SQLite before 3.51.3 (fixed in 3.44.6, 3.50.7 and 3.51.3).
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

import structlog

from bot.ports import Refused, Retry
from bot.sqlitefile import MEMORY, claim, code, opened, spoken

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]

_GROUP = 512  # jobs that share one commit
_BACKLOG = 100_000  # jobs that may wait for a blocked disk
_PATIENCE = 10  # seconds that a closing database still waits for a foreign lock


_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Task:
    """A job and the future of whoever waits for it."""

    job: Job[Any]
    future: Future[Any] = field(default_factory=Future)


class Database:
    """An SQLite file that this process alone writes, or for `":memory:"` a private one, whose jobs run at once.

    `heal` is given the file before it is opened, once nobody else can have it; `healed` is what it said it did.
    `damaged` says so once the file turned out to be damaged while it was in use.

    Raises:
        Refused: another process has it open, or it cannot be read as a database; the words say what to do.
    """

    def __init__(self, path: Path | str, heal: Callable[[Path], str] = lambda _: "") -> None:
        self.path = path if path == MEMORY else Path(path)
        self.damaged = ""
        self._guard = claim(self.path) if isinstance(self.path, Path) else None
        self.healed = heal(self.path) if isinstance(self.path, Path) else ""
        self._connection = opened(self.path)
        self._jobs: SimpleQueue[_Task | None] = SimpleQueue()
        self._closing = False
        self._blocked = False
        self._thread: Thread | None = None
        if self.path != MEMORY:
            self._thread = Thread(target=self._work, name=f"writer of {self.path}", daemon=True)
            self._thread.start()
        self._reader: ThreadPoolExecutor | None = None
        self._view: sqlite3.Connection | None = None

    @property
    def trouble(self) -> str:
        """Why writes wait just now, or nothing."""
        return f"another program holds {self.path} locked; writes wait for it" if self._blocked else ""

    async def write(self, job: Job[T]) -> T:
        """Run a job on the writing connection; answers its result once that is durable.

        A job that raises is undone alone. It may be run a second time, so its only effects must be on the connection.

        Raises:
            Retry: the disk is full, or locked for so long that the backlog is full.
            Refused: the file is damaged or may not be written.
        """
        if self._thread is None:
            return self._at_once(job)
        return await asyncio.wrap_future(self._submit(job))

    async def read(self, job: Job[T]) -> T:
        """Run a job on a connection that cannot write, beside the writer.

        Raises:
            Retry: the file is locked by somebody else.
            Refused: the file is damaged.
        """
        if self.path == MEMORY:
            return await self.write(job)
        if self._reader is None:
            self._reader = ThreadPoolExecutor(1, thread_name_prefix=f"reader of {self.path}")
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._look, job)

    def migrate(self, scripts: Sequence[str]) -> None:
        """Bring the schema up to date: script n leads to version n, each in one transaction. Blocks; for the start.

        Raises:
            Refused: the file was written by a newer program.
        """
        version = self._blocking(_version)
        if version > len(scripts):
            raise Refused(
                f"{self.path} was written by a newer Tocsin (schema {version}, this one knows {len(scripts)}): "
                "run that version, or restore a backup made before the update"
            )
        for number, script in enumerate(scripts[version:], version + 1):
            self._blocking(_Migration(number, script))

    async def aclose(self) -> None:
        """Finish what is queued, fold the log into the file, and let go. May be repeated."""
        if not self._closing:
            self._closing = True
            self._jobs.put(None)
        if self._thread:
            await asyncio.to_thread(self._thread.join)
        else:
            self._connection.close()
        if self._reader:
            self._reader.shutdown()
        if self._view:
            self._view.close()
        if self._guard is not None:
            os.close(self._guard)
        self._reader = self._view = self._guard = None

    def _submit(self, job: Job[T]) -> Future[T]:
        if self._closing:
            raise Refused(f"{self.path} is closed")
        if self._jobs.qsize() >= _BACKLOG:
            raise Retry(f"{self.path} has not taken a write for a while; is another program holding it locked?")
        task = _Task(job)
        self._jobs.put(task)
        return task.future

    def _blocking(self, job: Job[T]) -> T:
        return self._submit(job).result() if self._thread else self._at_once(job)

    def _at_once(self, job: Job[T]) -> T:
        """Run a job on the private database: nothing of it lasts, so there is nothing to wait for."""
        if self._closing:
            raise Refused(f"{self.path} is closed")
        try:
            with self._connection:  # commits, or rolls back
                self._connection.execute("BEGIN")
                return job(self._connection)
        except sqlite3.Error as exc:
            raise self._heard(exc) from exc

    def _look(self, job: Job[T]) -> T:
        try:
            if self._view is None:
                self._view = opened(self.path, writes=False)
            return job(self._view)
        except sqlite3.Error as exc:
            raise self._heard(exc) from exc

    def _heard(self, exc: sqlite3.Error) -> Exception:
        """The file's refusal in our words; damage is remembered."""
        if code(exc) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            self.damaged = str(exc)
        return spoken(exc, self.path)

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            tasks = [task for task in self._group(first) if task.future.set_running_or_notify_cancel()]
            for task, result, error in self._commit(tasks):
                task.future.set_exception(error) if error else task.future.set_result(result)
        if not self._blocked:
            with suppress(sqlite3.Error):  # a full disk, say: what was written stays in the log, and counts
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self._connection.close()

    def _group(self, first: _Task) -> list[_Task]:
        group = [first]
        while len(group) < _GROUP and not self._jobs.empty():
            task = self._jobs.get()
            if task is None:
                self._jobs.put(None)
                break
            group.append(task)
        return group

    def _commit(self, tasks: list[_Task]) -> list[_Outcome]:
        """Run a group in one transaction; if the file refuses it, each job gets its own, so that one cannot sink all."""
        try:
            return self._transaction(tasks)
        except sqlite3.Error as exc:
            if len(tasks) == 1:
                return [(tasks[0], None, self._heard(exc))]
        return [outcome for task in tasks for outcome in self._commit([task])]

    def _transaction(self, tasks: list[_Task]) -> list[_Outcome]:
        self._begin()
        try:
            outcomes = [self._attempt(task) for task in tasks]
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return outcomes

    def _begin(self) -> None:
        """Start writing, waiting as long as it takes for a foreign lock to go away."""
        waited = 0
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as exc:
                waited += self._closing
                if code(exc) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or waited > _PATIENCE:
                    raise
                self._say_blocked(blocked=True)
            else:
                self._say_blocked(blocked=False)
                return

    def _attempt(self, task: _Task) -> _Outcome:
        connection = self._connection
        connection.execute("SAVEPOINT job")
        try:
            result = task.job(connection)
        except sqlite3.OperationalError:
            raise  # the file, not the job: the whole transaction may be gone already
        except Exception as exc:  # noqa: BLE001 - whatever it is, it belongs to whoever asked
            connection.execute("ROLLBACK TO job")
            connection.execute("RELEASE job")
            return task, None, exc
        connection.execute("RELEASE job")
        return task, result, None

    def _say_blocked(self, *, blocked: bool) -> None:
        if blocked != self._blocked:
            self._blocked = blocked
            words = "another program holds the database locked, writes wait" if blocked else "the lock is gone"
            _log.warning(words, path=str(self.path))


_Outcome = tuple[_Task, Any, Exception | None]


@dataclass(frozen=True)
class _Migration:
    """One numbered script, and the version it leads to."""

    number: int
    script: str

    def __call__(self, connection: sqlite3.Connection) -> None:
        for statement in _statements(self.script):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {self.number}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> list[str]:
    """Split a script where SQLite says a statement is complete; `executescript` would commit on its own."""
    statements, rest = [], ""
    for line in script.splitlines(keepends=True):
        rest += line
        if sqlite3.complete_statement(rest):
            statements.append(rest)
            rest = ""
    return statements
