"""Where the log goes: a stream that never makes its speaker stumble."""

from __future__ import annotations

from contextlib import suppress
from typing import TextIO


class Voice:
    """A stream to log to. What cannot be written, on a full disk or to a reader who has gone, is lost and hurts nothing."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, words: str) -> int:
        """Say it, if anybody can hear."""
        with suppress(OSError):
            self._stream.write(words)
        return len(words)

    def flush(self) -> None:
        """Say it now."""
        with suppress(OSError):
            self._stream.flush()
