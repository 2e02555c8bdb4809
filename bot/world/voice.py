"""Where the log goes: a stream that never makes its speaker stumble."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def legible(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A line of the log in which no stranger's word moves a terminal, turns its direction or begins another line."""
    for name, value in line.items():
        if isinstance(value, str) and name != "exception":
            line[name] = _CONTROL.sub(lambda found: repr(found[0])[1:-1], value)
    return line


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
