"""Tend: named tasks that go on for ever, each started again when it fails; they come and go with the configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.ports import Clock, Refused

log = structlog.get_logger(__name__)

Work = Callable[[], Awaitable[None]]

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class Tending:
    """Tasks by name. `stuck` is told what a person must mend before a task can go on."""

    def __init__(self, clock: Clock, stuck: Callable[[str, str], Awaitable[None]]) -> None:
        self._clock = clock
        self._stuck = stuck
        self._works: dict[str, Work] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._began: dict[str, float] = {}
        self._held_up: set[str] = set()

    async def run(self) -> None:
        """Keep every task going, until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for name in self._works:
                self._begin(name)
            try:
                await asyncio.Event().wait()
            finally:
                self._group = None

    def start(self, name: str, work: Work) -> None:
        """One more task."""
        self._works[name] = work
        if self._group is not None:
            self._begin(name)

    async def stop(self, name: str) -> None:
        """End a task; returns when it is gone."""
        self._works.pop(name, None)
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def mended(self) -> list[str]:
        """The tasks that had to wait for a person and have now gone on for a minute; each is named once."""
        now = self._clock.monotonic()
        found = [name for name in self._held_up if now - self._began.get(name, now) > _LONGEST_PAUSE]
        self._held_up -= set(found)
        return found

    def missing(self) -> list[str]:
        """The tasks that should go on and do not; none, as long as promises are kept."""
        return [name for name in self._works if name not in self._tasks or self._tasks[name].done()]

    def _begin(self, name: str) -> None:
        if self._group is not None:
            self._tasks[name] = self._group.create_task(self._tend(name, self._works[name]), name=name)

    async def _tend(self, name: str, work: Work) -> None:
        """Start a task again whenever it raises, returns, or is cancelled by anybody but us, after a growing pause."""
        pause = _FIRST_PAUSE
        while True:
            began = self._began[name] = self._clock.monotonic()
            pause = max(pause, await self._once(name, work))
            if self._clock.monotonic() - began > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            await self._clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _once(self, name: str, work: Work) -> float:
        """Run a task until it ends in whatever way; answers the least pause before the next try."""
        try:
            await work()
            log.error("task ended by itself, starting it again", task=name)
        except Refused as why:
            self._began.pop(name)
            self._held_up.add(name)
            await self._stuck(name, str(why))
            return _LONGEST_PAUSE
        except asyncio.CancelledError:
            if self._group is None or name not in self._works or _cancelled():
                raise
            log.error("task was cancelled from within, starting it again", task=name)  # noqa: TRY400  # words suffice
        except Exception:
            log.exception("task failed, starting it again", task=name)
        return 0.0


def _cancelled() -> bool:
    """True when somebody asked this very task to end, and not something that it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
