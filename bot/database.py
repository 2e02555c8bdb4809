"""One SQLite file: one writer thread with group commit, a reader beside it.

Every write waits for a `synchronous=FULL` commit, which on WAL is one flush to the disk; jobs that queue up meanwhile
share the next one. Only the writer's connection can write or checkpoint, which also keeps clear of the WAL-reset race of
SQLite before 3.51.3 (fixed in 3.44.6, 3.50.7 and 3.51.3).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

import structlog

from bot.ports import Refused, Retry

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]

MEMORY = ":memory:"
_GROUP = 512  # jobs that share one commit
_BACKLOG = 100_000  # jobs that may wait for a blocked disk
_PATIENCE = 10  # seconds that a closing database still waits for a foreign lock
_LATER = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM}

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Task:
    """A job and the future of whoever waits for it."""

    job: Job[Any]
    future: Future[Any] = field(default_factory=Future)


class Database:
    """An SQLite file that this process alone writes, or a private one for `":memory:"`.

    Raises:
        Refused: another process has it open, or it cannot be read as a database; the words say what to do.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = path if path == MEMORY else Path(path)
        self._guard = _claim(self.path) if isinstance(self.path, Path) else None
        self._connection = _open(self.path)
        self._jobs: SimpleQueue[_Task | None] = SimpleQueue()
        self._closing = False
        self._blocked = False
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
        version = self._submit(_version).result()
        if version > len(scripts):
            raise Refused(
                f"{self.path} was written by a newer Tocsin (schema {version}, this one knows {len(scripts)}): "
                "run that version, or restore a backup made before the update"
            )
        for number, script in enumerate(scripts[version:], version + 1):
            self._submit(_Migration(number, script)).result()

    async def aclose(self) -> None:
        """Finish what is queued, fold the log into the file, and let go. May be repeated."""
        if not self._closing:
            self._closing = True
            self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
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

    def _look(self, job: Job[T]) -> T:
        try:
            if self._view is None:
                self._view = _open(self.path, writes=False)
            return job(self._view)
        except sqlite3.Error as exc:
            raise _spoken(exc, self.path) from exc

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            tasks = [task for task in self._group(first) if task.future.set_running_or_notify_cancel()]
            for task, result, error in self._commit(tasks):
                task.future.set_exception(error) if error else task.future.set_result(result)
        if self.path != MEMORY and not self._blocked:
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
                return [(tasks[0], None, _spoken(exc, self.path))]
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
                if _code(exc) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or waited > _PATIENCE:
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


def _claim(path: Path) -> int:
    """Lock the file's own lock file for this process, for as long as the descriptor lives."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        guard = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise Refused(f"cannot keep data in {path.parent}: {exc.strerror}; choose another `data` folder") from exc
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        owner = os.read(guard, 32).decode().strip() or "unknown"
        os.close(guard)
        raise Refused(
            f"{path} is in use by another Tocsin (process {owner}): stop that one, or give this one its own `data` folder"
        ) from exc
    os.ftruncate(guard, 0)
    os.write(guard, str(os.getpid()).encode())
    return guard


def _open(path: Path | str, *, writes: bool = True) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
        if writes:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA journal_size_limit = 67108864")
        else:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA wal_autocheckpoint = 0")
    except sqlite3.Error as exc:
        raise _spoken(exc, path) from exc
    return connection


def _code(exc: sqlite3.Error) -> int:
    """The primary result code, without the extended part; 0 for an error of the Python module itself."""
    return (getattr(exc, "sqlite_errorcode", 0) or 0) & 0xFF


def _spoken(exc: sqlite3.Error, path: Path | str) -> Exception:
    """Turn the file's refusal into ours; a mistake in the SQL stays what it is."""
    match _code(exc):
        case sqlite3.SQLITE_FULL:
            return Retry(f"{path}: the disk is full; free some space, and writing goes on by itself")
        case code if code in _LATER:
            return Retry(f"{path}: {exc}")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return Refused(f"{path} is damaged or no database ({exc}): move it away, or restore a backup")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return Refused(f"cannot write {path} ({exc}): give this user the right to write the file and its folder")
    return exc
