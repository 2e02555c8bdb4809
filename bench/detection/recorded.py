"""Counts that were recorded in the world, with outages put into them: noise that nobody made up.

`bench/detection/gather.py` says what they are and fetches them. The outages are those of the simulated world; what truly
happened to the bank, the city and the airlines is not known here, so that a storm that is told counts as false.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.detection.world import DAY, MONTHLY, WEEK, Floats, Outage, World, course, free, reached, trouble

COUNTS = Path(".counts.npz")
LEARN, JUDGED = 28, 56  # days
_SIZES = {"calls": (1.0, 0.2, 0.04), "stops": (1.0, 0.2), "new york": (1.0, 0.2), "united states": (1.0, 0.2, 0.04)}
"""Shares of the events of the first series of a source that are kept; its other series stay whole."""
_GRAIN = {"calls": 5}  # minutes that were counted together
_LEAST = 0.005  # events a minute: the least that is called usual


def recorded(seed: int, *, later: bool, learn: int = LEARN, judged: int = JUDGED, path: Path = COUNTS) -> World:
    """Live through `learn + judged` days from the earlier or the later half of each source, with outages put in.

    `usual` is estimated from all these days, and serves to size the outages alone: nobody who judges is told.
    Raises OSError when nothing was gathered.
    """
    random = np.random.default_rng([seed, later, learn, judged])
    minutes = (learn + judged) * DAY
    counts = np.stack(list(_series(random, path, minutes, later=later)), axis=1)
    usual = np.stack([_usual(column) for column in counts.T], axis=1)
    outages = list(_outages(random, counts, usual))
    return World(
        seed=seed,
        learn=learn * DAY,
        counts=counts,
        usual=usual,
        sigma=np.full(counts.shape[1], np.nan),
        late=np.zeros(counts.shape, np.bool_),
        outages=[outage for outage in outages if outage.start >= learn * DAY],
    )


def _series(random: np.random.Generator, path: Path, minutes: int, *, later: bool) -> Iterator[Floats]:
    """Events per minute of each series, from a Monday on, NaN where nobody recorded; whole, and thinned by chance."""
    with np.load(path) as table:
        for name in [name for name in _SIZES if name in table]:
            grid = table[name]
            first = -(-len(grid) // 2 // WEEK) * WEEK if later else 0
            part = _by_minute(random, grid[first : first + minutes], _GRAIN.get(name, 1))
            for column, whole in enumerate(part.T):
                for share in _SIZES[name] if column == 0 else (1.0,):
                    kept = random.binomial(np.maximum(whole, 0), share)
                    yield np.where(whole < 0, np.nan, kept)


def _by_minute(random: np.random.Generator, grid: np.ndarray, grain: int) -> np.ndarray:
    """Spread what was counted in `grain` minutes over them by chance."""
    if grain == 1:
        return grid
    known = np.flatnonzero(grid[:, 0] >= 0)
    spread = np.full_like(grid, -1)
    shares = random.multinomial(grid[known, 0], np.full(grain, 1 / grain))
    spread[(known[:, None] + np.arange(grain)), 0] = shares
    return spread


def _usual(counts: Floats) -> Floats:
    """The usual per minute by the hour of the day, on workdays and on other days: means without the outer tenths."""
    known = ~np.isnan(counts).reshape(-1, 7, 24, 60)
    heard = np.nansum(counts.reshape(known.shape), axis=3)
    rates = np.where(known.any(axis=3), heard / np.maximum(known.sum(axis=3), 1), np.nan)
    week = np.empty((7, 24))
    for days in (slice(0, 5), slice(5, 7)):
        week[days] = [_middle(rates[:, days, hour].ravel()) for hour in range(24)]
    return np.tile(np.repeat(week.ravel(), 60), len(rates))


def _middle(rates: Floats) -> float:
    """The mean of the middle four fifths of what is known."""
    known = np.sort(rates[~np.isnan(rates)])
    outer = len(known) // 10
    return max(float(known[outer : len(known) - outer].mean()), _LEAST) if len(known) else 0.0


def _outages(random: np.random.Generator, counts: Floats, usual: Floats) -> Iterator[Outage]:
    """Put outages into the counts, as often as in the simulated world, wherever all their minutes were recorded."""
    minutes, services = counts.shape
    for service in range(services):
        taken: list[tuple[int, int]] = []
        for _ in range(random.poisson(MONTHLY * minutes / (28 * DAY))):
            outage = trouble(random, service, int(random.integers(DAY, minutes - 12 * 60)))
            if np.isnan(counts[outage.start : outage.end, service]).any() or not free(taken, outage.start, outage.end):
                continue
            extra = course(random, outage, usual)
            counts[outage.start : outage.start + len(extra), service] += random.poisson(extra)
            yield reached(outage, extra, usual)
