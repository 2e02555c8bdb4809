"""What all feeds of ready-made counts have in common: buckets that are over and whole, and cells of known words."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar

from pydantic import Field

from bot.core.model import Evidence
from bot.core.places import platform, region, symptom
from bot.core.reports import Cell
from bot.fields import Duration, Model, Secret
from bot.ports import Count, Errand, Gathered, Http
from bot.sources.pages import Unread
from bot.sources.wire import Interval

_MOST_WINDOWS = 1_500
_MOST_CELLS = 100
_MOST = 1e9

Bucket = Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(hours=1))]
Row = tuple[float, float, Cell]
"""The start of a bucket in Unix seconds, what fell into it, and of what kind it was."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """Whole buckets: from `first` up to `last`, in Unix seconds, each `width` wide."""

    first: float
    last: float
    width: float

    @property
    def starts(self) -> Sequence[float]:
        """Where each bucket begins."""
        return [self.first + n * self.width for n in range(round((self.last - self.first) / self.width))]

    def start(self, at: float) -> float | None:
        """The start of the bucket that begins at a moment, if it is one of these."""
        if not self.first - 1 <= at <= self.last:
            return None
        number = round((at - self.first) / self.width)
        begins = self.first + number * self.width
        return begins if abs(at - begins) < 1.0 and self.first <= begins < self.last else None


class CountFeed(Model):
    """A feed that answers how many there were in each bucket of time.

    A bucket is `width` wide, and asked for when it has been over for as long as `settling`.
    """

    evidence: ClassVar[Evidence] = Evidence.PEOPLE
    again: ClassVar[timedelta] = timedelta(minutes=5)
    width: ClassVar[timedelta] = timedelta(minutes=1)
    settling: ClassVar[timedelta] = timedelta(seconds=30)

    every: Interval = timedelta(minutes=1)
    """How often to ask."""
    allow_private: bool = False
    """Let the address lead into a private network."""

    async def gather(self, http: Http, errand: Errand) -> Gathered:
        """Count the buckets that are over and whole; what cannot be counted is a gap, never a zero."""
        span = self.span(errand)
        if not span.starts:
            return Gathered()
        try:
            rows = await self.count(http, errand, span)
        except Unread as exc:
            return Gathered(error=exc.error, note=str(exc), wait=exc.wait)
        except ValueError as exc:
            return Gathered(error="unparseable", note=str(exc)[:500])
        return Gathered(counts=counts(rows, span), until=datetime.fromtimestamp(span.last, UTC))

    def span(self, errand: Errand) -> Span:
        """The whole buckets of an errand, a few hundred at most: the rest is for the next one."""
        bucket, settling = self.rhythm()
        width = bucket.total_seconds()
        first = errand.since.timestamp() // width * width
        last = (errand.now - settling).timestamp() // width * width
        return Span(first=first, last=min(last, first + _MOST_WINDOWS * width), width=width)

    def rhythm(self) -> tuple[timedelta, timedelta]:
        """The width of a bucket, and for how long it must have been over."""
        return self.width, self.settling

    async def count(self, http: Http, errand: Errand, span: Span) -> Iterable[Row]:
        """What fell into the buckets; those without a row are gaps.

        Raises:
            Unread: the other side gives no answer that can be used.
            ValueError: it gives one that cannot be read.
        """
        raise NotImplementedError


class BucketFeed(CountFeed):
    """A feed whose buckets are for the owner to choose."""

    bucket: Bucket = timedelta(minutes=1)
    """The width of the buckets to ask for."""
    delay: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(hours=1))] = timedelta(seconds=15)
    """How long it takes until everything is in: a bucket is asked for when it has been over for so long."""

    def rhythm(self) -> tuple[timedelta, timedelta]:
        """The width of a bucket, and for how long it must have been over."""
        return self.bucket, self.delay


def counts(rows: Iterable[Row], span: Span) -> tuple[Count, ...]:
    """The rows as counts; rows of one bucket and kind add up, and what is no count is left out."""
    sums: defaultdict[tuple[float, Cell], float] = defaultdict(float)
    cells: dict[Cell, None] = {}
    for at, number, cell in rows:
        start = span.start(at)
        if start is not None and math.isfinite(number) and 0 <= number <= _MOST:
            cells[cell] = None
            kept = cell if len(cells) <= _MOST_CELLS else Cell()
            sums[start, kept] += number
    return tuple(
        Count(since=_time(start), until=_time(start + span.width), count=min(number, _MOST), **cell._asdict())
        for (start, cell), number in sums.items()
    )


def cell(words: Mapping[str, object]) -> Cell:
    """The kind that labels name under `region`, `platform` and `symptom`; words that mean nothing to us are left out."""
    said = {key: value for key, value in words.items() if isinstance(value, str)}
    return Cell(
        region(said.get("region", "")),
        platform(said.get("platform", "")),
        symptom(said.get("symptom", "")),
    )


def revealed(headers: Mapping[str, Secret]) -> dict[str, str]:
    """Headers for the one call that needs them."""
    return {name: value.reveal() for name, value in headers.items()}


def number(value: object) -> float:
    """A count out of JSON, where some senders write it as text; NaN for whatever is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value) if len(str(value)) <= 40 else math.nan
    except (ValueError, OverflowError):
        return math.nan


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
