"""The last echoes of an outage: reports die away for a while after it is over, and are no new trouble."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from bot.detectors.ring import Columns, Flags, Floats, blank, places, some

_LIFE = timedelta(minutes=20)  # in which echoes fade to a third
_LEAST = 0.01  # reports a bucket, below which there is nothing left
_LOUD = 0.1  # times the usual, from which on echoes are too loud to learn from


class Echo:
    """What n series may still bring after a recovery, beyond their usual. It is no evidence, and not part of the usual.

    State, (n,): `rate` reports in the running bucket, `age` buckets since the recovery.
    """

    def __init__(self, series: int, tick: timedelta) -> None:
        self.rate, self.age = blank(series), blank(series)
        self._fade = float(np.exp(-tick / _LIFE))

    def columns(self) -> dict[str, Floats]:
        """Everything remembered, by name; the arrays themselves."""
        return {"rate": self.rate, "age": self.age}

    @property
    def heard(self) -> Columns:
        """The series that are echoing."""
        return places(self.rate)

    def begin(self, which: Flags, rate: Floats) -> None:
        """Some series have recovered while so many reports a bucket beyond the usual still came, shape (n,)."""
        self.rate[which] = rate[which]
        self.age[which] = 0.0

    def pass_on(self) -> None:
        """One more bucket."""
        if not some(self.rate):
            return
        self.rate *= np.float32(self._fade)
        self.rate[self.rate < _LEAST] = 0.0
        self.age[self.rate > 0] += 1.0

    def within(self, widths: Columns | Floats, columns: Columns, part: float = 0.0) -> Floats:
        """What echoes brought in so many of the newest buckets, (w, 1) or (w, k), and in a part of the running one."""
        buckets = np.minimum(widths, self.age[columns])
        brought: Floats = self.rate[columns] * ((self._fade**-buckets - 1.0) / (1.0 - self._fade) + part)
        return brought.astype(np.float32)

    def loud(self, usual: Floats) -> Flags:
        """True where more than a little beyond the usual may come, shape (n,)."""
        loud: Flags = self.rate > _LOUD * usual
        return loud
