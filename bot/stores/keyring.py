"""The secret that hides reporters, and how it ages: a new one every month, and the one before it soon destroyed.

A key file holds 32 random bytes and, on a line of its own, the day the key was made (RFC 3339). The key before it lives on
in a file beside it for as long as the log may hold reports that were hidden with it; when that is destroyed, nobody, we
included, can tell any more who sent those, or whether two of them were sent by one person.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.ports import Refused

_SIZE = 32
_FORMER_LIVES = timedelta(hours=50)
"""As long as the log keeps a report, and then some; the marks that make one person one voice live no longer either."""


class Keyring:
    """The present key, and the former one while it lives. `path` None: a fixed key that never changes, for a replay.

    Raises:
        Refused: the file cannot be read or made, or is no key.
    """

    def __init__(self, path: Path | None, life: timedelta, now: datetime) -> None:
        self.current, self.former = bytes(_SIZE), b""
        self.life = life
        self._path = path
        self._born = now
        if path is not None:
            self.current, self._born = _opened(path, now)
            former = _former(path)
            self.former = _opened(former, now)[0] if former.exists() else b""

    @property
    def until(self) -> datetime | None:
        """When the key is due to be changed; never for a fixed one."""
        return self._born + self.life if self._path else None

    def turn(self, now: datetime) -> bool:
        """Change the key if it is due, and destroy the former one if that is; True when either was.

        Raises:
            Refused: the files cannot be written.
        """
        if self._path is None:
            return False
        try:
            return self._renewed(self._path, now) or self._destroyed(self._path, now)
        except OSError as exc:
            raise Refused(f"cannot change the reporter key in {self._path}: {exc.strerror}") from exc

    def _renewed(self, path: Path, now: datetime) -> bool:
        if now - self._born < self.life:
            return False
        path.replace(_former(path))
        self.former, self._born = self.current, now
        self.current = _made(path, now)
        return True

    def _destroyed(self, path: Path, now: datetime) -> bool:
        if not self.former or now - self._born < _FORMER_LIVES:
            return False
        former = _former(path)
        with former.open("r+b") as file:  # over the same blocks first, as far as the file system lets us
            file.write(bytes(former.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        former.unlink()
        self.former = b""
        return True


def _former(path: Path) -> Path:
    return path.with_name(f"{path.name}.old")


def _opened(path: Path, now: datetime) -> tuple[bytes, datetime]:
    """The key in a file and when it was made; made now where there is none, or where nobody wrote down the day."""
    try:
        with suppress(FileExistsError):
            _made(path, now)
        body = path.read_bytes()
        day = body[_SIZE:].strip().decode("ascii", "replace")
        if len(body) >= _SIZE and not day:
            with path.open("ab") as file:
                file.write(_dated(now))
    except OSError as exc:
        raise Refused(f"cannot keep the reporter key in {path}: {exc.strerror}") from exc
    with suppress(ValueError):
        if len(body) >= _SIZE:
            return body[:_SIZE], datetime.fromisoformat(day) if day else now
    raise Refused(f"{path} is not a key: delete it to have a new one made (reporters then count afresh)")


def _made(path: Path, now: datetime) -> bytes:
    """A new key, in a file that only its owner may read."""
    key = secrets.token_bytes(_SIZE)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key + _dated(now))
        file.flush()
        os.fsync(file.fileno())
    return key


def _dated(now: datetime) -> bytes:
    return f"\n{now.astimezone(UTC).isoformat(timespec='seconds')}\n".encode()
