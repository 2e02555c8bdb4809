"""How rare a count is: the share of the last 14 days' buckets that were lower."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import numpy.typing as npt

from bot.detectors.ring import Columns, Floats

_SPAN = timedelta(days=14)
_MOST = 60_000  # buckets kept per series
_SMALL = 1024  # whole counts below are tallied, so that most answers need no look at the buckets
_AT_ONCE = 64  # buckets that are held against one another, each with each

_Numbers = npt.NDArray[np.int64]


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

    def rarities(self, rows: Floats) -> Floats:
        """The share, 0 to 1, of the buckets before each that were lower; 0 for a gap. Adds the buckets, shape (b, n).

        Those of a whole block are worked out together: what the past says of all of them, less what is let go of in the
        block, and more what comes in it before each.
        """
        step = min(_AT_ONCE, self._counts.shape[1])
        blocks = [self._block(rows[first : first + step]) for first in range(0, len(rows), step)]
        return np.concatenate(blocks) if blocks else rows

    def _block(self, rows: Floats) -> Floats:
        size = self._counts.shape[1]
        places: Columns = (self._next + np.arange(len(rows))) % size
        gone = self._counts[:, places].T
        lower = self._lower(rows) + _lower_before(rows, rows, -1) - _lower_before(gone, rows, 0)
        known = self._known + np.cumsum(_heard(rows).astype(np.int64) - _heard(gone), axis=0)
        self._tell(gone, -1)
        self._tell(rows, 1)
        self._counts[:, places] = rows.T
        self._next = (self._next + len(rows)) % size
        share: Floats = np.where(_heard(rows), lower, 0) / np.maximum(known - 1, 1)
        return share

    def _lower(self, rows: Floats) -> _Numbers:
        """How many buckets of the present past are lower than each count, shape (b, n)."""
        ready = (self._odd == 0) & (rows <= _SMALL)
        above = np.where(ready, np.ceil(rows), 0.0).astype(np.intp)
        below = np.zeros((len(self._known), _SMALL + 1), np.int64)
        np.cumsum(self._tallied, axis=1, out=below[:, 1:])
        lower: _Numbers = below[np.arange(len(below)), above]
        for bucket, series in np.argwhere(~ready & _heard(rows)).tolist():
            lower[bucket, series] = np.count_nonzero(self._counts[series] < rows[bucket, series])
        return lower

    def _tell(self, rows: Floats, sign: int) -> None:
        heard = _heard(rows)
        small = heard & (rows < _SMALL) & (np.floor(rows) == rows)
        np.add.at(self._tallied, (small.nonzero()[1], rows[small].astype(np.intp)), sign)
        self._known += sign * heard.sum(axis=0)
        self._odd += sign * (heard & ~small).sum(axis=0)


def _heard(rows: Floats) -> npt.NDArray[np.bool_]:
    return ~np.isnan(rows)


def _lower_before(others: Floats, rows: Floats, last: int) -> _Numbers:
    """How many of the others, up to each row's own place and so many more, are lower than it; (b, n) all three."""
    lower = (others[None] < rows[:, None]) & np.tri(len(rows), k=last, dtype=np.bool_)[:, :, None]
    before: _Numbers = lower.sum(axis=1)
    return before
