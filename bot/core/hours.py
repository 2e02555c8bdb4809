"""Counts by the hour, as the archive keeps them, and how a count is shared out over buckets."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from bot.core.reports import Cell

HOUR = 3600


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """One hour of one service, for the archive: `number` is its start in Unix seconds / 3600.

    `totals` and `people` map a bucket's start, in seconds from the hour's, to what fell into it; `width` is the bucket's
    length in seconds. `cells` adds up the whole hour. With `fed`, a bucket that is missing is a gap and not a zero;
    `windows` tells that ready-made counts are among the numbers.
    """

    service: str
    number: int
    width: float
    fed: bool
    totals: dict[float, float]
    people: dict[float, float]
    cells: tuple[tuple[Cell, float], ...]
    windows: bool = False


def spread_out(hours: Sequence[Hour], width: float) -> dict[int, float]:
    """Archived totals by bucket; where the width was another one, shared out evenly."""
    totals: dict[int, float] = {}
    for hour in hours:
        for offset, total in hour.totals.items():
            start = hour.number * HOUR + offset
            for bucket, share in spread(start, start + hour.width, width):
                totals[bucket] = totals.get(bucket, 0.0) + total * share
    return totals


def spread(since: float, until: float, width: float) -> list[tuple[int, float]]:
    """The buckets that a window touches, each with its share of the window; the shares add up to 1."""
    first, last = int(since // width), math.ceil(until / width)
    if last - first == 1:
        return [(first, 1.0)]
    overlaps = [min(until, (bucket + 1) * width) - max(since, bucket * width) for bucket in range(first, last)]
    return [(first + index, overlap / (until - since)) for index, overlap in enumerate(overlaps)]
