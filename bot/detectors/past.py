"""How rare a count is: the share of the last 14 days' buckets that were lower."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from bot.detectors.ring import Floats, places, some

_SPAN = timedelta(days=14)
_MOST = 60_000  # buckets kept per series
_SMALL = 1024  # whole counts below are tallied, so that most answers need no look at the buckets


class Past:
    """The raw counts of n series, one row each; NaN is a gap. Four bytes a bucket, so only a replay keeps it.

    State: `counts` (n, size) as a ring; `tallied` (n, 1024), how often each small whole count is in it; `known` and
    `odd` (n,), how many buckets are no gaps, and how many of these are not tallied.
    """

    def __init__(self, series: int, tick: timedelta) -> None:
        size = max(min(round(_SPAN / tick), _MOST), 1)
        self._counts = np.full((series, size), np.nan, np.float32)
        self._tallied = np.zeros((series, _SMALL), np.int32)
        self._known, self._odd = np.zeros(series, np.int64), np.zeros(series, np.int64)
        self._next = 0

    def push(self, counts: Floats) -> None:
        """Add the newest bucket, shape (n,)."""
        column = self._counts[:, self._next]
        self._tell(column, -1)
        column[:] = counts
        self._tell(column, 1)
        self._next = (self._next + 1) % self._counts.shape[1]

    def skip(self, buckets: int) -> None:
        """Add so many buckets that were gaps of all series."""
        gap = np.full(len(self._known), np.nan)
        for _ in range(min(buckets, self._counts.shape[1])):
            self.push(gap)

    def rarity(self) -> Floats:
        """The share, 0 to 1, of the buckets before the newest that were lower than it; 0 for a gap. Shape (n,)."""
        newest = self._counts[:, self._next - 1]
        ready = (self._odd == 0) & (newest < _SMALL)
        whole = np.where(ready, newest, 0.0).astype(np.intp)
        first = np.arange(0, self._tallied.size, _SMALL)
        pieces = np.stack((first, first + whole), axis=1).ravel()  # the smaller ones of a series, then its others
        lower = np.where(whole > 0, np.add.reduceat(self._tallied.ravel(), pieces, dtype=np.int32)[::2], 0)
        for series in places(~ready & ~np.isnan(newest)).tolist():
            lower[series] = np.count_nonzero(self._counts[series] < newest[series])
        share: Floats = lower / np.maximum(self._known - 1, 1)
        return share

    def _tell(self, counts: Floats, sign: int) -> None:
        known = ~np.isnan(counts)
        if not some(known):
            return
        small = places((counts < _SMALL) & (np.floor(counts) == counts))
        self._tallied[small, counts[small].astype(np.intp)] += sign
        self._known += sign * known
        self._odd += sign * known
        self._odd[small] -= sign
