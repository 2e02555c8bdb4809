"""What a replay keeps of every bucket: for the rows of `--scores`, and for the pictures of `--plot`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TextIO

import numpy as np

from bot.app import House
from bot.commands.scores import Scores
from bot.core.model import Incident, Picture
from bot.core.showing import span
from bot.detectors.ring import Floats

_POINTS = 800  # of one picture, at most
_STEPS = [timedelta(minutes=n) for n in (1, 5, 15, 30, 60, 180, 360, 1440)]


class Ledger:
    """Hears of every bucket that was closed; `scores` is an open file, `pictured` whether pictures are wanted."""

    def __init__(self, house: House, scores: TextIO | None, *, pictured: bool) -> None:
        self._house = house
        self._scores = Scores(house, scores) if scores else None
        self._pictured = pictured
        self._seen: list[Floats] = []
        self._usual: list[Floats] = []
        self._start: datetime | None = None

    def closed(self, at: datetime) -> None:
        """Write down the bucket that began at this time."""
        self._start = self._start or at
        if not (self._scores or self._pictured):
            return
        bucket = self._house.engine.crowd.surge.closed()
        if self._scores:
            self._scores.note(at, bucket)
        if self._pictured:
            self._seen.append(bucket.seen)
            self._usual.append(bucket.usual)

    def finish(self) -> None:
        """No more buckets come."""
        if self._scores:
            self._scores.write()

    def pictures(self, incidents: Sequence[Incident]) -> list[Picture]:
        """A picture for each service, those with incidents first."""
        names = self._house.engine.crowd.surge.names
        spans = {service: [i for i in incidents if i.service == service] for service in names}
        seen, usual = (np.array(rows).reshape(-1, len(names)) for rows in (self._seen, self._usual))
        order = sorted(range(len(names)), key=lambda column: (not spans[names[column]], names[column]))
        return [self._picture(names[k], seen[:, k], usual[:, k], spans[names[k]]) for k in order]

    def _picture(self, service: str, seen: Floats, usual: Floats, incidents: Sequence[Incident]) -> Picture:
        known, tick = self._house.services[service], self._house.engine.tick
        size = _size(len(seen), tick)
        due = _summed(usual, size)
        return Picture(
            service=service,
            name=known.name,
            start=self._start or self._house.clock.now(),
            step=size * tick,
            counts=tuple(_summed(seen, size)),
            usual=tuple(due),
            low=tuple(_noisy(value, -2) for value in due),
            high=tuple(_noisy(value, 2) for value in due),
            spans=tuple(span(incident, known.policy) for incident in incidents),
        )


def _size(buckets: int, tick: timedelta) -> int:
    """How many buckets go into a point, so that a picture stays light and its unit a round one."""
    step = next((step for step in _STEPS if step >= tick and buckets * tick / step <= _POINTS), _STEPS[-1])
    return max(round(step / tick), 1)


def _summed(column: Floats, size: int) -> list[float | None]:
    """Sums of `size` buckets; None where any of them is not known."""
    values = column.tolist()
    sums = [math.fsum(values[first : first + size]) for first in range(0, len(values) - size + 1, size)]
    return [None if math.isnan(value) else value for value in sums]


def _noisy(usual: float | None, deviations: float) -> float | None:
    """The edge of ordinary noise around a usual count, as of a Poisson count."""
    return None if usual is None else max(usual + deviations * math.sqrt(usual), 0.0)
