"""The file under a database: claimed for one process, opened for one use, and its refusals put into words."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from bot.ports import Refused, Retry

MEMORY = ":memory:"
_REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "ceph", "glusterfs", "fuse.glusterfs"})
_LATER = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM}


def old_sqlite(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> str:
    """A word about an SQLite whose write-ahead log has a known race; we keep clear of it with one writer."""
    fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    if fixed:
        return ""
    name = ".".join(map(str, version[:3]))
    return (
        f"SQLite {name} has a race in its write-ahead log (fixed in 3.51.3); Tocsin keeps clear of it, others may not"
    )


def _remote(folder: Path) -> str:
    """The kind of network file system that a folder is on, or nothing; their locks and flushes cannot be relied on."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/self/mounts").read_text("utf-8").splitlines()]
    except (OSError, IndexError):
        return ""
    here = folder.resolve()
    inside = [(len(where), kind) for where, kind in mounts if here.is_relative_to(where.replace("\\040", " "))]
    kind = max(inside, default=(0, ""))[1]
    return kind if kind in _REMOTE else ""


def claim(path: Path) -> int:
    """Lock the file's own lock file for this process, for as long as the descriptor lives."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if kind := _remote(path.parent):
            raise Refused(f"{path.parent} is on a network file system ({kind}); choose a `data` folder on a local disk")
        if path.is_dir():
            raise Refused(f"cannot write {path}: it is a folder; move it away, or choose another `data` folder")
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
    with suppress(OSError):  # on a full disk the lock holds, but the number is not to be had
        os.ftruncate(guard, 0)
        os.write(guard, str(os.getpid()).encode())
    return guard


def release(guard: int) -> None:
    """Let go of a claim."""
    os.close(guard)


def opened(path: Path | str, *, writes: bool = True) -> sqlite3.Connection:
    """A connection to a file: the one that writes and checkpoints, or one that can do neither."""
    try:
        connection = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
        if writes:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")  # what a person had taken out is gone from the file too
            connection.execute("PRAGMA journal_size_limit = 67108864")
        else:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA wal_autocheckpoint = 0")
    except sqlite3.Error as exc:
        raise spoken(exc, path) from exc
    return connection


def code(exc: sqlite3.Error) -> int:
    """The primary result code, without the extended part; 0 for an error of the Python module itself."""
    return (getattr(exc, "sqlite_errorcode", 0) or 0) & 0xFF


def spoken(exc: sqlite3.Error, path: Path | str) -> Exception:
    """Turn the file's refusal into ours; a mistake in the SQL stays what it is."""
    where = path.parent if isinstance(path, Path) else path
    match code(exc):
        case sqlite3.SQLITE_FULL:
            return Retry(f"{where}: the disk is full; free some space, and writing goes on by itself")
        case later if later in _LATER:
            return Retry(f"{where}: nothing can be written ({exc}); once it can be, writing goes on by itself")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return Refused(f"{path} is damaged or no database ({exc}): move it away, or restore a backup")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return Refused(f"cannot write {path} ({exc}): give this user the right to write the file and its folder")
    return exc
