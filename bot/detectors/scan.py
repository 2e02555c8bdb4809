"""Looks at many windows of many series at once for the strongest evidence that more came than was due."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import numpy as np

from bot.detectors.echo import Echo
from bot.detectors.evidence import LEAST, deviance
from bot.detectors.noise import Noise
from bot.detectors.ring import ZERO, Columns, Flags, Floats, Ring, blank, blocks, fixed, some

_MINUTES = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)
_PRICE = 0.8  # nats that a window costs for each time it is e times shorter: chance is tried more often there
_FREE = 10.0  # minutes; a window so long costs nothing
_TRACE = fixed(1e-6)


class Found(NamedTuple):
    """The best window of each series, shape (k,): its evidence in nats, and how many times the usual was in it."""

    nats: Floats
    lift: Floats


class Running(NamedTuple):
    """The running bucket of some series: seen and due, shape (2, k), the part of it that has passed, and echoes."""

    sums: Floats
    part: float
    echo: Echo


class Scan:
    """The windows: of whole closed buckets, each with the running one. No window reaches behind a restart."""

    def __init__(self, tick: timedelta, most: int) -> None:
        minute = timedelta(minutes=1)
        wide = sorted({max(round(minutes * minute / tick), 1) for minutes in _MINUTES})
        self.widths = np.array([width for width in wide if width <= most] or [1], np.intp)
        minutes = np.append(1, self.widths) * (tick / minute)
        self._price = (_PRICE * np.log(_FREE / minutes)).astype(np.float32)

    def all(self, ring: Ring, noise: Noise, known: Flags, echo: Echo) -> Found:
        """Every series, after a bucket was closed."""
        n = len(known)
        echoing = echo.heard
        extra = echo.within(self.widths[:, None], echoing) if len(echoing) else blank(len(self.widths), 0)
        found = Found(blank(n), blank(n))
        rows = self._rows(ring, self.widths)
        for part in blocks(n):
            windows = ring.now[:, None, part] - np.maximum(ring.sums[:, rows, part], ring.floor[:, None, part])
            if len(echoing):
                here = slice(*np.searchsorted(echoing, (part.start, part.stop)))
                windows[1][:, echoing[here] - part.start] += extra[:, here]
            series = _Series(known[part], noise.spread[part], noise.doubt[part])
            found.nats[part], found.lift[part] = _best(windows, self._price[1:], series)
        return found

    def some(self, ring: Ring, noise: Noise, known: Flags, columns: Columns, running: Running) -> Found:
        """Some series with their running bucket."""
        widths = np.append(0, self.widths)
        rows = self._rows(ring, widths)
        newer = np.maximum(ring.sums[:, rows[:, None], columns], ring.floor[:, None, columns])
        windows = ring.now[:, None, columns] - newer + running.sums[:, None]
        if some(running.echo.rate):
            windows[1] += running.echo.within(widths[:, None], columns, running.part)
        return _best(windows, self._price, _Series(known[columns], noise.spread[columns], noise.doubt[columns]))

    @staticmethod
    def _rows(ring: Ring, ago: Columns) -> Columns:
        rows: Columns = (ring.end - np.minimum(ago, ring.depth)) % ring.size
        return rows


class _Series(NamedTuple):
    """What is known of the series that are looked at, (k,) each."""

    known: Flags
    spread: Floats
    doubt: Floats


def _best(windows: Floats, price: Floats, series: _Series) -> Found:
    """The best of the windows, shape (2, w, k), each at its price; most windows are plainly calm."""
    seen, due = windows
    table = blank(*seen.shape)
    hot, which = np.nonzero((seen >= LEAST) & (seen > due) & (due > ZERO) & series.known)
    if not len(hot):
        return Found(table[0], table[0].copy())
    nats = deviance(seen[hot, which], due[hot, which], series.spread[which], series.doubt[which])
    table[hot, which] = np.maximum(nats - price[hot], ZERO)
    best, every = table.argmax(axis=0), np.arange(seen.shape[1])
    most = table[best, every]
    lift = np.where(most > ZERO, seen[best, every] / np.maximum(due[best, every], _TRACE), ZERO)
    return Found(most, lift)
