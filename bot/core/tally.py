"""What has been counted: per service and bucket, and per region, platform and symptom.

A bucket is a whole number: its start in Unix seconds divided by the tally's width. Counting is a fold: the same reports
and windows give the same numbers in any order, and a window sent again takes the place of the former one.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.core.hours import HOUR, Hour, spread
from bot.core.reports import Cell, Kept, Sheet, Window
from bot.core.series import Series, key
from bot.core.trust import Doubt
from bot.core.voices import Voices

_FED = 7 * 86_400.0
"""Seconds that the silence of whoever gave ready-made counts is a gap; a weekend is no end, and a week is one."""


class Tally:
    """The numbers of the recent past, and who was heard for them.

    Totals are kept for `keep` (whole hours of it), cells per bucket for `keep_cells`, cells per hour as long as totals.
    """

    def __init__(
        self,
        *,
        width: timedelta = timedelta(minutes=1),
        voice: Mapping[str, timedelta] | None = None,
        one_voice: timedelta = timedelta(minutes=30),
        keep: timedelta = timedelta(hours=26),
        keep_cells: timedelta = timedelta(hours=6),
    ) -> None:
        self.width = width.total_seconds()
        self.voices = Voices(voice or {}, one_voice)
        self._moved: dict[str, int] = {}
        self._keep = keep.total_seconds()
        self._keep_cells = keep_cells.total_seconds()
        self._series: defaultdict[str, Series] = defaultdict(Series)
        self._unkept: defaultdict[int, set[str]] = defaultdict(set)
        self._newest = -math.inf
        self._forgotten: int | None = None
        self._attached: frozenset[str] = frozenset()

    def blank(self) -> Tally:
        """An empty one that keeps as much, to count the same again."""
        tally = Tally(width=timedelta(seconds=self.width))
        tally._keep, tally._keep_cells = self._keep, self._keep_cells
        return tally

    def bucket(self, at: datetime) -> int:
        """The bucket that a moment falls into."""
        return int(at.timestamp() // self.width)

    def start(self, bucket: int) -> datetime:
        """When a bucket begins, UTC."""
        return datetime.fromtimestamp(bucket * self.width, UTC)

    def hold(self, sheet: Sheet) -> Sequence[int]:
        """Before reports are written: mark them as heard; answers the places of those that are new, and count."""
        return self.voices.sift(sheet)

    def release(self, reports: Iterable[Kept]) -> None:
        """The write failed: as if these had never been held."""
        self.voices.release(reports)

    def count(self, reports: Iterable[Kept], *, back: bool = False) -> None:
        """Count reports that were held and are now durable; with `back`, take back what was counted."""
        sheet = Sheet.of(reports)
        sign = 0 if sheet.mute else -1 if back else 1
        for (which, bucket), number in self._numbers(sheet).items():
            service, cell = sheet.kinds[which]
            series, hour, by = self._series[service], self._hour(bucket), sign * number
            if not by:
                continue
            series.add(bucket, hour, cell, by)
            self._newest = max(self._newest, bucket)
            if sheet.weight < 1.0:
                series.doubt(bucket, sheet.door, by, sheet.weight)
            self._touch(service, bucket, hour)

    def place(self, windows: Iterable[Window]) -> None:
        """Count ready-made windows, each spread evenly over the buckets that it touches."""
        shares: dict[tuple[float, float], list[tuple[int, int, float]]] = {}
        for window in windows:
            span = window.since, window.until
            if span not in shares:
                shares[span] = [(bucket, self._hour(bucket), share) for bucket, share in spread(*span, self.width)]
                self._newest = max(self._newest, shares[span][-1][0])
            series, which = self._series[window.service], key(window)
            series.fed_at = max(series.fed_at, window.until)
            for bucket, hour, share in shares[span]:
                series.put(bucket, which, (window.count * share, window.reporters * share))
                self._touch(window.service, bucket, hour)

    def feed(self, service: str, at: float = math.inf) -> None:
        """Know from elsewhere that a service had ready-made counts up to then (Unix seconds), or always has."""
        self._series[service].fed_at = max(self._series[service].fed_at, at)

    def attach(self, services: Collection[str]) -> None:
        """Know which services have a feed of ours: once it gave anything, its silence is a gap however long it lasts."""
        self._attached = frozenset(services)

    def starve(self, service: str, at: float) -> None:
        """Nobody gives ready-made counts of a service any more since then; if they went on all the same, they count."""
        self._series[service].ended = at

    def services(self) -> list[str]:
        """Those of which anything was ever heard, as far as is known here."""
        return list(self._series)

    def total(self, service: str, bucket: int) -> float | None:
        """How many reports fell into a bucket; None for a gap: a feed that gives ready-made counts gave none for it."""
        return self._total(service, bucket)

    def totals(self, service: str, first: int, last: int) -> list[float | None]:
        """The totals of buckets first to last, both included."""
        return [self.total(service, bucket) for bucket in range(first, last + 1)]

    def waits(self, service: str, bucket: int) -> bool:
        """True when silence in a bucket is a gap: somebody who gave ready-made counts is waited for."""
        return service in self._series and self._waits(service, bucket)

    def people(self, service: str, bucket: int) -> float | None:
        """Like `total`, but distinct reporters where a ready-made count says how many they were."""
        return self._total(service, bucket, people=True)

    def everybody(self, services: Iterable[str], bucket: int) -> dict[str, float | None]:
        """`people` of many services."""
        return {service: self._total(service, bucket, people=True) for service in services}

    def heard(self, services: Iterable[str], bucket: int) -> dict[str, float]:
        """`people` of those of many services for whom anything was counted; of most there is nothing in a moment."""
        if bucket > self._newest:
            return {}
        known = ((service, self._series.get(service)) for service in services)
        return {
            service: number for service, series in known if series and (number := series.total(bucket, people=True))
        }

    def placed(self, service: str) -> bool:
        """True once anybody said of a service where, on what or what it is: without that its cells tell nothing."""
        return service in self._series and self._series[service].placed

    def cells(self, service: str, first: int, last: int) -> dict[Cell, float]:
        """What fell into buckets first to last, both included, by region, platform and symptom."""
        if service not in self._series:
            return {}
        series = self._series[service]
        return series.at(first) if first == last else series.among(range(first, last + 1))

    def doubts(self, service: str, first: int, last: int) -> list[Doubt]:
        """The voices in buckets first to last, both included, that weigh less than one, by where they were raised."""
        if service not in self._series:
            return []
        return self._series[service].doubted(range(first, last + 1))

    def drain(self) -> dict[str, int]:
        """The services whose numbers moved since this was last asked, each with the earliest bucket that did."""
        moved, self._moved = self._moved, {}
        return moved

    def unkept(self) -> list[Hour]:
        """The hours that changed since they were last taken for the archive."""
        changed, self._unkept = self._unkept, defaultdict(set)
        rows = sorted((service, number) for number, services in changed.items() for service in services)
        return [self.hour(service, number) for service, number in rows]

    def keep_again(self, hours: Iterable[Hour]) -> None:
        """These could not be archived; hand them out once more."""
        for hour in hours:
            self._unkept[hour.number].add(hour.service)

    def hour(self, service: str, number: int) -> Hour:
        """One hour of one service as the archive keeps it."""
        series, width = self._series[service], self.width
        buckets = range(math.ceil(number * HOUR / width), math.ceil((number + 1) * HOUR / width))
        windows = any(bucket in series.windows for bucket in buckets)
        counted = [bucket for bucket in buckets if bucket in series.spoken or bucket in series.windows]
        return Hour(
            service=service,
            number=number,
            width=width,
            fed=self._waits(service, buckets.start),
            windows=windows,
            totals={bucket * width - number * HOUR: series.total(bucket) or 0.0 for bucket in counted},
            people={bucket * width - number * HOUR: series.total(bucket, people=True) or 0.0 for bucket in counted},
            cells=series.hour(number, counted),
        )

    def horizon(self, now: float) -> float:
        """Where the numbers begin: the start of the oldest whole hour kept, in Unix seconds."""
        return (now - self._keep) // HOUR * HOUR

    def adopt(self, other: Tally, horizon: float) -> int:
        """Take the numbers of another tally that counted the same again; answers how many hours differed.

        Only hours from `horizon` on (Unix seconds) are compared; those that differ are due for the archive.
        """
        hours = {(service, hour) for service, hour in (*self._hours(), *other._hours()) if hour * HOUR >= horizon}
        other._attached = self._attached
        for service, series in self._series.items():
            other.feed(service, series.fed_at)
            other.starve(service, series.ended)
        differing = {key for key in hours if self.hour(*key) != other.hour(*key)}
        for service, hour in differing:
            bucket = math.ceil(hour * HOUR / self.width)
            self._touch(service, bucket, self._hour(bucket))
        self._series, self._newest = other._series, max(self._newest, other._newest)
        return len(differing)

    def forget(self, now: float) -> None:
        """Let go of what is older than is kept; does its work once an hour. `now` in Unix seconds.

        An hour before the horizon is never handed to the archive: what is known of it here may be a part.
        """
        self.voices.forget(now)
        hour = int(now // HOUR)
        if hour == self._forgotten:
            return
        self._forgotten = hour
        oldest = self.horizon(now)
        for past in [hour for hour in self._unkept if hour * HOUR < oldest]:
            del self._unkept[past]
        for series in self._series.values():
            series.forget(oldest / self.width, (now - self._keep_cells) / self.width, oldest / HOUR)

    def _numbers(self, sheet: Sheet) -> Mapping[tuple[int, int], int]:
        """How many reports there are of each kind in each bucket."""
        buckets = [int(at // self.width) for at in sheet.at]
        if len(buckets) == 1:
            return {(which, buckets[0]): number for which, number in Counter(sheet.which).items()}
        return Counter(zip(sheet.which, buckets, strict=True))

    def _hours(self) -> set[tuple[str, int]]:
        return {
            (service, self._hour(bucket))
            for service, series in self._series.items()
            for bucket in (*series.spoken, *series.windows)
        }

    def _hour(self, bucket: int) -> int:
        return int(bucket * self.width // HOUR)

    def _total(self, service: str, bucket: int, *, people: bool = False) -> float | None:
        series = self._series.get(service)
        if series is None:
            return 0.0
        found = series.total(bucket, people=people)
        return 0.0 if found is None and not self._waits(service, bucket) else found

    def _waits(self, service: str, bucket: int) -> bool:
        series, start = self._series[service], bucket * self.width
        if series.fed_at <= series.ended <= start:
            return False
        attached = service in self._attached and series.fed_at > -math.inf
        return attached or start < series.fed_at + _FED

    def _touch(self, service: str, bucket: int, hour: int) -> None:
        if bucket < self._moved.get(service, math.inf):
            self._moved[service] = bucket
        self._unkept[hour].add(service)
