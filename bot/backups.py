"""Copies of the data folder: made while it is in use, checked before they count, taken up when a file is damaged.

A backup is a folder named by its time (UTC) with a whole SQLite file for each database.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bot.ports import Refused

log = structlog.get_logger(__name__)

Unsound = Callable[[sqlite3.Connection], str]
"""Looks at what is kept in a sound file; answers what cannot be read of it, or nothing."""

DATABASES = ("state.db", "reports.db")
KEPT = 4
_STAMP = "%Y%m%dT%H%M%SZ"
_PAGES = 512
_PATIENCE = 30.0
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT)


def back_up(data: Path, to: Path, at: datetime) -> Path:
    """Copy every database of a data folder, running or not; answers the new folder under `to`. Blocks.

    Raises:
        Refused: there is nothing to copy, a copy is not sound, or it cannot be written.
    """
    folder = to / at.astimezone(UTC).strftime(_STAMP)
    draft = folder.with_name(f".{folder.name}")
    files = [name for name in DATABASES if (data / name).exists()]
    if not files:
        raise Refused(f"there is no Tocsin data in {data}; name the configuration with --config")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        for name in files:
            _copy(data / name, draft / name)
        draft.rename(folder)
    except (OSError, sqlite3.Error) as exc:
        shutil.rmtree(draft, ignore_errors=True)  # half a copy helps nobody, least of all on a full disk
        raise Refused(f"cannot back {data} up into {to}: {exc}") from exc
    return folder


def thin(folder: Path, kept: int = KEPT) -> None:
    """Let go of all but the newest backups."""
    for old in backups(folder)[kept:]:
        shutil.rmtree(old, ignore_errors=True)


def backups(folder: Path) -> Sequence[Path]:
    """The backups in a folder, newest first."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted((path for path in found if _named(path)), reverse=True)


def made(backup: Path) -> datetime:
    """When a backup was made, UTC."""
    return datetime.strptime(backup.name, _STAMP).replace(tzinfo=UTC)


def _named(path: Path) -> bool:
    with suppress(ValueError):
        made(path)
        return True
    return False


def restore(backup: Path, data: Path, at: datetime) -> Sequence[Path]:
    """Put a backup in place of what is in a data folder that nobody uses; answers what was moved aside.

    Raises:
        Refused: it is no sound backup, or it cannot be put there.
    """
    files = [backup / name for name in DATABASES if (backup / name).exists()]
    if not files:
        raise Refused(f"{backup} is no backup: it has none of {', '.join(DATABASES)}")
    for file in files:
        if wrong := fault(file):
            raise Refused(f"{file} is damaged ({wrong}); choose an older backup")
    try:
        aside = [put for file in files for put in move_aside(data / file.name, f"before-restore-{at:%Y%m%dT%H%M%SZ}")]
        data.mkdir(parents=True, exist_ok=True)
        for file in files:
            _put(file, data / file.name)
    except OSError as exc:
        raise Refused(f"cannot restore into {data}: {exc}") from exc
    return aside


def fault(file: Path, unsound: Unsound = lambda _: "") -> str:
    """What is wrong with a database file, or nothing; a missing or empty file is fine. Reads all of it.

    `unsound` looks at what is in it: SQLite has no checksum, so a flipped bit in a value is none of its business.
    """
    if not file.is_file() or not file.stat().st_size:
        return ""
    try:
        with closing(sqlite3.connect(f"file:{_quoted(file)}?mode=rw", uri=True, timeout=_PATIENCE)) as connection:
            return _checked(connection) or unsound(connection)
    except UnicodeDecodeError:
        return "its own words cannot be read"  # sqlite3 quotes damaged text in what it says about it
    except sqlite3.DatabaseError as exc:
        code = (getattr(exc, "sqlite_errorcode", 0) or 0) & 0xFF
        return str(exc) if code in _DAMAGE else ""


def _checked(connection: sqlite3.Connection) -> str:
    """What SQLite itself finds wrong, or that it is none of ours."""
    [(word,), *_] = connection.execute("PRAGMA quick_check(1)").fetchall()
    if word != "ok":
        return str(word)
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    return "it holds the tables of another program" if tables and not version else ""


def heal(file: Path, folder: Path, at: datetime, unsound: Unsound = lambda _: "") -> str:
    """Move a damaged database out of the way, and take up the newest sound backup; answers what was done, or nothing.

    A missing database file is a fresh start, and no damage.
    """
    emptied = file.is_file() and not file.stat().st_size and any((b / file.name).exists() for b in backups(folder))
    wrong = "it is empty" if emptied else fault(file, unsound)
    if not wrong:
        return ""
    moved = move_aside(file, f"corrupt-{at:%Y%m%dT%H%M%SZ}")
    for backup in backups(folder):
        copy = backup / file.name
        if copy.exists() and not fault(copy, unsound):
            _put(copy, file)
            done = f"the backup of {backup.name} was taken up; what was kept since then is gone"
            break
    else:
        done = "there was no sound backup, so it begins anew"
    words = f"{file} was damaged ({wrong}) and moved to {moved[0].name}; {done}"
    log.error("a damaged database was replaced", why=words)
    return words


def move_aside(file: Path, suffix: str) -> list[Path]:
    """Rename a database and its log; answers where they are now."""
    parts = (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm"))
    return [part.rename(part.with_name(f"{part.name}.{suffix}")) for part in parts if part.exists()]


def _copy(source: Path, target: Path) -> None:
    """A whole and checked copy of a database that may be in use."""
    with (
        closing(sqlite3.connect(f"file:{_quoted(source)}?mode=ro", uri=True, timeout=_PATIENCE)) as live,
        closing(sqlite3.connect(target)) as copy,
    ):
        live.backup(copy, pages=_PAGES)
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()
    if wrong := fault(target):
        raise Refused(f"the copy of {source} is not sound ({wrong}); is the disk failing?")
    _sync(target)


def _put(source: Path, target: Path) -> None:
    """Copy a file so that it is there wholly or not at all."""
    draft = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, draft)
    _sync(draft)
    draft.replace(target)


def _sync(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _quoted(file: Path) -> str:
    return str(file).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
