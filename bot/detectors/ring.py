"""The recent past of every series: running sums of what was seen and what was due, so that any window is a difference."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Columns = npt.NDArray[np.intp]


class Ring:
    """Running sums over the last `size` buckets of n series.

    Buckets are numbered from the epoch; `end` is the number of the bucket that is running now. A bucket that was a gap
    in the feed adds nothing to either sum, so that every window compares only what was really heard.

    State: `sums` (3, size, n), the sums before bucket k at row k % size; index 0 is seen, 1 is due, and 2 is due before
    the slow level was applied.
    """

    def __init__(self, size: int, series: int) -> None:
        self.size = size
        self.sums: Floats = np.zeros((3, size, series))
        self.end = 0
        self.depth = 0

    def push(self, bucket: Floats) -> None:
        """Close the running bucket with its seen, due and due before the level, shape (3, n)."""
        np.add(self.sums[:, self.end % self.size], bucket, out=self.sums[:, (self.end + 1) % self.size])
        self.end += 1
        self.depth = min(self.depth + 1, self.size - 1)

    def jump(self, end: int) -> None:
        """Make `end` the running bucket, as if all before it were gaps; used when the gap outlasts the ring."""
        now = self.sums[:, self.end % self.size].copy()
        self.sums[:] = now[:, None]
        self.end = end

    def window(self, widths: Floats, columns: Columns) -> Floats:
        """Seen and due, shape (2, w, k), over the last `widths` closed buckets, shape (w, k) or (w, 1).

        A width with a fraction takes that part of its oldest bucket. Before the first bucket there was nothing.
        """
        whole = widths.astype(np.intp)
        part = widths - whole
        newer = self._before(np.minimum(whole, self.depth), columns)
        sums = self.sums[:2, self.end % self.size, columns][:, None] - newer
        if part.any():
            sums += (newer - self._before(np.minimum(whole + 1, self.depth), columns)) * part
        return sums

    def last(self, buckets: int, skip: int = 0) -> Floats:
        """The three sums, shape (3, n), over the newest closed buckets but `skip`."""
        after, before = (self.sums[:, (self.end - min(ago, self.depth)) % self.size] for ago in (skip, skip + buckets))
        return after - before

    def newest(self, column: int) -> tuple[float, float]:
        """Seen and due of the newest closed bucket of one series."""
        after, before = (self.sums[:2, row % self.size, column].tolist() for row in (self.end, self.end - 1))
        return after[0] - before[0], after[1] - before[1]

    def rescale(self, columns: npt.NDArray[np.bool_], factor: Floats) -> None:
        """Call more or less of the past due, for some series."""
        self.sums[1:, :, columns] *= factor[columns]

    def history(self, depth: int, columns: Any = slice(None)) -> Floats:
        """The newest `depth + 1` sums, oldest first, shape (3, depth + 1, ...) as `columns` picks."""
        return self.sums[:, (self.end - np.arange(depth, -1, -1)) % self.size, columns]

    def recall(self, end: int, history: Floats, columns: Any = slice(None)) -> None:
        """Take over the newest rows of a `history()` for some columns; `end` is the bucket that was running then."""
        self.end, self.depth = end, min(history.shape[1], self.size) - 1
        rows = (end - np.arange(self.depth, -1, -1)) % self.size
        for kind in range(3):
            self.sums[kind][np.ix_(rows, columns)] = history[kind, -(self.depth + 1) :]

    def _before(self, ago: npt.NDArray[np.intp], columns: Columns) -> Floats:
        return self.sums[:2, (self.end - ago) % self.size, columns]
