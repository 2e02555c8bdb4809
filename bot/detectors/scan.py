"""Looks at many windows of many series at once for the strongest evidence that more came than was due."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import numpy as np

from bot.detectors.evidence import LEAST, deviance
from bot.detectors.noise import Noise
from bot.detectors.ring import Columns, Flags, Floats, Ring, blank

_MINUTES = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)
_BLOCK = 4096  # series at a time, so that their windows fit in a core's cache


class Found(NamedTuple):
    """The best window of each series, shape (k,): its evidence in nats, and how many times the usual was in it."""

    nats: Floats
    lift: Floats


class Scan:
    """The windows: of whole closed buckets, each with the running one. No window reaches behind a restart."""

    def __init__(self, tick: timedelta, most: int) -> None:
        wide = sorted({max(round(minutes * timedelta(minutes=1) / tick), 1) for minutes in _MINUTES})
        self._widths = np.array([width for width in wide if width <= most] or [1], np.intp)

    def all(self, ring: Ring, noise: Noise, known: Flags) -> Found:
        """Every series, after a bucket was closed."""
        n = len(known)
        found = Found(blank(n), blank(n))
        rows = (ring.end - np.minimum(self._widths, ring.depth)) % ring.size
        for first in range(0, n, _BLOCK):
            part = slice(first, first + _BLOCK)
            newer = np.maximum(ring.sums[:, rows, part], ring.floor[:, None, part])
            windows = ring.now[:, None, part] - newer
            self._best(windows, noise, known, part, found)
        return found

    def some(self, ring: Ring, noise: Noise, known: Flags, columns: Columns, running: Floats) -> Found:
        """Some series with their running bucket, seen and due of shape (2, k)."""
        found = Found(blank(len(columns)), blank(len(columns)))
        widths = np.append(0, self._widths)
        rows = (ring.end - np.minimum(widths, ring.depth)) % ring.size
        newer = np.maximum(ring.sums[:, rows[:, None], columns], ring.floor[:, None, columns])
        windows = ring.now[:, None, columns] - newer + running[:, None]
        self._best(windows, _Part(noise.spread[columns], noise.doubt[columns]), known[columns], slice(None), found)
        return found

    @staticmethod
    def _best(windows: Floats, noise: Noise | _Part, known: Flags, part: slice, found: Found) -> None:
        """Write the best of the windows, shape (2, w, k), of a part of the series; most windows are plainly calm."""
        seen, due = windows
        hot, which = np.nonzero((seen >= LEAST) & (seen > due) & (due > 0) & known[part])
        if not len(hot):
            return
        y, mu = seen[hot, which], due[hot, which]
        nats = deviance(y, mu, noise.spread[part][which], noise.doubt[part][which])
        table = blank(*seen.shape)
        table[hot, which] = nats
        best = table.argmax(axis=0)
        every = np.arange(seen.shape[1])
        found.nats[part] = table[best, every]
        found.lift[part] = np.where(found.nats[part] > 0, seen[best, every] / np.maximum(due[best, every], 1e-6), 0.0)


class _Part(NamedTuple):
    """The noise of some series."""

    spread: Floats
    doubt: Floats
