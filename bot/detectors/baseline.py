"""What is usual: reports by hour of the week, and a slow level on top.

All state is columns of float32 whose last axis is the series. Rates are reports per hour. `known` is True for the series
that have about a day of history.
"""

from __future__ import annotations

from functools import reduce
from math import floor

import numpy as np

from bot.detectors.holidays import Holidays
from bot.detectors.noise import Noise
from bot.detectors.ring import ONE, ZERO, Columns, Flags, Floats, blank, blocks, clipped, fixed, some

WEEK, DAY = 168, 24
KNOWN_AFTER = fixed(23.4)
"""Hours of learned buckets from which on a usual is known: a day, less the delay of learning."""
GROWN_AFTER = fixed(120.0)
"""Hours of learned buckets after which the shape of a day is trusted."""

_FADE = 0.85  # a cell of the week is worth this part of itself a week later
_WEEK_PRIOR, _DAY_PRIOR, _FIRST_PRIOR = 25.0, 10.0, 10.0  # pseudo reports that tie each rate to the coarser one
_WEEKDAY_PRIOR = 30.0  # the same of a whole day of the week
_WANDER = 2.0  # times the doubt by which large counts tie an hour of the week more strongly
_FIRST_HOURS = 6.0  # the first hour weighs at most like so many hours
_LEVEL_PRIOR, _LEVEL_LIFE = fixed(20.0), 4.0  # pseudo reports, and half-life in hours, of the level
_LEVEL_LEAST, _LEVEL_MOST = fixed(1 / 3), fixed(3.0)
_LEAST_RATE = 0.03  # reports per hour: nothing is ever quite impossible
_POOL_UNTIL = 336.0  # hours until which a series leans on the daily shape of the others
_POOL_WEIGHT, _POOL_PRIOR = 200.0, 100.0  # reports of one series that count for the pool, and of a flat day beside them
_OLDEST = fixed(4096.0)  # hours of age that are told apart
_BACKLOG = fixed(1.5)  # times the usual due in one bucket: it brought what a gap had kept back
_COLUMNS = ("reports", "hours", "learned", "first", "level_seen", "level_due", "rates", "festive", "level_before")


