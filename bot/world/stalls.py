"""Watch the event loop from a thread beside it: when it stands still, say where; when it does not go on, end.

Under systemd its own watchdog restarts us; in a container exit code 70 does.
"""
# ruff: noqa: TID251  (this is one of the places that ask the machine)

from __future__ import annotations

import asyncio
import os
import sys
import time
import traceback
from collections.abc import Callable
from threading import Event, Thread, main_thread
from types import FrameType

import structlog

log = structlog.get_logger(__name__)

SOFTWARE_ERROR = 70
_EVERY = 0.5


class Stalls:
    """A thread that expects the loop to run at least every `say` seconds, and ends the process after `end` of silence."""

    def __init__(self, *, say: float = 2.0, end: float = 30.0, exit_: Callable[[int], object] = os._exit) -> None:
        self.seen = 0
        self.longest = 0.0
        self._say, self._end, self._exit = say, end, exit_
        self._beaten = time.monotonic()
        self._over = Event()
        self._thread = Thread(target=self._watch, name="watch over the loop", daemon=True)

    async def run(self) -> None:
        """Let the thread know that the loop runs, for ever."""
        self._beaten = time.monotonic()
        if not self._thread.is_alive():
            self._thread.start()
        while True:
            await asyncio.sleep(_EVERY)
            self.longest = max(self.longest, time.monotonic() - self._beaten - _EVERY)
            self._beaten = time.monotonic()

    def stop(self) -> None:
        """Stop watching, before the loop ends on purpose."""
        self._over.set()

    def _watch(self) -> None:
        said = False
        while not self._over.wait(_EVERY):
            silence = time.monotonic() - self._beaten
            if silence > self._end:
                log.critical("the event loop does not go on, ending the process", seconds=round(silence))
                self._exit(SOFTWARE_ERROR)
                return
            if silence > self._say and not said:
                self.seen += 1
                log.error("the event loop stands still", seconds=round(silence, 1), where=_where())
            said = silence > self._say


def _where() -> list[str]:
    """What the main thread is doing, innermost last."""
    frame: FrameType | None = sys._current_frames().get(main_thread().ident or 0)  # noqa: SLF001  # its only name
    return [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_stack(frame)][-20:] if frame else []
