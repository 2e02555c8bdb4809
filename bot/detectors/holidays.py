"""Which series have a holiday, bucket by bucket."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from bot.core.holidays import Calendar
from bot.detectors.ring import Flags

_REACH = timedelta(minutes=90)  # of the windows of evidence: so long a holiday that is over lies in one
_QUARTER = 900  # seconds; no clock's midnight falls within a quarter of an hour
_REMEMBERED = 8  # quarters


class Holidays:
    """The holidays of n series, by the numbers of buckets; what no calendar knows is a day like any other."""

    def __init__(self, calendars: Sequence[Calendar], tick: timedelta) -> None:
        self._never: Flags = np.zeros(len(calendars), np.bool_)
        self._kept: dict[Calendar, list[int]] = {}
        for column, calendar in enumerate(calendars):
            if calendar.entries:
                self._kept.setdefault(calendar, []).append(column)
        self._seconds = tick.total_seconds()
        self._reach = round(_REACH / tick)
        self._quarters: dict[int, Flags] = {}

    def at(self, number: int) -> Flags:
        """True where a bucket is part of a holiday, shape (n,)."""
        if not self._kept:
            return self._never
        quarter = int((number + 0.5) * self._seconds // _QUARTER)
        if quarter not in self._quarters:
            if len(self._quarters) >= _REMEMBERED:
                self._quarters.clear()
            self._quarters[quarter] = self._on(datetime.fromtimestamp(quarter * _QUARTER, UTC))
        return self._quarters[quarter]

    def near(self, number: int) -> Flags:
        """The same, also where a window of evidence that ends in the bucket still reaches into a holiday."""
        now, before = self.at(number), self.at(number - self._reach)
        return now if now is before else now | before

    def _on(self, at: datetime) -> Flags:
        columns = [column for calendar, those in self._kept.items() if calendar.on(at) for column in those]
        if not columns:
            return self._never
        flags = self._never.copy()
        flags[columns] = True
        return flags
