"""Other people's rules, re-implemented from what they publish, as scores: shape (minutes, n), higher is worse.

All hear the counts of distinct reporters. They know no gaps: a silent feed is a zero, as it is to them in the field.
Each score is built so that a threshold on it is that rule with its own knob.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.detection.world import DAY, WEEK, Floats, World

_WINDOWS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)


def _sums(counts: Floats, width: int) -> Floats:
    """Sums over the last `width` minutes."""
    total = np.cumsum(np.nan_to_num(counts), axis=0)
    total[width:] -= total[:-width].copy()
    return total


def _ago(values: Floats, minutes: int) -> Floats:
    """The same, so many minutes earlier; NaN before the beginning."""
    if minutes <= 0:
        return values
    shifted = np.full_like(values, np.nan)
    shifted[minutes:] = values[:-minutes]
    return shifted


def fixed(world: World) -> Floats:
    """One number for all: reports within 15 minutes."""
    return _sums(world.counts, 15)


def fixed_each(world: World) -> Floats:
    """A fixed number for each service: 15 minutes against its own 99.9 % quantile of the past."""
    sums = _sums(world.counts, 15)
    return sums / np.maximum(np.quantile(sums[: world.learn], 0.999, axis=0), 3.0)


def elastalert(world: World) -> Floats:
    """ElastAlert 2 `spike`: this half hour over the one before, with at least 10 now and 3 before."""
    now = _sums(world.counts, 30)
    before = _ago(now, 30)
    return np.where((now >= 10) & (before >= 3), now / np.maximum(before, 1), 0.0)


def ewma(world: World) -> Floats:
    """Standard deviations from an exponentially weighted mean (half-life about an hour) of 5 minutes."""
    sums = _sums(world.counts, 5)
    mean, square, score = sums[0].copy(), sums[0] + 1.0, np.zeros_like(sums)
    for minute, now in enumerate(sums):
        score[minute] = (now - mean) / np.sqrt(np.maximum(square, 0.25))
        square += 0.012 * ((now - mean) ** 2 - square)
        mean += 0.012 * (now - mean)
    return score


def rolling_mad(world: World) -> Floats:
    """15 minutes against median and median absolute deviation of the last 24 hours, looked at every 5 minutes."""
    grid = _sums(world.counts, 15)[4::5]
    score = np.zeros_like(grid)
    for first in range(288, len(grid), 288):
        block = np.lib.stride_tricks.sliding_window_view(grid[first - 288 : first + 287], 288, axis=0)[:, :, ::4]
        middle = np.median(block, axis=2)
        spread = np.median(np.abs(block - middle[:, :, None]), axis=2) * 1.4826
        now = grid[first : first + len(middle)]
        score[first : first + len(now)] = (now - middle) / np.maximum(spread, 1.0)
    held = np.repeat(score, 5, axis=0)
    return np.concatenate((np.zeros((4, held.shape[1])), held))[: len(world.counts)]


def _same_hour(sums: Floats, days: tuple[int, ...], aside: tuple[int, ...]) -> Floats:
    """The counts at about the same time on earlier days, shape (references, minutes, n)."""
    return np.stack([_ago(sums, day * DAY + minutes) for day in days for minutes in aside])


def ears_c2(world: World) -> Floats:
    """EARS C2: 15 minutes against the same time of seven days, two days of guard before today."""
    sums = _sums(world.counts, 15)
    past = _same_hour(sums, tuple(range(3, 10)), (0,))
    return np.nan_to_num((sums - past.mean(axis=0)) / np.maximum(past.std(axis=0, ddof=1), 0.5))


def farrington(world: World) -> Floats:
    """Farrington flexible: same time of the week in past weeks and of past days, outbreaks weighted down, 2/3 power."""
    sums = _sums(world.counts, 15)
    past = _same_hour(sums, (7, 14, 21), (-30, -15, 0, 15, 30))
    past = np.concatenate((past, _same_hour(sums, (3, 4, 5, 6), (-15, 0, 15))))
    known = ~np.isnan(past)
    weight = known.astype(float)
    past = np.nan_to_num(past)
    for _ in range(2):
        mean = np.maximum((weight * past).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-9), 0.05)
        strays = (weight * (past - mean) ** 2 / mean).sum(axis=0)
        spread = np.maximum(strays / np.maximum(weight.sum(axis=0) - 1, 1), 1.0)
        residual = 1.5 * (past ** (2 / 3) - mean ** (2 / 3)) / (mean ** (1 / 6) * np.sqrt(spread))
        weight = known * np.where(residual > 2.58, np.maximum(residual, 1.0) ** -2, 1.0)
    error = np.sqrt(spread * mean ** (1 / 3) * (4 / 9) * (1 + 1 / np.maximum(weight.sum(axis=0), 1)))
    return np.where(sums >= 5, (sums ** (2 / 3) - mean ** (2 / 3)) / error, 0.0)


def downdetector(world: World) -> Floats:
    """Downdetector: 15 minutes over the average of all the past for that time of day; no variance, no day of week."""
    sums = _sums(world.counts, 15)
    days = len(sums) // DAY
    slots = sums[: days * DAY].reshape(days, DAY, -1)
    so_far = np.cumsum(slots, axis=0) - slots
    usual = (so_far / np.maximum(np.arange(days), 1)[:, None, None]).reshape(-1, sums.shape[1])
    usual = np.concatenate((usual, usual[-DAY:]))[: len(sums)]
    return np.where(sums >= 3, sums / (usual + 2.0), 0.0)


def gitlab(world: World) -> Floats:
    """GitLab's Prometheus rule: 5 minutes minus the median of last weeks' 4-hour means and growth, over a week's sd."""
    now, slow = _sums(world.counts, 5), _sums(world.counts, 240) / 48
    week = _sums(world.counts, WEEK) / (WEEK / 5)
    past = np.stack([_ago(slow, k * WEEK - 120) + week - _ago(week, k * WEEK) for k in (1, 2, 3)])
    known = ~np.isnan(past).all(axis=0)
    guess = np.where(known, np.nanmedian(np.where(known, past, 0.0), axis=0), 0.0)
    spread = np.sqrt(np.maximum(_sums(now**2, WEEK) / WEEK - (_sums(now, WEEK) / WEEK) ** 2, 0.25))
    return np.where(known, (now - guess) / spread, 0.0)


def oracle(world: World) -> Floats:
    """Knows the true usual, the size of the noise and what a gap kept back: evidence of the best of ten windows."""
    heard = ~np.isnan(world.counts)
    counts = np.where(world.late, world.usual, world.counts)
    best = np.zeros_like(world.counts)
    for width in _WINDOWS:
        seen, due = _sums(counts, width), np.maximum(_sums(np.where(heard, world.usual, 0.0), width), 1e-9)
        size = 1.0 / world.sigma**2
        more = np.where(seen >= 3, np.maximum(seen, due), due)
        nats = more * np.log(more / due) - (more + size) * np.log((more + size) / (due + size))
        np.maximum(best, nats, out=best)
    return best


RIVALS: dict[str, Callable[[World], Floats]] = {
    "Downdetector's rule": downdetector,
    "Farrington flexible": farrington,
    "EARS C2": ears_c2,
    "rolling MAD": rolling_mad,
    "EWMA z": ewma,
    "fixed, per service": fixed_each,
    "GitLab z": gitlab,
    "ElastAlert spike": elastalert,
    "fixed for all": fixed,
}
