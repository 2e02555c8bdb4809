"""What all series have gone through: the recent buckets, the usual learned from them, and what is too hot to learn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import ceil

import numpy as np
import numpy.typing as npt

from bot.detectors.baseline import GROWN_AFTER, Baseline
from bot.detectors.evidence import onset, unknown_usual
from bot.detectors.ring import Columns, Floats, Ring
from bot.detectors.streak import Streak

_HOUR = timedelta(hours=1)
_DELAY = timedelta(minutes=30)  # a bucket is learned when it is so old: time enough to see that it was an outage
_REACH = timedelta(hours=6)  # how far back a start is sought
_MOST_BUCKETS = 1500  # of the reach; a longer window is honoured all the same
_NEW_NORMAL = timedelta(hours=36)  # what has lasted so long is what is usual now
_HOT = 5.0  # nats from which on a bucket is not learned as it stands
_LULL = 1 / 3  # level below which a series is much quieter than its usual
_LIFT, _YOUNG_LIFT = 1.2, 4.0  # times the usual that a hot block may teach, the second while the usual is young


class History:
    """The memory of n series. Buckets are numbered from the epoch; NaN in a row of counts is a gap in the feed.

    A bucket is learned half an hour late. If it turned hot meanwhile, its half hour is cut to a little more than usual:
    an outage hardly moves the usual, yet nothing is ever locked out. What lasts a day and a half is adopted whole.
    """

    def __init__(self, series: int, tick: timedelta, widest: float) -> None:
        self.tick = tick
        self.delay = max(round(_DELAY / tick), 1)
        reach = min(_MOST_BUCKETS, max(ceil(_REACH / tick), self.delay + 1))
        self.ring = Ring(max(reach, ceil(widest)) + 2, series)
        self.base = Baseline(series, tick / _HOUR)
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
        gap = np.full(self.ring.sums.shape[-1], np.nan)
        for _ in range(min(number - self.ring.end, self.ring.size)):
            self.push(gap)
        if number > self.ring.end:
            self.ring.jump(number)

    def push(self, counts: Floats) -> None:
        """Close the running bucket with its counts, shape (n,), and learn the one that has come of age."""
        heard = ~np.isnan(counts)
        self.ring.push(np.where(heard, (counts, *self.base.due(self.ring.end)), 0.0))
        if self.ring.depth > self.delay:
            self._learn()

    def windows(self, widths: Floats, columns: Columns, fresh: Floats, part: float) -> Floats:
        """Seen and due, shape (2, w, k), in windows that end now: the running bucket holds `fresh` after `part` of it."""
        windows = self.ring.window(np.maximum(widths - part, 0.0), columns)
        windows[0] += fresh
        if part:
            windows[1] += self.base.due(self.ring.end)[0, columns] * part
        return windows

    def note(self, score: Floats) -> None:
        """Keep track of what is hot (score in nats, shape (n,)) or much too quiet; adopt what has lasted as the usual."""
        self.heat.note(score > _HOT)
        self.lull.note(self.base.known & (self.base.raw_level < _LULL))
        lasting = _NEW_NORMAL / self.tick
        stale = (self.heat.age >= lasting) | (self.lull.age >= lasting)
        if stale.any():
            self._adopt(stale)

    def onset(self, column: int, fresh: float, part: float, grace: int) -> datetime:
        """When the present excess of one series began, as far back as is remembered; the running bucket included."""
        depth = min(self.ring.depth, ceil(_REACH / self.tick))
        seen, due, _ = np.diff(self.ring.history(depth, column), axis=1)
        seen, due = np.append(seen, fresh), np.append(due, self.base.due(self.ring.end)[0, column] * part)
        if not self.base.known[column]:
            due = unknown_usual(seen, due)
        return self.time(self.ring.end - depth + onset(seen, due, float(self.base.spread[column]), grace))

    def columns(self) -> dict[str, Floats]:
        """Everything learned, by name; the arrays themselves, not copies."""
        parts = {"base": self.base.columns(), "heat": self.heat.columns(), "lull": self.lull.columns()}
        return {f"{part}.{name}": array for part, columns in parts.items() for name, array in columns.items()}

    def _learn(self) -> None:
        block_seen, block_due, _ = self.ring.last(self.delay + 1)
        lift = np.where(self.base.learned < GROWN_AFTER, _YOUNG_LIFT, _LIFT)
        most = lift * block_due + 2 * np.sqrt(np.maximum(block_due, 0.0)) + 0.5
        hot = self.heat.recent
        bucket = self.ring.last(1, skip=self.delay)
        bucket[0] *= np.where(hot & (block_seen > most), most / np.maximum(block_seen, 1.0), 1.0)
        number = self.ring.end - self.delay - 1
        self.base.learn(number, bucket, ~hot, block=number % self.delay == 0)

    def _adopt(self, stale: npt.NDArray[np.bool_]) -> None:
        """Scale the usual to the last hours, and the remembered expectations with it. Silence is never a usual."""
        seen, due, _ = self.ring.last(self.ring.depth)
        factor = np.clip((seen + 5) / (due + 5), 0.1, 1e3)
        self.base.adopt(stale & (seen > 0), factor)
        self.ring.rescale(stale & (seen > 0), factor)
        self.heat.end(stale)
        self.lull.end(stale)