class Baseline:
    """The usual of n series, learned bucket by bucket.

    A rate is the mean of its hour of the week, drawn to that of its hour of the day times that of its day of the week,
    and these to the overall mean, as if some reports had been seen there (gamma-Poisson shrinkage): a quiet or a
    wandering series leans on the coarser figure, and a young one on the shape that the day has for all.

    State: `reports` and `hours` (168, n) by hour of the week; `first` (2, n), the same of the first hour; `level_seen`
    and `level_due`, faded; `rates` (3, n) of the last hour, this and the next; `festive` 1.0 in a holiday, and
    `level_before` (2, n) what the level was made of when it began.
    """

    def __init__(self, series: int, tick: float, holidays: Holidays) -> None:
        self.tick = tick  # hours
        self._hours, self._fade = fixed(tick), fixed(0.5 ** (tick / _LEVEL_LIFE))
        self.holidays = holidays
        self.reports, self.hours = blank(WEEK, series), blank(WEEK, series)
        self.learned, self.level_seen, self.level_due = (blank(series) for _ in range(3))
        self.first = blank(2, series)
        self.festive, self.level_before = blank(series), blank(2, series)
        self.noise = Noise(series)
        self.hour = self.rates_hour = -1
        self.pool: Floats = np.ones(DAY, np.float32)
        self.rates: Floats = self._rates(np.zeros(3, np.intp))
        self.refresh()

    def columns(self) -> dict[str, Floats]:
        """Everything learned, by name; the arrays themselves, not copies."""
        return {name: getattr(self, name) for name in _COLUMNS} | self.noise.columns()

    def refresh(self) -> None:
        """Work out what follows from the columns, after they were written from outside."""
        self.known: Flags = self.learned >= KNOWN_AFTER
        self._refresh_level()
        self.noise.refresh()

    def due(self, number: int) -> Floats:
        """The usual count of a bucket, by its number from the epoch, shape (n,), above 0."""
        hour, part = self._place(number)
        if self.rates_hour != hour:
            self._turn(hour)
        usual: Floats = self._between(self.rates[1], self.rates[2], part) * self._level_at(number)
        return usual

    def learn(self, number: int, seen: Floats, due: Floats, calm: Flags) -> None:
        """Take in the bucket of a number: what was seen in it and due, shape (n,).

        Where nothing was due there was a gap, and nothing is learned. Where it was not `calm` the level stays, so that
        what is cut from an outage is not cut by less and less. A holiday teaches a known usual nothing but a level of its
        own, which ends with it.
        """
        festive = self.holidays.at(number)
        self._turn_level(festive)
        heard = due > ZERO
        plain = self._plain(number)
        expected = plain * self.level
        share = np.where(due > _BACKLOG * expected, due / expected, ONE) * heard
        if some(festive):
            ordinary = ~(festive & self.known)
            self._learn_week(number, seen * ordinary, share * ordinary * self._hours)
            sure = heard & self.known & ordinary
        else:
            self._learn_week(number, seen, share * self._hours)
            sure = heard & self.known
        self._learn_level(seen, plain * share, heard & calm)
        self.noise.learn(seen, due, sure, self.tick)

    def end_block(self) -> None:
        """End a block of half an hour, over which the error of the expectation itself is measured."""
        self.noise.end_block(clipped(1.0 - self.learned / GROWN_AFTER, 0.0, 1.0))

    def adopt(self, which: Flags, factor: Floats) -> None:
        """Call a lasting change the new usual: multiply the usual of some series, which takes in their level."""
        factor = np.where(which, factor * self.level, 1.0).astype(np.float32)
        self.reports *= factor
        self.first[0] *= factor
        self.level_seen[which] = self.level_due[which] = 0.0
        self.rates_hour = -1
        self.refresh()

    def teach(self, rates: Floats) -> None:
        """Know a flat usual, reports per hour, shape (n,), as if it had been heard for long."""
        self.hours[:] = 5.0
        self.reports[:] = rates * self.hours
        self.learned[:] = _OLDEST
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
        level = float(self._level_at(first + n - 1)[column])
        mean = self._between(rates[hour % WEEK], rates[(hour + 1) % WEEK], middle - hour) * level
        spread, doubt = float(self.noise.spread[column]), float(self.noise.doubt[column])
        noise = 2 * np.sqrt(spread * mean + doubt * mean**2)
        return mean, np.maximum(mean - noise, 0.0), mean + noise

    def _place(self, number: int) -> tuple[int, float]:
        middle = (number + 0.5) * self.tick - 0.5
        hour = floor(middle)
        return hour, middle - hour

    def _between(self, early: Floats, late: Floats, part: float | Floats) -> Floats:
        usual: Floats = (early + (late - early) * part) * self.tick
        return usual

    def _turn(self, hour: int) -> None:
        """Go to another hour: the rates of the one before stay as they were told then."""
        self._repool()
        first = 0
        if hour == self.rates_hour + 1:
            self.rates[:2] = self.rates[1:]
            first = 2
        hours = np.arange(hour - 1 + first, hour + 2) % WEEK
        for part in blocks(len(self.learned)):
            self.rates[first:, part] = self._rates(hours, part)
        self.rates_hour = hour

    def _plain(self, number: int) -> Floats:
        """What was due in a bucket of about half an hour ago, before the level."""
        hour, part = self._place(number)
        at = hour - self.rates_hour + 1
        if 0 <= at <= 1:
            return self._between(self.rates[at], self.rates[at + 1], part)
        early, late = self._rates(np.array([hour, hour + 1]) % WEEK)
        return self._between(early, late, part)

    def _rates(self, hours: Columns, columns: Columns | slice = slice(None)) -> Floats:
        """Reports per hour at hours of the week, shape (len(hours), k)."""
        reports, exposed = (table[:, columns].reshape(7, DAY, -1) for table in (self.reports, self.hours))
        daily = self._daily(reports.sum(axis=0), exposed.sum(axis=0), columns)
        day, hour = hours // DAY, hours % DAY
        coarse = daily[hour] * _weekday(reports[day], exposed[day], daily)
        # An hour of large counts is known no better than its few weeks wandered: the doubt ties it to the coarser figure.
        tie = _WEEK_PRIOR * (1.0 + _WANDER * self.noise.learned[columns] * coarse / self.noise.spread[columns])
        weekly = (reports[day, hour] + tie) / (exposed[day, hour] + tie / coarse)
        rates: Floats = np.maximum(weekly, _LEAST_RATE)
        return rates

    def _daily(self, reports: Floats, hours: Floats, columns: Columns | slice) -> Floats:
        """Reports per hour at each hour of the day, shape (24, k), from the sums of the same shape."""
        mean = self._mean(reports.sum(axis=0), hours.sum(axis=0), columns)
        young = clipped(1.0 - self.learned[columns] / _POOL_UNTIL, 0.0, 1.0)
        usual = mean * (1.0 + (self.pool[:, None] - 1.0) * young) if some(young) else mean
        daily: Floats = (reports + _DAY_PRIOR) / (hours + _DAY_PRIOR / usual)
        return daily

    def _mean(self, reports: Floats, hours: Floats, columns: Columns | slice) -> Floats:
        seen, exposed = self.first[:, columns]
        first = (seen + 0.5) / (exposed + 1.0)
        weight = np.minimum(_FIRST_PRIOR / first, _FIRST_HOURS)
        mean: Floats = np.maximum((reports + first * weight) / (hours + weight), _LEAST_RATE)
        return mean

    def _repool(self) -> None:
        """The shape of the day, mean 1, that all known series share; the large ones count no more than others."""
        if not some((self.learned < _POOL_UNTIL) & self.known):
            return
        reports, hours = (table[:, self.known].reshape(7, DAY, -1).sum(axis=0) for table in (self.reports, self.hours))
        total, exposed = reports.sum(axis=0), hours.sum(axis=0)
        weight = np.minimum(_POOL_WEIGHT / np.maximum(total, 1.0), 1.0)
        due = hours * (total / np.maximum(exposed, 1e-6)) * weight
        shape = ((reports * weight).sum(axis=1) + _POOL_PRIOR / DAY) / (due.sum(axis=1) + _POOL_PRIOR / DAY)
        self.pool = (shape / shape.mean()).astype(np.float32)

    def _learn_week(self, number: int, seen: Floats, hours: Floats) -> None:
        hour = int((number + 0.5) * self.tick)
        cell = hour % WEEK
        if hour != self.hour:
            self.hour = hour
            self.reports[cell] *= _FADE
            self.hours[cell] *= _FADE
        self.reports[cell] += seen
        self.hours[cell] += hours
        new = self.learned < ONE
        if some(new):
            self.first += np.where(new, (seen, hours), 0.0)
        self.learned += hours
        np.minimum(self.learned, _OLDEST, out=self.learned)
        self.known = self.learned >= KNOWN_AFTER

    def _turn_level(self, festive: Flags) -> None:
        """Where a holiday begins the level is set aside, and where it ends that is the level again."""
        if not some(festive) and not some(self.festive):
            return
        began, over = festive & (self.festive == 0), ~festive & (self.festive > 0)
        self.level_before[:, began] = self.level_seen[began], self.level_due[began]
        self.level_seen[over], self.level_due[over] = self.level_before[:, over]
        self.festive[:] = festive
        self._refresh_level()

    def _level_at(self, number: int) -> Floats:
        """The level of a bucket: what is learned half an hour late may still be a holiday when that is over."""
        if not some(self.festive):
            return self.level
        over = (self.festive > 0) & ~self.holidays.at(number)
        before = clipped(_level(*self.level_before), _LEVEL_LEAST, _LEVEL_MOST)
        return np.where(over, before, self.level)

    def _learn_level(self, seen: Floats, plain: Floats, sure: Flags) -> None:
        fade = np.where(sure, self._fade, ONE)
        self.level_seen *= fade
        np.add(self.level_seen, seen, out=self.level_seen, where=sure)
        self.level_due *= fade
        np.add(self.level_due, plain, out=self.level_due, where=sure)
        self._refresh_level()

    def _refresh_level(self) -> None:
        self.raw_level: Floats = _level(self.level_seen, self.level_due)
        self.level: Floats = clipped(self.raw_level, _LEVEL_LEAST, _LEVEL_MOST)


def _level(seen: Floats, due: Floats) -> Floats:
    level: Floats = (seen + _LEVEL_PRIOR) / (due + _LEVEL_PRIOR)
    return level


def _weekday(reports: Floats, hours: Floats, daily: Floats) -> Floats:
    """How much more comes on some days than the rates of the hours of a day, (24, k), tell; all (days, 24, k) to (days, k)."""
    # Added hour by hour, in the same order however many series there are: one more must change nothing for the others.
    seen, due = (reduce(np.add, table.swapaxes(0, 1)) for table in (reports, hours * daily))
    factor: Floats = (seen + _WEEKDAY_PRIOR) / (due + _WEEKDAY_PRIOR)
    return factor
