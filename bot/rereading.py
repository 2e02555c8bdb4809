"""Reread: the configuration's files are watched, and a change is taken wholly or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from bot.config.errors import Misconfigured
from bot.config.read import read
from bot.config.settings import Settings
from bot.ports import Clock, Refused

log = structlog.get_logger(__name__)

Mark = tuple[tuple[str, int, int, int], ...]
"""What the files look like from outside: real path, inode, size and time of change of each."""

_EVERY = 2.0
_TOLD = 3  # problems that fit into a line


class Rereading:
    """Watches the files of `settings`, following links, so that a swapped directory is seen as well.

    `adopt` takes new settings or raises `Refused` and leaves everything as it was. `said` hears of a reading that failed,
    with the line and column of what is wrong, and the empty string after one that worked. `trouble` keeps the former.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        adopt: Callable[[Settings], Awaitable[None]],
        said: Callable[[str], Awaitable[None]],
    ) -> None:
        self.trouble = ""
        self._settings = settings
        self._clock = clock
        self._adopt = adopt
        self._said = said
        self._asked = asyncio.Event()
        self._mark = mark(settings.files)

    def ask(self) -> None:
        """Read again even if nothing seems to have changed (SIGHUP)."""
        self._asked.set()

    async def run(self) -> None:
        """Look every 2 s, and read once a change has come to rest, so that half a file is seldom read; for ever."""
        seen = self._mark
        while True:
            await self._clock.sleep(_EVERY)
            now = mark(self._settings.files)
            if self._asked.is_set() or (now == seen and now != self._mark):
                self._asked.clear()
                self._mark = now
                await self.reread()
            seen = now

    async def reread(self) -> None:
        """Read the files and live by them, or say what is wrong and go on as before."""
        try:
            settings = await asyncio.to_thread(read, self._settings.path)
            await self._adopt(settings)
        except Misconfigured as wrong:
            await self._keep_old([str(problem) for problem in wrong.problems])
        except (OSError, Refused) as why:
            await self._keep_old([str(why)])
        else:
            self._settings, self._mark = settings, mark(settings.files)
            if self.trouble:
                log.info("the configuration is right again")
            self.trouble = ""
            log.info("configuration read again", services=len(settings.services), channels=list(settings.channels))
            await self._said("")

    async def _keep_old(self, problems: list[str]) -> None:
        more = f" ... and {len(problems) - _TOLD} more" if len(problems) > _TOLD else ""
        self.trouble = "; ".join(problems[:_TOLD]) + more
        log.error("the new configuration is not taken, the old one stays in effect", problems=problems)
        await self._said(f"The new configuration is not taken, the old one stays in effect: {self.trouble}")


def mark(files: tuple[Path, ...]) -> Mark:
    """What the files look like now; one that cannot be looked at looks like nothing."""
    return tuple(_look(file) for file in files)


def _look(file: Path) -> tuple[str, int, int, int]:
    try:
        real = file.resolve()
        found = real.stat()
    except (OSError, RuntimeError):  # before Python 3.13 a link that leads to itself is a RuntimeError
        return str(file), 0, 0, 0
    return str(real), found.st_ino, found.st_size, found.st_mtime_ns
