"""What is usual: reports by hour of the week, a slow level on top, and how far counts stray from both.

All state is columns: float64 arrays whose last axis is the series. Rates are reports per hour. `known` is True for the
series that have about a day of history.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bot.detectors.evidence import deviance
from bot.detectors.ring import Floats

WEEK = 168
KNOWN_AFTER = 23.5
"""Hours of learned buckets from which on a usual is known: a day, less the delay of learning."""
GROWN_AFTER = 120.0
"""Hours of learned buckets after which the shape of a day is trusted."""

_FADE = 0.85  # a cell of the week is worth this part of itself a week later
_WEEK_PRIOR, _DAY_PRIOR, _FIRST_PRIOR = 25.0, 10.0, 10.0  # pseudo reports that tie each rate to the coarser one
_FIRST_HOURS = 6.0  # the first hour weighs at most like so many hours
_LEVEL_PRIOR, _LEVEL_LIFE, _LEVEL_MOST = 30.0, 6.0, 3.0  # pseudo reports, half-life in hours, and clip of the level
_LEAST_RATE = 0.03  # reports per hour: nothing is ever quite impossible
_SPREAD, _SPREAD_PRIOR, _SPREAD_MOST = 1.2, 20.0, 20.0
_DOUBT, _DOUBT_PRIOR, _DOUBT_LEAST, _DOUBT_MOST = 0.03, 24.0, 0.004, 0.5
_DOUBT_YOUNG = 0.1  # added doubt of a baseline that has only just become known
_NOISE_LIFE = 168.0  # hours until a lesson about noise weighs half
_COLUMNS = (
    *("reports", "hours", "learned", "first", "level_seen", "level_due"),
    *("stray", "strayed", "miss", "missed", "block", "doubt", "rates"),
)


class Baseline:
    """The usual of n series, learned bucket by bucket.

    A rate is the mean of its hour of the week, drawn to that of its hour of the day and that to the overall mean as if
    some reports had been seen there (gamma-Poisson shrinkage): a quiet series leans on the coarser figure.
    """

    def __init__(self, series: int, tick: float) -> None:
        self.tick = tick  # hours
        self.reports: Floats = np.zeros((WEEK, series))
        self.hours: Floats = np.zeros((WEEK, series))
        self.learned, self.level_seen, self.level_due = (np.zeros(series) for _ in range(3))
        self.first, self.block = np.zeros((2, series)), np.zeros((2, series))
        self.stray, self.strayed, self.miss, self.missed = (np.zeros(series) for _ in range(4))
        self.doubt: Floats = np.full(series, _DOUBT + _DOUBT_YOUNG)
        self.hour = self.rates_hour = -1
        self.rates: Floats = self._rates(np.zeros(2, np.intp))
        self.refresh()

    def columns(self) -> dict[str, Floats]:
        """Everything learned, by name; the arrays themselves, not copies."""
        return {name: getattr(self, name) for name in _COLUMNS}

    def refresh(self) -> None:
        """Work out what follows from the columns, after they were written from outside."""
        self.known: npt.NDArray[np.bool_] = self.learned >= KNOWN_AFTER
        self.raw_level: Floats = (self.level_seen + _LEVEL_PRIOR) / (self.level_due + _LEVEL_PRIOR)
        self.level: Floats = np.clip(self.raw_level, 1 / _LEVEL_MOST, _LEVEL_MOST)
        spread = (self.stray + _SPREAD * _SPREAD_PRIOR) / (self.strayed + _SPREAD_PRIOR)
        self.spread: Floats = np.clip(spread, 1.0, _SPREAD_MOST)

    def due(self, number: int) -> Floats:
        """The usual count of a bucket, by its number from the epoch, with and without the level; shape (2, n), above 0."""
        hour, part = self._place(number)
        if self.rates_hour != hour:
            self.rates_hour, self.rates = hour, self._rates(np.array([hour, hour + 1]) % WEEK)
        early, late = self.rates
        plain = (early + (late - early) * part) * self.tick
        return np.array([plain * self.level, plain])

    def learn(self, number: int, bucket: Floats, calm: npt.NDArray[np.bool_], *, block: bool) -> None:
        """Take in the bucket of a number: its seen, due and due without the level, shape (3, n).

        Where nothing was due there was a gap, and nothing is learned. Where it was not `calm` the level stays, so that
        what is cut from an outage is not cut by less and less. `block` ends a block of half an hour, over which the
        error of the expectation itself is measured.
        """
        seen, due, plain = bucket
        heard = due > 0
        self._learn_week(number, seen, np.where(heard, self.tick, 0.0))
        self._learn_level(seen, plain, heard & calm)
        self._learn_spread(seen, due, heard & self.known)
        if block:
            self._learn_doubt()

    def adopt(self, which: npt.NDArray[np.bool_], factor: Floats) -> None:
        """Call a lasting change the new usual: multiply the usual of some series, which takes in their level."""
        factor = np.where(which, factor * self.level, 1.0)
        self.reports *= factor
        self.first[0] *= factor
        self.level_seen[which] = self.level_due[which] = 0.0
        self.rates_hour = -1
        self.refresh()

    def curve(self, column: int, first: int, n: int) -> tuple[Floats, Floats, Floats]:
        """Usual count and the band of ordinary noise, low and high, of n buckets of one series; NaN when not known."""
        if not self.known[column]:
            nothing = np.full(n, np.nan)
            return nothing, nothing, nothing
        middle = (np.arange(first, first + n) + 0.5) * self.tick - 0.5
        hour = np.floor(middle).astype(np.int64)
        rates = self._rates(np.arange(WEEK), np.array([column]))[:, 0]
        early, late = rates[hour % WEEK], rates[(hour + 1) % WEEK]
        mean = (early + (late - early) * (middle - hour)) * self.level[column] * self.tick
        noise = 2 * np.sqrt(self.spread[column] * mean + self.doubt[column] * mean**2)
        return mean, np.maximum(mean - noise, 0.0), mean + noise

    def score(self, windows: Floats, columns: npt.NDArray[np.intp]) -> Floats:
        """The strongest evidence of any window, in nats, shape (k,); `windows` is seen and due, shape (2, w, k)."""
        nats = deviance(windows[0], windows[1], self.spread[columns], self.doubt[columns])
        return np.where(self.known[columns], nats.max(axis=0), 0.0)

    def _place(self, number: int) -> tuple[int, float]:
        middle = (number + 0.5) * self.tick - 0.5
        hour = int(np.floor(middle))
        return hour, middle - hour

    def _rates(self, hours: npt.NDArray[np.intp], columns: npt.NDArray[np.intp] | slice = slice(None)) -> Floats:
        """Reports per hour at hours of the week, shape (len(hours), k)."""
        reports, exposed = self.reports[:, columns], self.hours[:, columns]
        days = (7, WEEK // 7, -1)
        per_day, day_hours = reports.reshape(days).sum(axis=0), exposed.reshape(days).sum(axis=0)
        mean = self._mean(per_day.sum(axis=0), day_hours.sum(axis=0), columns)
        of_day = (per_day + _DAY_PRIOR) / (day_hours + _DAY_PRIOR / mean)
        of_week = (reports[hours] + _WEEK_PRIOR) / (exposed[hours] + _WEEK_PRIOR / of_day[hours % (WEEK // 7)])
        rates: Floats = np.maximum(of_week, _LEAST_RATE)
        return rates

    def _mean(self, reports: Floats, hours: Floats, columns: npt.NDArray[np.intp] | slice) -> Floats:
        seen, exposed = self.first[:, columns]
        first = (seen + 0.5) / (exposed + 1.0)
        weight = np.minimum(_FIRST_PRIOR / first, _FIRST_HOURS)
        mean: Floats = np.maximum((reports + first * weight) / (hours + weight), _LEAST_RATE)
        return mean

    def _learn_week(self, number: int, seen: Floats, hours: Floats) -> None:
        hour = int((number + 0.5) * self.tick)
        cell = hour % WEEK
        if hour != self.hour:
            self.hour = hour
            self.reports[cell] *= _FADE
            self.hours[cell] *= _FADE
        self.reports[cell] += seen
        self.hours[cell] += hours
        new = self.learned < 1.0
        if new.any():
            self.first += np.where(new, (seen, hours), 0.0)
        self.learned += hours
        self.known = self.learned >= KNOWN_AFTER

    def _learn_level(self, seen: Floats, plain: Floats, sure: npt.NDArray[np.bool_]) -> None:
        fade = np.where(sure, 0.5 ** (self.tick / _LEVEL_LIFE), 1.0)
        self.level_seen = self.level_seen * fade + np.where(sure, seen, 0.0)
        self.level_due = self.level_due * fade + np.where(sure, plain, 0.0)
        self.raw_level = (self.level_seen + _LEVEL_PRIOR) / (self.level_due + _LEVEL_PRIOR)
        self.level = np.clip(self.raw_level, 1 / _LEVEL_MOST, _LEVEL_MOST)

    def _learn_spread(self, seen: Floats, due: Floats, sure: npt.NDArray[np.bool_]) -> None:
        fade = 0.5 ** (self.tick / _NOISE_LIFE)
        self.stray = self.stray * fade + np.where(sure, (seen - due) ** 2, 0.0)
        self.strayed = self.strayed * fade + np.where(sure, due, 0.0)
        spread = (self.stray + _SPREAD * _SPREAD_PRIOR) / (self.strayed + _SPREAD_PRIOR)
        self.spread = np.clip(spread, 1.0, _SPREAD_MOST)
        self.block += np.where(sure, (seen, due), 0.0)

    def _learn_doubt(self) -> None:
        seen, due = self.block
        solid = np.maximum(due, 1e-9)
        error = np.clip(((seen - due) ** 2 - self.spread * due) / solid**2, -1.0, 1.0)
        weight = (_DOUBT * due / (self.spread + _DOUBT * due)) ** 2
        fade = 0.5 ** (0.5 / _NOISE_LIFE)
        self.miss = self.miss * fade + weight * error
        self.missed = self.missed * fade + weight
        self.block = np.zeros_like(self.block)
        doubt = (self.miss + _DOUBT * _DOUBT_PRIOR) / (self.missed + _DOUBT_PRIOR)
        young = np.clip(1.0 - self.learned / GROWN_AFTER, 0.0, 1.0) * _DOUBT_YOUNG
        self.doubt = np.clip(doubt, _DOUBT_LEAST, _DOUBT_MOST) + young
