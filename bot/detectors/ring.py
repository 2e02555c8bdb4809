"""The recent past of every series: running sums of what was seen and what was due, so that any window is a difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
"""Columns of float32, unless said otherwise; the last axis is the series."""
Columns = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


_BLOCK = 4096


def fixed(value: float) -> Floats:
    """A constant of the width that all columns have; with few series numpy takes half as long for it as for a Python number."""
    return np.array(value, np.float32)


ZERO, ONE = fixed(0.0), fixed(1.0)


def blank(*shape: int) -> Floats:
    """Zeros of the width that all columns have."""
    return np.zeros(shape, np.float32)


def some(values: Floats | Flags) -> bool:
    """True where any is not zero; of few series this takes a quarter of the time of `any`."""
    return bool(np.count_nonzero(values))


def places(values: Floats | Flags) -> Columns:
    """Where they are not zero, shape (k,)."""
    return values.nonzero()[0]


def clipped(values: Floats, low: float | Floats, high: float | Floats) -> Floats:
    """Values within bounds; of few series this takes a fifth of the time of `clip`."""
    within: Floats = np.minimum(np.maximum(values, low), high)
    return within


def blocks(series: int) -> Iterator[slice]:
    """Some thousand series at a time, so that what is worked out of their columns fits in a core's cache."""
    return (slice(first, first + _BLOCK) for first in range(0, series, _BLOCK))


class Memory(Protocol):
    """Something that is remembered in columns."""

    def columns(self) -> dict[str, Floats]:
        """Everything remembered, by name; the arrays themselves, not copies."""


def named(parts: Mapping[str, Memory]) -> dict[str, Floats]:
    """The columns of several memories in one: `part.name`."""
    return {f"{part}.{name}": array for part, one in parts.items() for name, array in one.columns().items()}


class Ring:
    """Running sums over the last `size` buckets of n series.

    Buckets are numbered from the epoch; `end` is the number of the bucket that is running now. A bucket that was a gap
    in the feed adds nothing to either sum, so that every window compares only what was really heard.

    State: `sums` (2, size, n), the sums before bucket k at row k % size, seen and due; `floor` (2, n), the sums at the
    last restart, behind which no evidence is sought.
    """

    def __init__(self, size: int, series: int) -> None:
        self.size = size
        self.sums: Floats = blank(2, size, series)
        self.floor: Floats = blank(2, series)
        self.end = 0
        self.depth = 0

    def push(self, seen: Floats, due: Floats) -> None:
        """Close the running bucket with what was seen and due in it, each shape (n,)."""
        if self.end % self.size == 0:
            self._rebase()
        here, there = self.end % self.size, (self.end + 1) % self.size
        np.add(self.sums[0, here], seen, out=self.sums[0, there])
        np.add(self.sums[1, here], due, out=self.sums[1, there])
        self.end += 1
        self.depth = min(self.depth + 1, self.size - 1)

    def jump(self, end: int) -> None:
        """Make `end` the running bucket, as if all before it were gaps; used when the gap outlasts the ring."""
        now = self.now.copy()
        self.sums[:] = now[:, None]
        self.end = end

    @property
    def now(self) -> Floats:
        """The sums at the end of the newest closed bucket, shape (2, n)."""
        return self.sums[:, self.end % self.size]

    def before(self, ago: int) -> Floats:
        """The sums so many closed buckets ago, shape (2, n); at most as far as is remembered."""
        return self.sums[:, (self.end - min(ago, self.depth)) % self.size]

    def window(self, widths: Floats, columns: Columns) -> Floats:
        """Seen and due, shape (2, w, k), over the last `widths` closed buckets, shape (w, k) or (w, 1).

        A width with a fraction takes that part of its oldest bucket. Before the first bucket there was nothing.
        """
        whole = widths.astype(np.intp)
        part = (widths - whole).astype(np.float32)
        newer = self._before(np.minimum(whole, self.depth), columns)
        sums: Floats = self.now[:, columns][:, None] - newer
        if some(part):
            sums += (newer - self._before(np.minimum(whole + 1, self.depth), columns)) * part
        return sums

    def fresh(self, columns: Columns) -> Floats:
        """Seen and due since the last restart, shape (2, k): no window of evidence holds more."""
        since: Floats = self.now[:, columns] - self.floor[:, columns]
        return since

    def restart(self, which: Flags) -> None:
        """Seek no evidence before now, for some series."""
        self.floor[:, which] = self.now[:, which]

    def last(self, buckets: int, skip: int = 0) -> Floats:
        """Seen and due, shape (2, n), over the newest closed buckets but `skip`."""
        difference: Floats = self.before(skip) - self.before(skip + buckets)
        return difference

    def bucket(self, number: int, column: int) -> tuple[float, float]:
        """Seen and due of a closed bucket of one series."""
        after, before = (self.sums[:, row % self.size, column].tolist() for row in (number + 1, number))
        return after[0] - before[0], after[1] - before[1]

    def correct(self, number: int, column: int, seen: float, due: float) -> None:
        """Put other sums into a closed bucket of one series that is still remembered."""
        was = self.bucket(number, column)
        rows = np.arange(number + 1, self.end + 1) % self.size
        self.sums[0, rows, column] += seen - was[0]
        self.sums[1, rows, column] += due - was[1]
        self.floor[:, column] = np.minimum(self.floor[:, column], self.now[:, column])

    def rescale(self, columns: Flags, factor: Floats) -> None:
        """Call more or less of the past due, for some series."""
        self.sums[1][:, columns] *= factor[columns]
        self.floor[1, columns] *= factor[columns]

    def history(self, depth: int, columns: Any = slice(None)) -> Floats:
        """The newest `depth + 1` sums, oldest first, shape (2, depth + 1, ...) as `columns` picks."""
        return self.sums[:, (self.end - np.arange(depth, -1, -1)) % self.size, columns]

    def recall(self, end: int, history: Floats, columns: Any = slice(None)) -> None:
        """Take over the newest rows of a `history()` for some columns; `end` is the bucket that was running then."""
        self.end, self.depth = end, min(history.shape[1], self.size) - 1
        rows = (end - np.arange(self.depth, -1, -1)) % self.size
        for kind in range(2):
            self.sums[kind][np.ix_(rows, columns)] = history[kind, -(self.depth + 1) :]

    def _before(self, ago: Columns, columns: Columns) -> Floats:
        return self.sums[:, (self.end - ago) % self.size, columns]

    def _rebase(self) -> None:
        """Begin the sums anew, so that small numbers are never added to large ones; no difference changes."""
        oldest = np.minimum(self.before(self.depth), self.floor)
        self.sums -= oldest[:, None]
        self.floor -= oldest
