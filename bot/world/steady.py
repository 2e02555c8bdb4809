"""A clock for judging: it goes on evenly whatever somebody does to the machine's clock.

Steps of the machine's clock are followed forward after they have lasted for ten minutes, and backward by going a
twentieth slower until both agree, so that no minute comes twice. A suspended machine is no step: the clock below counts its sleep.
"""
# ruff: noqa: TID251  (this is one of the places that ask the machine)

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_SMALL = timedelta(seconds=2)
_LASTING = 600.0
_SLOWER = 20
"""A twentieth slower makes reports seem a twentieth more frequent, which no level takes for news."""


def _since_boot() -> float:
    """Seconds since the machine started, asleep or awake; elsewhere than on Linux, awake only."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class SteadyClock:
    """`ports.Clock` for the house. `wall` and `elapsed` (seconds that never go back) are the machine's, or a test's."""

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        elapsed: Callable[[], float] = _since_boot,
    ) -> None:
        self._wall = wall
        self._elapsed = elapsed
        self._now = wall()
        self._read = elapsed()
        self._ahead_since: float | None = None

    @property
    def off(self) -> timedelta:
        """How far the machine's clock is from ours; more than zero where it is ahead."""
        return self._wall() - self.now()

    def now(self) -> datetime:
        """The present, UTC; it never goes back."""
        read = self._elapsed()
        passed = timedelta(seconds=max(read - self._read, 0.0))
        self._read = read
        drift = self._wall() - (self._now + passed)
        if drift <= _SMALL:
            self._ahead_since = None
        elif self._ahead_since is None:
            self._ahead_since = read
        lasting = self._ahead_since is not None and read - self._ahead_since >= _LASTING
        if timedelta(0) < drift <= _SMALL or lasting:
            self._now += passed + drift
        else:
            self._now += passed - min(passed / _SLOWER, max(-drift, timedelta(0)))
        return self._now

    def monotonic(self) -> float:
        """Seconds from an arbitrary start that never jump."""
        return self._elapsed()

    async def sleep(self, seconds: float) -> None:
        """Let real time pass."""
        await asyncio.sleep(seconds)
