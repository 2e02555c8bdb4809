"""A clock that moves only when a test says so."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime, timedelta

_TURNS = 30


class ManualClock:
    """Time under a test's thumb: `advance` wakes sleepers in the order they are due, `jump` moves the wall alone.

    Work that only needs turns of the event loop is done when `advance` returns; work on real sockets, threads or
    processes needs its own awaiting.
    """

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._elapsed = 0.0
        self._jumped = timedelta(0)
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed) + self._jumped

    def monotonic(self) -> float:
        return self._elapsed

    @property
    def sleeping(self) -> int:
        """How many tasks wait for time to pass."""
        return sum(not waiting.done() for _, _, waiting in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waiting = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), waiting))
        await waiting

    async def advance(self, seconds: float) -> None:
        """Let time pass, stopping at each sleeper that is due so that it sees its own moment."""
        until = self._elapsed + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            due, _, waiting = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, due)
            if not waiting.done():
                waiting.set_result(None)
                await self.settle()
        self._elapsed = until
        await self.settle()

    async def settle(self) -> None:
        """Give every ready task its turns without letting time pass."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def stop(self, seconds: float) -> None:
        """Time passes while nobody can do anything, as for a process that is stopped: sleepers wake late, all at once."""
        self._elapsed += seconds

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone, as a person or NTP does; `monotonic` and sleepers do not notice."""
        self._jumped += timedelta(seconds=seconds)


class Elastic:
    """A clock that runs faster than the wall, for what waits on real sockets meanwhile; how much faster may change."""

    def __init__(self, speed: float = 20.0) -> None:
        self._speed = speed
        self._base = 0.0
        self._since = time.monotonic()

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._base, self._since, self._speed = self.monotonic(), time.monotonic(), speed

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return self._base + (time.monotonic() - self._since) * self._speed

    async def sleep(self, seconds: float) -> None:
        until = self.monotonic() + seconds
        while (left := until - self.monotonic()) > 0:  # noqa: ASYNC110  # its speed may change meanwhile
            await asyncio.sleep(min(left / self._speed, 0.05))
        await asyncio.sleep(0)
