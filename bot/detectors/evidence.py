"""How surprising a count is, in nats."""

from __future__ import annotations

import numpy as np

from bot.detectors.ring import ONE, ZERO, Floats, fixed

LEAST = fixed(3.0)
"""Reports below which a window is never evidence."""
_CLUMP = fixed(1e-6)  # at least: a little of it is as good as none


def deviance(seen: Floats, due: Floats, spread: Floats, doubt: Floats) -> Floats:
    """Evidence in nats that more was seen than due, 0 or more; any shapes that broadcast.

    The deviance of a negative binomial with variance `spread * due + doubt * due**2`: `spread` (1 or more) is how
    clumped reports come, `doubt` the squared error of the expectation itself. Where nothing is due, nothing is known.
    Written with log1p, so that it is as exact in float32 for a clumping near none as for a large one.
    """
    known = due > ZERO
    expected = np.where(known, due, ONE)
    counted = np.where(known & (seen >= LEAST), np.maximum(seen, expected), expected)
    clump = np.maximum((spread - ONE) / expected + doubt, _CLUMP)
    shrunk = np.log1p(clump * (counted - expected) / (ONE + clump * expected))
    nats: Floats = counted * np.log(counted / expected) - (counted + ONE / clump) * shrunk
    return np.maximum(nats, ZERO)


def unknown_usual(seen: Floats, due: Floats) -> Floats:
    """A stand-in for what is due while no usual is known: the middle of the recent past, never nothing.

    Buckets that were gaps (nothing due) stay gaps.
    """
    known = due > 0
    return np.where(known, max(_middle(seen[known]), 0.02), 0.0)


def _middle(values: Floats) -> float:
    """The median, 0 of nothing; `np.median` takes ten times as long to begin."""
    half = len(values) // 2
    if not len(values):
        return 0.0
    if len(values) % 2:
        return float(np.partition(values, half)[half])
    lower, upper = np.partition(values, (half - 1, half))[half - 1 : half + 1].tolist()
    return float(lower + upper) / 2
