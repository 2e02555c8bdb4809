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

    State: `sums` (2, size, n), the sums before bucket k at row k % size; index 0 is seen, 1 is due.
    """

    def __init__(self, size: int, series: int) -> None:
        self.size = size
        self.sums: Floats = np.zeros((2, size, series))
        self.end = 0
        self.depth = 0

    def push(self, seen: Floats, due: Floats) -> None:
        """Close the running bucket with its counts, shape (n,)."""
        now, after = self.sums[:, self.end % self.size], self.sums[:, (self.end + 1) % self.size]
        np.add(now[0], seen, out=after[0])
        np.add(now[1], due, out=after[1])
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
        sums = self.sums[:, self.end % self.size, columns][:, None] - newer
        if part.any():
            sums += (newer - self._before(np.minimum(whole + 1, self.depth), columns)) * part
        return sums

    def last(self, buckets: int) -> Floats:
        """Seen and due, shape (2, n), over the newest closed buckets."""
        after, before = (
            self.sums[:, self.end % self.size],
            self.sums[:, (self.end - min(buckets, self.depth)) % self.size],
        )
        return after - before

    def bucket(self, ago: int) -> tuple[Floats, Floats]:
        """Seen and due of one closed bucket, shape (n,) each; `ago` 1 is the newest."""
        after, before = (self.sums[:, (self.end - k) % self.size] for k in (ago - 1, ago))
        seen, due = after - before
        return seen, due

    def history(self, depth: int, columns: Any = slice(None)) -> Floats:
        """The newest `depth + 1` sums, oldest first, shape (2, depth + 1, ...) as `columns` picks."""
        return self.sums[:, (self.end - np.arange(depth, -1, -1)) % self.size, columns]

    def recall(self, end: int, history: Floats, columns: Any = slice(None)) -> None:
        """Take over the newest rows of a `history()` for some columns; `end` is the bucket that was running then."""
        self.end, self.depth = end, min(history.shape[1], self.size) - 1
        rows = (end - np.arange(self.depth, -1, -1)) % self.size
        for kind in (0, 1):
            self.sums[kind][np.ix_(rows, columns)] = history[kind, -(self.depth + 1) :]

    def _before(self, ago: npt.NDArray[np.intp], columns: Columns) -> Floats:
        return self.sums[:, (self.end - ago) % self.size, columns]
