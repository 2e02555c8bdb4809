"""Chance that is the same on every machine.

The raw stream of PCG64 is stable between machines and versions of numpy; between a draw and its result stand only
comparisons and + - x / of doubles, never `exp` or `log`, whose last bit differs from one machine to the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Stream = np.random.PCG64

_MOST = 5000  # the largest count that is ever drawn


def stream(seed: int, key: str) -> Stream:
    """A stream of its own for each use, so that one service more changes nothing for the others."""
    return Stream(np.random.SeedSequence([seed, crc32(key.encode())]))


def uniform(chance: np.random.PCG64, size: int) -> Floats:
    """Doubles in [0, 1), from the 53 high bits of the raw stream."""
    raw = np.asarray(chance.random_raw(size), dtype=np.uint64)
    return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53


def drawn(chance: Floats, mean: Floats, steady: int) -> Indices:
    """Negative binomial counts, by walking up the distribution until it passes each draw."""
    odds = mean / (mean + steady)
    here = np.ones_like(mean)
    for _ in range(steady):
        here = here * (1.0 - odds)
    below, count = here.copy(), np.zeros(len(mean), dtype=np.int64)
    for step in range(_MOST):
        more = chance >= below
        if not more.any():
            break
        count += more
        here = here * odds * ((steady + step) / (step + 1.0))
        below += here
    return count


def picked(chance: Floats, weights: Mapping[str, float]) -> Indices:
    """Which of the weights each draw falls on, as an index; 0 where there are none."""
    edges, total = [0.0], 0.0
    for weight in weights.values():
        total += weight
        edges.append(total)
    return np.clip(np.searchsorted(edges, chance * total, side="right") - 1, 0, max(len(weights) - 1, 0))


def joined(x: Floats, y: Floats, at: Floats) -> Floats:
    """The height at each place of the straight lines through the points (x, y); x rises."""
    # Not numpy.interp: a compiler may fuse its multiply and add, and then the last bit depends on the machine.
    left = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    rise = (y[left + 1] - y[left]) / (x[left + 1] - x[left])
    return y[left] + rise * np.clip(at - x[left], 0.0, x[left + 1] - x[left])
