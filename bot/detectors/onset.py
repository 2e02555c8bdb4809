"""When the present excess began, and how surely: the change point of counts that were calm before."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bot.detectors.ring import Floats

_TWICE = 2.0  # the mildest excess that counts as the same trouble when its start is sought
_CALM = 4.0  # nats of calm that part one trouble from an earlier one
_BEFORE, _AFTER = 3.0, 1.5  # nats by which an earlier start, or a later one, may be less likely than the best
_SOME = 1e-9  # reports; where less is due, nothing is known
_WEAK = 8.0  # nats that a weaker beginning before it must bring


class Onset(NamedTuple):
    """Where an excess began: the most likely bucket, and edges of buckets between which the start most likely lies.

    `early <= best < late` are positions in the rows that were looked at; `late` may be one past the newest.
    """

    best: int
    early: int
    late: int


class _Change(NamedTuple):
    """The bucket from which on one lift explains the counts best, and the first and the last that are nearly as good.

    `nats` is the evidence for that lift against none.
    """

    best: int
    first: int
    last: int
    lift: float
    nats: float


def onset(seen: Floats, due: Floats, spread: float, grace: int) -> Onset:
    """Where the present excess began, in two equal rows of buckets that are not empty, oldest first.

    Sought is the change point (Hinkley, Biometrika 57, 1970, for Poisson counts), and before it the one of a weaker
    beginning, while one is beyond doubt. Left open is what the likelihood leaves open (a support interval:
    Edwards, Likelihood, 1972), more before the best than after, because reports swell; and a bucket either side, for a
    start lies somewhere within one and reports come after it. Leading buckets without reports are not part of the
    trouble, and neither is what lies behind a calm stretch, unless that is within the newest `grace` buckets, which
    raised the level.
    """
    behind = len(seen) - _reach(seen, due, spread, grace)
    seen, due = seen[behind:], np.where(due[behind:] > _SOME, due[behind:], 0.0)
    found = _change(seen, due, spread)
    while found.best:
        weaker = _change(seen[: found.best], due[: found.best], spread)
        if weaker.lift < _TWICE or weaker.nats < _WEAK:
            break
        found = weaker
    heard = np.flatnonzero(seen[found.best :] > 0)
    best = found.best + int(heard[0]) if len(heard) else len(seen) - 1
    early, late = behind + min(found.first, best) - 1, behind + max(found.last, best) + 1
    return Onset(best=behind + best, early=max(early, 0), late=late)


def _change(seen: Floats, due: Floats, spread: float) -> _Change:
    """The likeliest change point: each is given the lift since then that suits it (a profile likelihood).

    Clumped counts have so much less to say (a quasi-likelihood, divided by `spread`). Where no more came than was due,
    nothing speaks for a change, and the newest bucket is as good as any.
    """
    counted, expected = np.cumsum(seen[::-1]), np.cumsum(due[::-1])
    known = expected > 0
    expected = np.where(known, expected, 1.0)
    counted = np.where(known, np.maximum(counted, expected), expected)
    nats = (counted * np.log(counted / expected) - (counted - expected)) / max(spread, 1.0)
    newest, best = len(seen) - 1, int(nats.argmax())
    top = nats[best]
    return _Change(
        best=newest - best,
        first=newest - int(np.flatnonzero(nats >= top - _BEFORE)[-1]),
        last=newest - int(np.flatnonzero(nats >= top - _AFTER)[0]),
        lift=counted[best] / expected[best],
        nats=top,
    )


def _reach(seen: Floats, due: Floats, spread: float, grace: int) -> int:
    """How many of the newest buckets may be of one trouble: until the evidence against twice the usual has gathered."""
    gain = (seen * np.log(_TWICE) - due * (_TWICE - 1.0))[::-1] / max(spread, 1.0)
    walked = np.cumsum(gain)
    fallen = np.maximum.accumulate(walked) - walked
    calm = np.flatnonzero(fallen[grace:] > _CALM)
    return max(grace + int(calm[0]), 1) if len(calm) else len(seen)
