"""Living through what happened: the same doors, beats and decisions as live, with a clock that history moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from bot.app import House
from bot.commands.history import Arrival
from bot.ports import Receipt
from bot.world.clock import WallClock

Step = Callable[[datetime], Awaitable[None]]

_FORGET = timedelta(hours=1)


class StoryClock:
    """Stands still until history moves it. Whoever sleeps on it sleeps in real time."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self._real = WallClock()

    def now(self) -> datetime:
        """Where the story is, UTC."""
        return self.at

    def monotonic(self) -> float:
        """Real seconds."""
        return self._real.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let real time pass."""
        await self._real.sleep(seconds)


class Life:
    """Leads a house through history: counts arrive when they are known, every bucket is closed when it ends.

    `before` is awaited ahead of each step of the clock (a demo takes its time there), `closed` after each bucket with
    the time it began. `refused` counts the records that the intake turned away, by its reason.
    """

    def __init__(
        self, house: House, clock: StoryClock, *, before: Step | None = None, closed: Step | None = None
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._house = house
        self._clock = clock
        self._before = before
        self._closed = closed
        self._tick = house.engine.tick
        self._end = clock.at + self._tick

    async def through(self, arrivals: Iterable[Arrival]) -> None:
        """Take everything in as it became known."""
        for arrival in arrivals:
            await self.until(arrival.at, reach=False)
            await self._move(arrival.at)
            await self._admit(arrival)
            await self._beat(arrival.at)

    async def until(self, at: datetime, *, reach: bool = True) -> None:
        """Let time pass up to a moment; without `reach`, short of a bucket that ends right there."""
        while self._end < at or (reach and self._end == at):
            await self._move(self._end)
            await self._beat(self._end)

    async def _move(self, at: datetime) -> None:
        if self._before:
            await self._before(at)
        self._clock.at = at

    async def _beat(self, at: datetime) -> None:
        await self._house.engine.beat(at)
        if at < self._end:
            return
        self._end += self._tick
        if self._closed:
            await self._closed(at - self._tick)
        if at.timestamp() % _FORGET.total_seconds() < self._tick.total_seconds():
            await self._house.intake.keep()

    async def _admit(self, arrival: Arrival) -> None:
        if arrival.reports:
            self._note(await self._house.intake.admit(arrival.reports, "replay"))
        if arrival.counts:
            self._note(await self._house.intake.admit_counts(arrival.counts))

    def _note(self, receipt: Receipt) -> None:
        self.refused.update(why for _, why in receipt.rejected)
