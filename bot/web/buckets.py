"""So many at once and so many a second, per address."""

from __future__ import annotations

from bot.ports import Clock

_MOST = 10_000


class Buckets:
    """A bucket per address that holds `burst` and fills by `per_second`; addresses are kept in memory only."""

    def __init__(self, clock: Clock, *, burst: int, per_second: float) -> None:
        self._clock = clock
        self._burst = burst
        self._per_second = per_second
        self._held: dict[str, tuple[float, float]] = {}

    def take(self, address: str) -> float:
        """0 when one was taken, otherwise the seconds until there is one."""
        now = self._clock.monotonic()
        left = self._left(address, now)
        if left < 1:
            return (1 - left) / self._per_second
        self._held.pop(address, None)
        self._held[address] = (left - 1, now)
        self._forget(now)
        return 0

    def _left(self, address: str, now: float) -> float:
        left, at = self._held.get(address, (float(self._burst), now))
        return min(self._burst, left + (now - at) * self._per_second)

    def _forget(self, now: float) -> None:
        """Drop full buckets from the old end, and under a flood of addresses the oldest bucket, full or not."""
        while self._held:
            oldest = next(iter(self._held))
            if self._left(oldest, now) < self._burst and len(self._held) <= _MOST:
                return
            del self._held[oldest]
