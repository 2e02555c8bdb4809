"""How rare a count is: the share of the last 14 days' buckets that were lower."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from bot.detectors.ring import Floats

_SPAN = timedelta(days=14)
_MOST = 60_000  # buckets kept per series


class Past:
    """The raw counts of n series, one row each; NaN is a gap. Four bytes a bucket, so only a replay keeps it."""

    def __init__(self, series: int, tick: timedelta) -> None:
        size = max(min(round(_SPAN / tick), _MOST), 1)
        self._counts = np.full((series, size), np.nan, np.float32)
        self._known = np.zeros(series, np.int64)
        self._next = 0

    def push(self, counts: Floats) -> None:
        """Add the newest bucket, shape (n,)."""
        column = self._counts[:, self._next]
        self._known += ~np.isnan(counts)
        self._known -= ~np.isnan(column)
        column[:] = counts
        self._next = (self._next + 1) % self._counts.shape[1]

    def skip(self, buckets: int) -> None:
        """Add so many buckets that were gaps of all series."""
        gap = np.full(len(self._known), np.nan)
        for _ in range(min(buckets, self._counts.shape[1])):
            self.push(gap)

    def rarity(self, series: int) -> float:
        """The share, 0 to 1, of the buckets before the newest that were lower than it; 0 for a gap."""
        row = self._counts[series]
        lower = np.count_nonzero(row < row[self._next - 1])
        return float(lower / max(int(self._known[series]) - 1, 1))
