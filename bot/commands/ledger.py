"""What a replay writes down of every bucket: the rows of `--scores`, and the pictures of `--plot`."""

from __future__ import annotations

import csv
import math
from array import array
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TextIO

from bot.app import House
from bot.core.heading import tone
from bot.core.model import Incident, Picture, Policy, Span
from bot.core.printing import moment
from bot.detectors.surge import Row

_HEADER = ("at", "service", "count", "usual", "score", "level", "open", "rarity")
_POINTS = 800  # of one picture, at most
_STEPS = [timedelta(minutes=n) for n in (1, 5, 15, 30, 60, 180, 360, 1440)]


class Ledger:
    """Hears of every bucket that was closed; `scores` is an open file, `pictured` whether pictures are wanted."""

    def __init__(self, house: House, scores: TextIO | None, *, pictured: bool) -> None:
        self._house = house
        self._rows = csv.writer(scores, lineterminator="\n") if scores else None
        self._columns = {service: _Column() for service in house.services} if pictured else {}
        self._start: datetime | None = None
        if self._rows:
            self._rows.writerow(_HEADER)

    async def closed(self, at: datetime) -> None:
        """Write down the bucket that began at this time."""
        self._start = self._start or at
        if not (self._rows or self._columns):
            return
        when = moment(at)
        for service, row in self._house.engine.surge.score_rows().items():
            if self._rows:
                self._rows.writerow(self._line(when, service, row))
            if self._columns:
                self._columns[service].add(row)

    def _line(self, when: str | None, service: str, row: Row) -> tuple[object, ...]:
        incident = self._house.engine.cases[service].incident
        alive = int(incident is not None and incident.alive)
        seen, usual = _cell(row.seen), _cell(row.usual)
        return (when, service, seen, usual, _cell(row.score), row.level, alive, _cell(row.rarity))

    def pictures(self, incidents: Sequence[Incident]) -> list[Picture]:
        """A picture for each service, those with incidents first."""
        spans = {service: [i for i in incidents if i.service == service] for service in self._columns}
        order = sorted(self._columns, key=lambda service: (not spans[service], service))
        return [self._picture(service, spans[service]) for service in order]

    def _picture(self, service: str, incidents: Sequence[Incident]) -> Picture:
        known, column, tick = self._house.services[service], self._columns[service], self._house.engine.tick
        size = _size(len(column.seen), tick)
        usual = _summed(column.usual, size)
        return Picture(
            service=service,
            name=known.name,
            start=self._start or self._house.clock.now(),
            step=size * tick,
            counts=tuple(_summed(column.seen, size)),
            usual=tuple(usual),
            low=tuple(_noisy(value, -2) for value in usual),
            high=tuple(_noisy(value, 2) for value in usual),
            spans=tuple(_span(incident, known.policy) for incident in incidents),
        )


class _Column:
    """The counts and the usual of one service; NaN is not known."""

    def __init__(self) -> None:
        self.seen, self.usual = array("d"), array("d")

    def add(self, row: Row) -> None:
        self.seen.append(math.nan if row.seen is None else row.seen)
        self.usual.append(math.nan if row.usual is None else row.usual)


def _cell(value: float | None) -> str:
    """A number without an exponent, rounded to what can matter; nothing for what is not known."""
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")


def _size(buckets: int, tick: timedelta) -> int:
    """How many buckets go into a point, so that a picture stays light and its unit a round one."""
    step = next((step for step in _STEPS if step >= tick and buckets * tick / step <= _POINTS), _STEPS[-1])
    return max(round(step / tick), 1)


def _summed(values: array[float], size: int) -> list[float | None]:
    """Sums of `size` buckets; None where any of them is not known."""
    sums = [math.fsum(values[first : first + size]) for first in range(0, len(values) - size + 1, size)]
    return [None if math.isnan(value) else value for value in sums]


def _noisy(usual: float | None, deviations: float) -> float | None:
    """The edge of ordinary noise around a usual count, as of a Poisson count."""
    return None if usual is None else max(usual + deviations * math.sqrt(usual), 0.0)


def _span(incident: Incident, policy: Policy) -> Span:
    opened = incident.opened_at or incident.started_at
    end = incident.eased_at or incident.closed_at
    return Span(onset=incident.started_at, opened=opened, end=end, tone=tone(incident.peak_level, policy))
