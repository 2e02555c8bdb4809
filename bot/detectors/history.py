"""What all series have gone through: the recent buckets, the usual learned from them, and what is too hot to learn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil

import numpy as np

from bot.core.holidays import Calendar
from bot.core.model import Between
from bot.detectors.baseline import GROWN_AFTER, Baseline
from bot.detectors.echo import Echo
from bot.detectors.evidence import unknown_usual
from bot.detectors.gap import Gap
from bot.detectors.holidays import Holidays
from bot.detectors.onset import onset
from bot.detectors.ring import ONE, ZERO, Columns, Flags, Floats, Memory, Ring, clipped, fixed, named, some
from bot.detectors.streak import Streak
from bot.detectors.verdict import Start

_HOUR = timedelta(hours=1)
_DELAY = timedelta(minutes=30)  # a bucket is learned when it is so old: time enough to see that it was an outage
_REACH = timedelta(hours=4.5)  # how far back a start is sought
_NEW_NORMAL = timedelta(hours=36)  # what has lasted so long is what is usual now
_HOT = fixed(4.5)  # nats from which on a bucket is not learned as it stands
_LULL = fixed(1 / 3)  # level below which a series is much quieter than its usual
_LIFT = fixed(1.2)  # times the usual that a hot block may teach
_YOUNG_LIFT = fixed(4.0)  # the same while the usual is young
_MOST_BUCKETS = 1200  # of the reach; a longer window is honoured all the same


class History:
    """The memory of n series. Buckets are numbered from the epoch; NaN in a row of counts is a gap in the feed.

    A bucket is learned half an hour late. If it turned hot meanwhile, its half hour is cut to a little more than usual:
    an outage hardly moves the usual, yet nothing is ever locked out. What lasts a day and a half is adopted whole.
    """

    def __init__(self, tick: timedelta, widest: float, calendars: Sequence[Calendar]) -> None:
        series = len(calendars)
        self.tick = tick
        self.holidays = Holidays(calendars, tick)
        self.delay = max(round(_DELAY / tick), 1)
        self._lasting = fixed(_NEW_NORMAL / tick)
        reach = min(_MOST_BUCKETS, max(ceil(_REACH / tick), self.delay + 1))
        self.ring = Ring(max(reach, ceil(widest)) + 2, series)
        self.base = Baseline(series, tick / _HOUR, self.holidays)
        self.gap = Gap(series, tick)
        self.echo = Echo(series, tick)
        self.heat, self.lull = Streak(series, self.delay), Streak(series, 0)

    def number(self, at: datetime) -> int:
        """The number of the bucket that begins at a time."""
        return round(at.timestamp() / self.tick.total_seconds())

    def time(self, number: int) -> datetime:
        """When a bucket begins, UTC."""
        return datetime.fromtimestamp(number * self.tick.total_seconds(), UTC)

    def passed(self, now: datetime) -> float:
        """The part of the running bucket that has passed, 0 to 1."""
        if not self.ring.end:
            return 0.0
        return min(max((now - self.time(self.ring.end)) / self.tick, 0.0), 1.0)

    def skip_to(self, number: int) -> None:
        """Make a later bucket the running one; all between are gaps of all series."""
        if not self.ring.end:
            self.ring.end = number
        for _ in range(min(number - self.ring.end, self.ring.size)):
            self.push(np.full(self.ring.sums.shape[-1], np.nan, np.float32))
        if number > self.ring.end:
            self.ring.jump(number)

    def push(self, counts: Floats) -> None:
        """Close the running bucket with its counts, shape (n,), and learn the one that has come of age."""
        heard = ~np.isnan(counts)
        seen = np.where(heard, counts, ZERO)
        due = self.gap.note(seen, self.base.due(self.ring.end), heard, self.holidays.at(self.ring.end))
        self.ring.push(seen, due)
        self.echo.pass_on()
        if self.ring.depth > self.delay:
            self._learn()
        self.look_out()

    def look_out(self) -> None:
        """See who has a holiday now, or had one that windows of evidence still reach into."""
        self.base.noise.mark(self.holidays.near(self.ring.end))

    def running(self, columns: Columns, fresh: Floats, part: float) -> Floats:
        """What was due in the part of the running bucket that has passed, shape (k,); what a gap kept back included."""
        due = self.base.due(self.ring.end)
        if some(self.gap.owed):
            seen = np.zeros_like(due)
            seen[columns] = fresh
            return (due * part + self.gap.allow(seen, due * part))[columns]
        return due[columns] * part

    def note(self, score: Floats, trouble: Flags) -> None:
        """Keep track of what is hot (score in nats, shape (n,)) or much too quiet; adopt what has lasted as the usual."""
        hot = (score > _HOT) | trouble
        if some(self.echo.rate):
            hot |= self.echo.loud(self.base.due(self.ring.end - 1))
        self.heat.note(hot)
        self.lull.note(self.base.known & (self.base.raw_level < _LULL))
        stale = (self.heat.age >= self._lasting) | (self.lull.age >= self._lasting)
        if some(stale) and some(lasted := stale & ~self.holidays.at(self.ring.end) & (self.base.festive == 0)):
            self._adopt(lasted)

    def onset(self, column: int, fresh: float, part: float, grace: int) -> Start:
        """When the present excess of one series began, as far back as is remembered; the running bucket included.

        What came in that may have come at once, and is held against a whole bucket: no start is sought within one.
        """
        depth = min(self.ring.depth, max(ceil(_REACH / self.tick), grace))
        sums = self.ring.history(depth, column)
        buckets: Floats = np.empty((2, depth + 1), np.float64)
        np.subtract(sums[:, 1:], sums[:, :-1], out=buckets[:, :-1], dtype=np.float64)
        buckets[:, -1] = fresh, self.base.due(self.ring.end)[column] * (1.0 if fresh else part)
        seen, due = buckets
        if not self.base.known[column]:
            due = unknown_usual(seen, due)
        found = onset(seen, due, float(self.base.noise.spread[column]), grace)
        best, early, late = (self.time(self.ring.end - depth + place) for place in found)
        return Start(best, Between(early=early, late=late))

    def revise(self, column: int, number: int, count: float) -> None:
        """Give a closed bucket of one series another count (NaN: it was a gap); if it is not learned yet, it will be."""
        if not self.ring.end - self.ring.depth <= number < self.ring.end:
            return
        gap = bool(np.isnan(count))
        seen, due = self.ring.bucket(number, column)
        if gap is (due == 0) and (gap or seen == count):
            return
        if gap or not due:
            due = 0.0 if gap else float(self.base.due(self.ring.end)[column])
            self.gap.owed[column] = max(self.gap.owed[column] - due, 0.0)
        self.ring.correct(number, column, 0.0 if gap else count, due)
        if count > 0:
            self.gap.missing[column] = 0.0
            self.gap.unheard[:] = 0.0

    def columns(self) -> dict[str, Floats]:
        """Everything learned, by name; the arrays themselves, not copies."""
        parts: dict[str, Memory] = {
            "base": self.base,
            "heat": self.heat,
            "lull": self.lull,
            "gap": self.gap,
            "echo": self.echo,
        }
        return named(parts) | {"floor": self.ring.floor}

    def _learn(self) -> None:
        base, hot = self.base, self.heat.recent
        number = self.ring.end - self.delay - 1
        seen, due = self.ring.last(1, skip=self.delay)
        if some(hot):
            seen = seen * self._cut(hot)
        dead = self.gap.dead(base.noise.spread, base.noise.doubt)
        if some(dead):
            due = np.where(dead & (self.gap.missing > 0) & (seen == 0) & base.known, ZERO, due)
        base.learn(number, seen, due, ~hot)
        if number % self.delay == 0:
            base.end_block()

    def _cut(self, hot: Flags) -> Floats:
        """The part of the bucket that comes of age that may be learned, by how hot its half hour was."""
        seen, due = self.ring.last(self.delay + 1)
        lift = np.where(self.base.learned < GROWN_AFTER, _YOUNG_LIFT, _LIFT)
        most = lift * due + 2 * np.sqrt(np.maximum(due, ZERO)) + 0.5
        return np.where(hot & (seen > most), most / np.maximum(seen, ONE), ONE)

    def _adopt(self, stale: Flags) -> None:
        """Scale the usual to the last hours, and the remembered expectations with it. Silence is never a usual."""
        seen, due = self.ring.last(self.ring.depth)
        factor = clipped((seen + 5) / (due + 5), 0.1, 1e3)
        self.base.adopt(stale & (seen > 0), factor)
        self.ring.rescale(stale & (seen > 0), factor)
        self.heat.end(stale)
        self.lull.end(stale)
