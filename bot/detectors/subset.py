"""Finds the rectangle of a grid, some regions by some platforms, in which far more came than was due.

The expectation-based Poisson scan (Neill 2009, Statistics in Medicine 28:2051): how much likelier the counts are when
all cells of the rectangle have one common lift. Two things are added. What lies outside may stray from the usual by a
common factor, as far as the usual of the service is in doubt, so that a wave that lifts all does not blur a limit. And
every element that is named has a price in nats, so that the choice is that of the most probable rectangle.

For a given lift the best regions for some platforms are those whose own evidence exceeds their price, and the other way
round. Both steps are exact and linear in the elements; they are taken in turns from many beginnings, side by side.
"""

from __future__ import annotations

from itertools import combinations
from math import log
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bot.detectors.ring import Flags

Grid = npt.NDArray[np.float64]
_Rows = npt.NDArray[np.intp]

FEWEST = 5.0
"""A limit is named from this many reports within it on: fewer say little, and would point at persons."""

_LIFTS = np.array([1.4, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, 1000.0])  # tried as beginnings
_LEAST_LIFT = 1.15
_SPEAK = 0.4  # nats for a limit in a dimension, beside the choice of its first element
_ANOTHER = 0.7  # nats at least for each further element
_ROUNDS = 2
_PAIRS_UP_TO = 4  # platforms, of which pairs are tried as beginnings
_NEWTON = 8  # steps towards the factor outside
_AWAY, _FARTHEST = 0.2, 3.0  # in ln, that the outside may stray beyond two standard errors, and at most
_LEAST_DOUBT = 1e-4
_TINY = 1e-9


class Found(NamedTuple):
    """A rectangle: flags of shape (R,) and (P,), its evidence in nats after all prices, and the window that shows it."""

    regions: Flags
    platforms: Flags
    nats: float
    window: int


class Subset:
    """A grid to be searched.

    Args:
        seen: counts in w nested windows, shape (w, R, P).
        due: what was usual, the same shape, not negative.
        doubt: squared relative error of the usual as a whole.
        spread: variance of a count over its mean; evidence is so many times weaker.
        named: shape (R,), False for a region that stands for many and is never told by itself.
    """

    def __init__(self, seen: Grid, due: Grid, *, doubt: float, spread: float, named: Flags) -> None:
        self._seen, self._due = seen, np.maximum(due, _TINY)
        self._doubt, self._spread = max(doubt, _LEAST_DOUBT), max(spread, 1.0)
        self._named = (named, np.ones(seen.shape[2], np.bool_))
        self._all = self._seen.sum(axis=(1, 2)), self._due.sum(axis=(1, 2))

    def best(self) -> Found:
        """The most probable rectangle; all of the grid when nothing is limited."""
        windows, cells, platforms = self._beginnings()
        for _ in range(_ROUNDS):
            regions = self._chosen((cells @ platforms[:, :, None])[:, :, 0], 0)
            platforms = self._chosen((regions[:, None] @ cells)[:, 0], 1)
        every = np.arange(len(self._seen))
        return self._top(
            np.concatenate((windows, every)),
            np.concatenate((regions, np.ones((len(every), regions.shape[1]), np.bool_))),
            np.concatenate((platforms, np.ones((len(every), platforms.shape[1]), np.bool_))),
        )

    def worth(self, regions: Flags, platforms: Flags) -> Found:
        """One rectangle in the window that shows it best."""
        every = np.arange(len(self._seen))
        return self._top(every, np.tile(regions, (len(every), 1)), np.tile(platforms, (len(every), 1)))

    def _beginnings(self) -> tuple[_Rows, Grid, Flags]:
        """For every window, lift and some sets of platforms: window (n,), evidence by cell (n, R, P), platforms (n, P)."""
        sets = _sets(self._seen.shape[2])
        lifts = _LIFTS[:, None, None]
        cells = (self._seen[:, None] * np.log(lifts) - self._due[:, None] * (lifts - 1)) / self._spread
        windows, _, which = (axis.ravel() for axis in np.indices((*cells.shape[:2], len(sets))))
        return windows, np.repeat(cells.reshape(-1, *cells.shape[2:]), len(sets), axis=0), sets[which]

    def _chosen(self, gains: Grid, axis: int) -> Flags:
        """The elements of one dimension worth their price, or all of them, by the evidence of each, shape (n, k)."""
        first, another = price(gains.shape[1])
        able = np.where(self._named[axis], gains, -np.inf)
        chosen: Flags = able > another
        chosen[np.arange(len(able)), able.argmax(axis=1)] = True
        value = np.where(chosen, gains - another, 0.0).sum(axis=1) + another - first
        chosen[gains.sum(axis=1) >= value] = True
        return chosen

    def _top(self, windows: _Rows, regions: Flags, platforms: Flags) -> Found:
        nats = self._nats(windows, regions, platforms)
        top = int(nats.argmax())
        return Found(regions[top], platforms[top], float(nats[top]), int(windows[top]))

    def _nats(self, windows: _Rows, regions: Flags, platforms: Flags) -> Grid:
        """The evidence of rectangles, shape (n,), each in its window."""
        whole = regions.all(axis=1) & platforms.all(axis=1)
        inside = [
            (regions[:, None] @ grid[windows] @ platforms[:, :, None])[:, 0, 0] for grid in (self._seen, self._due)
        ]
        seen, due = (np.where(whole, all_[windows], part) for all_, part in zip(self._all, inside, strict=True))
        lift = np.maximum(seen / due, _LEAST_LIFT)
        nats = seen * np.log(lift) - due * (lift - 1)
        nats += _strayed(self._all[0][windows] - seen, np.maximum(self._all[1][windows] - due, 0.0), self._doubt)
        nats = nats / self._spread - _prices(regions) - _prices(platforms)
        return np.where(whole | (seen >= FEWEST), nats, -np.inf)


def price(elements: int) -> tuple[float, float]:
    """Nats for naming the first of so many elements, and for each further one."""
    return _SPEAK + log(elements), max(_ANOTHER, log(elements / 2))


def _prices(chosen: Flags) -> Grid:
    first, another = price(chosen.shape[1])
    return np.where(chosen.all(axis=1), 0.0, first + another * (chosen.sum(axis=1) - 1))


def _strayed(seen: Grid, due: Grid, doubt: float) -> Grid:
    """How much likelier counts are by the best common factor, whose logarithm has the variance `doubt`.

    What strays farther than doubt allows is trouble, however many reports would pay for the distance.
    """
    off, most = np.zeros_like(seen), min(2 * doubt**0.5 + _AWAY, _FARTHEST)
    for _ in range(_NEWTON):
        mean = due * np.exp(off)
        off = np.clip(off + (seen - mean - off / doubt) / (mean + 1 / doubt), -most, most)
    nats: Grid = seen * off - due * np.expm1(off) - off**2 / (2 * doubt)
    return nats


def _sets(platforms: int) -> Flags:
    """Sets of platforms to begin with: each alone, some pairs, and all; shape (n, platforms)."""
    alone = np.eye(platforms, dtype=np.bool_)
    pairs = [alone[a] | alone[b] for a, b in combinations(range(platforms), 2)] if platforms <= _PAIRS_UP_TO else []
    return np.array([*alone, *pairs, np.ones(platforms, np.bool_)])
