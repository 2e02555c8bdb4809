"""How surprising a count is, in nats, and when the surprise began."""

from __future__ import annotations

import numpy as np

from bot.detectors.ring import Floats

LEAST = 3.0
"""Reports below which a window is never evidence."""

_TWICE = 2.0  # the mildest excess that counts as the same trouble when its start is sought
_CALM = 4.0  # nats of calm that part one trouble from an earlier one
_WORTH = 1.5  # nats that going further back must bring


def deviance(seen: Floats, due: Floats, spread: Floats, doubt: Floats) -> Floats:
    """Evidence in nats that more was seen than due, 0 or more; any shapes that broadcast.

    The deviance of a negative binomial with variance `spread * due + doubt * due**2`: `spread` (1 or more) is how
    clumped reports come, `doubt` the squared error of the expectation itself. Where nothing is due, nothing is known.
    Written with log1p, so that it is as exact in float32 for a clumping near none as for a large one.
    """
    known = due > 0
    expected = np.where(known, due, 1.0)
    counted = np.where(known & (seen >= LEAST), np.maximum(seen, expected), expected)
    clump = np.maximum((spread - 1.0) / expected + doubt, 1e-6)
    shrunk = np.log1p(clump * (counted - expected) / (1.0 + clump * expected))
    nats: Floats = counted * np.log(counted / expected) - (counted + 1.0 / clump) * shrunk
    return np.maximum(nats, 0.0)


def onset(seen: Floats, due: Floats, spread: float, grace: int) -> int:
    """The position in the two equal rows, oldest first, of the bucket where the present excess began.

    Walks back in time, adding the evidence for twice the usual against the usual, and answers where it comes near its
    peak. A calm stretch ends the walk, though never within the newest `grace` buckets, which raised the level. Leading
    buckets without reports are not part of the trouble.
    """
    gain = (seen * np.log(_TWICE) - due * (_TWICE - 1.0))[::-1] / max(spread, 1.0)
    walked = np.cumsum(gain)
    fallen = np.maximum.accumulate(walked) - walked
    calm = np.flatnonzero(fallen[grace:] > _CALM)
    within = len(walked) if not len(calm) else grace + int(calm[0])
    walked = walked[: max(within, 1)]
    start = len(seen) - 1 - int(np.argmax(walked >= walked.max() - min(_WORTH, abs(walked.max()) / 2)))
    heard = np.flatnonzero(seen[start:] > 0)
    return start + (int(heard[0]) if len(heard) else len(seen) - 1 - start)


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
